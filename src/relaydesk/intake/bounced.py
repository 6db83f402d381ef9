"""When an answer comes back: whose bounce it is, and what it does to the answer.

A hard bounce undoes the stop that the answer caused (:func:`relaydesk.clocks.restart_response_clock`). It and
one that does not say what became of the answer mark the ticket, so that a person looks. Everything else (a
delay, an automatic reply, a bounce of a bounce, a second bounce) is only noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.bounces import (
    Sealed,
    answer_of_message_id,
    from_daemon,
    read_bounce,
    sealed_by_us,
)
from relaydesk.clocks import demand_look, restart_response_clock
from relaydesk.events import AnswerBounced, Event
from relaydesk.store import events, outbox, tickets

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.bounces import Dsn
    from relaydesk.message import Envelope, Message
    from relaydesk.policy import Decision, Plan
    from relaydesk.store import OutboxRow, Recorded


LOOK_AT = {"undelivered": "bounce_hard", "unclear": "bounce_unclear"}
"""Why a person must look, by what a bounce is about."""


def read_notification(envelope: Envelope, message: Message) -> Dsn | None:
    """What a message with a null sender or a daemon's From says, whoever it was for; None for any other."""
    return read_bounce(message) if not envelope.mail_from or from_daemon(message) else None


def sealed_answer(envelope: Envelope, dsn: Dsn | None, secret: bytes) -> Sealed | None:
    """The answer that came back, by what only we can have sealed: our bounce address, else our Message-ID."""
    for rcpt in envelope.rcpt_to:
        if (sealed := sealed_by_us(secret, rcpt)) is not None:
            return sealed
    if dsn is None or not dsn.original_message_id:
        return None
    named = answer_of_message_id(secret, dsn.original_message_id)
    return Sealed(*named) if named is not None else None


def take_returned(  # noqa: PLR0913 - what came back, as what it was recorded, when
    session: Session,
    envelope: Envelope,
    decision: Decision,
    recorded: Recorded,
    *,
    plan: Plan,
    now: datetime,
) -> None:
    """What follows from a recorded message that returns an answer of ours; nothing from any other."""
    if decision.dsn is None or decision.placement is None or recorded.ticket_id is None:
        return
    ticket, message, at = recorded.ticket_id, recorded.message_id, envelope.received_at
    answer = decision.placement.answer
    take_bounce(session, ticket, message, decision.dsn, answer=answer, at=at, plan=plan, now=now)
    if any(why.code == "bounces_full" for why in decision.reasons):
        demand_look(session, ticket, "bounces_full", message=message, at=at, now=now)


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
    ticket = tickets.lock(session, ticket_id)
    if ticket is None or dsn.of_bounce or dsn.is_auto_reply:
        return False
    row = _meant(outbox.of_ticket(session, ticket_id), answer, dsn, at)
    reason = LOOK_AT.get(dsn.about)
    bounced = False
    if row is not None:
        returned = AnswerBounced(row.id, row.purpose, hard=dsn.hard, status=dsn.status, message=message_id)
        events.append(session, [Event(ticket_id, at, returned, "mail")], now)
        bounced = dsn.undelivered and outbox.mark_bounced(session, row.id)
        if row.state == "bounced":
            reason = None  # it is known already that it did not arrive
        else:
            outbox.note_returned(session, row.id, dsn.about, at if reason else None)
        if bounced and row.purpose == "answer":
            restart_response_clock(session, row, at=at, plan=plan, now=now)
    if reason is not None:
        number = row.id if row is not None else 0
        demand_look(session, ticket_id, reason, answer=number, message=message_id, at=at, now=now)
    return bounced


def _meant(rows: tuple[OutboxRow, ...], answer: int, dsn: Dsn, at: datetime) -> OutboxRow | None:
    """The answer that is meant: the one named, else that of the returned Message-ID, else the last that left.

    A returned message that we did not send is the bounce of none.
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
