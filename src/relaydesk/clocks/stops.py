"""What stops a clock and what undoes a stop: an answer, a statement, a bounce, closing and reopening.

The response clock measures how long the customer waits for a person's answer. It stops at the next hop's 250
and is dated then, not when the agent pressed a key. What the answer did not answer goes on waiting:

- the running response clock stops if it was started by the message answered or by one that stood before it;
  an answer that left late never stops a clock that a newer message started meanwhile;
- customer mail that was stored after the message answered was not in the answerer's sight: a next-response
  clock runs for it, from the acceptance of the first such message;
- a clock that closing the ticket had suspended runs on and stops too: the answer was on its way;
- of several answers the first 250 counts, also when it is written down after a later one;
- a person's statement counts as made: an answer that leaves later stops nothing any more.

A hard bounce undoes the stop of its answer: the clock runs on with its own start and due, since the customer
was not answered. Every function here runs in a transaction in which the ticket is locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.events import ClockStopped, Event, TicketClosed
from relaydesk.store import Conflict, customer_mail, deadlines, events, merges, outbox, tickets

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import ClockName, StoppedHow
    from relaydesk.policy import Plan, Planned
    from relaydesk.store import DeadlineRow, OutboxRow, TicketRow

BOUNCED = "its answer came back undelivered"


def stop_clock(  # noqa: PLR0913 - which clock, how, when, by whom
    session: Session,
    clock: DeadlineRow,
    how: StoppedHow,
    *,
    at: datetime,
    actor: str,
    now: datetime,
    text: str = "",
) -> None:
    """Stops a running clock at ``at``, which is not before its start. The one way to stop any.

    A breach that was stamped although the stop is in time is withdrawn; one that was not stamped yet is.
    Conflict when the clock was stopped meanwhile: the first one counts.
    """
    deadlines.mark_passed(session, [clock], at, now)
    if not deadlines.stop(session, clock, at, how):
        raise Conflict(f"The {clock.clock} clock of ticket {clock.ticket_id} was stopped meanwhile.")
    if clock.breached_at is not None and at <= clock.due_at:
        deadlines.withdraw_breach(session, clock, now)
    stopped = ClockStopped(clock.clock, clock.round, how=how, text=text)
    events.append(session, [Event(clock.ticket_id, at, stopped, actor)], now)
    deadlines.refresh_next_due(session, clock.ticket_id)


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
    """An answer to ``message_id`` got its 250 at ``at``. False when no clock was waiting for it."""
    ticket = tickets.lock(session, ticket_id)
    scope = customer_mail.answer_scope(session, ticket_id, message_id)
    if ticket is None or scope is None:
        return False
    clock = _ended_by_answer(deadlines.of_tickets(session, [ticket_id]), scope.until, at)
    if clock is None:
        return False
    first = clock.stopped_at is None
    if clock.suspended:
        why = "an answer was on its way when the ticket was closed"
        deadlines.revive(session, [clock], why, at=at, noted_at=now)
    elif not first:
        deadlines.undo_stop(session, clock, "an earlier answer became known", at=at, noted_at=now)
    stop_clock(session, clock, "answered", at=max(at, clock.started_at), actor=actor, now=now)
    if first and scope.next_at is not None and merges.is_live(session, ticket_id):
        _start_next(session, ticket, scope.next_at, plan, now)
    return True


def _ended_by_answer(clocks: tuple[DeadlineRow, ...], until: datetime, at: datetime) -> DeadlineRow | None:
    """The newest response clock that this answer ends: not stopped yet, or by an answer that left later."""
    ended = None
    for clock in clocks:
        later = clock.stopped_how == "answered" and clock.stopped_at is not None and clock.stopped_at > at
        if clock.clock == "response" and clock.started_at <= until and (clock.stopped_at is None or later):
            ended = clock
    return ended


def _start_next(session: Session, ticket: TicketRow, start: datetime, plan: Plan, now: datetime) -> None:
    planned = plan(ticket.queue, start, relay=True, contact_reason=ticket.contact_reason)
    response = [clock for clock in planned if clock.clock == "response"]
    existing = deadlines.of_tickets(session, [ticket.id])
    deadlines.start(session, ticket.id, ticket.queue, response, now=now, existing=existing)
    deadlines.refresh_next_due(session, ticket.id)


def restart_response_clock(
    session: Session, answer: OutboxRow, *, at: datetime, plan: Plan, now: datetime
) -> None:
    """``answer`` came back undelivered ``at``: the clock that it had stopped runs on. None: nothing happens.

    Any other answer to the customer still counts: another answer that left for this ticket and did not
    come back stops the clock again, dated when it left. A next-response clock that a newer message started
    is withdrawn: that message is now a follow-up to one that was never answered. A closed ticket is opened
    again, since a closed one is in no list; unless its relay address has another open ticket.
    """
    existing = deadlines.of_tickets(session, [answer.ticket_id])
    stopped = next((clock for clock in existing if _stopped_by(clock, answer)), None)
    if stopped is None:
        return  # another answer had stopped it before, or an agent said it was answered elsewhere
    ticket = tickets.row(session, answer.ticket_id)
    live = merges.is_live(session, answer.ticket_id)
    if not live and tickets.thread_is_open(session, answer.ticket_id) is None:
        reopen_ticket(session, answer.ticket_id, BOUNCED, actor="mail", at=at, now=now)
        live = True
    for clock in existing:
        if clock.clock == "response" and (clock.stopped_at is None or clock.set_aside):
            deadlines.withdraw(session, clock, BOUNCED, at=at, noted_at=now)
    deadlines.undo_stop(session, stopped, BOUNCED, at=at, noted_at=now)
    if not live:
        deadlines.suspend(session, [stopped], at)
    stop_by_sent_answers(session, answer.ticket_id, stopped.started_at, plan, now)
    if ticket is not None and live and stopped.queue != ticket.queue:  # it was moved since
        withdraw_unpromised(session, ticket, ticket.queue, plan=plan, now=now)
    deadlines.refresh_next_due(session, answer.ticket_id)


def _stopped_by(clock: DeadlineRow, answer: OutboxRow) -> bool:
    if clock.clock != "response" or clock.stopped_how != "answered" or answer.sent_at is None:
        return False
    return clock.stopped_at == max(answer.sent_at, clock.started_at)


def stop_by_sent_answers(
    session: Session, ticket_id: int, since: datetime, plan: Plan, now: datetime
) -> None:
    """A clock runs again from ``since``: the answers that left after it, and have not come back, stop it."""
    sent = [
        (row.sent_at, row)
        for row in outbox.of_ticket(session, ticket_id)
        if row.purpose == "answer" and row.state == "sent" and row.sent_at is not None
    ]
    for left_at, row in sorted(sent, key=lambda pair: pair[0]):
        if left_at >= since:
            stop_response_clock(
                session, ticket_id, row.message_id, at=left_at, actor=row.author, plan=plan, now=now
            )


def withdraw_unpromised(
    session: Session, ticket: TicketRow, queue: str, *, plan: Plan, now: datetime
) -> None:
    """Withdraws the running clocks that ``queue`` does not promise; one whose deadline passed is breached."""
    promised = {planned.clock for planned in queue_clocks(ticket, queue, plan)}
    running = [clock for clock in deadlines.of_tickets(session, [ticket.id]) if clock.running]
    unpromised = [clock for clock in running if clock.clock not in promised]
    deadlines.mark_passed(session, unpromised, now, now)
    why = f"queue {queue} does not promise it"
    for clock in unpromised:
        deadlines.withdraw(session, clock, why, at=now, noted_at=now, how="not_promised")


def queue_clocks(ticket: TicketRow, queue: str, plan: Plan) -> tuple[Planned, ...]:
    """The clocks that ``queue`` promises to a ticket, from the moment it was opened."""
    answerable = bool(ticket.relay_address)
    return plan(queue, ticket.opened_at, relay=answerable, contact_reason=ticket.contact_reason)


def suspend_clocks(session: Session, ticket_id: int, now: datetime) -> tuple[ClockName, ...]:
    """The ticket is being closed: its running clocks become undecided; a passed one is breached.

    The names of those that are neither met nor breached.
    """
    running = [clock for clock in deadlines.of_tickets(session, [ticket_id]) if clock.running]
    deadlines.mark_passed(session, running, now, now)
    deadlines.suspend(session, running, now)
    return tuple(clock.clock for clock in running if clock.due_at >= now)


def close_ticket(session: Session, ticket_id: int, *, actor: str, now: datetime) -> None:
    """Closes a locked, open ticket, with what is merged into it; their clocks become undecided."""
    for member in (ticket_id, *merges.members(session, ticket_id)):
        undecided = suspend_clocks(session, member, now)
        events.append(session, [Event(member, now, TicketClosed(undecided), actor)], now)
    tickets.change(session, ticket_id, state="closed", closed_at=now, next_due=None)


def reopen_ticket(  # noqa: PLR0913 - which ticket, why, by whom, when
    session: Session, ticket_id: int, why: str, *, actor: str, at: datetime, now: datetime
) -> None:
    """Opens a closed ticket; its undecided clocks run on from their start, as if never closed.

    One that is merged into another is opened with that one.
    """
    merges.reopen(session, merges.head(session, ticket_id), why, actor=actor, at=at, now=now)
