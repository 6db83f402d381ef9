"""Tickets that are merged into one thread: no promise is lost or counted twice, and it can be taken back."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relaydesk.clocks import timekeeper
from relaydesk.desk.answers import Written
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import CONSOLE
from relaydesk.order import Order, OrderRow
from relaydesk.outbound import recording
from relaydesk.policy.decision import Placement
from relaydesk.search.index import index_waiting
from relaydesk.store import lists, looks, orders, outbox
from relaydesk.store.errors import Conflict
from relaydesk.store.lists import TicketFilter
from relaydesk.store.outbox_rows import DeliveryOutcome
from relaydesk_testkit.arriving import (
    NOON,
    ORDER,
    asked,
    candidate,
    decision,
    open_ticket,
    planned,
    store_message,
)
from tests.support.desk import ALICE, BOB, desk, events, plan

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.desk.desk import Desk
    from relaydesk.desk.ticket_view import WholeTicket
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
LATER = NOON + 6 * HOUR
FIRST, SECOND = "case++first@support.facebook.com", "case++second@support.facebook.com"


def view(store: Store, ticket: int) -> WholeTicket:
    return desk(store).tickets.view(ticket)


def pair(store: Store, *, clocks: Any = None, later: datetime = LATER) -> tuple[int, int]:
    """Two open tickets of one order, each with its own relay address and its own clock of 48 hours."""
    orders.put(store, [OrderRow(Order(ORDER), frozenset())], NOON)
    named = {"bind_orders": (ORDER,), "candidates": (candidate(),), "clocks": clocks}
    return open_ticket(store, name="first", **named), open_ticket(store, name="second", at=later, **named)


def joins(store: Store, ticket: int, address: str, at: datetime, **decided: Any) -> None:
    """A further message of a relay address, placed as what is known of it says."""
    known = asked(store, relay_address=address).tickets[0]
    assert known.id == ticket
    clocks = () if "response" in known.running else (planned(start=at),)
    placement = Placement("join", known.id, reopen=not known.open)
    told = decision(placement, clocks=clocks, relay_address=address, **decided)
    store_message(store, told, body=f"{address} {at}".encode(), at=at)


def sends(store: Store, ticket: int, message: int | None, at: datetime) -> str:
    """An agent answers in the thread of ``ticket``; the hop takes it. Where it went."""
    here = desk(store, at)
    seen = here.tickets.latest_event(ticket)
    answer = here.answers.write(ticket, Written("Hello", message=message), seen=seen, by=ALICE).answer
    with store.transaction() as session:
        claimed = outbox.claim(session, "test", at + HOUR, HOUR, 10)
    row = next(row for row in claimed if row.id == answer)
    taken = DeliveryOutcome(at, 250, "ok")
    assert recording.record_sent(store, row, taken, hop="hop", plan=plan, now=at) == "sent"
    return row.recipient


def test_the_earliest_deadline_of_both_holds_and_no_clock_is_lost(store: Store) -> None:
    first, second = pair(store)
    desk(store, LATER).tickets.merge(first, second, by=ALICE)
    whole = view(store, second)
    assert whole.ticket.next_due == NOON + 48 * HOUR
    assert [clock.running for clock in whole.clocks] == [True, True]
    assert [member.id for member in whole.members] == [first]
    assert [number.value for number in whole.numbers] == [ORDER]
    assert (view(store, first).ticket.state, view(store, first).ticket.merged_into) == ("closed", second)
    assert [event.what for event in events(store, first)][-1] == "merged"
    assert events(store, second)[-1].data == {
        "from": first, "into": second, "was": "open", "why": f"the same order, {ORDER}",
    }  # fmt: skip


def test_an_answer_goes_to_the_address_of_its_message_and_stops_that_clock_alone(store: Store) -> None:
    first, second = pair(store)
    desk(store, LATER).tickets.merge(first, second, by=ALICE)
    message = next(m.row.id for m in view(store, second).messages if m.row.ticket_id == first)
    assert sends(store, second, message, LATER + HOUR) == FIRST
    whole = view(store, second)
    assert {clock.ticket_id: clock.running for clock in whole.clocks} == {first: False, second: True}
    assert whole.ticket.next_due == LATER + 48 * HOUR
    assert [answer.row.recipient for answer in whole.answers] == [FIRST]
    assert sends(store, second, None, LATER + 2 * HOUR) == SECOND
    assert view(store, second).ticket.next_due is None


def test_mail_to_the_merged_address_goes_on_in_the_thread_of_the_other(store: Store) -> None:
    first, second = pair(store)
    desk(store, LATER).tickets.merge(first, second, by=ALICE)
    joins(store, first, FIRST, LATER + HOUR)
    whole = view(store, second)
    assert len(whole.messages) == 3
    assert whole.ticket.message_count == 3
    assert whole.ticket.last_message_at == LATER + HOUR
    with store.reading() as session:
        assert [row.id for row in lists.page(session, TicketFilter()).tickets] == [second]


def test_mail_opens_a_closed_thread_again_with_all_its_clocks(store: Store) -> None:
    first, second = pair(store)
    here = desk(store, LATER)
    here.tickets.merge(first, second, by=ALICE)
    desk(store, LATER + HOUR).tickets.close(second, by=ALICE)
    assert all(clock.suspended for clock in view(store, second).clocks)
    joins(store, first, FIRST, LATER + 2 * HOUR)
    whole = view(store, second)
    assert whole.ticket.open
    assert all(clock.running for clock in whole.clocks)
    assert whole.ticket.next_due == NOON + 48 * HOUR
    assert [event.what for event in events(store, second) if event.ticket_id == second].count("reopened") == 1


def test_one_relay_address_has_one_open_ticket_through_a_merge(store: Store) -> None:
    closed = open_ticket(store, name="first", at=NOON - HOUR, clocks=())
    desk(store, NOON).tickets.close(closed, by=ALICE)
    first, second = pair(store)
    desk(store, LATER).tickets.merge(first, second, by=ALICE)
    with pytest.raises(DeskError, match=f"Ticket {second} is open for the same relay address"):
        desk(store, LATER).tickets.reopen(closed, by=ALICE)
    assert asked(store, relay_address=FIRST).tickets[0].id == first


def test_closing_and_moving_hold_for_the_whole_thread(store: Store) -> None:
    first, second = pair(store)
    here = desk(store, LATER)
    here.tickets.merge(first, second, by=ALICE)
    here.tickets.move(second, "claim", by=ALICE, why="It became one")
    assert {clock.queue for clock in view(store, second).clocks} == {"claim"}
    moved = [event for event in events(store, second) if event.what == "moved"]
    assert [(event.ticket_id, event.data["why"]) for event in moved] == [
        (second, "It became one"), (first, "It became one"),
    ]  # fmt: skip
    here.tickets.state_answered_elsewhere(second, at=LATER, by=ALICE)
    assert not any(clock.running for clock in view(store, second).clocks)


def test_the_report_counts_each_promise_once_and_as_if_it_were_never_merged(store: Store) -> None:
    first, second = pair(store)
    timekeeper.sweep(store, NOON + 49 * HOUR)
    here = desk(store, NOON + 50 * HOUR)
    before = json.loads(report(here))
    desk(store, NOON + 49 * HOUR).tickets.merge(first, second, by=ALICE)
    merged = json.loads(report(here))
    assert [work["open"]["tickets"] for work in merged.pop("work")] == [[second]]  # one thread
    assert merged == {section: figures for section, figures in before.items() if section != "work"}
    desk(store, NOON + 49 * HOUR).tickets.unmerge(first, by=ALICE)
    assert json.loads(report(here)) == before


def test_words_of_the_merged_one_lead_to_the_thread(store: Store) -> None:
    first, second = pair(store)
    desk(store, LATER).tickets.note(first, "Zanzibar", by=ALICE)
    index_waiting(store)
    desk(store, LATER).tickets.merge(first, second, by=ALICE)
    with store.reading() as session:
        assert second in [row.id for row in lists.search(session, "zanzibar", state="open")]
        assert {row.id for row in lists.search(session, "zanzibar")} == {first, second}


def test_what_asked_for_a_look_asks_on_and_goes_back(store: Store) -> None:
    first, second = pair(store)
    with store.transaction() as session:
        looks.mark(session, first, "bounce_unclear", NOON)
    here = desk(store, LATER)
    here.tickets.merge(first, second, by=ALICE)
    assert view(store, second).ticket.needs_look == "bounce_unclear"
    here.tickets.unmerge(first, by=ALICE)
    assert view(store, second).ticket.needs_look is None
    assert view(store, first).ticket.needs_look == "bounce_unclear"


@pytest.mark.parametrize("unproven", [False, True])
def test_what_may_be_two_buyers_is_not_merged(store: Store, unproven: bool) -> None:
    if unproven:
        first = open_ticket(store, name="first", vouched=False, candidates=(candidate(),))
        second = open_ticket(store, name="second", candidates=(candidate(),))
    else:
        first, second = open_ticket(store, name="first"), open_ticket(store, name="second")
    why = "nothing proves" if unproven else "neither a relay address nor an order in common"
    with pytest.raises(DeskError, match=why):
        desk(store).tickets.merge(first, second, by=BOB)


def test_it_says_why_two_tickets_cannot_be_merged(store: Store) -> None:
    first, second = pair(store)
    claim = open_ticket(store, name="claim", kind="claim", bind_orders=(ORDER,), candidates=(candidate(),))
    here = desk(store, LATER).tickets
    for source, into, why in (
        (first, first, "cannot be merged into itself"),
        (first, claim, "each with its own queue and clock; link them instead"),
        (first, 4711, "There is no ticket 4711"),
    ):
        with pytest.raises(DeskError, match=why):
            here.merge(source, into, by=ALICE)
    here.merge(first, second, by=ALICE)
    for act in (
        lambda: here.close(first, by=ALICE),
        lambda: here.merge(first, second, by=ALICE),
        lambda: here.merge(second, first, by=ALICE),
    ):
        with pytest.raises(DeskError, match=f"Ticket {first} is merged into ticket {second}; work there"):
            act()
    third = open_ticket(store, name="third", bind_orders=(ORDER,), candidates=(candidate(),))
    with pytest.raises(DeskError, match=f"merge {third} into {second}"):
        here.merge(second, third, by=ALICE)
    here.unmerge(first, by=ALICE)
    with pytest.raises(DeskError, match="is not merged"):
        here.unmerge(first, by=ALICE)
    here.close(second, by=ALICE)
    with pytest.raises(DeskError, match=f"Ticket {second} is closed"):
        here.merge(first, second, by=ALICE)


def test_of_two_who_merge_each_into_the_other_at_once_one_does(store: Store) -> None:
    first, second = pair(store)
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def merge(source: int, into: int) -> None:
        together.wait()
        try:
            desk(store, LATER).tickets.merge(source, into, by=ALICE)
            outcomes.append("merged")
        except (DeskError, Conflict):
            outcomes.append("refused")

    threads = [threading.Thread(target=merge, args=way) for way in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["merged", "refused"]
    rows = [view(store, ticket).ticket for ticket in (first, second)]
    assert sorted(row.open for row in rows) == [False, True]


STEPS = st.lists(
    st.sampled_from(("first writes", "second writes", "answer first", "answer second", "sweep")), max_size=4
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=STEPS)
def test_merging_and_taking_it_back_leave_clocks_and_counts_as_they_were(
    sqlite_store: Store, before: list[str]
) -> None:
    store, at = sqlite_store, NOON + 7 * HOUR
    marker = len(lists_of(store, "closed")) + len(lists_of(store, "open"))
    name = f"n{marker}"
    number = f"3685090000{marker:05}"
    orders.put(store, [OrderRow(Order(number), frozenset())], NOON)
    named = {"bind_orders": (number,), "candidates": (candidate(number),)}
    first = open_ticket(store, name=f"{name}first", **named)
    second = open_ticket(store, name=f"{name}second", at=LATER, **named)
    addresses = {who: f"case++{name}{who}@support.facebook.com" for who in ("first", "second")}
    for step in before:
        at += 5 * HOUR
        which = first if "first" in step else second
        if step == "sweep":
            timekeeper.sweep(store, at)
        elif step.endswith("writes"):
            joins(store, which, addresses[step.split()[0]], at)
        else:
            sends(store, which, None, at)
    as_it_was = standing(store, first, second)
    desk(store, at).tickets.merge(first, second, by=ALICE)
    desk(store, at).tickets.unmerge(first, by=ALICE)
    assert standing(store, first, second) == as_it_was
    for ticket in (first, second):
        desk(store, at).tickets.close(ticket, by=ALICE)


def lists_of(store: Store, state: Any) -> tuple[Any, ...]:
    with store.reading() as session:
        return lists.page(session, TicketFilter(state=state), limit=1000).tickets


def standing(store: Store, *tickets: int) -> Any:
    """Rows, clocks, and what each list and the report say."""
    here = desk(store, NOON + 90 * HOUR)
    views = [here.tickets.view(ticket) for ticket in tickets]
    return (
        [whole.ticket for whole in views],
        [whole.clocks for whole in views],
        [[message.row.id for message in whole.messages] for whole in views],
        here.queues.counts(),
        report(here),
    )


def report(here: Desk) -> str:
    out = io.StringIO()
    here.reports.sla(here.reports.scope(since=(NOON - HOUR).isoformat(), until=""), out, "json", by=CONSOLE)
    return out.getvalue()
