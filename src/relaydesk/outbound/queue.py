"""An answer is queued: which message it answers, which order it names, and its row in the outbox.

For the desk and for what another help desk hands in. The relay address of the message answered binds the
recipient; it is never typed.

Nothing heavy is done while others wait for the store. What an answer stands on is read
(:func:`grounds_of`) and a number taken (:func:`take_number`); its bytes are made, signed and checked with no
transaction open; then :func:`queue_answer` lays it, if the ticket is still as it was, else all is read again.
A process that dies on the way has sent nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.events import Event, NoOrderConfirmed
from relaydesk.message import parse_message
from relaydesk.outbound.answer import AnswerRefused, NamedOrder, Question
from relaydesk.outbound.named_order import choose_order
from relaydesk.store import Conflict, Outgoing, events, merges, orders, outbox, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Purpose
    from relaydesk.outbound.named_order import OrderChoice
    from relaydesk.outbound.sender import Sender
    from relaydesk.store import Finished, MessageRow, Store, TicketRow

QUESTION_BYTES = 262_144
"""So much of a message is read for what an answer takes from it: its whole header section, and the charsets
of its first parts, by which an unlabelled Subject is read."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an answer stands on: the message answered and the order it names, of the ticket at ``version``."""

    question: Question
    order: NamedOrder
    version: tuple[int, int]

    def same_answer(self, other: Grounds) -> bool:
        """Whether an answer that was made on the other's grounds is the one to be made on these."""
        return (self.question, self.order) == (other.question, other.order)


def grounds_of(
    session: Session, ticket: TicketRow, wanted: int | None, choice: OrderChoice, *, version: tuple[int, int]
) -> Grounds:
    """What an answer to message ``wanted`` of the ticket stands on, by default to the customer's latest.

    ``version`` is the ticket's, read before anything else of it, so that no change is missed. AnswerRefused
    where it cannot be answered, or where its author must say which order it is about.
    """
    family = (ticket.id, *merges.members(session, ticket.id))
    return Grounds(question_of(session, ticket, wanted), order_of(session, family, choice), version)


def question_of(session: Session, ticket: TicketRow, wanted: int | None) -> Question:
    """The message answered, from its own bytes; its relay address is bound from here on."""
    messages = [row for row in tickets.messages(session, ticket.id) if row.findings.relay_address]
    if not messages:
        waits = ticket.next_due is not None
        act = "--handled now --how …" if waits else "--note …"
        raise AnswerRefused(
            f"Ticket {ticket.id} has no relay address, so it cannot be answered by mail; say what was done: "
            f"`relaydesk ticket {ticket.id} {act}`."
        )
    answered = _answered(messages, wanted, ticket.id)
    message = parse_message(tickets.raw(session, answered.id, QUESTION_BYTES) or b"")
    return Question(
        ticket=answered.ticket_id,
        message=answered.id,
        relay_address=answered.findings.relay_address,
        subject=message.subject,
        message_id=message.message_id,
        references=message.references,
    )


def _answered(messages: Sequence[MessageRow], wanted: int | None, ticket_id: int) -> MessageRow:
    """The message asked for, else the customer's latest that is not a duplicate."""
    if wanted is None:
        first = [row for row in messages if row.duplicate_of is None and row.kind != "bounce"]
        return (first or messages)[-1]
    for row in messages:
        if row.id == wanted:
            return row
    choices = ", ".join(str(row.id) for row in messages)
    raise AnswerRefused(
        f"Message {wanted} of ticket {ticket_id} cannot be answered; choose one of {choices}."
    )


def order_of(session: Session, family: Sequence[int], choice: OrderChoice) -> NamedOrder:
    """The order an answer names (:func:`choose_order`), with the seller's number if the directory has it.

    ``family`` is the ticket and those merged into it.
    """
    chosen = choose_order(family[0], ticket_orders.of_family(session, family), choice)
    order = orders.by_id(session, chosen) if chosen is not None else None
    return NamedOrder(chosen, order.merchant_ref if order is not None else "")


def take_number(store: Store, *, rehearsal: bool = False) -> int:
    """The number of an answer that is about to be made; lost when it is not.

    A ``rehearsal`` gets the one that would be next, and gives it back where the database can (SQLite).
    """
    with store.transaction() as session:
        number = outbox.next_number(session)
        if rehearsal:
            session.rollback()
    return number


def queue_answer(  # noqa: PLR0913 - whose, on what grounds, what, when
    session: Session,
    sender: Sender,
    grounds: Grounds,
    number: int,
    finished: Finished,
    *,
    author: str,
    now: datetime,
    purpose: Purpose = "answer",
    undo: timedelta = timedelta(0),
    handed_in: str | None = None,
) -> None:
    """Lays answer ``number`` in the outbox, in the caller's transaction.

    Conflict when its ticket has changed since the grounds were read: then read them again.
    """
    question, order = grounds.question, grounds.order
    merges.lock(session, question.ticket)
    if tickets.lock(session, question.ticket) is None or (
        tickets.version(session, question.ticket) != grounds.version
    ):
        raise Conflict(f"Ticket {question.ticket} changed while its answer was made.")
    outgoing = Outgoing(
        purpose=purpose,
        ticket=question.ticket,
        message=question.message,
        author=author,
        recipient=question.relay_address,
        order_id=order.id,
        not_before=now + undo,
        give_up_at=now + undo + sender.give_up,
        handed_in=handed_in,
    )
    outbox.put(session, number, outgoing, finished, now)
    if order.id is None and purpose == "answer":
        confirmed = Event(question.ticket, now, NoOrderConfirmed(number), author)
        events.append(session, [confirmed], now)
