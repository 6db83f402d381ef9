"""News of the store: what is committed is heard, once it is, by who listens in another process."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from relaydesk.events import Event, NoteAdded
from relaydesk.live import Live, NewsFeed, Present
from relaydesk.live.feed import RESYNC
from relaydesk.store import Store, events, news
from relaydesk.store.errors import StoreUnavailable
from relaydesk_testkit import postgres
from relaydesk_testkit.arriving import open_ticket
from relaydesk_testkit.serving import eventually
from tests.support.desk import ALICE, BOB, desk

if TYPE_CHECKING:
    from collections.abc import Iterator


def heard(tail: news.NewsTail, seconds: float = 10.0) -> set[str]:
    """The names of the next payload."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if payloads := tail.wait(0.5):
            return {name for payload in payloads for name in payload.split(" ")}
    return set()


@pytest.fixture
def other(store_url: str) -> Iterator[Store]:
    """The same database as another process has it open."""
    opened = Store.open(store_url)
    yield opened
    opened.close()


def test_an_act_of_another_process_is_heard_with_its_names(store: Store, other: Store) -> None:
    ticket = open_ticket(other)
    there = desk(other)
    tail = news.tail(store)
    there.tickets.assign(ticket, "alice", by=ALICE)
    assert heard(tail) == {f"ticket-{ticket}", "tickets", "counts"}
    there.tickets.note(ticket, "Call the carrier.", by=ALICE)
    assert heard(tail) == {f"ticket-{ticket}"}
    assert heard(tail, 0.5) == set()
    tail.close()


def test_what_is_rolled_back_is_no_news(store: Store, other: Store) -> None:
    ticket = open_ticket(other)
    tail = news.tail(store)
    with suppress(RuntimeError), other.transaction() as session:
        news.tell(session, [f"ticket-{ticket}"])
        raise RuntimeError
    assert heard(tail, 0.5) == set()
    tail.close()


def test_a_transaction_that_took_its_number_early_and_commits_late_is_heard(postgres_store: Store) -> None:
    """PostgreSQL gives numbers in the order of the inserts, not of the commits."""
    first, second = open_ticket(postgres_store), open_ticket(postgres_store, name="bertha")
    there = desk(postgres_store)
    tail = news.tail(postgres_store)
    begun, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        with there.acting("note", ALICE) as acting:
            events.append(acting.session, [Event(first, acting.now, NoteAdded("slow"))], acting.now)
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=slowly)
    thread.start()
    begun.wait(10)
    there.tickets.note(second, "quick", by=ALICE)  # a later number, committed first
    assert heard(tail) == {f"ticket-{second}"}
    may_end.set()
    thread.join()
    assert heard(tail) == {f"ticket-{first}"}
    tail.close()


def test_more_names_than_a_notice_holds_come_all(store: Store) -> None:
    if store.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no notices")
    names = {f"ticket-{number}" for number in range(10**12, 10**12 + 3000)}
    tail = news.tail(store)
    with store.transaction() as session:
        news.tell(session, sorted(names))
    seen: set[str] = set()
    while part := heard(tail, 1.0):
        seen |= part
    assert seen == names
    tail.close()


def position_after(feed: NewsFeed, before: str) -> bool:
    return feed.position != before


def test_a_process_tells_its_pages_what_another_has_changed(store: Store, other: Store) -> None:
    ticket = open_ticket(other)
    there, live = desk(other), Live(store)
    before = live.feed.position
    live.start()
    eventually(lambda: position_after(live.feed, before), "the first resync")
    before = live.feed.position
    there.tickets.assign(ticket, "alice", by=ALICE)
    eventually(lambda: position_after(live.feed, before), "news of the act")
    live.close()


def test_who_is_at_a_ticket_is_seen_by_every_process(postgres_store: Store, fresh_postgres_url: str) -> None:
    elsewhere = Store.open(fresh_postgres_url)
    ours, theirs = desk(postgres_store).presence, desk(elsewhere).presence
    for presence in (ours, theirs):
        before = presence.live.feed.position
        presence.live.start()
        eventually(lambda p=presence, at=before: position_after(p.live.feed, at), "listening")  # type: ignore[misc]
    ours.say(41, "viewing", tab="t1", by=ALICE)
    theirs.say(41, "writing", tab="t2", by=BOB)
    everybody = {41: (Present("alice", "viewing"), Present("bob", "writing"))}
    eventually(lambda: ours.who([41]) == theirs.who([41]) == everybody, "both on both boards")
    ours.leave(tab="t1", by=ALICE)
    eventually(lambda: theirs.who([41]) == {41: (Present("bob", "writing"),)}, "alice gone")
    for presence in (ours, theirs):
        presence.live.close()
    elsewhere.close()


def test_presence_writes_nothing_where_mail_waits_for_the_one_writer(sqlite_store: Store) -> None:
    presence = desk(sqlite_store).presence
    with sqlite_store.transaction():  # mail is being written
        presence.say(41, "viewing", tab="t1", by=ALICE)
    assert presence.who([41]) == {41: (Present("alice", "viewing"),)}


def test_a_database_that_comes_back_is_listened_to_again_and_pages_fetch_all(
    own_postgres: postgres.Server,
) -> None:
    store = Store.open(own_postgres.url())
    live = Live(store)
    before = live.feed.position
    live.start()
    eventually(lambda: position_after(live.feed, before), "listening")
    before = live.feed.position
    postgres.execute(
        own_postgres.url(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'relaydesk news'",
    )
    eventually(lambda: position_after(live.feed, before), "listening again")
    assert RESYNC in live.feed._kept[-1][1]
    live.close()
    store.close()


def test_a_tail_says_when_its_connection_broke(own_postgres: postgres.Server) -> None:
    store = Store.open(own_postgres.url())
    tail = news.tail(store)
    own_postgres.stop()
    with pytest.raises(StoreUnavailable):
        tail.wait(10)
    with pytest.raises(StoreUnavailable):
        news.tail(store)
    tail.close()
    store.close()
