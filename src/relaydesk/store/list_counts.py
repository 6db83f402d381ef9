"""How many open tickets there are, wherever somebody looks: counted off indexes that hold no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal, select

from relaydesk.store import lists
from relaydesk.store.acts_tables import SnoozeTable
from relaydesk.store.lists import QueueCount
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.store.lists import TicketFilter

T, S = table(TicketTable).c, table(SnoozeTable).c
OPEN = T.state == "open"


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
    """The counts of every queue that has an open ticket and of everybody who has one, in one walk along one
    index; ``today_ends`` is the coming midnight."""
    overdue = func.count().filter(T.next_due < now)
    due_today = func.count().filter(and_(T.next_due >= now, T.next_due < today_ends))
    figures = (func.count(), due_today, overdue, func.count(T.waiting_since), func.min(T.next_due))
    statement = select(T.queue, T.assignee, *figures).where(OPEN).group_by(T.queue, T.assignee)
    marked = select(T.queue, func.count()).where(T.needs_look.is_not(None)).group_by(T.queue)
    connection = session.connection()
    rows: list[Any] = list(connection.execute(statement))
    looks = {row[0]: row[1] for row in connection.execute(marked)}
    by_queue: dict[str, list[Any]] = {}
    by_assignee: dict[str | None, list[Any]] = {}
    for row in rows:
        by_queue.setdefault(row.queue, []).append(row)
        by_assignee.setdefault(row.assignee, []).append(row)
    return AllCounts(
        tuple(_queue(name, held, looks.get(name, 0)) for name, held in sorted(by_queue.items())),
        tuple((name, OpenCount(*_added(held))) for name, held in by_assignee.items()),
        sum(row[5] for row in rows),
        sum(looks.values()),
    )


def _added(rows: list[Any]) -> tuple[int, int, int]:
    return sum(row[2] for row in rows), sum(row[3] for row in rows), sum(row[4] for row in rows)


def _queue(name: str, rows: list[Any], looks: int) -> QueueCount:
    first = min((row[6] for row in rows if row[6] is not None), default=None)
    return QueueCount(name, *_added(rows), first, looks)


def snoozed(session: Session, agent: str, now: datetime) -> int:
    """The open tickets that an agent does not want to see yet."""
    asleep = select(S.ticket_id).where(S.agent == agent, S.until > now)
    statement = select(func.count()).where(T.id.in_(asleep), OPEN)
    return int(session.connection().scalar(statement) or 0)


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
    conditions = lists.conditions(session, criteria, now)
    conditions.append(T.next_due.is_(None) if since is None and until is None else T.next_due.is_not(None))
    if since is not None:
        conditions.append(T.next_due >= since)
    if until is not None:
        conditions.append(T.next_due < until)
    counted = select(literal(1)).where(*conditions).select_from(table(TicketTable)).limit(most)
    return int(session.connection().scalar(select(func.count()).select_from(counted.subquery())) or 0)
