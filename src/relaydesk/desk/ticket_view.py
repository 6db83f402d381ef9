"""One ticket whole: with its messages as a person reads them, its answers and files."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from relaydesk.message import parse_message
from relaydesk.store import AttachmentRow, drafts, outbox, tickets

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.message import Attachment, Body, Message
    from relaydesk.store import DeadlineRow, MessageRow, OutboxRow, TicketOrder, TicketRow

READ = 50  # of a ticket's messages, the latest: a mail loop may have brought thousands


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A stored message as a person reads it: its body, and its files in their places from 1 on.

    ``attachments`` and ``defects`` are of today's reading. One that was not read, in a ticket of so many, has
    its row alone; its ``text`` is None.
    """

    row: MessageRow
    was_read: bool = False
    body: Body | None = None
    attachments: tuple[AttachmentRow, ...] = ()
    defects: tuple[str, ...] = ()
    has_html: bool = False

    @property
    def text(self) -> str | None:
        """What the sender wrote."""
        return (self.body.own if self.body else "") if self.was_read else None

    @property
    def quoted(self) -> str | None:
        """What they quoted from earlier mails."""
        return (self.body.quoted if self.body else "") if self.was_read else None


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer with its text as it is sent; "" for mail of the buyer's that is only handed on."""

    row: OutboxRow
    text: str


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A text that was not sent, with the agent who wrote it as events name them."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class WholeTicket:
    """A ticket with everything that belongs to it, oldest first. Times are aware UTC.

    ``events`` have their numbers (the latest thousand of them); ``linked`` belong with it, ``members`` are
    merged into it: their messages, events, clocks and answers are among these.
    """

    ticket: TicketRow
    messages: tuple[ReadMessage, ...]
    events: tuple[tuple[int, Event], ...]
    clocks: tuple[DeadlineRow, ...]
    numbers: tuple[TicketOrder, ...]
    linked: tuple[TicketRow, ...]
    answers: tuple[WrittenAnswer, ...]
    drafts: tuple[KeptDraft, ...]
    members: tuple[TicketRow, ...]


def whole_ticket(session: Session, ticket_id: int, most: int | None = READ) -> WholeTicket | None:
    """The ticket with its latest ``most`` messages read; None when there is none of that number."""
    view = tickets.view(session, ticket_id)
    if view is None:
        return None
    family = (ticket_id, *(member.id for member in view.members))
    unread = 0 if most is None else len(view.messages) - most
    return WholeTicket(
        ticket=view.ticket,
        messages=tuple(
            ReadMessage(row) if place < unread else read_message(session, row)
            for place, row in enumerate(view.messages)
        ),
        events=view.events,
        clocks=view.clocks,
        numbers=view.numbers,
        linked=tuple(row for linked in view.links if (row := tickets.row(session, linked)) is not None),
        answers=tuple(
            written_answer(session, row)
            for row in sorted(
                (row for number in family for row in outbox.of_ticket(session, number)),
                key=attrgetter("id"),
            )
        ),
        drafts=tuple(KeptDraft(author, text) for author, text in drafts.of_ticket(session, ticket_id)),
        members=view.members,
    )


def read_message(session: Session, row: MessageRow) -> ReadMessage:
    """A stored message, read as today's reader does."""
    message = parse_message(tickets.raw(session, row.id) or b"")
    return ReadMessage(
        row,
        was_read=True,
        body=message.bodies[0] if message.bodies else None,
        attachments=tuple(
            AttachmentRow(part.name, part.declared_type, part.sniffed_type, part.size, part.sha256)
            for part in message.attachments
        ),
        defects=message.defects,
        has_html=bool(message.html),
    )


def written_answer(session: Session, row: OutboxRow) -> WrittenAnswer:
    """An answer with the text that its bytes say."""
    if row.purpose == "forward":
        return WrittenAnswer(row, "")
    return WrittenAnswer(row, parse_message(outbox.raw(session, row.id) or b"").text)


def sent_message(raw: bytes) -> Message:
    """A message of our own as its reader sees it."""
    return parse_message(raw)


def attachments_of(raw: bytes) -> tuple[Attachment, ...]:
    """A message's attachments with their contents."""
    return parse_message(raw).attachments
