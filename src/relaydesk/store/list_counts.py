"""How many tickets are open: of each queue, of each agent, and of what waits for somebody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

T = table(TicketTable).c
OPEN = T.state == "open"
_MARKED_BY_QUEUE = select(T.queue, func.count()).where(T.needs_look.is_not(None)).group_by(T.queue)


@dataclass(frozen=True, slots=True)
class QueueCount:
    """Open tickets of a queue; ``overdue`` passed their deadline, ``due_today`` are due later today.

    ``next_due`` is the earliest deadline that runs there, None when none does; ``needs_look`` counts the
    tickets that a person must look at.
    """

    queue: str
    open: int
    due_today: int
    overdue: int
    next_due: datetime | None = None
    needs_look: int = 0


def counts(session: Session, now: datetime, today_ends: datetime) -> tuple[QueueCount, ...]:
    """The counts of every queue that has an open ticket; ``today_ends`` is the desk's coming midnight."""
    overdue = func.count().filter(T.next_due < now)
    due_today = func.count().filter(and_(T.next_due >= now, T.next_due < today_ends))
    statement = (
        select(T.queue, func.count(), due_today, overdue, func.min(T.next_due))
        .where(OPEN)
        .group_by(T.queue)
        .order_by(T.queue)
    )
    connection = session.connection()
    marked = {row[0]: row[1] for row in connection.execute(_MARKED_BY_QUEUE)}
    counted = (QueueCount(*row) for row in connection.execute(statement))
    return tuple(replace(count, needs_look=marked.get(count.queue, 0)) for count in counted)


@dataclass(frozen=True, slots=True)
class OpenCount:
    """How many open tickets there are of something; those due today are not over yet."""

    open: int = 0
    due_today: int = 0
    overdue: int = 0


def counts_by_assignee(session: Session, now: datetime, today_ends: datetime) -> dict[str | None, OpenCount]:
    """Open tickets by who has them; None is nobody."""
    due_today = func.count().filter(and_(T.next_due >= now, T.next_due < today_ends))
    overdue = func.count().filter(T.next_due < now)
    statement = select(T.assignee, func.count(), due_today, overdue).where(OPEN).group_by(T.assignee)
    return {row[0]: OpenCount(*row[1:]) for row in session.connection().execute(statement)}


def waiting_count(session: Session) -> int:
    """Open tickets that wait for the customer."""
    return _count(session, OPEN, T.waiting_since.is_not(None))


def look_count(session: Session) -> int:
    """Tickets that a person must look at."""
    return _count(session, T.needs_look.is_not(None))


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return int(session.connection().scalar(select(func.count()).where(*conditions)) or 0)


def open_by_assignee(session: Session) -> dict[str, int]:
    """How many open tickets each agent has."""
    statement = select(T.assignee, func.count()).where(OPEN, T.assignee.is_not(None)).group_by(T.assignee)
    return {row[0]: row[1] for row in session.connection().execute(statement)}
