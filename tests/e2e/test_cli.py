"""The command line as people and programs call it: readable by default, JSON on demand, no traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from relaydesk.characters import harmless
from relaydesk.cli import COMMANDS
from relaydesk.cli import _unexpected as cli_errors
from relaydesk.config.load import load_settings
from relaydesk.config.opening import open_store
from relaydesk.store import RefusalKey, RefusalTally, audit, refusals
from relaydesk_testkit.arriving import open_ticket
from relaydesk_testkit.signing import MESSAGE, key_zone, signed
from tests.support.commands import data, make_shop, run

CASE = MESSAGE.replace(
    b"Where is my parcel?", b"Facebook order number: 64000841784004\r\n\r\nWhere is my parcel?"
)
ZONE = {
    **key_zone(),
    "_dmarc.support.instagram.com": [{"TXT": "v=DMARC1; p=reject"}],
}


def signed_case() -> bytes:
    return signed(CASE)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop's folder: settings, a store, nothing in it."""
    return make_shop(tmp_path, monkeypatch)


def test_it_lists_its_commands_without_loading_them() -> None:
    code = "import sys; from relaydesk.cli import cli; cli(['--help'], standalone_mode=False);"
    heavy = "print(sorted({'sqlmodel','checkdmarc','rich','aiosmtpd','pydantic'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"
    for name, (_, about) in COMMANDS.items():
        assert (f"\n  {name} " in told.stdout) == bool(about)


def imported(*arguments: str) -> set[str]:
    """The modules that a command imports, outermost names and ours whole."""
    command = [sys.executable, "-X", "importtime", "-m", "relaydesk", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    assert "click" in names
    return names | {name.partition(".")[0] for name in names}


OF_MAIL = {
    *("aiosmtpd", "aiosmtplib", "smtpd", "checkdmarc", "dkim", "spf", "dns", "jinja2", "rich", "alembic"),
    *("mailparser", "selectolax", "nh3", "re2", "cryptography", "nacl", "holidays", "structlog"),
    *("relaydesk.server", "relaydesk.intake", "relaydesk.gateway.receive", "relaydesk.report"),
    *(
        "relaydesk.mailauth",
        "relaydesk.message.parse",
        "relaydesk.classify.rules",
        "relaydesk.policy",
        "relaydesk.config.parts",
    ),
}


def test_help_waits_for_neither_settings_nor_store() -> None:
    heavy = OF_MAIL | {"pydantic", "sqlalchemy", "sqlmodel", "ruamel", "relaydesk.config", "relaydesk.desk"}
    assert imported("queue", "--help") & heavy == set()


def test_commands_that_only_read_wait_for_nothing_of_mail(shop: Path) -> None:
    assert imported("queue") & OF_MAIL == set()
    assert imported("queue", "all", "--json") & OF_MAIL == set()
    assert imported("agents", "list") & OF_MAIL == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_it_explains_each_command(name: str) -> None:
    found = run(name, "--help")
    assert found.exit_code == 0
    assert "Usage:" in found.output


def test_it_says_when_an_answer_is_due(shop: Path) -> None:
    found = data("due", "--received", "2026-11-24T12:00:00-08:00", "--target", "2 business days")
    assert found["due"] == "2026-11-26T20:00:00+00:00"
    assert found["reading"] == "elapsed"
    Path("cal.yaml").write_text("zone: Europe/Berlin\nhours: {mon: ['09:00-17:00']}\n")
    found = data(
        *("due", "--received", "2026-11-24T12:00:00+01:00", "--target", "4 business hours"),
        *("--calendar", "cal.yaml"),
    )
    assert found["due"] == "2026-11-30T12:00:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("due", "--received", "yesterday"), "is not a time"),
        (("due", "--received", "2026-11-24T12:00:00"), "is not a time"),
        (("due", "--received", "2026-11-24T12:00:00Z", "--target", "soon"), "is not a target"),
        (
            ("due", "--received", "2026-11-24T12:00:00Z", "--calendar", "gone.yaml"),
            "gone.yaml cannot be read",
        ),
        (("explain", "gone.eml", "--peer", "192.0.2.1"), "gone.eml"),
        (("explain", "-", "--peer", "here"), "is not an IP address"),
        (("explain", "-", "--peer", "192.0.2.1", "--now", "noon"), "is not a time"),
        (("queue", "parcels"), "There is no queue parcels"),
        (("orders", "import", "gone.csv"), "gone.csv"),
        (("report", "sla", "--from", "soon"), "is neither a day"),
        (("--config", "gone.yaml", "config", "show"), "gone.yaml does not exist"),
        (("ticket", "1", "--how", "paid"), "go with --handled"),
    ],
)
def test_it_says_how_to_mend_a_wrong_call(shop: Path, arguments: tuple[str, ...], told: str) -> None:
    found = run(*arguments, stdin=b"")
    assert found.exit_code == 2
    assert told in found.stderr
    assert "Traceback" not in found.output


