"""Lists on the terminal: a row a line at any width, what is overdue by colour and sign; whole in a pipe."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relaydesk.config.load import load_settings
from relaydesk.config.opening import open_store
from relaydesk.policy.decision import Placement
from relaydesk.store import RefusalKey, RefusalTally, refusals
from relaydesk_testkit.arriving import ORDER, candidate, planned
from relaydesk_testkit.sending import queue_answer
from tests.support.commands import cells, data, deliver, make_shop, on_pty, on_terminal, plain, run

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
SUBJECTS = {
    "alice": "Message from alice",
    "tanaka": "荷物がまだ届きません。どこにありますか、教えてください、お願いします",
    "mallory": "\x1b[31mred \x9b31m \u202eesrever " + "long " * 40,
}
LISTS = (
    ("queue",),
    ("queue", "case"),
    ("queue", "--unverified"),
    ("search", ORDER),
    ("outbox", "--all"),
    ("refusals",),
    ("agents", "list"),
    ("gateway", "list"),
    ("templates", "list"),
    ("orders", "find", ORDER),
    ("report", "sla"),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's folder with something in every list: overdue, unverified, long, wide and hostile."""
    directory = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        make_shop(directory, patch)
        store = open_store(load_settings())
        fill(store, datetime.now(UTC))
        store.close()
        run(
            "agents",
            "add",
            "alice",
            "--display-name",
            "Alice " * 8,
            "--email",
            "alice@a-long-name.shop.example",
        )
        run("gateway", "add", "zendesk-of-a-very-long-name-for-a-help-desk")
        run("ticket", "1", "--assign", "alice", "--as", "alice")
    return directory


def fill(store: Store, now: datetime) -> None:
    dues = {"alice": -3, "tanaka": 5, "mallory": 51}
    for name, subject in SUBJECTS.items():
        placement = Placement("open", thread_key=f"case++{name}@support.facebook.com", bind_orders=(ORDER,))
        clocks = (planned(start=now - 10 * HOUR, hours=10.1 + dues[name], warn=None),)
        ticket, message = deliver(
            store,
            f"\r\nHello {name}\r\n".encode(),
            placement,
            subject="Hello",
            at=now - 10 * HOUR,
            clocks=clocks,
            candidates=(candidate(),),
            vouched=name != "mallory",
        )
        with sqlite3.connect("relaydesk.db") as connection:  # as an older version may have stored them
            values = (subject, f"{name}\u202e", "damaged_or_not_as_described", ticket)
            connection.execute("UPDATE ticket SET subject=?, username=?, contact_reason=? WHERE id=?", values)
        queue_answer(store, ticket, message, now=now)
    sender = ("203.0.113.5", "support.instagram.com")
    refused = refusals.refusal_key(now.date(), "proxy_without_header", *sender)
    wide = RefusalKey(now.date(), "proxy_without_header", "2001:db8::/32", refusals.OTHERS)
    refusals.write(store, {key: RefusalTally(3, now, now) for key in (refused, wide)})
    Path("orders.csv").write_text(
        f"order_id,merchant_ref,state,relay_address\n{ORDER},A-1,CREATED,5oguv2ft0e@shopping.instagram.com\n"
    )
    assert run("orders", "import", "orders.csv").exit_code == 0


@pytest.fixture
def inside(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    return desk


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(
    inside: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], columns: int
) -> None:
    lines = on_terminal(monkeypatch, columns, *command)
    sentences = [line for line in lines if plain(line).endswith(".")]
    assert len(lines) > 3
    assert {line for line in lines if cells(line) > columns} - set(sentences) == set()


@pytest.mark.parametrize("columns", [60, 80])
def test_a_real_terminal_gets_the_same(inside: Path, columns: int) -> None:
    lines = on_pty(columns, "queue", "all").splitlines()
    assert max(map(cells, lines)) <= columns
    assert "\x1b[31m!" in next(line for line in lines if "Message from alice" in line)


