"""A ticket as somebody opens it: a bounded piece of its thread, and what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from relaydesk.desk.config import UnknownTicket
from relaydesk.desk.permissions import DeskPart
from relaydesk.desk.readings import Readings
from relaydesk.desk.ticket_view import (
    KeptDraft,
    ReadMessage,
    WholeTicket,
    WrittenAnswer,
    read_message,
    written_answer,
)
from relaydesk.message import MailPage, Unreadable, header_section, mail_page, parse_header
from relaydesk.store import (
    customers,
    deadlines,
    drafts,
    merges,
    orders,
    outbox,
    threads,
    ticket_orders,
    tickets,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.desk.config import DeskConfig
    from relaydesk.order import Order
    from relaydesk.store import MessageRow, NotedEvent, OutboxRow, Store, TicketOrder, TicketRow

SHOWN = 10
"""Messages of a thread that are opened at once, the latest; a page of older ones has as many."""
MOST_SHOWN = 60
READ_BYTES = 24 << 20
"""Octets of messages that are read for one page; what is more opens by itself."""
EVENTS, ANSWERS, OTHERS, ORDERS = 200, 60, 12, 8
KEPT_CHARACTERS = 16 << 20
KEPT_PAGES = 8 << 20
UNREAD_CODE = "content_unread"
HEADER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class OpenedTicket(WholeTicket):
    """A piece of a ticket's thread, with what is known of its orders and its customer.

    ``earlier`` is the message before which there is more, None where the thread begins here. ``orders`` are
    those of the directory, by the ticket's number that leads to them; ``others`` are other tickets of the
    same customer, newest first; ``latest_event`` is the number of the ticket's latest event.
    """

    earlier: int | None
    orders: dict[str, Order]
    others: tuple[TicketRow, ...]
    latest_event: int


class Threads(DeskPart):
    """Tickets to read."""

    def __init__(self, store: Store, config: DeskConfig, clock: Callable[[], datetime]) -> None:
        super().__init__(store, config, clock)
        self._messages: Readings[ReadMessage] = Readings(KEPT_CHARACTERS, _weight)
        self._answers: Readings[str] = Readings(KEPT_CHARACTERS // 4, len)
        self._pages: Readings[MailPage] = Readings(KEPT_PAGES, lambda page: len(page.html) + 100)

    def open(self, ticket_id: int, *, before: int | None = None, since: int = 0) -> OpenedTicket:
        """The latest messages with what belongs to them: those older than message ``before``, or all from
        message ``since`` on. UnknownTicket when there is none.
        """
        with self.store.reading() as session:
            ticket = tickets.row(session, ticket_id)
            if ticket is None:
                raise UnknownTicket(f"There is no ticket {ticket_id}.")
            family = merges.family_numbers(session, ticket_id)
            limit = MOST_SHOWN if since else SHOWN
            rows = threads.latest_messages(session, family, limit, before=before, since=since)
            older = rows and threads.latest_messages(session, family, 1, before=rows[0].id)
            begin = rows[0].received_at if older else None
            until = self._moment(session, ticket_id, before)
            linked = tickets.links(session, ticket_id)[-OTHERS:]
            numbers = ticket_orders.of_tickets(session, family)
            others = customers.other_tickets(session, ticket, OTHERS)
            return OpenedTicket(
                ticket=ticket,
                messages=self._read(session, rows),
                events=threads.events(session, family, EVENTS, since=begin, until=until),
                clocks=deadlines.of_tickets(session, family),
                numbers=numbers,
                linked=threads.rows(session, linked),
                answers=tuple(
                    self._answer(session, row)
                    for row in sorted(
                        (row for one in family for row in outbox.of_ticket(session, one, ANSWERS)),
                        key=attrgetter("id"),
                    )
                    if (begin is None or row.created_at >= begin)
                    and (until is None or row.created_at < until)
                ),
                drafts=tuple(
                    KeptDraft(author, text) for author, text in drafts.of_ticket(session, ticket_id)
                ),
                earlier=rows[0].id if older else None,
                orders=_orders(session, numbers),
                others=tuple(other for other in others if other.id not in linked),
                members=threads.rows(session, family[1:]),
                latest_event=tickets.version(session, ticket_id)[1],
            )

    def message(self, ticket_id: int, message_id: int) -> ReadMessage:
        """One message as a person reads it. UnknownTicket unless it is one of this ticket's."""
        with self.store.reading() as session:
            return self._one(session, self._row(session, ticket_id, message_id))

    def headers(self, ticket_id: int, message_id: int) -> tuple[tuple[str, str], ...]:
        """The fields of a message's header, decoded, top first; of a long section the first of them."""
        with self.store.reading() as session:
            row = self._row(session, ticket_id, message_id)
            raw = tickets.raw(session, row.id, HEADER_BYTES) or b""
        return parse_header(header_section(raw)).headers

    def page(self, ticket_id: int, message_id: int, picture: str) -> MailPage:
        """A message's HTML as a page. ``picture`` is as :func:`relaydesk.message.mail_page` takes it."""
        with self.store.reading() as session:
            row = self._row(session, ticket_id, message_id)
            key = ticket_id << 64 | row.id  # its pictures' addresses name the ticket
            kept = self._pages.get(key)
            if kept is not None:
                return kept
            raw = b"" if _is_unread(row) else tickets.raw(session, row.id) or b""
        try:
            page = mail_page(raw, picture)
        except Unreadable:
            page = MailPage(why_not="The HTML of this message could not be read; open the original.")
        return self._pages.keep(key, page)

    def history(self, ticket_id: int, limit: int, *, before: int | None = None) -> tuple[NotedEvent, ...]:
        """A ticket's latest events, newest first; those before event ``before``."""
        with self.store.reading() as session:
            return threads.history(session, merges.family_numbers(session, ticket_id), limit, before=before)

    def _row(self, session: Session, ticket_id: int, message_id: int) -> MessageRow:
        row = threads.message(session, merges.family_numbers(session, ticket_id), message_id)
        if row is None:
            raise UnknownTicket(f"Ticket {ticket_id} has no message {message_id}.")
        return row

    def _moment(self, session: Session, ticket_id: int, message_id: int | None) -> datetime | None:
        row = (
            threads.message(session, merges.family_numbers(session, ticket_id), message_id)
            if message_id is not None
            else None
        )
        return row.received_at if row is not None else None

    def _read(self, session: Session, rows: tuple[MessageRow, ...]) -> tuple[ReadMessage, ...]:
        """The messages read, from the latest on, until they have taken as much as a page may."""
        read: list[ReadMessage] = []
        room = READ_BYTES
        for row in reversed(rows):
            if self._messages.get(row.id) is None:
                room -= row.size
            read.append(self._one(session, row) if room >= 0 or not read else ReadMessage(row))
        return tuple(reversed(read))

    def _one(self, session: Session, row: MessageRow) -> ReadMessage:
        """One that took too long when it came is not tried again: its original is for a person to open."""
        if _is_unread(row):
            return ReadMessage(row, was_read=True, attachments=row.attachments)
        kept = self._messages.get(row.id)
        return replace(kept or self._messages.keep(row.id, read_message(session, row)), row=row)

    def _answer(self, session: Session, row: OutboxRow) -> WrittenAnswer:
        text = self._answers.get(row.id)
        if text is None:
            text = self._answers.keep(row.id, written_answer(session, row).text)
        return WrittenAnswer(row, text)


def _weight(message: ReadMessage) -> int:
    body = message.body
    return 2_000 + 300 * len(message.attachments) + (len(body.text) if body else 0)


def _is_unread(row: MessageRow) -> bool:
    return any(reason.code == UNREAD_CODE for reason in row.reasons)


def _orders(session: Session, numbers: tuple[TicketOrder, ...]) -> dict[str, Order]:
    """What the directory knows of the first of a ticket's numbers."""
    known = {}
    for number in [number for number in numbers if number.how != "released"][:ORDERS]:
        for order in orders.find(session, number.value)[:1]:
            known[number.value] = order
    return known
