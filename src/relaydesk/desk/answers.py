"""Answering at the desk: one transaction makes the answer, checks it and lays it in the outbox.

The recipient is bound to the message answered. An answer that was written to an outdated view of the ticket,
that names no order, or whose finished bytes do not pass the last check is refused with a sentence, and its
text is kept as a draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from relaydesk.desk.acts import DeskError
from relaydesk.events import AnswerCancelled, AnswerQueued, ClockStopped, MessageJoined
from relaydesk.outbound import (
    AnswerRefused,
    Draft,
    OrderChoice,
    compose_answer,
    order_of,
    question_of,
    queue_answer,
)
from relaydesk.store import drafts, outbox, tickets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.outbound import AttachedFile, Sender
    from relaydesk.store import OutboxRow, Store, TicketRow


AGENT = OrderChoice(
    how="choose one with --order",
    how_none="confirm with --no-order that no order number exists",
)


@dataclass(frozen=True, slots=True)
class Written:
    """What the agent wrote and chose.

    ``order`` picks one of the ticket's candidates, ``no_order`` states that there is none; neither is needed
    where one order is bound. ``message`` is the one answered, by default the customer's latest.
    """

    text: str
    order: str | None = None
    no_order: bool = False
    enclosures: tuple[AttachedFile, ...] = ()
    message: int | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """An answer in the outbox; ``remarks`` are sentences that the agent should read. Not sent yet."""

    answer: int
    message: int
    recipient: str
    order_id: str | None
    leaves_at: datetime
    raw: bytes = field(repr=False)
    remarks: tuple[str, ...] = ()


class _RehearsedError(Exception):
    """Undoes the transaction of a dry run."""


def answer(  # noqa: PLR0913 - who answers what, how, when, having seen which state
    store: Store,
    ticket_id: int,
    written: Written,
    letterhead: Sender,
    *,
    seen: int,
    actor: str,
    now: datetime,
    dry_run: bool = False,
) -> Queued:
    """Lays an answer in the outbox; it leaves when its undo time is over.

    ``seen`` is the number of the latest event that the agent had before them. ``dry_run`` makes the very same
    bytes and keeps nothing. Raises AnswerRefused (the text is kept as a draft of ``actor``) or DeskError.
    """
    made: list[Queued] = []
    try:
        with store.transaction() as session:
            made.append(_queue(session, ticket_id, written, letterhead, seen=seen, actor=actor, now=now))
            if dry_run:
                raise _RehearsedError
            drafts.drop(session, ticket_id, actor)
    except _RehearsedError:
        return made[0]
    except AnswerRefused as refused:
        if dry_run or not written.text.strip():
            raise
        with store.transaction() as session:
            drafts.keep(session, ticket_id, actor, written.text, now)
        raise AnswerRefused(f"{refused} Your text is kept as a draft.") from None
    return made[0]


def _queue(  # noqa: PLR0913
    session: Session,
    ticket_id: int,
    written: Written,
    letterhead: Sender,
    *,
    seen: int,
    actor: str,
    now: datetime,
) -> Queued:
    ticket = tickets.lock(session, ticket_id)
    if ticket is None:
        raise DeskError(f"There is no ticket {ticket_id}.")
    _may_be_answered(session, ticket, seen)
    question = question_of(session, ticket, written.message)
    order = order_of(session, ticket_id, replace(AGENT, picked=written.order, none=written.no_order))
    draft = Draft(written.text, order, no_order=written.no_order, enclosures=written.enclosures)
    number, finished = queue_answer(
        session,
        letterhead,
        question,
        order,
        lambda message_id: compose_answer(question, draft, letterhead.shop, message_id=message_id, date=now),
        author=actor,
        now=now,
        undo=letterhead.undo,
    )
    return Queued(
        answer=number,
        message=question.message,
        recipient=question.relay_address,
        order_id=order.id,
        leaves_at=now + letterhead.undo,
        raw=finished.raw,
        remarks=tuple(_remarks(ticket, letterhead)),
    )


def _may_be_answered(session: Session, ticket: TicketRow, seen: int) -> None:
    if not ticket.open:
        raise AnswerRefused(
            f"Ticket {ticket.id} is closed; open it first: `relaydesk ticket {ticket.id} --reopen`."
        )
    found = tickets.events(session, ticket.id)
    if seen and seen not in {number for number, _ in found}:
        raise AnswerRefused(
            f"Event {seen} is none of ticket {ticket.id}, whose latest is {found[-1][0]}: look at the ticket "
            f"again, it names the event up to which you have seen it."
        )
    changes = tuple(changed_since(found, seen))
    if changes:
        raise AnswerRefused(
            f"Ticket {ticket.id} has moved on since you looked at it: {'; '.join(changes)}. "
            f"Look at it again, then send with --seen {found[-1][0]}."
        )


def changed_since(events: Iterable[tuple[int, Event]], seen: int) -> list[str]:
    """What came after event ``seen`` and bears on an answer, in words: customer mail and others' answers."""
    changes: dict[str, str] = {}
    for number, event in events:
        if number <= seen:
            continue
        when = f"{event.at:%Y-%m-%d %H:%M} UTC"
        who = event.actor.removeprefix("agent:")
        match event.payload:
            case MessageJoined(message=message):
                changes[f"message {number}"] = f"message {message} came ({when})"
            case AnswerQueued(answer=answer, purpose="answer"):
                changes[f"answer {answer}"] = f"{who} wrote answer {answer} ({when})"
            case AnswerCancelled(answer=answer):
                changes.pop(f"answer {answer}", None)
            case ClockStopped(how="answered_outside"):
                changes[f"stop {number}"] = f"{who} stated that it was answered elsewhere ({when})"
    return list(changes.values())


def _remarks(ticket: TicketRow, letterhead: Sender) -> Iterable[str]:
    if not ticket.verified:
        yield "The customer's mail is unverified: nothing proves that it is Meta's. Tell no personal data."
    if letterhead.key is None:
        yield "No DKIM key is set, so the answer is not signed; Meta refuses unsigned mail (answer_dkim)."


def cancel(store: Store, answer_id: int, *, actor: str, now: datetime) -> OutboxRow:
    """Takes an answer back before it leaves. DeskError when it is too late."""
    with store.transaction() as session:
        row = _row(session, answer_id)
        if not outbox.cancel(session, answer_id, actor=actor, now=now):
            raise DeskError(f"Answer {answer_id} is {row.state}; only what still waits can be taken back.")
    return replace(row, state="cancelled")


def retry(store: Store, answer_id: int, give_up: timedelta, *, actor: str, now: datetime) -> OutboxRow:
    """Has a deferred, refused or failed answer tried again at once, the same bytes."""
    with store.transaction() as session:
        row = _row(session, answer_id)
        if not outbox.retry(session, answer_id, give_up_at=now + give_up, actor=actor, now=now):
            raise DeskError(
                f"Answer {answer_id} is {row.state}; only a deferred, refused or failed one can be retried."
            )
    return replace(row, state="queued")


def _row(session: Session, answer_id: int) -> OutboxRow:
    row = outbox.row(session, answer_id)
    if row is None:
        raise DeskError(f"There is no answer {answer_id}; `relaydesk outbox --all` lists them.")
    return row