def test_it_says_no_with_exit_code_one(shop: Path) -> None:
    assert run("ticket", "7").exit_code == 1
    assert "There is no ticket 7." in run("ticket", "7").stderr
    assert run("orders", "find", "123").exit_code == 1
    Path("list.yaml").write_text("networks: [300.1.2.3/8]\nsender: []\n")
    found = data("allowlist", "check", "list.yaml", code=1)
    assert [problem["line"] for problem in found["problems"]] == [1, 2]


def test_it_asks_for_an_upgrade_of_a_store_without_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = run("queue")
    assert found.exit_code == 1
    assert "relaydesk db upgrade" in found.stderr
    assert not list(tmp_path.iterdir())  # asking makes no empty database


def explained(message: bytes, *more: str, code: int = 0) -> Any:
    Path("zone.yaml").write_text(json.dumps(ZONE))  # JSON is YAML
    Path("message.eml").write_bytes(message)
    return data("explain", "message.eml", "--zone", "zone.yaml", *more, code=code)


def test_it_explains_a_genuine_case(shop: Path) -> None:
    found = explained(
        signed_case(),
        *("--peer", "66.220.144.130", "--now", "2026-11-24T20:00:00Z", "--helo", "mx-out.facebook.com"),
    )
    assert (found["outcome"], found["reply"][:9]) == ("accepted", "250 2.0.0")
    assert found["origin"] == {
        "ip": "66.220.144.130",
        "role": "origin",
        "allowlisted": True,
        "how": "peer",
    }
    assert found["auth"]["dkim"][0]["result"] == "pass"
    assert "dkim" in found["auth"]["dmarc"]["aligned_by"]
    assert (found["kind"], found["queue"]) == ("case", "case")
    assert found["relay_address"] == "case++aazr5wey3juyyq@support.instagram.com"
    assert found["case_token"] == "aazr5wey3juyyq"
    assert found["order_ids"] == ["64000841784004"]
    assert found["deadlines"][0]["due"] == "2026-11-26T20:00:00+00:00"
    assert {"aligned_dkim", "rule", "opens"} <= {why["code"] for why in found["reasons"]}


def test_it_explains_what_the_server_would_refuse(shop: Path) -> None:
    stranger = explained(signed_case(), "--peer", "192.0.2.7")
    assert (stranger["outcome"], stranger["reply"][:9]) == ("refused", "550 5.7.1")
    assert stranger["kind"] is None
    other = explained(signed_case(), "--peer", "66.220.144.130", "--rcpt", "boss@shop.example")
    assert other["reply"].startswith("550 5.1.1")
    forged = explained(signed_case().replace(b"Where", b"Nowhere"), "--peer", "69.63.184.5")
    assert (forged["outcome"], forged["reasons"][0]["code"]) == ("refused", "forged")


@pytest.mark.parametrize("message", [b"", b"\n", b"\x00\xff" * 300, b"From: a@b\n\nx", b"no header at all"])
def test_it_explains_any_bytes(shop: Path, message: bytes) -> None:
    found = explained(message, "--peer", "66.220.144.130", "--mail-from", "")
    assert found["outcome"] == "refused"
    assert found["order_ids"] == []
    assert found["reasons"]


def test_it_says_that_a_file_with_bare_line_feeds_was_read_as_crlf(shop: Path) -> None:
    found = explained(signed_case().replace(b"\r\n", b"\n"), "--peer", "66.220.144.130")
    assert found["outcome"] == "accepted"
    assert "lf_read_as_crlf" in [why["code"] for why in found["reasons"]]


def test_it_imports_and_finds_orders(shop: Path) -> None:
    Path("orders.csv").write_text(
        "order_id,merchant_ref,state,relay_address\n"
        "64000841784004,A-1,CREATED,5oguv2ft0e@shopping.instagram.com\n"
        "3.68509E+14,A-2,CREATED,\n"
    )
    done = data("orders", "import", "orders.csv", code=1)
    assert (done["added"], done["left_out"]) == (1, 1)
    assert done["rejected"][0]["row"] == 3  # as a spreadsheet counts
    assert data("orders", "import", "orders.csv", code=1)["unchanged"] == 1
    for key in ("64000841784004", "A-1", "5oguv2ft0e@shopping.instagram.com"):
        assert data("orders", "find", key)[0]["id"] == "64000841784004"


