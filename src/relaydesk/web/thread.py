"""The thread of a ticket as a page shows it: mails, answers, notes and events in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.characters import one_line
from relaydesk.events import NoteAdded
from relaydesk.web.event_lines import EventLine, EventReader, lines_of
from relaydesk.web.file_kinds import FileView, file_view
from relaydesk.web.mail_text import MailText, mail_text, plain_text

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from relaydesk.desk import OpenedTicket, ReadMessage, WrittenAnswer

DEFECTS = 5
_META = (("facebook.com", "Facebook"), ("facebookmail.com", "Facebook"), ("instagram.com", "Instagram"))


@dataclass(frozen=True, slots=True)
class MailEntry:
    """A mail that came in. ``open`` shows it whole at once; ``files`` are all, ``photos`` those shown."""

    at: datetime
    message: ReadMessage
    name: str
    text: MailText
    files: tuple[FileView, ...] = ()
    defects: tuple[str, ...] = ()
    open: bool = False
    whole: bool = False

    @property
    def photos(self) -> tuple[FileView, ...]:
        return tuple(file for file in self.files if file.shown)

    @property
    def downloads(self) -> tuple[FileView, ...]:
        return tuple(file for file in self.files if not file.shown)

    @property
    def octets(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """An answer of ours, as it was sent or waits to be."""

    at: datetime
    answer: WrittenAnswer
    author: str
    text: MailText
    open: bool = False


@dataclass(frozen=True, slots=True)
class NoteEntry:
    """An internal note, by the number of its event."""

    at: datetime
    number: int
    author: str
    text: MailText


ThreadEntry = MailEntry | AnswerEntry | NoteEntry | EventLine


def sender_name(username: str, address: str, *, proven: bool) -> str:
    """A sender's name where it is proven, else the whole address: a name alone may be anybody's."""
    if username:
        return one_line(username)
    domain = address.rpartition("@")[2].lower()
    meta = (name for ending, name in _META if domain == ending or domain.endswith(f".{ending}"))
    return next(meta, address) if proven else address or "nobody"


def mail_entry(message: ReadMessage, *, opened: bool = False, whole: bool = False) -> MailEntry:
    """One mail. ``whole``: with nothing cut or folded."""
    row = message.row
    files = message.attachments if message.was_read else row.attachments
    asked = {candidate.value for candidate in row.findings.candidates} if row.kind == "unsorted" else set()
    return MailEntry(
        row.received_at,
        message,
        sender_name(row.findings.username, row.from_addr, proven=row.vouched),
        mail_text(
            message.body, whole=whole, marked=asked, buyer=row.findings.username if row.vouched else ""
        ),
        tuple(file_view(part, place) for place, part in enumerate(files, 1)),
        message.defects[:DEFECTS],
        opened,
        whole,
    )


def entries_of(ticket: OpenedTicket, *, you: str, now: datetime, zone: ZoneInfo) -> list[ThreadEntry]:
    """The thread, oldest first. The customer's latest mail is open, and what of ours waits or failed."""
    reader = event_reader(ticket, you=you, now=now, zone=zone)
    customers = [message.row.id for message in ticket.messages if message.row.kind != "bounce"]
    latest = customers[-1] if customers else 0
    placed: list[tuple[datetime, int, ThreadEntry]] = []
    for message in ticket.messages:
        opened = message.row.id == latest
        placed.append((message.row.received_at, 1, mail_entry(message, opened=opened)))
    for answer in ticket.answers:
        row = answer.row
        author = reader.who(row.author)
        entry = AnswerEntry(
            row.created_at, answer, author, plain_text(answer.text, whole=False), open=row.state != "sent"
        )
        placed.append((row.created_at, 2, entry))
    for number, event in ticket.events:
        if isinstance(event.payload, NoteAdded):
            text = plain_text(event.payload.text)
            placed.append((event.at, 2, NoteEntry(event.at, number, reader.who(event.actor), text)))
    began = ticket.ticket.opened_at
    lines = lines_of(ticket.events, reader, began)
    placed += [(line.at, 0 if line.at == began else 2, line) for line in lines]
    return [entry for _, _, entry in sorted(placed, key=lambda place: place[:2])]


def event_reader(ticket: OpenedTicket, *, you: str, now: datetime, zone: ZoneInfo) -> EventReader:
    """How this ticket's events are told to one agent."""
    return EventReader(
        you,
        now,
        zone,
        {(clock.ticket_id, clock.clock, clock.round): clock for clock in ticket.clocks},
        {message.row.id: message.row.findings.match.rule for message in ticket.messages},
    )
