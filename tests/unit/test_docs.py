"""The documentation is complete: what one can set, meet or call stands there, and what it names exists."""

from __future__ import annotations

import csv
import json
import re
import shlex
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from relaydesk import cli
from relaydesk.business_time.calendar import Calendar
from relaydesk.classify import rules_file
from relaydesk.config import parts
from relaydesk.config.load import load_settings
from relaydesk.config.settings import PREFIX, Queue, Settings
from relaydesk.desk.permissions import PERMITTED
from relaydesk.dns.zone import parse_zone
from relaydesk.events import PAYLOADS
from relaydesk.gateway import rules as desks
from relaydesk.intake.forward import LOOP, Sorted, added_fields
from relaydesk.mailauth import signing
from relaydesk.orders import row as orders
from relaydesk.outbound import disposition
from relaydesk.outbound.answer import HopReply
from relaydesk.outbound.template_variables import MEANINGS
from relaydesk.outbound.templates import Templates
from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.reasons import SENTENCES
from relaydesk.smtpd import limits, replies
from relaydesk.store.outbox_rows import AnswerState
from tests.support.mails import RULES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONTRIBUTORS = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "tests" / "README.md"]
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *CONTRIBUTORS]


@cache
def named() -> frozenset[str]:
    """Everything that docs/operations.md puts in backticks, outside of code blocks."""
    page = DOCS / "operations.md"
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return frozenset(re.findall(r"`([^`\n]+)`", text))


def test_it_documents_every_setting():
    assert set(Settings.model_fields) - named() == set()


def test_it_documents_the_fields_of_a_queue():
    assert issubclass(Queue, BaseModel)
    assert set(Queue.model_fields) - named() == set()


def test_it_documents_every_limit():
    assert set(limits.Limits.__dataclass_fields__) - named() == set()


def test_it_documents_every_reply():
    table = {**replies.BY_REASON, **replies.BY_NAME}
    lines = {reply.line() for reply in table.values()} | {replies.ACCEPTED.line(), replies.REFUSED.line()}
    assert lines - named() == set()


def test_it_documents_every_reason_code():
    assert set(SENTENCES) - named() == set()


def test_it_documents_every_event():
    assert set(PAYLOADS) - named() == set()


def commands(group: click.Group, path: tuple[str, ...] = ()) -> set[str]:
    """``report sla`` and the like: every command that is not hidden, by the words one types."""
    found: set[str] = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        else:
            found.add(" ".join((*path, name)))
    return found


def test_it_documents_every_command():
    typed = commands(cli.cli)
    assert "report sla" in typed
    assert {
        name for name in typed if not any(one == name or one.startswith(f"{name} ") for one in named())
    } == set()


def blocks(page: str, language: str = "yaml") -> list[str]:
    return [text for named_as, text in fenced(DOCS / page) if named_as == language]


