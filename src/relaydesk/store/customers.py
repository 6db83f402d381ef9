"""A customer: the tickets of one relay address or one name."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from sqlalchemy import select

from relaydesk.message import query_words
from relaydesk.store import search
from relaydesk.store.lists import TicketRow
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlmodel import Session

T = table(TicketTable).c
NAMESAKES = 100
_ROW = [T[field.name] for field in fields(TicketRow)]


def other_tickets(session: Session, ticket: TicketRow, limit: int) -> tuple[TicketRow, ...]:
    """Other tickets of the same relay address or the same name, newest first.

    By the name those are looked at that hold its words, at most a hundred: it has no index of its own.
    """
    rows: dict[int, TicketRow] = {}
    if ticket.relay_address:
        rows = _rows(session, T.relay_address == ticket.relay_address, ticket, limit)
    if words := query_words(ticket.username):
        near = search.tickets_with(session, words, NAMESAKES)
        rows |= _rows(session, T.id.in_(near) & (T.username == ticket.username), ticket, limit)
    return tuple(sorted(rows.values(), key=lambda other: -other.id))[:limit]


def _rows(session: Session, same: ColumnElement[bool], ticket: TicketRow, limit: int) -> dict[int, TicketRow]:
    statement = select(*_ROW).where(same, T.id != ticket.id).order_by(T.id.desc()).limit(limit)
    return {line.id: TicketRow(*line) for line in session.connection().execute(statement)}
