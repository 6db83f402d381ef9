"""The message that an answer is written to: its relay address binds the recipient, its order the number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.message import parse_message
from relaydesk.outbound.answer import AnswerRefused, Question
from relaydesk.store import tickets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from relaydesk.store import MessageRow, TicketRow


def question_of(session: Session, ticket: TicketRow, wanted: int | None) -> Question:
    """The message answered, from its own bytes; its relay address is bound from here on."""
    messages = [one for one in tickets.messages(session, ticket.id) if one.findings.relay_address]
    if not messages:
        raise AnswerRefused(
            f"Ticket {ticket.id} has no relay address, so it cannot be answered by mail; say what was done: "
            f"`relaydesk ticket {ticket.id} --handled now --how …`."
        )
    answered = _answered(messages, wanted, ticket.id)
    letter = parse_message(tickets.raw(session, answered.id) or b"")
    return Question(
        ticket=ticket.id,
        message=answered.id,
        relay_address=answered.findings.relay_address,
        subject=letter.subject,
        message_id=letter.message_id,
        references=letter.references,
    )


def _answered(messages: Sequence[MessageRow], wanted: int | None, ticket_id: int) -> MessageRow:
    """The message asked for, else the customer's latest that is no duplicate."""
    if wanted is None:
        first = [one for one in messages if one.duplicate_of is None and one.kind != "bounce"]
        return (first or messages)[-1]
    for one in messages:
        if one.id == wanted:
            return one
    there = ", ".join(str(one.id) for one in messages)
    raise AnswerRefused(
        f"Message {wanted} of ticket {ticket_id} cannot be answered; those that can are: {there}."
    )
