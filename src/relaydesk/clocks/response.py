"""When an answer has left: what that does to the ticket's response clock.

The clock measures how long the customer waits for a person's answer. It stops at the next hop's 250 and is
dated then, not when the agent pressed a key. What the answer did not answer goes on waiting:

- the running response clock stops if it was started by the message answered or by one that stood before it;
  an answer that left late never stops a clock that a newer message started meanwhile;
- customer mail that was stored after the message answered was not in the answerer's sight: a next-response
  clock runs for it, from the acceptance of the first such message;
- a clock that closing the ticket had suspended runs on and stops too: the answer was on its way;
- of several answers the first 250 counts, also when it is written down after a later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.events import ClockStopped, Event
from relaydesk.store import answer_scope, casework, deadlines, events

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.policy import Plan
    from relaydesk.store import DeadlineRow, TicketRow


def stop_response_clock(  # noqa: PLR0913 - which answer, to what, when, by whom
    session: Session,
    ticket_id: int,
    message_id: int,
    *,
    at: datetime,
    actor: str,
    plan: Plan,
    now: datetime,
) -> bool:
    """An answer to ``message_id`` got its 250 at ``at``. False when no clock was waiting for it.

    A breach that was stamped although the 250 came in time is withdrawn; one that nobody has stamped yet is.
    Expects a transaction in which the ticket is locked.
    """
    ticket = casework.lock(session, ticket_id)
    seen = answer_scope(session, ticket_id, message_id)
    if ticket is None or seen is None:
        return False
    clock = _waiting(deadlines.of_tickets(session, [ticket_id]), seen.until, at)
    if clock is None:
        return False
    first = clock.stopped_at is None
    if clock.suspended:
        why = "an answer was on its way when the ticket was closed"
        deadlines.revive(session, [clock], why, at=at, noted_at=now)
    elif not first:
        deadlines.undo_stop(session, clock, "an earlier answer became known", at=at, noted_at=now)
    _stop(session, clock, at=max(at, clock.started_at), actor=actor, now=now)
    if first and seen.next_at is not None and ticket.open:
        _start_next(session, ticket, seen.next_at, plan, now)
    deadlines.refresh_next_due(session, ticket_id)
    return True


def _waiting(existing: tuple[DeadlineRow, ...], until: datetime, at: datetime) -> DeadlineRow | None:
    """The newest response clock that this answer ends: not stopped yet, or by an answer that left later."""
    found = None
    for clock in existing:
        later = clock.stopped_how == "answered" and clock.stopped_at is not None and clock.stopped_at > at
        if clock.clock == "response" and clock.started_at <= until and (clock.stopped_at is None or later):
            found = clock
    return found


def _stop(session: Session, clock: DeadlineRow, *, at: datetime, actor: str, now: datetime) -> None:
    revived = next(one for one in deadlines.of_tickets(session, [clock.ticket_id]) if one.id == clock.id)
    deadlines.mark_passed(session, [revived], at, now)
    if revived.breached_at is not None and at <= revived.due_at:
        deadlines.withdraw_breach(session, revived, now)
    deadlines.stop(session, revived, at, "answered")
    stopped = ClockStopped(revived.clock, revived.round, how="answered")
    events.append(session, [Event(revived.ticket_id, at, stopped, actor)], now)


def _start_next(session: Session, ticket: TicketRow, start: datetime, plan: Plan, now: datetime) -> None:
    wanted = plan(ticket.queue, start, relay=True, contact_reason=ticket.contact_reason)
    response = [planned for planned in wanted if planned.clock == "response"]
    existing = deadlines.of_tickets(session, [ticket.id])
    deadlines.start(session, ticket.id, ticket.queue, response, now=now, existing=existing)