def fenced(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and text."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def calls() -> list[tuple[str, list[str]]]:
    """Every call of relaydesk in the pages, as pasted: page, words behind ``relaydesk``."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        quoted = re.findall(r"(?<!`)`relaydesk ([^`\n]+)`(?!`)", text)
        for _, block in fenced(page):
            quoted += re.findall(r"^(?:ExecStart=\S*/)?relaydesk (?!unix )(.+)$", block, re.MULTILINE)
        found += [(page.name, shlex.split(line)) for line in quoted]
    return found


@pytest.mark.parametrize(("page", "words"), calls(), ids=lambda value: str(value)[:60])
def test_its_calls_can_be_typed_as_they_stand(page, words):
    command: click.Command = cli.cli
    context = click.Context(command)
    known = {"--help", *(option for one in command.params for option in one.opts)}
    for word in words:
        if isinstance(command, click.Group) and (inner := command.get_command(context, word)) is not None:
            command = inner
            known |= {option for one in command.params for option in one.opts}
        elif word.startswith("-"):
            assert word in known, f"{page}: {command.name} has no {word}"
    assert command is not cli.cli or words[0] == "COMMAND", (
        f"{page}: relaydesk {' '.join(words)} is no command"
    )


ANSWERING = ("answer", "outbox", "templates", "dkim", "gateway")


def test_it_documents_the_options_of_answering():
    text = " ".join(named()) + (DOCS / "answers.md").read_text(encoding="utf-8")
    told = {*re.findall(r"--[a-z-]+", text), "--json"}
    for name in ANSWERING:
        command = cli.cli.get_command(click.Context(cli.cli), name)
        assert command is not None, name
        assert {one for one in options(command) if one.startswith("--")} - told == set(), name


def options(command: click.Command) -> set[str]:
    found = {option for one in command.params for option in one.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        inner = (command.get_command(context, name) for name in command.list_commands(context))
        return found.union(*(options(one) for one in inner if one is not None))
    return found


def test_it_names_no_option_that_does_not_exist():
    mentioned = {one.split()[0] for one in named() if one.startswith("--")}
    # of certbot
    assert mentioned - options(cli.cli) - {"--deploy-hook"} == set()


def rows(page: str, first: str) -> dict[str, list[str]]:
    """The table of a page whose header begins with this word: name to further cells."""
    text = (DOCS / page).read_text(encoding="utf-8")
    table = re.search(rf"^\| {first} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None, first
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()]
    return {row[0].strip("` "): row[1:] for row in cells}


def test_it_tells_the_defaults_of_the_settings():
    told = rows("operations.md", "setting")
    wrong = {}
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if default in ("", None) or isinstance(default, (dict, limits.Limits)) or name == "nameservers":
            continue  # "this host's own name" and the like
        as_json = isinstance(default, (bool, tuple))
        written = json.dumps(default) if as_json else str(default)
        if told[name][0] != f"`{written}`":
            wrong[name] = (told[name][0], written)
    assert wrong == {}


def test_it_tells_the_defaults_of_the_limits():
    told = {name: float(cells[0]) for name, cells in rows("operations.md", "limit").items()}
    assert told == asdict(limits.Limits())


def example(page: str, start: str) -> dict[str, object]:
    """The YAML examples of a page that begin with this key, as one mapping each."""
    (found,) = [block for block in blocks(page) if block.startswith(start)]
    return YAML(typ="safe", pure=True).load(found)


def test_its_examples_of_settings_work(tmp_path):
    (readme,) = [text for language, text in fenced(ROOT / "README.md") if language == "yaml"]
    queues = next(block for block in blocks("operations.md") if block.startswith("queues:"))
    for text in (readme, example_text("operations.md", "mailboxes:"), queues):
        path = tmp_path / "relaydesk.yaml"
        path.write_text(text)
        conf = load_settings(path, {})
        parts.policy(conf, parts.allowlist(conf))


def example_text(page: str, start: str) -> str:
    return next(block for block in blocks(page) if block.startswith(start))


def test_its_example_of_a_calendar_works():
    calendar = Calendar.from_mapping(example("formats.md", "zone:"))
    assert calendar.warnings == ()
    assert calendar.business_day == timedelta(hours=8)


def test_its_examples_of_lists_work():
    lists = [block for block in blocks("relays.md") if block.startswith(("relays:", "proxies:"))]
    assert len(lists) == 5
    for text in lists:
        found = parse_allowlist(text)
        assert found.relays or found.proxies


def test_its_example_of_rules_extends_ours():
    assert any(
        rule.name == "our-claim-decided"
        for rule in RULES.extended(
            rules_file.load_rules(example_text("formats.md", "rules:"), "formats.md")
        ).rules
    )


def test_its_example_of_a_zone_works():
    assert len(parse_zone(example("formats.md", "support.instagram.com:")).nodes) == 4


def test_its_example_of_orders_is_read():
    (lines,) = blocks("formats.md", "")
    (record,) = csv.DictReader(lines.splitlines())
    row = orders.RowReader().read(record)
    assert row.unknown == row.bad == ()
    assert (row.order.items[0].retailer_id, row.order.items[0].quantity) == ("MUG-RED", 2)


def test_it_documents_the_columns_of_orders():
    assert set(rows("formats.md", "column")) == set(orders.COLUMNS)


ROLES = ("agent", "lead", "admin", "console")


def test_it_documents_who_may_do_what():
    table = rows("operations.md", "act")
    assert {name: tuple(cells) for name, cells in table.items()} == {
        act.replace("_", " "): tuple("yes" if role in permitted else "\N{EN DASH}" for role in ROLES)
        for act, permitted in PERMITTED.items()
    }
    header = re.search(
        r"^\| act \|(.+)\|$", (DOCS / "operations.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert header is not None
    assert tuple(cell.strip(" `") for cell in header[1].split("|")) == ROLES


def test_it_documents_the_states_of_the_outbox():
    told = rows("answers.md", "state")
    assert set(told) == set(get_args(AnswerState))
    stopped = {state for state, (_, clock, _) in told.items() if clock.startswith("stopped")}
    assert stopped == {"sent"}


def test_it_documents_what_metas_codes_become():
    told = {}
    for codes, cells in rows("answers.md", "Meta's code").items():
        told |= dict.fromkeys(re.findall(r"[A-Z]{3}-[A-Z][0-9]", codes), cells)
    assert set(told) == set(disposition.META)
    for code, (state, wait, *_) in told.items():
        soonest, latest = (
            disposition.disposition_of(HopReply(451, f"4.7.1 {code}", "dot"), 1, chance)
            for chance in (0.0, 1.0)
        )
        assert state == f"`{soonest.state}`", code
        assert wait == span(soonest.retry_after, latest.retry_after), code


def span(soonest: timedelta | None, latest: timedelta | None) -> str:
    """Two times with an en dash between, as the page prints them."""
    if soonest is None or latest is None:
        return "\N{EN DASH}"
    hours = soonest >= timedelta(hours=1)
    unit, word = (timedelta(hours=1), "h") if hours else (timedelta(minutes=1), "min")
    return f"{soonest // unit}\N{EN DASH}{latest // unit} {word}"


def test_its_examples_of_settings_for_answers_work(tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(signing.new_dkim_key(1024))
    pages = [*blocks("answers.md"), *blocks("desks.md")]
    text = "\n".join(block for block in pages if not block.startswith("automatic:"))
    text = text.replace("/etc/relaydesk/2026-11.pem", str(key))
    path = tmp_path / "relaydesk.yaml"
    path.write_text(text)
    conf = load_settings(path, {})
    head = parts.sender(conf, parts.allowlist(conf), secret=b"s")
    assert head.key is not None
    assert head.shop.domain == "desk.shop.example"
    assert set(conf.forward) <= set(conf.all_queues)
    assert parts.next_hop(conf).host == "smtp.provider.example"
    assert len(parts.gateway_listen(conf)) == 1


def test_its_examples_of_gateway_rules_work():
    found = desks.load_gateway_rules(example("formats.md", "lines:"), "formats.md")
    assert all((found.desks, found.pixels, found.links, found.automatic))
    keys = set(re.findall(r"`(\w+)`", (DOCS / "formats.md").read_text(encoding="utf-8")))
    assert {*desks._LISTS, *desks._LINK, *desks._SIGN, *desks._DESK, "links", "automatic"} - keys == set()


@pytest.mark.parametrize(
    ("subject", "automatic"), [("Re: Message from alice", False), ("[Request received] Hello", True)]
)
def test_its_rules_tell_an_agent_from_a_desk_that_marks_all_as_automatic(subject, automatic):
    rules_file = desks.load_gateway_rules(example("desks.md", "automatic:"), "desks.md").over(
        parts.gateway_rules(Settings())
    )
    header = [
        ("auto-submitted", "auto-generated"),
        ("x-mailer", "Zendesk Mailer"),
        ("subject", subject),
    ]
    assert rules_file.is_automatic(header) is automatic
    assert parts.gateway_rules(Settings()).is_automatic(header) is True


def test_its_example_of_a_template_is_right(tmp_path):
    (text,) = blocks("formats.md", "jinja")
    (tmp_path / "replacement.txt").write_text(text)
    found = Templates.load([tmp_path])
    assert found.check() == []
    assert found.get("replacement").needs == ("replacement.arrival",)


def test_it_documents_the_variables_and_names_the_templates():
    assert set(rows("formats.md", "variable")) == set(MEANINGS)
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    shipped = {path.stem for path in (ROOT / "templates" / "replies").glob("*.txt")}
    assert {name for name in shipped if f"`{name}`" not in text} == set()


def test_it_names_every_header_of_a_forward():
    found = Sorted(1, "case", "case", ("1",), datetime(2026, 11, 23, tzinfo=UTC))
    added = {name for name, _ in added_fields(found, "Received: x\r\nAuthentication-Results: y")} | {LOOP}
    told = {one for cell in rows("desks.md", "header") for one in re.findall(r"[A-Z][\w-]+", cell)}
    assert added == told


def test_its_postfix_sends_every_listed_domain_to_the_gateway():
    (text,) = [block for block in blocks("desks.md", "") if "support.facebook.com" in block]
    routed = {line.split()[0] for line in text.splitlines()}
    bounces_only = {"mx.facebook.com"}
    assert routed == set(parts.allowlist(Settings()).senders) - bounces_only


def test_it_documents_every_line_of_the_log():
    told = named()
    written = {
        name
        for text in sources().values()
        for name in re.findall(r"\blog(?:_exception)?\(\s*\"(\w+)\"", text)
    }
    assert {"answer", "submission", "forward_loop"} <= written
    assert written - told == {"event"}  # the name is an argument there


def test_it_documents_the_keys_of_a_rule_file():
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`(\w+)`", text))
    assert {*rules_file._RULE, *rules_file.LABELS} - words == set()
    assert {*rules_file._TOP} - words - {"rules"} == set()


def test_the_readme_is_one_screen_and_names_what_there_is():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 90
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    made = re.findall(r"^make ([a-z]+)", text, re.MULTILINE)
    assert made == ["demo", "test"]
    assert set(made) <= set(targets)


def test_it_documents_no_setting_that_does_not_exist():
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    mentioned = {one for name in named() for one in re.findall(rf"{PREFIX}[A-Z_]+", name)}
    assert {one for one in mentioned if one.split("__")[0].removesuffix("_") not in known} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


def quoted(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", CONTRIBUTORS, ids=lambda page: page.name)
def test_the_paths_and_tests_that_contributors_are_sent_to_exist(page):
    """``src/…``, ``tests/…``, ``docs/…``, ``fixtures/…``; and ``tests/unit/test_x.py::test_name``."""
    tops = ("src/relaydesk/", "src/relaydesk_testkit", "tests/", "docs/", "fixtures/", "bench/")
    named_paths = [name for name in quoted(page) if name.startswith(tops) and "ROOM" not in name]
    assert named_paths
    for name in named_paths:
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), name
        if test:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {test}\(", text, re.MULTILINE), name


@pytest.mark.parametrize("page", CONTRIBUTORS, ids=lambda page: page.name)
def test_contributors_are_told_make_targets_that_exist(page):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = page.read_text(encoding="utf-8")
    typed = set(re.findall(r"`make ([a-z]+)|^make ([a-z]+)", text, re.MULTILINE))
    assert {name for pair in typed for name in pair if name} <= set(targets)


def test_contributing_names_every_room():
    rooms = {
        path.stem
        for path in (ROOT / "src" / "relaydesk").iterdir()
        if not path.name.startswith("_") and (path.is_dir() or path.suffix == ".py")
    }
    assert rooms - set(quoted(ROOT / "CONTRIBUTING.md")) == set()


def test_the_tests_page_names_every_tier():
    tiers = {f"tests/{path.parent.name}" for path in (ROOT / "tests").glob("*/test_*.py")} | {"tests/support"}
    names = set(quoted(ROOT / "tests" / "README.md"))
    assert tiers - names == set()
    assert {name for name in names if re.fullmatch(r"tests/\w+", name)} == tiers


def test_every_promise_of_security_names_a_test():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!promise|---)(.+)$", text, re.MULTILINE)
    assert len(rows) > 15
    assert [row for row in rows if "::test_" not in row] == []


def test_the_bug_to_plant_can_be_planted():
    """The example of ``tests/README.md`` still changes what it names."""
    text = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    ((old, path),) = re.findall(r"^sed -i 's/(.+?)/.*/' (\S+)$", text, re.MULTILINE)
    assert (ROOT / path).read_text(encoding="utf-8").count(old) == 1


def sources() -> dict[str, str]:
    """Module path without suffix, as flow.md writes it: its text."""
    package = ROOT / "src" / "relaydesk"
    return {
        path.relative_to(package).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in package.rglob("*.py")
    }


def test_the_flow_names_every_room_and_modules_that_exist():
    names = set(quoted(DOCS / "flow.md"))
    rooms = {name.partition("/")[0] for name in sources() if name != "__init__" and not name.startswith("__")}
    assert rooms - names == set()
    assert {name for name in names if re.fullmatch(r"[a-z_]+/[a-z_]+", name)} - set(sources()) == set()


def flow_names() -> list[str]:
    text = (DOCS / "flow.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"`([\w/]+\.[\w.]+)`", text)) - {"facebook.yaml"})


@pytest.mark.parametrize("name", flow_names())
def test_the_flow_names_functions_that_exist(name):
    where, *path = name.split(".")
    known = sources()
    if where in known:
        text = known[where]
    else:  # a class, wherever it is defined
        text = "\n".join(one for one in known.values() if re.search(rf"^class {where}\b", one, re.MULTILINE))
    for part in path:
        assert re.search(rf"^ *(?:async def|def|class) {part}\b|^{part}\b.*=", text, re.MULTILINE), name