def test_the_widths_that_matter_show_subject_reason_and_what_is_overdue(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (60, 80, 120):
        lines = on_terminal(monkeypatch, columns, "queue", "case")
        head, (late, wide, _) = plain(lines[1]), lines[3:6]
        assert ("subject" in head, "reason" in head) == (True, True)
        assert late.startswith("\x1b[31m!\x1b[0m")
        assert "\x1b[31moverdue 2 h\x1b[0m" in late
        assert "Message from alice" in late
        assert "in 5 h" in plain(wide)
        assert "荷物が" in wide
        assert "…" in wide
    names = plain(on_terminal(monkeypatch, 250, "queue", "case")[1]).split()
    assert names == [
        "ticket",
        "due",
        "deadline",
        "subject",
        "reason",
        "from",
        "order",
        "kind",
        "agent",
        "mail",
    ]


def test_signs_are_explained_where_they_occur(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain(on_terminal(monkeypatch, 80, "queue", "case")[-1]) == (
        "! overdue   ? unverified: nothing vouches for the mail"
    )
    unverified = on_terminal(monkeypatch, 80, "queue", "--unverified")
    assert plain(unverified[3]).startswith("?")
    assert "overdue" not in plain(unverified[-1])


def test_the_counts_mark_a_queue_with_something_overdue(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(line for line in on_terminal(monkeypatch, 60, "queue") if "case" in line)
    assert case.startswith("\x1b[31m!\x1b[0m")
    assert plain(case).split()[2:5] == ["3", plain(case).split()[3], "1"]


@pytest.mark.parametrize("columns", [60, 80])
def test_the_counts_say_what_a_person_must_look_at(
    inside: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    lines = on_terminal(monkeypatch, columns, "queue")
    assert "look at" in plain(lines[1])


def test_nothing_a_sender_wrote_reaches_the_terminal_raw(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (("queue", "case"), ("ticket", "3"), ("search", ORDER)):
        for printed in ("\n".join(on_terminal(monkeypatch, 300, *command)), run(*command).output):
            assert "esrever" in printed
            assert not {"\x9b", "\u202e"} & set(printed)
            assert "\x1b[31mred" not in printed
    assert data("queue", "case")[2]["subject"] == SUBJECTS["mallory"]
    assert not {"\x9b", "\u202e", "\x1b"} & set(run("queue", "case", "--json").output)


def test_a_pipe_gets_every_row_whole_and_the_same_at_any_width(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = run("queue", "case").output
    assert "…" not in text
    assert "\x1b[" not in text
    assert SUBJECTS["tanaka"] in text
    assert "unverified" in text
    monkeypatch.setenv("COLUMNS", "400")
    assert run("queue", "case").output == text


def test_colours_can_be_turned_off(inside: Path) -> None:
    assert "\x1b" not in on_pty(80, "queue", "case", NO_COLOR="1")


@pytest.mark.parametrize(
    ("charset", "commands"),
    [
        ("ascii", (("queue", "case"), ("ticket", "2"), ("report", "sla"), ("queue", "case", "--json"))),
        ("latin-1", (("ticket", "2"), ("queue", "case", "--json"))),
        ("shift_jis", (("queue", "case"), ("queue", "case", "--json"))),
    ],
)
def test_what_the_charset_of_a_terminal_lacks_ends_no_command(
    inside: Path, charset: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    environment = os.environ | {"PYTHONIOENCODING": charset, "PYTHONUTF8": "0"}
    for command in commands:
        process = [sys.executable, "-m", "relaydesk", *command]
        done = subprocess.run(process, capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)[1]["subject"] == SUBJECTS["tanaka"]


# --- filters and pages


def listed(*arguments: str) -> list[int]:
    return [ticket["id"] for ticket in data("queue", *arguments)]


@pytest.mark.parametrize(
    ("filters", "tickets"),
    [
        (("all",), [1, 2, 3]),
        (("case", "--overdue"), [1]),
        (("--overdue",), [1]),
        (("--unverified",), [3]),
        (("--agent", "alice"), [1]),
        (("--unassigned",), [2, 3]),
        (("--agent", ""), [2, 3]),
        (("case", "--kind", "claim"), []),
        (("--kind", "case"), [1, 2, 3]),
        (("--closed",), []),
        (("--text", ORDER, "--unverified"), [3]),
        (("--text", "2"), [2]),
        (("claim",), []),
    ],
)
def test_a_queue_is_narrowed(inside: Path, filters: tuple[str, ...], tickets: list[int]) -> None:
    assert listed(*filters) == tickets


def test_pages_follow_one_another(inside: Path) -> None:
    keys: list[str] = []
    numbers: list[str] = []
    while True:
        lines = run("queue", "case", "--limit", "1", *keys).output.splitlines()
        numbers.append(lines[3].split()[0])
        if not lines[-1].startswith("More: "):
            break
        keys = lines[-1].removeprefix("More: ").split()
    assert numbers == ["1", "2", "3"]
    last = data("queue", "case", "--limit", "2")[-1]
    assert listed("case", "--after", f"{last['id']}@{last['next_due']}") == [3]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--agent", "alice", "--unassigned"), "Choose one of"),
        (("--overdue", "--closed"), "Choose one of"),
        (("--needs-look", "--closed"), "Choose one of"),
        (("--after", "next"), "is not the key of a page"),
        (("--after", "9" * 20), "is not the key of a page"),
        (("--after", "-1@2026-11-24T20:00:00Z"), "is not the key of a page"),
        (("--after", "9" * 20 + "@2026-11-24T20:00:00Z"), "is not the key of a page"),
        (("--after", "17@2026-11-24T20:00:00"), "is not the key of a page"),
        (("--kind", "parcel"), "is not one of"),
    ],
)
def test_a_wrong_filter_is_a_sentence(inside: Path, arguments: tuple[str, ...], remedy: str) -> None:
    wrong = run("queue", "all", *arguments)
    assert wrong.exit_code == 2
    assert remedy in wrong.stderr


def test_an_empty_list_says_which_it_is(inside: Path) -> None:
    assert run("queue", "claim").output == "Queue claim is empty.\n"
    assert run("queue", "claim", "--overdue").output == "No open ticket in queue claim matches.\n"


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_search_wants_something_to_look_for(inside: Path, text: str) -> None:
    empty = run("search", text)
    assert (empty.exit_code, empty.stdout) == (2, "")
    assert "TEXT is empty" in empty.stderr


def test_search_finds_tickets_and_says_when_there_are_none(inside: Path) -> None:
    assert [ticket["id"] for ticket in data("search", ORDER)] == [3, 2, 1]
    assert [ticket["id"] for ticket in data("search", ORDER, "--limit", "2")] == [3, 2]
    assert {number["value"] for number in data("search", ORDER)[0]["numbers"]} == {ORDER}
    assert data("search", ORDER, "--closed", code=1) == []
    nothing = run("search", "no\x1bthing")
    assert nothing.exit_code == 1
    assert nothing.output.startswith("No ticket matches 'no\ufffdthing'; numbers, addresses")
