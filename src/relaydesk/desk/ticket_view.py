"""One ticket whole: with its messages as a person reads them, its answers and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.message import parse_message
from relaydesk.store import drafts, outbox, tickets

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.message import Attachment
    from relaydesk.store import DeadlineRow, MessageRow, OutboxRow, TicketOrder, TicketRow

READ = 50  # of a ticket's messages, the latest: a mail loop may have brought thousands


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A stored message with its text, decoded; None where the ticket has so many that it was not read."""

    row: MessageRow
    text: str | None


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A text that was not sent, with the agent who wrote it as events name them."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class WholeTicket:
    """A ticket with everything that belongs to it, oldest first. Times are aware UTC.

    ``events`` have their numbers (the latest thousand of them); ``linked`` are the tickets of the same order.
    """

    ticket: TicketRow
    messages: tuple[ReadMessage, ...]
    events: tuple[tuple[int, Event], ...]
    clocks: tuple[DeadlineRow, ...]
    numbers: tuple[TicketOrder, ...]
    linked: tuple[TicketRow, ...]
    answers: tuple[OutboxRow, ...]
    drafts: tuple[KeptDraft, ...]


def whole_ticket(session: Session, ticket_id: int) -> WholeTicket | None:
    """The ticket, None when there is none of that number."""
    view = tickets.view(session, ticket_id)
    if view is None:
        return None
    unread = len(view.messages) - READ
    return WholeTicket(
        ticket=view.ticket,
        messages=tuple(
            ReadMessage(message, None if place < unread else _text(session, message.id))
            for place, message in enumerate(view.messages)
        ),
        events=view.events,
        clocks=view.clocks,
        numbers=view.numbers,
        linked=tuple(row for linked in view.links if (row := tickets.row(session, linked)) is not None),
        answers=outbox.of_ticket(session, ticket_id),
        drafts=tuple(KeptDraft(author, text) for author, text in drafts.of_ticket(session, ticket_id)),
    )


def _text(session: Session, message_id: int) -> str:
    return parse_message(tickets.raw(session, message_id) or b"").text


def attachment_of(raw: bytes, number: int) -> Attachment | None:
    """The attachment at a place from 1 on, None when the message has fewer."""
    attachments = parse_message(raw).attachments
    return attachments[number - 1] if 1 <= number <= len(attachments) else None