def test_a_bad_cell_is_reported_and_the_order_goes_in(shop: Path) -> None:
    Path("orders.csv").write_text("Order #;Reference;Total\n64000841784004;2026/INV #17;10,50\n")
    imported = run("orders", "import", "orders.csv")
    assert imported.exit_code == 0
    assert (
        imported.stdout == "1 added, 0 updated, 0 unchanged, 0 skipped, 2 cells left out, 0 tickets tied.\n"
    )
    assert "Row 2 without its merchant_ref: merchant_ref '2026/INV #17' contains a space" in imported.stderr
    assert "Row 2 without its amount: amount '10,50' is not a plain decimal" in imported.stderr
    cells = data("orders", "import", "orders.csv")["cells"]
    assert [(cell["row"], cell["column"], cell["value"]) for cell in cells] == [
        (2, "merchant_ref", "2026/INV #17"),
        (2, "amount", "10,50"),
    ]


def test_orders_may_come_on_standard_input_and_days_are_those_of_the_calendar(shop: Path) -> None:
    Path("relaydesk.yaml").write_text(
        "mailboxes: [help@shop.example]\nhostname: mx.shop.example\ncalendar: {zone: Europe/Berlin}\n"
    )
    page = '{"data": [{"id": "64000841784004", "ship_by_date": "2026-01-16"}], "paging": {}}'
    assert run("orders", "import", "-", stdin=page.encode()).exit_code == 0
    [order] = data("orders", "find", "64000841784004")
    assert order["ship_by"] == "2026-01-16T22:59:59+00:00"
    assert run("orders", "import", "-", stdin=b"order_id\n1e15\n").exit_code == 1
    assert run("orders", "import", "-", stdin=b"").exit_code == 2


def test_the_shops_own_rules_say_what_an_order_id_is(shop: Path) -> None:
    Path("rules.yaml").write_text("values: {order: '[A-Z]{2}[0-9]{6}'}\n")
    Path("relaydesk.yaml").write_text("mailboxes: [help@shop.example]\nrules: rules.yaml\n")
    assert run("orders", "import", "-", stdin=b"order_id\nFB123456\n").exit_code == 0
    assert run("orders", "import", "-", stdin=b"order_id\n64000841784004\n").exit_code == 1


def test_it_shows_empty_queues_and_reports(shop: Path) -> None:
    assert [queue["open"] for queue in data("queue")] == [0] * 5
    assert data("queue", "all") == []
    assert "is empty" in run("queue", "case").output
    assert "no agents yet" in run("agents", "list").output
    assert "Nothing was refused or deferred" in run("refusals").output
    for form in ("table", "json", "csv", "html"):
        found = run("report", "sla", "--format", form)
        assert found.exit_code == 0
        assert found.output
    assert run("report", "sla", "--format", "html", "-o", "report.html").exit_code == 0
    assert Path("report.html").read_text().startswith("<!doctype html>")


def test_it_keeps_agents(shop: Path) -> None:
    assert run("agents", "add", "alice", "--email", "alice@shop.example", "--role", "admin").exit_code == 0
    assert run("agents", "add", "Alice").exit_code == 1
    assert run("agents", "add", "bob", "--as", "alice").exit_code == 0
    refused = run("agents", "add", "carol", "--as", "bob")
    assert (refused.exit_code, "needs the role admin" in refused.stderr) == (1, True)
    assert run("agents", "change", "bob", "--display-name", "Bob B.", "--role", "lead").exit_code == 0
    assert run("agents", "deactivate", "alice").exit_code == 0
    shown = {agent["name"]: agent for agent in data("agents", "list")}
    assert [(name, agent["role"], agent["active"]) for name, agent in shown.items()] == [
        ("alice", "admin", False),
        ("bob", "lead", True),
    ]
    assert (shown["bob"]["display_name"], shown["alice"]["email"]) == ("Bob B.", "alice@shop.example")
    assert "Bob B." in run("agents", "list").output


@pytest.fixture
def asked(shop: Path) -> Path:
    """A shop with one ticket and one agent."""
    store = open_store(load_settings())
    open_ticket(store)
    store.close()
    assert run("agents", "add", "alice").exit_code == 0
    return shop


