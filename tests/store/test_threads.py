"""A ticket as it is opened: pieces of its thread, its orders, its customer, its history; on both engines."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.desk.config import DeskError
from relaydesk.desk.threads import SHOWN
from relaydesk.order import Order, OrderRow
from relaydesk.policy.decision import Placement
from relaydesk.store import audit, orders
from relaydesk_testkit.arriving import NOON, ORDER, decision, open_ticket, store_message
from tests.support.desk import ALICE as AGENT
from tests.support.desk import desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store


def joined(store: Store, ticket: int, count: int) -> None:
    """So many further mails, a minute apart."""
    for number in range(count):
        at = NOON + timedelta(minutes=number + 1)
        body = f"Mail {number}\r\n".encode()
        store_message(store, decision(Placement("join", ticket)), body=body, at=at)


def test_a_thread_is_opened_in_pieces_that_meet(store: Store) -> None:
    ticket = open_ticket(store, name="aaaa")
    joined(store, ticket, SHOWN + 5)
    here = desk(store)
    here.tickets.note(ticket, "A note of today.", by=AGENT)
    latest = here.threads.open(ticket)
    assert (latest.messages[-1].text or "").strip() == f"Mail {SHOWN + 4}"
    assert len(latest.messages) == SHOWN
    assert latest.earlier == latest.messages[0].row.id
    assert latest.latest_event == here.tickets.latest_event(ticket)
    older = here.threads.open(ticket, before=latest.earlier)
    assert older.earlier is None
    assert len(older.messages) == 6
    events = [number for number, _ in (*older.events, *latest.events)]
    assert sorted(events) == [number for number, _ in here.tickets.view(ticket).events]
    since = here.threads.open(ticket, since=latest.messages[0].row.id)
    assert [message.row.id for message in since.messages] == [message.row.id for message in latest.messages]


def test_what_was_read_is_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = open_ticket(store, name="aaaa")
    here = desk(store)
    first = here.threads.open(ticket)
    monkeypatch.setattr("relaydesk.desk.threads.read_message", None)
    assert here.threads.open(ticket).messages == first.messages
    assert here.threads.message(ticket, first.messages[0].row.id) == first.messages[0]


def test_orders_and_other_tickets_stand_beside_it(store: Store) -> None:
    orders.put(store, [OrderRow(Order(ORDER, "SHOP-1", amount="12.50"), frozenset())], NOON)
    ticket = open_ticket(store, name="aaaa", bind_orders=(ORDER,))
    other = open_ticket(store, name="bbbb", at=NOON + timedelta(minutes=1))
    opened = desk(store).threads.open(ticket)
    assert opened.orders[ORDER].amount == "12.50"
    # Both are of the buyer called alice; her name is in no text of theirs, so it is not in the index.
    assert [row.id for row in opened.others] in ([], [other])
    same = store_message(
        store,
        decision(Placement("open"), relay_address="case++aaaa@support.facebook.com"),
        body=b"once more\r\n",
        at=NOON + timedelta(minutes=2),
    ).ticket_id
    assert same in [row.id for row in desk(store).threads.open(ticket).others]


def test_the_history_goes_back_page_by_page(store: Store) -> None:
    ticket = open_ticket(store, name="aaaa")
    here = desk(store)
    for number in range(4):
        here.tickets.note(ticket, f"Note {number}", by=AGENT)
    newest = here.threads.history(ticket, 3)
    rest = here.threads.history(ticket, 100, before=newest[-1].number)
    numbers = [noted.number for noted in (*newest, *rest)]
    assert numbers == [number for number, _ in reversed(here.tickets.view(ticket).events)]


def test_no_message_of_another_ticket_is_opened(store: Store) -> None:
    ticket, other = open_ticket(store, name="aaaa"), open_ticket(store, name="bbbb")
    here = desk(store)
    message = here.threads.open(other).messages[0].row.id
    for look in (
        lambda: here.threads.message(ticket, message),
        lambda: here.threads.headers(ticket, message),
        lambda: here.threads.page(ticket, message, ""),
        lambda: here.tickets.original(ticket, message, by=AGENT),
    ):
        with pytest.raises(DeskError, match="has no message"):
            look()
    with pytest.raises(DeskError, match="There is no ticket 999"):
        here.threads.open(999)
    assert dict(here.threads.headers(other, message))["Subject"] == "Hello"


def test_reading_an_original_is_written_down(store: Store) -> None:
    ticket = open_ticket(store, name="aaaa")
    here = desk(store)
    message = here.threads.open(ticket).messages[0].row.id
    here.tickets.original(ticket, message, by=AGENT)
    here.tickets.original(ticket, message, by="console")
    with store.reading() as session:
        rows = [row for row in audit.page(session) if row.what == "raw_read"]
    assert [(row.actor, dict(row.facts)) for row in rows] == [
        ("console", {"ticket": ticket, "message": message}),
        (AGENT, {"ticket": ticket, "message": message}),
    ]
