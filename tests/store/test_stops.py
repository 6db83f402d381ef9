"""Two that stop one clock: an answer's 250 and a statement at the desk, in either order and at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.clocks import stops, timekeeper
from relaydesk.desk.config import DeskError
from relaydesk.store import deadlines, tickets
from relaydesk.store.errors import Conflict
from relaydesk_testkit.arriving import NOON, open_ticket
from tests.support.answering import plan, send, write
from tests.support.desk import BOB, desk

if TYPE_CHECKING:
    from relaydesk.events import Event, StoppedHow
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)


def clock_of(store: Store, ticket: int) -> DeadlineRow:
    with store.reading() as session:
        (clock,) = deadlines.of_tickets(session, [ticket])
    return clock


def events(store: Store, ticket: int, *kinds: str) -> list[Event]:
    with store.reading() as session:
        return [event for _, event in tickets.events(session, ticket) if event.what in kinds]


def state(store: Store, ticket: int) -> None:
    """Bob says that the customer was answered by telephone, an hour after the mail came."""
    desk(store, NOON + 4 * HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=BOB)


def test_a_statement_stands_when_the_answer_leaves_later(store: Store) -> None:
    ticket = open_ticket(store)
    write(store, ticket, no_order=True)
    state(store, ticket)
    send(store, ticket, NOON + 5 * HOUR)
    clock = clock_of(store, ticket)
    assert (clock.stopped_at, clock.stopped_how) == (NOON + HOUR, "answered_outside")
    assert [event.actor for event in events(store, ticket, "clock_stopped")] == [BOB]
    assert events(store, ticket, "clock_reopened") == []


def test_a_statement_after_the_answer_left_is_refused(store: Store) -> None:
    ticket = open_ticket(store)
    write(store, ticket, no_order=True)
    send(store, ticket, NOON + 3 * HOUR)
    with pytest.raises(DeskError, match="No response clock runs"):
        state(store, ticket)
    clock = clock_of(store, ticket)
    assert (clock.stopped_at, clock.stopped_how) == (NOON + 3 * HOUR, "answered")
    assert len(events(store, ticket, "clock_stopped")) == 1


@pytest.mark.parametrize(
    ("first", "second"), [("answered", "answered_outside"), ("answered_outside", "answered")]
)
def test_a_clock_that_was_stopped_meanwhile_is_not_stopped_again(
    store: Store, first: StoppedHow, second: StoppedHow
) -> None:
    """What was read before the other one stopped it must neither be told again nor undo its breach."""
    ticket = open_ticket(store)
    timekeeper.sweep(store, NOON + 49 * HOUR)
    read_before = clock_of(store, ticket)
    assert read_before.breached_at is not None
    with store.transaction() as session:
        stops.stop_clock(session, read_before, first, at=NOON + 50 * HOUR, actor=BOB, now=NOON + 50 * HOUR)
    with pytest.raises(Conflict), store.transaction() as session:
        stops.stop_clock(session, read_before, second, at=NOON + HOUR, actor=BOB, now=NOON + 51 * HOUR)
    clock = clock_of(store, ticket)
    assert (clock.stopped_at, clock.stopped_how) == (NOON + 50 * HOUR, first)
    assert clock.breached_at == read_before.breached_at
    assert [event.data["how"] for event in events(store, ticket, "clock_stopped")] == [first]
    assert events(store, ticket, "breach_withdrawn") == []


def test_of_two_at_once_one_stops_the_clock(store: Store) -> None:
    for number in range(5):
        ticket = open_ticket(store, name=f"alice{number}")
        message = first_message(store, ticket)
        with ThreadPoolExecutor(2) as pool:
            stated = pool.submit(state, store, ticket)
            answered = pool.submit(leave, store, ticket, message)
        refused = isinstance(stated.exception(), DeskError)
        assert refused or stated.exception() is None
        assert answered.result() is refused
        told = [event.data["how"] for event in events(store, ticket, "clock_stopped")]
        assert told == ["answered" if refused else "answered_outside"]
        assert clock_of(store, ticket).stopped_how == told[0]


def first_message(store: Store, ticket: int) -> int:
    with store.reading() as session:
        return tickets.messages(session, ticket)[0].id


def leave(store: Store, ticket: int, message: int) -> bool:
    """The hop took an answer: whether a clock was waiting for it."""
    at = NOON + 3 * HOUR
    with store.transaction() as session:
        return stops.stop_response_clock(
            session, ticket, message, at=at, actor="agent:alice", plan=plan, now=at
        )
