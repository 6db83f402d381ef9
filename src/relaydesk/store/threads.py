"""The thread of a ticket, in pieces: so many messages, and what happened between two moments.

``family`` are the tickets whose thread it is: the one that is open, and those that are shown in it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from relaydesk.store import tickets
from relaydesk.store.events import read_event
from relaydesk.store.lists import TicketRow
from relaydesk.store.tables import AttachmentTable, MessageTable, TicketEventTable, TicketTable, table
from relaydesk.store.tickets import AttachmentRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlmodel import Session

    from relaydesk.events import Event

T, M = table(TicketTable).c, table(MessageTable).c
A, E = table(AttachmentTable).c, table(TicketEventTable).c


@dataclass(frozen=True, slots=True)
class NotedEvent:
    """An event with its number and the moment when it was written down, which may be later than its own."""

    number: int
    noted_at: datetime
    event: Event


def latest_messages(
    session: Session, family: Sequence[int], limit: int, *, before: int | None = None, since: int = 0
) -> tuple[MessageRow, ...]:
    """Up to ``limit`` of a thread's messages, oldest first: the latest of those that are older than message
    ``before`` and not older than message ``since``."""
    statement = select(*tickets.MESSAGE).where(M.ticket_id.in_(family), M.id >= since)
    if before is not None:
        statement = statement.where(M.id < before)
    lines = session.connection().execute(statement.order_by(M.id.desc()).limit(limit)).all()
    return _messages(session, lines[::-1])


def message(session: Session, family: Sequence[int], message_id: int) -> MessageRow | None:
    """One message, None when it is none of this thread's."""
    chosen = select(*tickets.MESSAGE).where(M.ticket_id.in_(family), M.id == message_id)
    rows = _messages(session, session.connection().execute(chosen).all())
    return rows[0] if rows else None


def _messages(session: Session, lines: Sequence[Row[Any]]) -> tuple[MessageRow, ...]:
    parts = select(A.message_id, A.name, A.declared_type, A.sniffed_type, A.size, A.sha256)
    parts = parts.where(A.message_id.in_([line.id for line in lines])).order_by(A.id)
    attachments: dict[int, list[AttachmentRow]] = {}
    for part in session.connection().execute(parts) if lines else ():
        attachments.setdefault(part.message_id, []).append(AttachmentRow(*part[1:]))
    return tuple(tickets.message_row(line, tuple(attachments.get(line.id, ()))) for line in lines)


def events(
    session: Session,
    family: Sequence[int],
    limit: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[tuple[int, Event], ...]:
    """The latest ``limit`` events of a thread with their numbers, in the order of recording.

    Of those that became true at ``since`` or later, and before ``until``.
    """
    statement = (
        select(E.id, E.ticket_id, E.at, E.what, E.actor, E.data)
        .where(E.ticket_id.in_(family))
        .order_by(E.id.desc())
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(E.at >= since)
    if until is not None:
        statement = statement.where(E.at < until)
    rows = session.connection().execute(statement).all()
    return tuple((number, read_event(*columns)) for number, *columns in reversed(rows))


def history(
    session: Session, family: Sequence[int], limit: int, *, before: int | None = None
) -> tuple[NotedEvent, ...]:
    """The latest events of a thread, newest first; those older than event ``before`` where it is given."""
    statement = (
        select(E.id, E.noted_at, E.ticket_id, E.at, E.what, E.actor, E.data)
        .where(E.ticket_id.in_(family))
        .order_by(E.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(E.id < before)
    rows = session.connection().execute(statement)
    return tuple(NotedEvent(number, noted_at, read_event(*columns)) for number, noted_at, *columns in rows)


def rows(session: Session, ticket_ids: Sequence[int]) -> tuple[TicketRow, ...]:
    """The lines of these tickets, by number; those that there are."""
    columns = [T[field.name] for field in fields(TicketRow)]
    chosen = select(*columns).where(T.id.in_(ticket_ids)).order_by(T.id)
    return tuple(TicketRow(*line) for line in session.connection().execute(chosen))
