"""An answer is queued: which message it answers, which order it names, and its row in the outbox.

For the desk and for what another help desk hands in. The relay address of the message answered binds the
recipient; it is never typed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.events import Event, NoOrderConfirmed
from relaydesk.message import parse_message
from relaydesk.outbound.answer import AnswerRefused, NamedOrder, Question
from relaydesk.outbound.named_order import choose_order
from relaydesk.store import Finished, Outgoing, events, orders, outbox, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Purpose
    from relaydesk.outbound.named_order import OrderChoice
    from relaydesk.outbound.sender import Sender
    from relaydesk.store import MessageRow, TicketRow


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
    message = parse_message(tickets.raw(session, answered.id) or b"")
    return Question(
        ticket=ticket.id,
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


def order_of(session: Session, ticket: int, choice: OrderChoice) -> NamedOrder:
    """The order an answer names (:func:`choose_order`), with the seller's number if the directory has it."""
    chosen = choose_order(ticket, ticket_orders.of_tickets(session, [ticket]), choice)
    order = orders.by_id(session, chosen) if chosen is not None else None
    return NamedOrder(chosen, order.merchant_ref if order is not None else "")


def queue_answer(  # noqa: PLR0913 - whose, to what, about which order, what, when
    session: Session,
    sender: Sender,
    question: Question,
    order: NamedOrder,
    make: Callable[[str], bytes],
    *,
    author: str,
    now: datetime,
    subject: str = "",
    purpose: Purpose = "answer",
    undo: timedelta = timedelta(0),
    handed_in: str | None = None,
) -> tuple[int, Finished]:
    """Makes an answer and lays it in the outbox, in the caller's transaction: its number, and its bytes.

    ``make`` gets the Message-ID and gives the unsigned message; ``subject`` is the question's by default.
    AnswerRefused when the finished bytes do not pass the last check. The row's number is sealed into the
    Message-ID and the bounce address, so the bytes are made between its insert and the commit.
    """
    finished: list[Finished] = []

    def build(number: int) -> Finished:
        finished.append(sender.finished(question, order, number, make, now=now, subject=subject))
        return finished[0]

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
    number = outbox.put(session, outgoing, build, now)
    if order.id is None and purpose == "answer":
        confirmed = Event(question.ticket, now, NoOrderConfirmed(number), author)
        events.append(session, [confirmed], now)
    return number, finished[0]
