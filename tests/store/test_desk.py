"""What people do at the desk: Alice owns the ticket, Bob is of the team, Charlie is a stranger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.clocks import timekeeper
from relaydesk.desk import acts
from relaydesk.desk.acts import DeskError
from relaydesk.policy.decision import Placement
from relaydesk.store import tickets
from relaydesk.store.tables import OrderTable, table
from relaydesk_testkit.arriving import NOON, ORDER, candidate, decision, open_ticket, planned, store_message

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.events import Event
    from relaydesk.policy.decision import Planned
    from relaydesk.store.engine import Store

ALICE = "agent:alice"
HOUR = timedelta(hours=1)
DUE = NOON + 48 * HOUR


def view(store: Store, ticket: int) -> tickets.TicketView:
    with store.reading() as session:
        found = tickets.view(session, ticket)
    assert found is not None
    return found


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
    acts.answered_outside(store, ticket, at=at, actor=ALICE, now=NOON + 6 * HOUR)
    clock = view(store, ticket).clocks[0]
    assert (clock.stopped_at, clock.stopped_how, clock.breached_at) == (at, "answered_outside", None)
    assert view(store, ticket).ticket.next_due is None
    event = last(store, ticket)
    assert (event.what, event.at, event.actor) == ("clock_stopped", at, ALICE)
    assert event.data == {"clock": "response", "round": 1, "how": "answered_outside"}


def test_it_starts_the_next_round_after_an_answer(store: Store) -> None:
    ticket = open_ticket(store)
    acts.answered_outside(store, ticket, at=NOON + HOUR, actor=ALICE, now=NOON + HOUR)
    later = NOON + 9 * HOUR
    again = decision(Placement("join", ticket), clocks=(planned(start=later),))
    store_message(store, again, body=b"again", at=later)
    assert [(c.round, c.running) for c in view(store, ticket).clocks] == [(1, False), (2, True)]
    assert view(store, ticket).ticket.next_due == later + 48 * HOUR


def test_it_takes_an_answer_at_the_deadline_itself(store: Store) -> None:
    ticket = open_ticket(store)
    acts.answered_outside(store, ticket, at=DUE, actor=ALICE, now=DUE + HOUR)
    assert "breached" not in whats(store, ticket)


def test_it_breaches_a_late_answer_even_if_nobody_noticed(store: Store) -> None:
    ticket = open_ticket(store)
    acts.answered_outside(store, ticket, at=DUE + HOUR, actor=ALICE, now=DUE + 2 * HOUR)
    assert whats(store, ticket)[-3:] == ["warned", "breached", "clock_stopped"]
    assert view(store, ticket).clocks[0].breached_at == DUE


def test_it_withdraws_a_breach_when_the_answer_was_in_time(store: Store) -> None:
    ticket = open_ticket(store)
    timekeeper.sweep(store, DUE + HOUR)
    acts.answered_outside(store, ticket, at=DUE, actor=ALICE, now=DUE + 2 * HOUR)
    assert whats(store, ticket)[-2:] == ["breach_withdrawn", "clock_stopped"]
    assert view(store, ticket).clocks[0].breached_at is None


@pytest.mark.parametrize(
    ("at", "sentence"), [(NOON - HOUR, "before the clock started"), (NOON + 7 * HOUR, "in the future")]
)
def test_it_refuses_an_impossible_moment(store: Store, at: datetime, sentence: str) -> None:
    ticket = open_ticket(store)
    with pytest.raises(DeskError, match=sentence):
        acts.answered_outside(store, ticket, at=at, actor=ALICE, now=NOON + 6 * HOUR)
    assert view(store, ticket).clocks[0].running


def test_it_refuses_to_stop_what_does_not_run(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("handling"),))
    with pytest.raises(DeskError, match=r"No response clock runs .* \(running: handling\)"):
        acts.answered_outside(store, ticket, at=NOON, actor=ALICE, now=NOON)
    acts.close(store, ticket, actor=ALICE, now=NOON)
    with pytest.raises(DeskError, match="reopen it first"):
        acts.handled(store, ticket, at=NOON, how="refunded", actor=ALICE, now=NOON)
    with pytest.raises(DeskError, match="no ticket 4711"):
        acts.handled(store, 4711, at=NOON, how="refunded", actor=ALICE, now=NOON)


def test_it_stops_handling_then_evidence_one_act_each(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("evidence", hours=240), planned("handling")))
    with pytest.raises(DeskError, match="Say what was done"):
        acts.handled(store, ticket, at=NOON, how="  ", actor=ALICE, now=NOON)
    acts.handled(store, ticket, at=NOON + HOUR, how="asked the carrier", actor=ALICE, now=NOON + HOUR)
    assert last(store, ticket).data["text"] == "asked the carrier"
    assert view(store, ticket).ticket.next_due == NOON + 240 * HOUR
    acts.handled(store, ticket, at=NOON + HOUR, how="evidence sent", actor=ALICE, now=NOON + HOUR)
    assert last(store, ticket).data["clock"] == "evidence"
    assert view(store, ticket).ticket.next_due is None


def test_it_stops_the_clock_that_is_named(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("evidence", hours=240), planned("handling")))
    acts.handled(store, ticket, at=NOON, how="evidence sent", actor=ALICE, now=NOON, clock="evidence")
    assert last(store, ticket).data["clock"] == "evidence"


def test_it_closes_undecided_and_runs_on_when_reopened(store: Store) -> None:
    ticket = open_ticket(store)
    acts.close(store, ticket, actor=ALICE, now=NOON + HOUR)
    closed = view(store, ticket)
    assert (closed.ticket.state, closed.ticket.next_due) == ("closed", None)
    assert closed.clocks[0].undecided_at == NOON + HOUR
    assert last(store, ticket).data == {"undecided": ["response"]}
    assert timekeeper.sweep(store, DUE + HOUR).breached == 0
    with pytest.raises(DeskError, match="closed already"):
        acts.close(store, ticket, actor=ALICE, now=NOON + HOUR)
    acts.reopen(store, ticket, actor=ALICE, now=DUE + 2 * HOUR, why="the customer called")
    opened = view(store, ticket)
    assert (opened.ticket.open, opened.ticket.next_due) == (True, DUE)
    assert opened.clocks[0].started_at == NOON
    assert timekeeper.sweep(store, DUE + 3 * HOUR).breached == 1
    assert last(store, ticket).at == DUE
    with pytest.raises(DeskError, match="is open"):
        acts.reopen(store, ticket, actor=ALICE, now=DUE)


def test_it_does_not_undo_a_breach_by_closing(store: Store) -> None:
    ticket = open_ticket(store)
    acts.close(store, ticket, actor=ALICE, now=DUE + HOUR)
    assert whats(store, ticket)[-2:] == ["breached", "closed"]
    assert last(store, ticket).data == {"undecided": []}


def test_it_does_not_reopen_beside_an_open_ticket_of_the_thread(store: Store) -> None:
    first = open_ticket(store)
    acts.close(store, first, actor=ALICE, now=NOON)
    second = open_ticket(store, at=NOON + HOUR)
    with pytest.raises(DeskError, match=f"open ticket, {second}"):
        acts.reopen(store, first, actor=ALICE, now=NOON + HOUR)


def test_it_moves_with_the_new_targets_from_the_same_start(store: Store) -> None:
    ticket = open_ticket(store)
    acts.move(store, ticket, "claim", plan=plan, actor=ALICE, now=NOON + HOUR)
    moved = view(store, ticket)
    assert (moved.ticket.queue, moved.ticket.next_due) == ("claim", NOON + 24 * HOUR)
    assert (moved.clocks[0].queue, moved.clocks[0].started_at) == ("claim", NOON)
    assert whats(store, ticket)[-2:] == ["moved", "clock_moved"]
    assert moved.events[-2][1].data == {"from": "case", "to": "claim"}
    with pytest.raises(DeskError, match="already"):
        acts.move(store, ticket, "claim", plan=plan, actor=ALICE, now=NOON + HOUR)
    acts.move(store, ticket, "notice", plan=plan, actor=ALICE, now=NOON + HOUR)
    assert view(store, ticket).ticket.next_due == NOON + 24 * HOUR
    acts.close(store, ticket, actor=ALICE, now=NOON + HOUR)
    with pytest.raises(DeskError, match="reopen it first"):
        acts.move(store, ticket, "case", plan=plan, actor=ALICE, now=NOON + HOUR)


def test_it_starts_a_clock_the_ticket_never_had_when_moved(store: Store) -> None:
    ticket = open_ticket(store, clocks=(), kind="notice")
    acts.move(store, ticket, "chargeback", plan=plan, actor=ALICE, now=NOON + HOUR)
    assert {(c.clock, c.started_at) for c in view(store, ticket).clocks} == {
        ("response", NOON),
        ("evidence", NOON),
    }
    acts.answered_outside(store, ticket, at=NOON + HOUR, actor=ALICE, now=NOON + HOUR)
    acts.move(store, ticket, "case", plan=plan, actor=ALICE, now=NOON + HOUR)
    assert [c.clock for c in view(store, ticket).clocks if c.running] == ["evidence"]


def test_it_keeps_a_breach_that_happened_before_the_move(store: Store) -> None:
    ticket = open_ticket(store, kind="claim", clocks=(planned(hours=24),))
    timekeeper.sweep(store, NOON + 30 * HOUR)
    acts.move(store, ticket, "case", plan=plan, actor=ALICE, now=NOON + 31 * HOUR)
    assert whats(store, ticket)[-2:] == ["breached", "moved"]
    assert timekeeper.sweep(store, DUE + HOUR).breached == 0


def test_it_assigns_to_active_agents_only(store: Store) -> None:
    ticket = open_ticket(store)
    acts.add_agent(store, "bob", "bob@shop.example", now=NOON)
    acts.assign(store, ticket, "bob", actor=ALICE, now=NOON)
    assert view(store, ticket).ticket.assignee == "bob"
    assert last(store, ticket).data == {"agent": "bob"}
    with pytest.raises(DeskError, match="no agent charlie"):
        acts.assign(store, ticket, "charlie", actor=ALICE, now=NOON)
    with pytest.raises(DeskError, match="already"):
        acts.assign(store, ticket, "bob", actor=ALICE, now=NOON)
    acts.assign(store, ticket, None, actor=ALICE, now=NOON)
    acts.deactivate_agent(store, "bob")
    with pytest.raises(DeskError, match="no longer active"):
        acts.assign(store, ticket, "bob", actor=ALICE, now=NOON)


def test_it_keeps_agents(store: Store) -> None:
    acts.add_agent(store, "bob", "bob@shop.example", now=NOON)
    with pytest.raises(DeskError, match="an agent bob already"):
        acts.add_agent(store, "bob", now=NOON)
    acts.deactivate_agent(store, "bob")
    assert [(a.name, a.active) for a in acts.agents(store)] == [("bob", False)]
    with pytest.raises(DeskError, match="no longer active"):
        acts.deactivate_agent(store, "bob")
    acts.add_agent(store, "bob", now=NOON)
    assert [(a.email, a.active) for a in acts.agents(store)] == [("bob@shop.example", True)]
    for name in ("", " bob", "a:b", "a\nb"):
        with pytest.raises(DeskError, match="printable"):
            acts.add_agent(store, name, now=NOON)


def test_it_notes_without_stopping_anything(store: Store) -> None:
    ticket = open_ticket(store)
    acts.note(store, ticket, "called the carrier", actor=ALICE, now=NOON + HOUR)
    assert last(store, ticket).data == {"text": "called the carrier"}
    assert view(store, ticket).clocks[0].running
    with pytest.raises(DeskError, match="empty"):
        acts.note(store, ticket, " \n", actor=ALICE, now=NOON)


def test_it_binds_and_releases_orders_of_the_directory(store: Store) -> None:
    ticket = open_ticket(store, candidates=(candidate(sure="mentioned"),))
    with pytest.raises(DeskError, match="orders import"):
        acts.bind_order(store, ticket, ORDER, actor=ALICE, now=NOON)
    row = {"id": ORDER, "relay_address": "", "state": "", "amount": "", "currency": "", "updated_at": NOON}
    with store.transaction() as session:
        session.connection().execute(table(OrderTable).insert(), row)
    acts.bind_order(store, ticket, ORDER, actor=ALICE, now=NOON)
    assert [(n.value, n.how) for n in view(store, ticket).numbers] == [(ORDER, "bound")]
    with pytest.raises(DeskError, match="already"):
        acts.bind_order(store, ticket, ORDER, actor=ALICE, now=NOON)
    acts.release_order(store, ticket, ORDER, actor=ALICE, now=NOON)
    with pytest.raises(DeskError, match="not bound"):
        acts.release_order(store, ticket, ORDER, actor=ALICE, now=NOON)
    assert whats(store, ticket)[-2:] == ["order_bound", "order_released"]
    acts.bind_order(store, ticket, ORDER, actor=ALICE, now=NOON)
    assert [n.how for n in view(store, ticket).numbers] == ["bound"]


def test_it_writes_nothing_when_an_act_is_refused(store: Store) -> None:
    ticket = open_ticket(store)
    before = whats(store, ticket)
    with pytest.raises(DeskError):
        acts.assign(store, ticket, "charlie", actor=ALICE, now=NOON)
    assert whats(store, ticket) == before