ACTS: list[tuple[str, ...]] = [
    ("ticket", "1", "--note", "He called."),
    ("ticket", "1", "--close"),
    ("answer", "1", "--text", "words.txt", "--no-order"),
    ("outbox", "cancel", "1"),
    ("outbox", "retry", "1"),
    ("templates", "preview", "acknowledgement", "--ticket", "1"),
]


@pytest.mark.parametrize("act", ACTS, ids=" ".join)
def test_whoever_acts_on_a_ticket_says_who(
    asked: Path, monkeypatch: pytest.MonkeyPatch, act: tuple[str, ...]
) -> None:
    Path("words.txt").write_text("We look into it.")
    monkeypatch.setenv("USER", "alice")  # the login name of the machine is nobody's here
    unnamed = run(*act)
    assert unnamed.exit_code == 2
    assert "--as NAME" in unnamed.stderr
    assert "RELAYDESK_AGENT" in unnamed.stderr
    unknown = run(*act, "--as", "mallory")
    assert unknown.exit_code == 1
    assert unknown.stderr == "relaydesk: There is no agent mallory; add one with `relaydesk agents add`.\n"
    monkeypatch.setenv("RELAYDESK_AGENT", "mallory")
    assert "no agent mallory" in run(*act).stderr
    assert [event["what"] for event in data("ticket", "1")["events"]] == ["opened", "clock_started"]


