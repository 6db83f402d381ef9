"""What people do at the desk: Alice owns the ticket, Bob is of the team, Charlie is a stranger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.clocks import timekeeper
from relaydesk.desk.config import DeskError
from relaydesk.policy.decision import Placement
from relaydesk.store.tables import OrderTable, table
from relaydesk_testkit.arriving import NOON, ORDER, candidate, decision, open_ticket, planned, store_message
from tests.support.desk import ADA, ALICE, BOB, desk

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.desk.ticket_view import WholeTicket
    from relaydesk.events import Event
    from relaydesk.policy.decision import Planned
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
DUE = NOON + 48 * HOUR


def view(store: Store, ticket: int) -> WholeTicket:
    return desk(store).tickets.view(ticket)


def last(store: Store, ticket: int) -> Event:
    return view(store, ticket).events[-1][1]


def whats(store: Store, ticket: int) -> list[str]:
    return [event.what for _, event in view(store, ticket).events]


def plan(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
    """Claims have half the time of cases; chargebacks have evidence time too; notices have none."""
    if queue == "notice":
        return ()
    hours = 24 if queue == "claim" else 48
    answer = planned("response" if relay else "handling", start, hours, hours - 8)
    return (answer, planned("evidence", start, 240, None)) if queue == "chargeback" else (answer,)


def test_it_stops_the_response_clock_when_answered_outside(store: Store) -> None:
    ticket = open_ticket(store)
    at = NOON + 5 * HOUR
    desk(store, NOON + 6 * HOUR).tickets.state_answered_elsewhere(ticket, at=at, by=ALICE)
    clock = view(store, ticket).clocks[0]
    assert (clock.stopped_at, clock.stopped_how, clock.breached_at) == (at, "answered_outside", None)
    assert view(store, ticket).ticket.next_due is None
    event = last(store, ticket)
    assert (event.what, event.at, event.actor) == ("clock_stopped", at, ALICE)
    assert event.data == {"clock": "response", "round": 1, "how": "answered_outside"}


def test_it_starts_the_next_round_after_an_answer(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=ALICE)
    later = NOON + 9 * HOUR
    again = decision(Placement("join", ticket), clocks=(planned(start=later),))
    store_message(store, again, body=b"again", at=later)
    assert [(c.round, c.running) for c in view(store, ticket).clocks] == [(1, False), (2, True)]
    assert view(store, ticket).ticket.next_due == later + 48 * HOUR


def test_it_takes_an_answer_at_the_deadline_itself(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, DUE + HOUR).tickets.state_answered_elsewhere(ticket, at=DUE, by=ALICE)
    assert "breached" not in whats(store, ticket)


def test_it_breaches_a_late_answer_even_if_nobody_noticed(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, DUE + 2 * HOUR).tickets.state_answered_elsewhere(ticket, at=DUE + HOUR, by=ALICE)
    assert whats(store, ticket)[-3:] == ["warned", "breached", "clock_stopped"]
    assert view(store, ticket).clocks[0].breached_at == DUE


def test_it_withdraws_a_breach_when_the_answer_was_in_time(store: Store) -> None:
    ticket = open_ticket(store)
    timekeeper.sweep(store, DUE + HOUR)
    desk(store, DUE + 2 * HOUR).tickets.state_answered_elsewhere(ticket, at=DUE, by=ALICE)
    assert whats(store, ticket)[-2:] == ["breach_withdrawn", "clock_stopped"]
    assert view(store, ticket).clocks[0].breached_at is None


@pytest.mark.parametrize(
    ("at", "sentence"), [(NOON - HOUR, "before the clock started"), (NOON + 7 * HOUR, "in the future")]
)
def test_it_refuses_an_impossible_moment(store: Store, at: datetime, sentence: str) -> None:
    ticket = open_ticket(store)
    with pytest.raises(DeskError, match=sentence):
        desk(store, NOON + 6 * HOUR).tickets.state_answered_elsewhere(ticket, at=at, by=ALICE)
    assert view(store, ticket).clocks[0].running


def test_it_refuses_to_stop_what_does_not_run(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("handling"),))
    with pytest.raises(DeskError, match=r"No response clock runs .* \(running: handling\)"):
        desk(store).tickets.state_answered_elsewhere(ticket, at=NOON, by=ALICE)
    desk(store).tickets.close(ticket, by=ALICE)
    with pytest.raises(DeskError, match="reopen it first"):
        desk(store).tickets.state_handled(ticket, at=NOON, how="refunded", by=ALICE)
    with pytest.raises(DeskError, match="no ticket 4711"):
        desk(store).tickets.state_handled(4711, at=NOON, how="refunded", by=ALICE)


def test_it_stops_handling_then_evidence_one_act_each(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("evidence", hours=240), planned("handling")))
    with pytest.raises(DeskError, match="statement of what was done"):
        desk(store).tickets.state_handled(ticket, at=NOON, how="  ", by=ALICE)
    desk(store, NOON + HOUR).tickets.state_handled(ticket, at=NOON + HOUR, how="asked the carrier", by=ALICE)
    assert last(store, ticket).data["text"] == "asked the carrier"
    assert view(store, ticket).ticket.next_due == NOON + 240 * HOUR
    desk(store, NOON + HOUR).tickets.state_handled(ticket, at=NOON + HOUR, how="evidence sent", by=ALICE)
    assert last(store, ticket).data["clock"] == "evidence"
    assert view(store, ticket).ticket.next_due is None


def test_it_stops_the_clock_that_is_named(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("evidence", hours=240), planned("handling")))
    desk(store).tickets.state_handled(ticket, at=NOON, how="evidence sent", by=ALICE, clock="evidence")
    assert last(store, ticket).data["clock"] == "evidence"


def test_it_closes_undecided_and_runs_on_when_reopened(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, NOON + HOUR).tickets.close(ticket, by=ALICE)
    closed = view(store, ticket)
    assert (closed.ticket.state, closed.ticket.next_due) == ("closed", None)
    assert closed.clocks[0].undecided_at == NOON + HOUR
    assert last(store, ticket).data == {"undecided": ["response"]}
    assert timekeeper.sweep(store, DUE + HOUR).breached == 0
    with pytest.raises(DeskError, match="already closed"):
        desk(store, NOON + HOUR).tickets.close(ticket, by=ALICE)
    desk(store, DUE + 2 * HOUR).tickets.reopen(ticket, by=ALICE, why="the customer called")
    opened = view(store, ticket)
    assert (opened.ticket.open, opened.ticket.next_due) == (True, DUE)
    assert opened.clocks[0].started_at == NOON
    assert timekeeper.sweep(store, DUE + 3 * HOUR).breached == 1
    assert last(store, ticket).at == DUE
    with pytest.raises(DeskError, match="already open"):
        desk(store, DUE).tickets.reopen(ticket, by=ALICE)


def test_it_does_not_undo_a_breach_by_closing(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, DUE + HOUR).tickets.close(ticket, by=ALICE)
    assert whats(store, ticket)[-2:] == ["breached", "closed"]
    assert last(store, ticket).data == {"undecided": []}


def test_it_does_not_reopen_beside_an_open_ticket_of_the_thread(store: Store) -> None:
    first = open_ticket(store)
    desk(store).tickets.close(first, by=ALICE)
    second = open_ticket(store, at=NOON + HOUR)
    with pytest.raises(DeskError, match=f"Ticket {second} is open"):
        desk(store, NOON + HOUR).tickets.reopen(first, by=ALICE)


def test_it_moves_with_the_new_targets_from_the_same_start(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, NOON + HOUR, plan=lambda: plan).tickets.move(ticket, "claim", by=ALICE)
    moved = view(store, ticket)
    assert (moved.ticket.queue, moved.ticket.next_due) == ("claim", NOON + 24 * HOUR)
    assert (moved.clocks[0].queue, moved.clocks[0].started_at) == ("claim", NOON)
    assert whats(store, ticket)[-2:] == ["moved", "clock_moved"]
    assert moved.events[-2][1].data == {"from": "case", "to": "claim"}
    with pytest.raises(DeskError, match="already"):
        desk(store, NOON + HOUR, plan=lambda: plan).tickets.move(ticket, "claim", by=ALICE)
    desk(store, NOON + HOUR, plan=lambda: plan).tickets.move(ticket, "notice", by=ALICE)
    assert view(store, ticket).ticket.next_due is None
    desk(store, NOON + HOUR).tickets.close(ticket, by=ALICE)
    with pytest.raises(DeskError, match="reopen it first"):
        desk(store, NOON + HOUR, plan=lambda: plan).tickets.move(ticket, "case", by=ALICE)


def test_it_starts_a_clock_the_ticket_never_had_when_moved(store: Store) -> None:
    ticket = open_ticket(store, clocks=(), kind="notice")
    desk(store, NOON + HOUR, plan=lambda: plan).tickets.move(ticket, "chargeback", by=ALICE)
    assert {(c.clock, c.started_at) for c in view(store, ticket).clocks} == {
        ("response", NOON),
        ("evidence", NOON),
    }
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=ALICE)
    desk(store, NOON + HOUR, plan=lambda: plan).tickets.move(ticket, "case", by=ALICE)
    assert [c.clock for c in view(store, ticket).clocks if c.running] == []


def test_it_keeps_a_breach_that_happened_before_the_move(store: Store) -> None:
    ticket = open_ticket(store, kind="claim", clocks=(planned(hours=24),))
    timekeeper.sweep(store, NOON + 30 * HOUR)
    desk(store, NOON + 31 * HOUR, plan=lambda: plan).tickets.move(ticket, "case", by=ALICE)
    assert whats(store, ticket)[-2:] == ["breached", "moved"]
    assert timekeeper.sweep(store, DUE + HOUR).breached == 0


def test_it_assigns_to_active_agents_only(store: Store) -> None:
    ticket = open_ticket(store)
    tickets = desk(store).tickets
    tickets.assign(ticket, "ALICE", by=ALICE)
    assert view(store, ticket).ticket.assignee == "alice"  # as the agent is written, however typed
    assert last(store, ticket).data == {"agent": "alice"}
    with pytest.raises(DeskError, match="no agent charlie"):
        tickets.assign(ticket, "charlie", by=ALICE)
    with pytest.raises(DeskError, match="already"):
        tickets.assign(ticket, "alice", by=ALICE)
    tickets.assign(ticket, None, by=ALICE)
    desk(store).agents.deactivate("bob", by=ADA)
    with pytest.raises(DeskError, match="no longer active"):
        tickets.assign(ticket, "bob", by=ALICE)


def test_a_ticket_of_another_agent_is_a_leads_to_give_away(store: Store) -> None:
    ticket = open_ticket(store)
    tickets = desk(store).tickets
    tickets.assign(ticket, "bob", by=BOB)
    for agent in ("alice", None):
        with pytest.raises(DeskError, match="to reassign needs the role lead or admin"):
            tickets.assign(ticket, agent, by=ALICE)
    assert view(store, ticket).ticket.assignee == "bob"
    tickets.assign(ticket, "alice", by=BOB)
    tickets.assign(ticket, "bob", by=ALICE)
    assert view(store, ticket).ticket.assignee == "bob"


def test_it_notes_without_stopping_anything(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, NOON + HOUR).tickets.note(ticket, "called the carrier", by=ALICE)
    assert last(store, ticket).data == {"text": "called the carrier"}
    assert view(store, ticket).clocks[0].running
    with pytest.raises(DeskError, match="empty"):
        desk(store).tickets.note(ticket, " \n", by=ALICE)


def test_it_binds_and_releases_orders_of_the_directory(store: Store) -> None:
    ticket = open_ticket(store, candidates=(candidate(sure="mentioned"),))
    with pytest.raises(DeskError, match="orders import"):
        desk(store).tickets.bind_order(ticket, ORDER, by=ALICE)
    row = {"id": ORDER, "relay_address": "", "state": "", "amount": "", "currency": "", "updated_at": NOON}
    with store.transaction() as session:
        session.connection().execute(table(OrderTable).insert(), row)
    desk(store).tickets.bind_order(ticket, ORDER, by=ALICE)
    assert [(n.value, n.how) for n in view(store, ticket).numbers] == [(ORDER, "bound")]
    with pytest.raises(DeskError, match="already"):
        desk(store).tickets.bind_order(ticket, ORDER, by=ALICE)
    desk(store).tickets.release_order(ticket, ORDER, by=ALICE)
    with pytest.raises(DeskError, match="not bound"):
        desk(store).tickets.release_order(ticket, ORDER, by=ALICE)
    assert whats(store, ticket)[-2:] == ["order_bound", "order_released"]
    desk(store).tickets.bind_order(ticket, ORDER, by=ALICE)
    assert [n.how for n in view(store, ticket).numbers] == ["bound"]


def test_it_writes_nothing_when_an_act_is_refused(store: Store) -> None:
    ticket = open_ticket(store)
    before = whats(store, ticket)
    with pytest.raises(DeskError):
        desk(store).tickets.assign(ticket, "charlie", by=ALICE)
    assert whats(store, ticket) == before
