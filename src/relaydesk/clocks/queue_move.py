"""A ticket comes to another queue: its clocks become those that the queue promises.

A clock is a function of its start and the queue's target, so moving there and back changes no deadline:

- one that runs and is promised is derived again from its own start, unless its deadline has passed;
- one that runs and is not promised is withdrawn; a breach that happened stays on record;
- one that was withdrawn so before and is promised again runs on from its own start, and an answer that left
  meanwhile stops it, dated when it left;
- one that this ticket never had starts when the ticket was opened;
- where the last round was stopped, mail that has come since starts the next one, as it would have here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from relaydesk.clocks.stops import queue_clocks, stop_by_sent_answers, withdraw_unpromised
from relaydesk.clocks.timekeeper import rederive_deadline
from relaydesk.store import customer_mail, deadlines

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.policy import Plan, Planned
    from relaydesk.store import DeadlineRow, TicketRow


def follow_queue(session: Session, ticket: TicketRow, queue: str, *, plan: Plan, now: datetime) -> None:
    """Gives an open, locked ticket the clocks of ``queue``, which it comes to ``now``."""
    withdraw_unpromised(session, ticket, queue, plan=plan, now=now)
    existing = deadlines.of_tickets(session, [ticket.id])
    for planned in queue_clocks(ticket, queue, plan):
        rounds = [clock for clock in existing if clock.clock == planned.clock]
        running = next((clock for clock in rounds if clock.running), None)
        aside = next((clock for clock in reversed(rounds) if clock.set_aside), None)
        if running is not None:
            if running.due_at > now:  # a breach that happened is no other queue's to undo
                rederive_deadline(session, running, ticket, queue, plan=plan, now=now)
            continue
        start: datetime | None
        if aside is not None:
            start = _resume(session, aside, ticket, queue, plan=plan, now=now)
        else:
            start = _start(session, ticket, queue, planned, rounds, plan=plan, now=now)
        if start is not None and planned.clock == "response":
            stop_by_sent_answers(session, ticket.id, start, plan, now)
    deadlines.refresh_next_due(session, ticket.id)


def _resume(  # noqa: PLR0913 - which clock, where, by which plan
    session: Session, aside: DeadlineRow, ticket: TicketRow, queue: str, *, plan: Plan, now: datetime
) -> datetime:
    deadlines.undo_stop(session, aside, f"queue {queue} promises it", at=now, noted_at=now)
    if aside.stopped_at is None or aside.stopped_at <= aside.due_at:
        clock = replace(aside, stopped_at=None, stopped_how="")
        rederive_deadline(session, clock, ticket, queue, plan=plan, now=now)
    return aside.started_at


def _start(  # noqa: PLR0913 - which clock, where, after which rounds
    session: Session,
    ticket: TicketRow,
    queue: str,
    planned: Planned,
    rounds: list[DeadlineRow],
    *,
    plan: Plan,
    now: datetime,
) -> datetime | None:
    """Starts the clock's first round, or its next for mail that waits; from when, None: not at all."""
    start = _waiting_since(session, ticket, planned, rounds) if rounds else ticket.opened_at
    if start is None:
        return None
    from_start = plan(queue, start, relay=bool(ticket.relay_address), contact_reason=ticket.contact_reason)
    fresh = [clock for clock in from_start if clock.clock == planned.clock]
    deadlines.start(session, ticket.id, queue, fresh, now=now, existing=rounds)
    return start


def _waiting_since(
    session: Session, ticket: TicketRow, planned: Planned, rounds: list[DeadlineRow]
) -> datetime | None:
    """Evidence is handed in once; the other clocks have a round for each time that mail waits."""
    stops = [clock.stopped_at for clock in rounds if clock.stopped_at is not None]
    if planned.clock == "evidence" or not stops:
        return None
    return customer_mail.came_after(session, ticket.id, max(stops), relay=planned.clock == "response")