def test_the_setting_names_who_acts(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("relaydesk.yaml").open("a") as file:
        file.write("agent: alice\n")
    assert run("ticket", "1", "--note", "One").exit_code == 0
    run("agents", "add", "bob")
    monkeypatch.setenv("RELAYDESK_AGENT", "bob")
    assert run("ticket", "1", "--note", "Two").exit_code == 0
    assert run("ticket", "1", "--note", "Three", "--as", "Alice").exit_code == 0
    notes = [event["actor"] for event in data("ticket", "1")["events"] if event["what"] == "note"]
    assert notes == ["agent:alice", "agent:bob", "agent:alice"]


def test_it_shows_the_text_of_a_ticket_to_programs(asked: Path) -> None:
    (message,) = data("ticket", "1")["messages"]
    assert message["text"].startswith("alice 2026-11-24")
    assert message["subject"] == "Hello"


def test_it_shows_the_settings_without_secrets(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAYDESK_SECRET", "hush-hush")
    found = data("config", "show")
    assert found["mailboxes"] == ["help@shop.example"]
    assert "hush-hush" not in json.dumps(found)
    assert "hush-hush" not in run("config", "show").output


def test_it_examines_the_installation(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAYDESK_NAMESERVERS", '["127.0.0.1:9"]')
    monkeypatch.setenv("RELAYDESK_DNS_TIMEOUT", "0.3")
    found = {finding["check"]: finding["level"] for finding in data("doctor")}
    assert found["store"] == "ok"
    assert found["certificate"] == "warn"
    assert found["shop.example spf"] == "unchecked"


def test_doctor_says_that_others_could_read_the_database(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore makes files with the mode that it likes."""
    monkeypatch.setenv("RELAYDESK_NAMESERVERS", '["127.0.0.1:9"]')
    monkeypatch.setenv("RELAYDESK_DNS_TIMEOUT", "0.3")
    database = tmp_path / "restored.db"
    monkeypatch.setenv("RELAYDESK_DATABASE", f"sqlite:///{database}")
    run("db", "upgrade")
    database.chmod(0o644)
    told = [{row["check"]: row for row in data("doctor")}["store"] for _ in range(2)]
    assert [row["level"] for row in told] == ["warn", "ok"]
    assert f"{database} (0644)" in told[0]["text"]


def test_it_ends_quietly_when_its_reader_goes_away(shop: Path) -> None:
    command = f"{sys.executable} -m relaydesk report sla --format html | head -c 10"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env={**os.environ}, check=True
    )
    assert done.stderr == ""


def test_a_table_ends_quietly_when_its_reader_goes_away(shop: Path) -> None:
    command = f"({sys.executable} -m relaydesk report sla; echo status $? >&2) | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == "status 0\n"


HOSTILE = "a\x1b[2J\x9b31m\u202eevil\u2066\u200bz\x07"


@pytest.mark.parametrize(
    "command",
    [
        ("search", HOSTILE), ("queue", HOSTILE), ("queue", "all", "--after", HOSTILE), ("ticket", HOSTILE),
        ("ticket", "1", "--note", "x", "--as", HOSTILE), ("answer", "1", "--template", HOSTILE),
        ("answer", "1", "--set", HOSTILE), ("templates", "preview", HOSTILE),
        ("gateway", "add", HOSTILE),
        ("agents", "add", HOSTILE), ("report", "sla", "--from", HOSTILE),
        ("report", "sla", "--queue", HOSTILE),
        ("report", "sla", "--output", f"/nowhere/{HOSTILE}"), ("orders", "import", HOSTILE),
        ("orders", "find", HOSTILE), ("refusals", HOSTILE), ("explain", HOSTILE, "--peer", "192.0.2.1"),
        ("explain", "/dev/null", "--peer", HOSTILE), ("due", "--received", HOSTILE, "--target", "2 days"),
        ("due", "--received", "2026-01-01T00:00:00Z", "--target", HOSTILE), (HOSTILE,), (f"--{HOSTILE}",),
        ("queue", f"--{HOSTILE}"), ("--config", HOSTILE, "queue"),
    ],
    ids=ascii,
)  # fmt: skip
def test_nothing_that_was_typed_steers_the_terminal(shop: Path, command: tuple[str, ...]) -> None:
    """It may have been copied out of a mail."""
    result = run(*command)
    assert harmless(result.stdout) == result.stdout
    assert harmless(result.stderr) == result.stderr


@pytest.mark.parametrize("buyer", ["Alice Zweig"])
def test_a_bug_is_told_without_what_was_in_hand(buyer: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=buyer) as caught:
        raise ValueError(f"no case for {buyer}")
    cli_errors(ValueError, caught.value, None)
    printed = capsys.readouterr().err
    assert "ValueError: no case for …" in printed
    assert "please report it" in printed
    assert not any(word in printed for word in buyer.split())


def test_it_says_of_a_ticket_number_that_no_store_can_hold_that_it_is_none(shop: Path) -> None:
    for number in ("9" * 30, "0"):
        found = run("ticket", number)
        assert found.exit_code == 2
        assert "Nothing has the number " in found.stderr


@pytest.mark.parametrize("number", ["abc", "-1", "1.5", "\u0663", "", " 1"])
def test_it_says_of_what_is_no_number_that_it_is_none(shop: Path, number: str) -> None:
    wrong = run("ticket", "--", number)
    assert wrong.exit_code == 2
    assert "is not a number; use one that a list shows" in wrong.stderr


COMMANDS_THAT_PRINT = ("queue", "queue --json", "report sla", "report sla --format csv", "--help")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", COMMANDS_THAT_PRINT)
def test_output_that_cannot_be_written_is_a_sentence(shop: Path, command: str) -> None:
    line = f"{sys.executable} -m relaydesk {command} >/dev/full"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "relaydesk: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_output_ends_no_command(shop: Path, closed: str) -> None:
    for command in ("queue", "report sla", "config show"):
        line = f"{sys.executable} -m relaydesk {command} {closed}"
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_closed_input_is_a_sentence(shop: Path) -> None:
    run("agents", "add", "alice")
    store = open_store(load_settings())
    open_ticket(store)
    store.close()
    line = f"{sys.executable} -m relaydesk answer 1 --as alice --text - <&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Standard input is closed; name a file instead of -." in done.stderr


def test_it_says_of_an_answer_number_that_no_store_can_hold_that_it_is_none(shop: Path) -> None:
    for command in (
        ["answer"],
        ["outbox", "cancel"],
        ["outbox", "retry"],
        ["templates", "preview", "--ticket"],
    ):
        found = run(*command, "9" * 30)
        assert found.exit_code == 2
        assert "Nothing has the number " in found.stderr


def test_it_tells_refusals_in_whole_sentences(shop: Path) -> None:
    refused = refusals.refusal_key(date(2026, 11, 23), "forged", "203.0.113.5", "support.instagram.com")
    nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    refusals.write(open_store(load_settings()), {refused: RefusalTally(3, nine, nine)})
    (told,) = data("refusals", "--from", "2026-11-01T00:00:00Z", "--to", "2026-12-01T00:00:00Z")
    assert (told["count"], told["added_up"]) == (3, None)
    assert told["text"].startswith("From claims support.instagram.com, nothing vouches")


@pytest.mark.parametrize(
    ("network", "domain", "shown", "keys"),
    [
        ("203.0.113.0/24", "*", "203.0.113.0/24 other domains", ("203.0.113.0/24", None, "domains")),
        ("203.0.0.0/16", "*", "others in 203.0.0.0/16 other domains", ("203.0.0.0/16", None, "networks")),
        ("2001:db8::/32", "*", "others in 2001:db8::/32 other domains", ("2001:db8::/32", None, "networks")),
        ("*", "*", "other networks other domains", (None, None, "networks")),
        ("203.0.113.0/24", "", "203.0.113.0/24 -", ("203.0.113.0/24", "", None)),
    ],
)
def test_it_says_which_refusals_are_added_up(
    shop: Path, network: str, domain: str, shown: str, keys: tuple[str | None, ...]
) -> None:
    nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    refused = RefusalKey(nine.date(), "no_role", network, domain)
    refusals.write(open_store(load_settings()), {refused: RefusalTally(3, nine, nine)})
    times = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-12-01T00:00:00Z")
    (line,) = data("refusals", *times)
    assert (line["network"], line["from_domain"], line["added_up"]) == keys
    assert "*" not in line["text"]
    assert shown in " ".join(run("refusals", *times).output.split())


def test_it_leaves_no_report_where_there_is_no_store(shop: Path) -> None:
    (shop / "relaydesk.db").unlink()
    assert run("report", "sla", "-o", "sla.txt").exit_code == 1
    assert not (shop / "sla.txt").exists()


@pytest.mark.parametrize("sender", ["", "<>", "<news@support.instagram.com>"])
def test_it_takes_addresses_in_angle_brackets_too(shop: Path, sender: str) -> None:
    options = ("--peer", "66.220.144.130", "--mail-from", sender, "--rcpt", "<help@shop.example>")
    (shop / "zone.yaml").write_text('support.instagram.com: [{TXT: "v=spf1 ip4:66.220.144.128/25 -all"}]')
    found = run("explain", "-", *options, "--helo", "support.instagram.com", "--zone", "zone.yaml", "--json",
                stdin=CASE)  # fmt: skip
    spf = json.loads(found.stdout)["auth"]["spf"]
    identity = "mailfrom" if "@" in sender else "helo"
    assert (spf["result"], spf["domain"], spf["identity"]) == ("pass", "support.instagram.com", identity)


def test_a_report_is_written_whole_in_the_form_that_its_ending_names(shop: Path) -> None:
    heads = {"csv": b"ticket,", "json": b"{", "html": b"<!doctype html>", "xlsx": b"PK", "txt": b"SLA report"}
    for ending, head in heads.items():
        assert run("report", "sla", "--compare", "-o", f"sla.{ending}").exit_code == 0
        assert Path(f"sla.{ending}").read_bytes().startswith(head), ending
    assert Path("sla.csv").stat().st_mode & 0o777 == 0o600
    assert not list(shop.glob(".sla*"))
    (shop / "reports").mkdir()
    for output, sentence in (("reports", "is a directory"), ("sla.pdf", "names no form")):
        refused = run("report", "sla", "-o", output)
        assert (refused.exit_code, sentence in refused.stderr) == (2, True), output
    assert run("report", "sla", "-o", "sla.pdf", "--format", "csv").exit_code == 0


def test_a_report_that_breaks_off_leaves_what_was_there(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sla.json").write_text("the last one")

    def break_off(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relaydesk.report.render.json", break_off)
    with pytest.raises(OSError, match="No space left"):
        run("report", "sla", "-o", "sla.json")
    assert Path("sla.json").read_text() == "the last one"
    assert not list(shop.glob(".sla*"))


def test_a_report_names_its_period_in_one_way(shop: Path) -> None:
    for period in (("--month", "2026-11"), ("--last-week",), ("--days", "7"), ("--from", "2026-11-01")):
        assert run("report", "sla", *period).exit_code == 0
    for wrong in (("--month", "2026-11", "--last-week"), ("--month", "11"), ("--days", "0")):
        assert run("report", "sla", *wrong).exit_code == 2


def test_a_report_as_data_is_on_record_and_for_leads(shop: Path) -> None:
    assert run("agents", "add", "alice").exit_code == 0
    assert run("agents", "add", "bob", "--role", "lead").exit_code == 0
    refused = run("report", "sla", "--as", "alice")
    assert (refused.exit_code, "needs the role lead or admin" in refused.stderr) == (1, True)
    for command in (("--as", "bob", "--json"), ("-o", "sla.csv"), ("--as", "bob")):
        assert run("report", "sla", *command).exit_code == 0
    with open_store(load_settings()).reading() as session:
        rows = [(row.actor, row.facts.get("form")) for row in audit.page(session) if "export" in row.what]
    assert rows == [("console", "csv"), ("agent:bob", "json")]
