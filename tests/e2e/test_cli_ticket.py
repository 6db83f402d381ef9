"""``relaydesk ticket``: the words as they were written, in their order; the files; nothing that does harm."""

from __future__ import annotations

import os
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from relaydesk.config.load import load_settings
from relaydesk.config.opening import open_store
from relaydesk.events import AnswerCleaned, Event
from relaydesk.policy.decision import Placement
from relaydesk.store import events, outbox, outbox_rows
from relaydesk_testkit.arriving import NOON, ORDER, candidate, open_ticket
from relaydesk_testkit.sending import queue_answer
from tests.support.commands import cells, data, deliver, make_shop, on_terminal, plain, run

HOUR = timedelta(hours=1)
HEAD = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
GERMAN = (
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Wo ist mein P=E4ckchen?\r\n\r\n> Your order\r\n> has shipped\r\n"
)


def file_part(name: str, content: str = "iVBORw0KGgo=") -> bytes:
    part = (
        "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; "
        f'filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n{content}\r\n'
    )
    return part.encode()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ticket with three messages, two files, an answer that left, one that failed, and a note."""
    make_shop(tmp_path, monkeypatch)
    store = open_store(load_settings())
    placement = Placement("open", thread_key="case++aaaa@support.facebook.com", bind_orders=(ORDER,))
    body = HEAD + GERMAN + file_part("box.png") + file_part("../../x.png") + b"--b--\r\n"
    ticket, first = deliver(store, body, placement, candidates=(candidate(), candidate("999", "mentioned")))
    joins = Placement("join", ticket)
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>And <b>now</b>?</p>\r\n"
    deliver(store, html, joins, at=NOON + 4 * HOUR, name="alice b.")
    deliver(
        store,
        b"Content-Type: text/plain\r\n\r\n\r\n",
        joins,
        subject="Empty",
        at=NOON + 6 * HOUR,
        vouched=False,
    )
    queue_answer(store, ticket, first, now=NOON + HOUR, text="It is on its way.")
    queue_answer(store, ticket, first, now=NOON + 5 * HOUR, text="Here it is.")
    with store.transaction() as session:
        sent, lost = outbox.claim(session, "test", NOON + 5 * HOUR, HOUR, 10)
        outcome = outbox_rows.DeliveryOutcome(NOON + 2 * HOUR, 250, "Ok")
        outbox.delivered(session, sent, outcome, "hop.example", NOON + 2 * HOUR)
        outcome = outbox_rows.DeliveryOutcome(NOON + 5 * HOUR, 550, "No such\x9b31m user", "refused")
        outbox.refused(session, lost, outcome)
    store.close()
    assert run("agents", "add", "alice").exit_code == 0
    assert run("ticket", "1", "--note", "He\x1b[2J called.\nTwice.", "--as", "alice").exit_code == 0
    return tmp_path


def shown(*options: str) -> str:
    result = run("ticket", "1", *options)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_says_what_the_ticket_is_about(shop: Path) -> None:
    head = shown().partition("\n\n")[0]
    for line in (
        "Ticket 1  Hello",
        "kind          case in queue case, open",
        "agent         nobody",
        "customer      alice",
        "answers to    case++aaaa@support.facebook.com",
        f"order         {ORDER}, bound (after 'Order #')",
        "order         999, mentioned",
    ):
        assert line in head
    (clock,) = (line for line in head.splitlines() if "response" in line)
    assert "! overdue" in clock
    assert "(due Thu 26 Nov 04:00 PST)" in clock


def test_it_shows_all_that_was_written_in_the_order_of_time(shop: Path) -> None:
    text = shown()
    places = [
        text.index(words)
        for words in (
            "message 1 from alice, Tue 24 Nov 04:00 PST",
            "Wo ist mein Päckchen?",
            "[… 2 quoted lines; --quotes shows them]",
            "file 1: box.png, image/png, 8 bytes",
            "file 2: ",
            f"answer 1 by bob to message 1, about order {ORDER}, Tue 24 Nov 05:00 PST",
            "sent, taken by the next hop Tue 24 Nov 06:00 PST",
            "It is on its way.",
            "message 2 from alice b., Tue 24 Nov 08:00 PST",
            "And now?",
            "answer 2 by bob",
            "refused; last reply: No such\ufffd31m user",
            "message 3 from alice, Tue 24 Nov 10:00 PST, UNVERIFIED",
            "Subject: Empty",
            "(no text)",
            "note by alice",
            "He\ufffd[2J called.",
            "Twice.",
            "latest event: ",
        )
    ]
    assert places == sorted(places)
    assert "has shipped" not in text
    assert "<b>" not in text


def test_what_rules_took_out_of_an_answer_is_shown(shop: Path) -> None:
    taken = ("Zendesk: [XYZ123-4ABC]", "tracking pixel: https://x.example/\x9b31m")
    store = open_store(load_settings())
    with store.transaction() as session:
        event = Event(1, NOON + HOUR, AnswerCleaned(1, taken), "gateway:zendesk")
        events.append(session, [event], NOON + HOUR)
    store.close()
    lines = "    Zendesk: [XYZ123-4ABC]\n    tracking pixel: https://x.example/\ufffd31m\n"
    assert f"taken out of answer 1, as rules say\n{lines}" in shown()
    assert "answer cleaned by gateway:zendesk: Zendesk: [XYZ123-4ABC]; tracking pixel" in shown("--history")


def test_quotes_and_history_are_shown_when_asked_for(shop: Path) -> None:
    assert "    | > Your order\n    | > has shipped\n" in shown("--quotes")
    history = shown("--history").partition("history\n")[2]
    assert "opened by mail" in history
    assert "response 1, 48 hours:\n        why" in history
    assert "aligned_dkim: " in shown("--history")
    assert "aligned_dkim: " in shown().partition("message 3")[2]  # not proven: its reasons are shown
    assert "aligned_dkim: " not in shown().partition("message 3")[0]


def test_json_holds_the_same(shop: Path) -> None:
    ticket = data("ticket", "1")
    first, second, third = ticket["messages"]
    assert first["text"].strip() == "Wo ist mein Päckchen?"
    assert "has shipped" in first["quoted"]
    assert {"number": 1, "name": "box.png", "size": 8}.items() <= first["attachments"][0].items()
    assert (second["text"].strip(), second["quoted"], second["attachments"]) == ("And now?", "", [])
    assert third["text"] == ""
    assert {type(message["defects"]) for message in ticket["messages"]} == {list}
    assert [(answer["state"], answer["text"].splitlines()[0]) for answer in ticket["answers"]] == [
        ("sent", "It is on its way."),
        ("refused", "Here it is."),
    ]


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_texts_are_folded_to_the_terminal(shop: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    store = open_store(load_settings())
    words = ("A long line of words. " * 20 + "荷物がまだ届きません。" * 20).encode()
    body = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + words + b"\r\n"
    deliver(store, body, Placement("join", 1), at=NOON + 7 * HOUR)
    store.close()
    thread = (
        "\n".join(on_terminal(monkeypatch, columns, "ticket", "1")).partition("message 4")[2].splitlines()
    )
    texts = [line for line in thread if "A long line" in line or "荷物" in line]
    assert len(texts) > 5
    assert max(map(cells, texts)) <= columns
    assert all(line.startswith("    ") for line in texts)
    assert any("\x1b[31m! " in line for line in on_terminal(monkeypatch, columns, "ticket", "1"))
    piped = run("ticket", "1").output
    assert words.decode().strip() in piped


def test_of_a_long_ticket_the_latest_messages_are_shown_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop(tmp_path, monkeypatch)
    store = open_store(load_settings())
    open_ticket(store)
    for number in range(52):
        body = f"\r\nmail number {number}.\r\n".encode()
        deliver(store, body, Placement("join", 1), at=NOON + number * HOUR)
    store.close()
    text = shown()
    assert "[… 3 older messages and what belongs to them; --all shows them]" in text
    assert "mail number 1." not in text
    assert "mail number 2." in text
    assert "mail number 1." in shown("--all")
    assert "older message" not in shown("--all")
    assert [message["text"] for message in data("ticket", "1")["messages"]][:4] == [None] * 3 + [
        "mail number 2.\n"
    ]


def test_a_monstrous_text_is_cut(shop: Path) -> None:
    store = open_store(load_settings())
    body = b"\r\n" + (b"blah blah " * 10 + b"\r\n") * 2_000
    deliver(store, body, Placement("join", 1), at=NOON + 8 * HOUR)
    store.close()
    assert len(shown()) < 40_000
    assert "more characters; --read MESSAGE shows all]" in shown()
    alone = shown("--read", "4")
    assert alone.startswith("message 4 from alice, ")
    assert alone.count("blah blah") == 20_000


def test_one_message_is_shown_alone(shop: Path) -> None:
    alone = shown("--read", "1")
    assert "Wo ist mein Päckchen?" in alone
    assert "[… 2 quoted lines; --quotes shows them]" in alone
    assert "file 1: box.png" in alone
    assert "And now?" not in alone
    assert "    | > has shipped\n" in shown("--read", "1", "--quotes")
    assert data("ticket", "1", "--read", "1") == data("ticket", "1")["messages"][0]
    missing = run("ticket", "1", "--read", "99")
    assert (missing.exit_code, missing.stderr) == (
        1,
        "relaydesk: Ticket 1 has no message 99 (it has 1, 2, 3).\n",
    )


# --- files


def saved(*options: str, code: int = 0) -> list[str]:
    result = run("ticket", "1", "--save-files", "files", *options)
    assert result.exit_code == code, result.output
    return result.output.splitlines()


def test_it_saves_the_files_of_all_messages(shop: Path) -> None:
    paths = saved()
    assert paths[0] == "files/box.png"
    assert len(paths) == 2
    assert {Path(path).parent for path in paths} == {Path("files")}
    assert all(Path(path).read_bytes() == b"\x89PNG\r\n\x1a\n" for path in paths)
    assert stat.S_IMODE(Path("files").stat().st_mode) == 0o700
    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in paths} == {0o600}
    assert saved()[0] == "files/box-2.png"
    assert saved("--message", "1")[0] == "files/box-3.png"
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith("x")) == []


def test_it_says_when_there_are_no_files(shop: Path) -> None:
    result = run("ticket", "1", "--save-files", "files", "--message", "2")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "relaydesk: There are no attachments in message 2 of ticket 1.\n"
    assert not Path("files").exists()
    assert data("ticket", "1", "--save-files", "files", "--message", "2", code=1) == []


def test_saved_files_are_described_to_programs(shop: Path) -> None:
    first, _ = data("ticket", "1", "--save-files", "files")
    assert (first["path"], first["message"], first["number"], first["name"]) == (
        "files/box.png",
        1,
        1,
        "box.png",
    )


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("1", "--save-files", "relaydesk.yaml"), 2, "is a file"),
        (("1", "--save-files", "relaydesk.yaml/files"), 2, "Not a directory"),
        (("1", "--save-files", "files", "--note", "x"), 2, "Choose one of --original, --read, --save-files"),
        (("1", "--original", "1", "--close"), 2, "Choose one of --original, --read, --save-files"),
        (("1", "--message", "1"), 2, "--message goes with --save-files DIR"),
        (("1", "--save-files", "files", "--message", "99"), 1, "has no message 99 (it has 1, 2, 3)"),
        (("9", "--save-files", "files"), 1, "There is no ticket 9."),
    ],
)
def test_what_cannot_be_saved_is_a_sentence(
    shop: Path, options: tuple[str, ...], code: int, sentence: str
) -> None:
    result = run("ticket", *options)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_rows_of_an_older_version_are_harmless_too(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect("relaydesk.db") as connection:
        hostile = "\u202eecila\x9b31m\x1b]0;owned\x07"
        connection.execute("UPDATE ticket SET subject=?, username=?, contact_reason=?", (hostile,) * 3)
        connection.execute("UPDATE message SET subject=?", (hostile,))
    for text in (shown(), "\n".join(map(plain, on_terminal(monkeypatch, 80, "ticket", "1")))):
        assert not {"\u202e", "\x9b", "\x1b", "\x07"} & set(text)
        assert "ecila" in text
    assert data("ticket", "1")["username"] == hostile


def test_the_original_stays_as_it_was(shop: Path) -> None:
    result = run("ticket", "1", "--original", "1")
    assert b"P=E4ckchen" in result.stdout_bytes
    assert os.linesep.encode() in result.stdout_bytes
