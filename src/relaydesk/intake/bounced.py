"""When an answer comes back: what its bounce does to the answer and to the ticket's response clock.

A hard bounce undoes the stop that the answer caused: the clock runs on with its original start and due
(facts of the customer's waiting, not of our sending). What the customer was told otherwise still counts:

- another answer that left for this ticket and did not come back stops the clock again, dated when it left;
- a next-response clock that a newer message started is withdrawn: with the answer undone, that message is a
  follow-up to one that was never answered;
- a closed ticket is opened again, since nobody looks at a closed one.

Everything else (a delay, an automatic reply, a bounce of a bounce, a second bounce) is only noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.bounces import Sealed, bounced_ticket, read_bounce, sealed_by_us
from relaydesk.clocks import stop_response_clock
from relaydesk.events import AnswerBounced, Event, TicketReopened
from relaydesk.outbound import answer_of_message_id
from relaydesk.store import casework, deadlines, events, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.bounces import Dsn
    from relaydesk.classify import Findings
    from relaydesk.message import Envelope, Message
    from relaydesk.policy import Plan
    from relaydesk.store import DeadlineRow, OutboxRow

WHY = "its answer came back undelivered"


def read_returned(envelope: Envelope, letter: Message, findings: Findings, secret: bytes) -> Dsn | None:
    """What a letter says of an answer of ours, where its recipient or our rules make it a bounce."""
    notice = findings.match.kind == "bounce"
    if not notice and not any(bounced_ticket(secret, rcpt) for rcpt in envelope.rcpt_to):
        return None
    return read_bounce(letter, notice=notice, failed_recipient=findings.failed_recipient)


def sealed_answer(envelope: Envelope, dsn: Dsn | None, secret: bytes) -> Sealed | None:
    """The answer that came back, by what only we can have sealed: our bounce address, else our Message-ID."""
    for rcpt in envelope.rcpt_to:
        if (found := sealed_by_us(secret, rcpt)) is not None:
            return found
    if dsn is None or not dsn.original_message_id:
        return None
    named = answer_of_message_id(secret, dsn.original_message_id)
    return Sealed(*named) if named is not None else None


def take_bounce(  # noqa: PLR0913 - what came, for which answer, when
    session: Session,
    ticket_id: int,
    message_id: int,
    dsn: Dsn,
    *,
    answer: int,
    at: datetime,
    plan: Plan,
    now: datetime,
) -> bool:
    """Notes what came back for ``answer`` (0: not named), stored as ``message_id``, accepted ``at``.

    True when the answer counts as bounced from now on. In the caller's transaction, which locks the ticket.
    """
    ticket = casework.lock(session, ticket_id)
    row = _meant(outbox.of_ticket(session, ticket_id), answer, dsn, at)
    if ticket is None or row is None or dsn.of_bounce or dsn.is_auto_reply:
        return False
    returned = AnswerBounced(row.id, row.purpose, hard=dsn.hard, status=dsn.status, message=message_id)
    events.append(session, [Event(ticket_id, at, returned, "mail")], now)
    if not dsn.undelivered or not outbox.mark_bounced(session, row.id):
        return False
    if row.purpose == "answer":
        _reopen(session, row, ticket_is_open=ticket.open, at=at, plan=plan, now=now)
    return True


def _meant(rows: tuple[OutboxRow, ...], answer: int, dsn: Dsn, at: datetime) -> OutboxRow | None:
    """The answer that is meant: the one named, else that of the returned Message-ID, else the last that left.

    A returned message that is none of ours is nobody's bounce.
    """
    if answer:
        named = next((row for row in rows if row.id == answer), None)
        other = named is not None and dsn.original_message_id not in ("", named.rfc_message_id)
        return None if other else named
    if dsn.original_message_id:
        return next((row for row in rows if row.rfc_message_id == dsn.original_message_id), None)
    wanted = dsn.final_recipient.lower()
    return next(
        (
            row
            for row in reversed(rows)
            if row.sent_at is not None and row.sent_at <= at and wanted in ("", row.recipient.lower())
        ),
        None,
    )


def _reopen(  # noqa: PLR0913
    session: Session, row: OutboxRow, *, ticket_is_open: bool, at: datetime, plan: Plan, now: datetime
) -> None:
    existing = deadlines.of_tickets(session, [row.ticket_id])
    stopped = next((clock for clock in existing if _stopped_by(clock, row)), None)
    if stopped is None:
        return  # another answer had stopped it before, or an agent said it was answered elsewhere
    live = ticket_is_open or _open_again(session, row.ticket_id, at, now)
    later = [c for c in existing if c.clock == "response" and c.stopped_at is None and c.id != stopped.id]
    for clock in later:
        deadlines.withdraw(session, clock, WHY, at=at, noted_at=now)
    deadlines.undo_stop(session, stopped, WHY, at=at, noted_at=now)
    if not live:
        deadlines.suspend(session, [stopped], at)
    _answered_otherwise(session, row, stopped, plan, now)
    deadlines.refresh_next_due(session, row.ticket_id)


def _stopped_by(clock: DeadlineRow, row: OutboxRow) -> bool:
    if clock.clock != "response" or clock.stopped_how != "answered" or row.sent_at is None:
        return False
    return clock.stopped_at == max(row.sent_at, clock.started_at)


def _open_again(session: Session, ticket_id: int, at: datetime, now: datetime) -> bool:
    """Opens the closed ticket with its undecided clocks, unless its relay address has another open one."""
    if casework.thread_is_open(session, ticket_id) is not None:
        return False
    casework.change(session, ticket_id, state="open", closed_at=None)
    events.append(session, [Event(ticket_id, at, TicketReopened(WHY), "mail")], now)
    suspended = [clock for clock in deadlines.of_tickets(session, [ticket_id]) if clock.suspended]
    deadlines.revive(session, suspended, "the ticket was reopened", at=at, noted_at=now)
    return True


def _answered_otherwise(
    session: Session, bounced: OutboxRow, clock: DeadlineRow, plan: Plan, now: datetime
) -> None:
    """The first other answer that left since the clock started, and has not come back, stops it again."""
    for row in outbox.of_ticket(session, bounced.ticket_id):
        if row.purpose != "answer" or row.state != "sent" or row.sent_at is None:
            continue
        if row.sent_at >= clock.started_at and stop_response_clock(
            session, row.ticket_id, row.message_id, at=row.sent_at, actor=row.author, plan=plan, now=now
        ):
            return
