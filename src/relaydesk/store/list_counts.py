"""How many open tickets there are, wherever somebody looks: counted off indexes that hold no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, literal, select

from relaydesk.store import list_filters, lists
from relaydesk.store.acts_tables import SnoozeTable
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

    from relaydesk.store.lists import QueueCount, TicketFilter

T, S = table(TicketTable).c, table(SnoozeTable).c


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Open tickets of one kind; those that are due later today are not over yet."""

    open: int = 0
    due_today: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class AllCounts:
    """Everything that is counted at once: ``by_assignee`` has None for nobody's, ``look`` what a person must
    look at, ``waiting`` where it is the customer's turn."""

    queues: tuple[QueueCount, ...] = ()
    by_assignee: tuple[tuple[str | None, OpenCount], ...] = ()
    waiting: int = 0
    look: int = 0

    def of(self, assignee: str | None) -> OpenCount:
        """What an agent has, or nobody."""
        return dict(self.by_assignee).get(assignee, OpenCount())


def everything(session: Session, now: datetime, today_ends: datetime) -> AllCounts:
    """The counts of every queue that has an open ticket and of everybody who has one."""
    return AllCounts(
        lists.counts(session, now, today_ends),
        _by_assignee(session, now, today_ends),
        _count(session, lists.OPEN, T.waiting_since.is_not(None)),
        _count(session, T.needs_look.is_not(None)),
    )


def _by_assignee(
    session: Session, now: datetime, today_ends: datetime
) -> tuple[tuple[str | None, OpenCount], ...]:
    due_today = func.count().filter(and_(T.next_due >= now, T.next_due < today_ends))
    overdue = func.count().filter(T.next_due < now)
    statement = select(T.assignee, func.count(), due_today, overdue).where(lists.OPEN).group_by(T.assignee)
    return tuple((row[0], OpenCount(*row[1:])) for row in session.connection().execute(statement))


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return int(session.connection().scalar(select(func.count()).where(*conditions)) or 0)


def snoozed(session: Session, agent: str, now: datetime) -> int:
    """The open tickets that an agent does not want to see yet."""
    asleep = select(S.ticket_id).where(S.agent == agent, S.until > now)
    return _count(session, T.id.in_(asleep), lists.OPEN)


def due_between(  # noqa: PLR0913 - which tickets, between what
    session: Session,
    criteria: TicketFilter,
    since: datetime | None,
    until: datetime | None,
    *,
    now: datetime,
    most: int,
) -> int:
    """Tickets of a list that are due from ``since`` (None: ever) to before ``until`` (None: ever), at most
    ``most``; with neither, those of which no clock runs."""
    conditions = list_filters.conditions(session, criteria, now)
    conditions.append(T.next_due.is_(None) if since is None and until is None else T.next_due.is_not(None))
    if since is not None:
        conditions.append(T.next_due >= since)
    if until is not None:
        conditions.append(T.next_due < until)
    counted = select(literal(1)).where(*conditions).select_from(table(TicketTable)).limit(most)
    return int(session.connection().scalar(select(func.count()).select_from(counted.subquery())) or 0)
