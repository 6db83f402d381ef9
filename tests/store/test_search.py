"""Search by words: what is stored is found in every part of a conversation, on both engines alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from alembic import command
from sqlalchemy import text

from relaydesk.message import searchable_words
from relaydesk.policy.decision import Placement
from relaydesk.process_pool import NoProcess, ProcessPool
from relaydesk.search import index
from relaydesk.search.index import index_in_pool, index_waiting
from relaydesk.store import schema, search
from relaydesk_testkit.arriving import ALICE as ALICE_ADDRESS
from relaydesk_testkit.arriving import decision, store_message
from tests.support.answering import write
from tests.support.desk import ALICE, desk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from relaydesk.store.engine import Store

MIXED = (
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Wo ist mein Päckchen? 注文が届きません\r\n> quoted pineapple\r\n"
    "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=broken-box.png\r\n\r\n"
    "x\r\n--b--\r\n"
)


def arrived(store: Store, body: str, *, ticket: int | None = None) -> int:
    """A message that opens a ticket, or joins one."""
    placement = Placement("open", thread_key=f"case++{crc32(body.encode())}@x.example")
    if ticket is not None:
        placement = Placement("join", ticket)
    recorded = store_message(store, decision(placement), body=body.encode())
    assert recorded.ticket_id is not None
    return recorded.ticket_id


def hits(store: Store, query: str) -> list[int]:
    return [row.id for row in desk(store).search.tickets(query).tickets]


@pytest.mark.parametrize(
    "query",
    [
        "packchen",
        "PÄCKCHEN",
        "päck",
        "届き",
        "注文",
        "pineapple",
        "box.png",
        "alice",
        "hello",
        "hello alice box",
    ],
)
def test_every_part_of_a_message_is_found(store: Store, query: str) -> None:
    with_all = arrived(store, "\r\n" + MIXED)
    raw = b"From: Alice <case++aaaa@support.facebook.com>\r\nSubject: Hello\r\n" + MIXED.encode()
    with store.transaction() as session:
        session.connection().execute(text("UPDATE message SET raw = :raw"), {"raw": raw})
    arrived(store, "Where is it?")
    assert hits(store, query)[-1] == with_all


def test_all_words_must_be_in_the_conversation_and_need_not_be_in_one_message(store: Store) -> None:
    both = arrived(store, "The zebra came.")
    arrived(store, "But the giraffe did not.", ticket=both)
    one = arrived(store, "Another zebra.")
    assert hits(store, "zebra") == [one, both]
    assert hits(store, "giraffe zebra") == [both]
    assert hits(store, "zebra elephant") == []


def test_answers_and_notes_are_found(store: Store) -> None:
    ticket = arrived(store, "Where is my order?")
    write(store, ticket, "A replacement walrus is on its way.", no_order=True)
    desk(store).tickets.note(ticket, "Warehouse says ocelot.", by=ALICE)
    assert hits(store, "walrus") == hits(store, "ocelot") == hits(store, "ocelot walrus") == [ticket]


def test_a_closed_ticket_is_found(store: Store) -> None:
    ticket = arrived(store, "Zebra")
    desk(store).tickets.close(ticket, by=ALICE)
    assert hits(store, "zebra") == [ticket]


@pytest.mark.parametrize(
    "query", ['"', "zebra' OR 1", "zebra) OR (x", "*", "q:*", "NOT zebra", "zebra NEAR x"]
)
def test_a_query_is_words_and_no_language(store: Store, query: str) -> None:
    arrived(store, "Zebra")
    assert hits(store, query) == []


def test_nothing_waits_twice(store: Store) -> None:
    arrived(store, "Zebra")
    assert index_waiting(store).indexed == 1
    assert index_waiting(store).indexed == 0


def test_two_that_index_at_once_lose_no_word(store: Store) -> None:
    ticket = arrived(store, "word0")
    for number in range(1, 30):
        arrived(store, f"word{number}", ticket=ticket)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: index_waiting(store), range(2)))
    assert all(hits(store, f"word{number} hello") == [ticket] for number in range(30))


def test_a_mail_that_we_fail_to_read_does_not_hold_up_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived(store, "Zebra")
    arrived(store, "A long mail with an ocelot")
    words = index.searchable_words

    def failing(raw: bytes) -> tuple[str, ...]:
        if b"Zebra" in raw:
            raise RuntimeError("a bug of ours")
        return words(raw)

    monkeypatch.setattr(index, "searchable_words", failing)
    done = index_waiting(store)
    assert (done.indexed, len(done.failed)) == (2, 1)
    assert hits(store, "zebra") == []
    assert len(hits(store, "ocelot")) == 1


def dying(raw: bytes) -> tuple[str, ...]:
    """Reads mail, and never comes back from some of it."""
    while b"Zebra" in raw:
        pass
    if b"Giraffe" in raw:
        raise RuntimeError("a bug of ours")
    return searchable_words(raw)


async def test_a_mail_that_takes_too_long_holds_up_nothing_and_is_found_by_its_header(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store  # the processes are the same beside any engine
    tickets = [arrived(store, f"{animal} came.") for animal in ("Ocelot", "Zebra", "Giraffe", "Walrus")]
    monkeypatch.setattr(index, "searchable_words", dying)
    pool = ProcessPool(1, 0.2)
    try:
        rounds = [await index_in_pool(store, pool)]
        while rounds[-1].indexed:
            rounds.append(await index_in_pool(store, pool))
    finally:
        await pool.close()
    assert sum(done.indexed for done in rounds) == 4
    assert sum(done.headers for done in rounds) == sum(len(done.failed) for done in rounds) == 1
    assert hits(store, "ocelot") == tickets[:1] and hits(store, "walrus") == tickets[3:]
    assert hits(store, "hello") == [tickets[3], tickets[1], tickets[0]]


async def test_without_a_process_mail_waits_for_the_index(store: Store) -> None:
    arrived(store, "Zebra")
    pool = ProcessPool(1, 5.0)
    await pool.close()
    with pytest.raises(NoProcess):
        await index_in_pool(store, pool)
    assert index_waiting(store).indexed == 1


def test_words_that_the_store_does_not_take_hold_up_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [arrived(store, f"{animal} came.") for animal in ("Ocelot", "Zebra", "Walrus")]
    add = search.add

    def failing(session: Session, ticket: int, words: Sequence[str]) -> None:
        if ticket == tickets[1]:
            session.connection().execute(text("SELECT no_such_function()"))
        add(session, ticket, words)

    monkeypatch.setattr(search, "add", failing)
    done = index_waiting(store)
    assert (done.indexed, len(done.failed), index_waiting(store).indexed) == (3, 1, 0)
    assert hits(store, "came") == [tickets[2], tickets[0]]


def test_long_words_do_not_hide_the_others(store: Store) -> None:
    ticket = arrived(store, "Zebra")
    with store.transaction() as session:
        search.add(session, ticket, ["aardvark", *(f"{number:060d}" for number in range(search.MOST - 1))])
    with store.transaction() as session:
        search.add(session, ticket, ["zulu"])
    assert hits(store, "aardvark") == [ticket]
    assert hits(store, f"{100:060d}") == [ticket]


def test_what_was_stored_before_there_was_an_index_is_indexed(store: Store) -> None:
    ticket = arrived(store, "Zebra")
    write(store, ticket, "Walrus", no_order=True)
    with store.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("DROP TABLE search_index"))
        connection.execute(text("DROP TABLE unindexed"))
        connection.execute(text("DROP TABLE IF EXISTS outbox_number"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
        command.upgrade(schema.config(connection), "0006")
    assert hits(store, "zebra walrus") == [ticket]


def test_the_words_of_a_ticket_are_bounded(store: Store) -> None:
    ticket = arrived(store, "Zebra")
    with store.transaction() as session:
        for start in range(0, 3 * search.MOST, search.MOST):
            search.add(session, ticket, [f"w{number}" for number in range(start, start + search.MOST)])
    assert hits(store, "w1") == [ticket]
    assert hits(store, f"w{3 * search.MOST - 1}") == []


def test_an_address_is_found_whole(store: Store) -> None:
    ticket = arrived(store, "Zebra")
    assert hits(store, ALICE_ADDRESS) == [ticket]
