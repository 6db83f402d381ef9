"""Clocks follow the queue: after any moves exactly what the queue promises runs, from its own start."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from relaydesk.clocks import timekeeper
from relaydesk.policy.decision import Placement
from relaydesk.report.history import histories
from relaydesk_testkit.arriving import NOON, decision, open_ticket, planned, store_message
from tests.store.test_bounces import back
from tests.support.answering import send, write
from tests.support.desk import ALICE, desk, events
from tests.support.desk import plan as everywhere

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.policy.decision import Planned
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
QUEUES = ("case", "claim", "chargeback", "unsorted", "notice")
HUMAN = {"answered", "answered_outside", "handled"}


def plan(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
    """As shipped: evidence for chargebacks, nothing for notices; claims are tighter."""
    if queue == "notice":
        return ()
    hours = 24 if queue == "claim" else 48
    answer = planned("response" if relay else "handling", start, hours, hours - 8)
    return (answer, planned("evidence", start, 240, None)) if queue == "chargeback" else (answer,)


def move(store: Store, ticket: int, *queues: str, now: datetime = NOON + HOUR) -> None:
    for queue in queues:
        desk(store, now, plan=lambda: plan).tickets.move(ticket, queue, by=ALICE)


def clocks(store: Store, ticket: int) -> list[DeadlineRow]:
    return list(desk(store).tickets.view(ticket).clocks)


def running(store: Store, ticket: int) -> dict[str, datetime]:
    return {clock.clock: clock.due_at for clock in clocks(store, ticket) if clock.running}


def promised(queue: str, start: datetime = NOON, *, relay: bool = True) -> dict[str, datetime]:
    return {terms.clock: terms.due for terms in plan(queue, start, relay=relay)}


def outcomes(store: Store, ticket: int, now: datetime) -> set[tuple[str, str]]:
    """(clock, outcome) of the report."""
    history = next(histories(events(store, ticket), now))
    return {(run.clock, run.outcome) for run in history.runs}


def opened(store: Store, queue: str, *, relay: bool = True) -> int:
    if relay:
        return open_ticket(store, kind=queue, clocks=plan(queue, NOON, relay=True))
    decided = decision(Placement("open"), kind=queue, clocks=plan(queue, NOON, relay=False), relay_address="")
    ticket = store_message(store, decided).ticket_id
    assert ticket is not None
    return ticket


@pytest.mark.parametrize("relay", [True, False])
@pytest.mark.parametrize(("source", "to"), [*itertools.permutations(QUEUES, 2)])
def test_a_move_leaves_what_the_queue_promises(
    sqlite_store: Store, source: str, to: str, relay: bool
) -> None:
    store = sqlite_store
    ticket = opened(store, source, relay=relay)
    before = clocks(store, ticket)
    move(store, ticket, to)
    assert running(store, ticket) == promised(to, relay=relay)
    assert outcomes(store, ticket, NOON + HOUR) == {(clock, "running") for clock in promised(to, relay=relay)}
    assert desk(store).tickets.view(ticket).ticket.next_due == min(
        promised(to, relay=relay).values(), default=None
    )
    move(store, ticket, source)
    assert running(store, ticket) == promised(source, relay=relay)
    assert [clock for clock in clocks(store, ticket) if clock.running] == before
    move(store, ticket, to, source, to)
    assert running(store, ticket) == promised(to, relay=relay)
    timekeeper.sweep(store, NOON + 1000 * HOUR)
    assert {
        name for name, outcome in outcomes(store, ticket, NOON + 1000 * HOUR) if outcome == "breached"
    } == (set(promised(to, relay=relay)))


def test_a_withdrawn_clock_tells_why_and_comes_back(store: Store) -> None:
    ticket = opened(store, "chargeback")
    move(store, ticket, "case")
    told = [e for e in events(store, ticket) if e.what == "clock_withdrawn"]
    assert [e.data for e in told] == [
        {"clock": "evidence", "round": 1, "why": "queue case does not promise it"}
    ]
    assert timekeeper.sweep(store, NOON + 300 * HOUR).breached == 1  # the response clock alone
    move(store, ticket, "chargeback", now=NOON + 2 * HOUR)
    evidence = clocks(store, ticket)[1]
    assert (evidence.running, evidence.started_at, evidence.due_at) == (True, NOON, NOON + 240 * HOUR)
    assert events(store, ticket)[-1].data["why"] == "queue chargeback promises it"


def test_a_breach_before_the_move_stays_counted(store: Store) -> None:
    """Nobody moves a broken promise out of the report; and it does not run on either."""
    ticket = opened(store, "chargeback")
    late = NOON + 250 * HOUR
    move(store, ticket, "case", now=late)  # no sweep came between: the move notices it
    assert "evidence" not in running(store, ticket)
    assert ("evidence", "breached") in outcomes(store, ticket, late)
    assert [
        e.at for e in events(store, ticket) if e.what == "breached" and e.data["clock"] == "evidence"
    ] == [NOON + 240 * HOUR]
    history = next(histories(events(store, ticket), late + HOUR))
    assert [run.ended for run in history.runs if run.clock == "evidence"] == [late]
    move(store, ticket, "chargeback", now=late + HOUR)
    evidence = next(clock for clock in clocks(store, ticket) if clock.clock == "evidence")
    assert (evidence.running, evidence.due_at, evidence.breached_at) == (
        True,
        NOON + 240 * HOUR,
        NOON + 240 * HOUR,
    )
    timekeeper.sweep(store, late + 2 * HOUR)
    assert [e.data["clock"] for e in events(store, ticket) if e.what == "breached"] == [
        "evidence",
        "response",
    ]


def test_a_deadline_that_passes_while_withdrawn_breaks_no_promise_until_it_is_made_again(
    store: Store,
) -> None:
    ticket = opened(store, "claim")
    move(store, ticket, "notice")
    assert timekeeper.sweep(store, NOON + 30 * HOUR) == timekeeper.Swept()
    assert outcomes(store, ticket, NOON + 30 * HOUR) == set()
    move(store, ticket, "case", now=NOON + 31 * HOUR)  # 48 hours there: not passed
    assert running(store, ticket) == promised("case")
    move(store, ticket, "notice", "claim", now=NOON + 32 * HOUR)  # 24 hours: the buyer waits for longer
    assert running(store, ticket) == promised("claim")
    assert timekeeper.sweep(store, NOON + 33 * HOUR).breached == 1


def test_an_answer_given_meanwhile_stops_the_clock_that_comes_back(store: Store) -> None:
    ticket = opened(store, "case")
    move(store, ticket, "notice")
    write(store, ticket, no_order=True)
    send(store, ticket, NOON + 2 * HOUR, plan)
    move(store, ticket, "case", now=NOON + 60 * HOUR)
    assert running(store, ticket) == {}
    (clock,) = clocks(store, ticket)
    assert (clock.stopped_at, clock.stopped_how) == (NOON + 2 * HOUR, "answered")
    assert outcomes(store, ticket, NOON + 60 * HOUR) == {("response", "met")}


def arrive(store: Store, ticket: int, at: datetime) -> None:
    queue = desk(store).tickets.view(ticket).ticket.queue
    going = running(store, ticket)
    fresh = tuple(clock for clock in plan(queue, at, relay=True) if clock.clock not in going)
    decided = replace(decision(Placement("join", ticket), clocks=fresh), queue=queue)
    store_message(store, decided, body=f"again {at}".encode(), at=at)


def test_mail_that_came_meanwhile_gets_its_clock(store: Store) -> None:
    """An answered case is filed as a notice, the buyer writes again, and it is moved back."""
    ticket = opened(store, "case")
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=ALICE)
    move(store, ticket, "notice", now=NOON + HOUR)
    arrive(store, ticket, NOON + 3 * HOUR)
    arrive(store, ticket, NOON + 4 * HOUR)
    assert running(store, ticket) == {}
    move(store, ticket, "case", now=NOON + 5 * HOUR)
    assert running(store, ticket) == {"response": NOON + 51 * HOUR}
    assert [clock.round for clock in clocks(store, ticket)] == [1, 2]


def test_an_answered_ticket_that_never_had_the_clock_gets_none_that_runs(store: Store) -> None:
    ticket = opened(store, "notice")
    write(store, ticket, no_order=True)
    send(store, ticket, NOON + 2 * HOUR, plan)
    move(store, ticket, "case", now=NOON + 3 * HOUR)
    assert running(store, ticket) == {}
    assert outcomes(store, ticket, NOON + 3 * HOUR) == {("response", "met")}


def test_a_bounce_after_the_move_starts_no_clock_that_the_queue_does_not_promise(store: Store) -> None:
    ticket = opened(store, "case")
    write(store, ticket, no_order=True)
    send(store, ticket, NOON + 2 * HOUR, plan)
    move(store, ticket, "notice", now=NOON + 3 * HOUR)
    assert back(store, ticket, at=NOON + 4 * HOUR, plan=plan)
    assert running(store, ticket) == {}
    move(store, ticket, "case", now=NOON + 5 * HOUR)
    assert running(store, ticket) == promised("case")


def test_closing_and_reopening_wakes_no_withdrawn_clock(store: Store) -> None:
    ticket = opened(store, "chargeback")
    move(store, ticket, "case")
    desk(store, NOON + HOUR).tickets.close(ticket, by=ALICE)
    desk(store, NOON + 2 * HOUR).tickets.reopen(ticket, by=ALICE)
    assert running(store, ticket) == promised("case")
    move(store, ticket, "chargeback", now=NOON + 2 * HOUR)
    assert running(store, ticket) == promised("chargeback")


@pytest.mark.parametrize("seed", range(5))
def test_after_any_walk_what_runs_is_what_the_queue_promises(sqlite_store: Store, seed: int) -> None:
    """Moves, mail, answers, statements, closing: each clock runs or was stopped by a person."""
    store, chance = sqlite_store, Random(seed)
    ticket = opened(store, chance.choice(QUEUES))
    now = written = NOON
    answered = NOON - HOUR
    for _ in range(14):
        now += HOUR / 4  # no deadline passes
        step = _step(store, ticket, chance, now)
        answered = now if step in ("answer", "elsewhere") else answered
        written = now if step == "mail" else written
        queue = desk(store).tickets.view(ticket).ticket.queue
        rows = clocks(store, ticket)
        assert set(running(store, ticket)) <= set(promised(queue))
        for clock in rows:
            if clock.running:
                assert clock.due_at == promised(queue, clock.started_at)[clock.clock]
        # the buyer waits in each queue that promises an answer, if and only if something is unanswered
        assert ("response" in running(store, ticket)) == (
            written > answered and "response" in promised(queue)
        )
        for name in set(promised(queue)) - set(running(store, ticket)):
            last = max((c for c in rows if c.clock == name), key=lambda clock: clock.round)
            assert last.stopped_how in HUMAN
        assert {(name, "running") for name in running(store, ticket)} == {
            (name, outcome) for name, outcome in outcomes(store, ticket, now) if outcome == "running"
        }


def _step(store: Store, ticket: int, chance: Random, now: datetime) -> str:
    tickets = desk(store, now, plan=lambda: plan).tickets
    going = running(store, ticket)
    step = chance.choice(["move", "move", "move", "mail", "answer", "elsewhere", "evidence", "close"])
    if step == "move":
        others = [queue for queue in QUEUES if queue != tickets.view(ticket).ticket.queue]
        tickets.move(ticket, chance.choice(others), by=ALICE)
    elif step == "mail":
        arrive(store, ticket, now)
    elif step == "answer":
        write(store, ticket, no_order=True, now=now - HOUR / 8)
        send(store, ticket, now, plan)
    elif step == "elsewhere" and "response" in going:
        tickets.state_answered_elsewhere(ticket, at=now, by=ALICE)
    elif step == "evidence" and "evidence" in going:
        tickets.state_handled(ticket, at=now, how="sent", clock="evidence", by=ALICE)
    elif step == "close":
        tickets.close(ticket, by=ALICE)
        tickets.reopen(ticket, by=ALICE)
    else:
        return ""
    return step


def test_it_keeps_one_plan_where_every_queue_promises_the_same(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, NOON + HOUR, plan=lambda: everywhere).tickets.move(ticket, "claim", by=ALICE)
    assert running(store, ticket) == {"response": NOON + 48 * HOUR}
