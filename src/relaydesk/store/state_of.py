"""What the health page asks of the store: cheap looks, each bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from relaydesk.store.deadlines import RUNNING
from relaydesk.store.outbox_rows import UNDECIDED
from relaydesk.store.tables import DeadlineTable, MessageTable, OutboxTable, UnindexedTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

M, B = table(MessageTable).c, table(OutboxTable).c
MOST = 10_000  # rows that are counted one by one
LATEST = 5_000  # messages whose rules are counted


def last_mail(session: Session) -> datetime | None:
    """When the newest message came."""
    statement = select(M.received_at).order_by(M.id.desc()).limit(1)
    at: datetime | None = session.connection().execute(statement).scalar()
    return at


def unindexed(session: Session) -> int:
    """How many texts wait for the search index, counted up to :data:`MOST`."""
    waiting = select(table(UnindexedTable).c.source_id).limit(MOST).subquery()
    return int(session.connection().execute(select(func.count()).select_from(waiting)).scalar_one())


def running_clocks(session: Session) -> int:
    """How many deadlines run, counted up to :data:`MOST`."""
    running = select(table(DeadlineTable).c.id).where(RUNNING).limit(MOST).subquery()
    return int(session.connection().execute(select(func.count()).select_from(running)).scalar_one())


def undecided_answers(session: Session) -> dict[str, int]:
    """How many rows of the outbox wait, by state."""
    statement = select(B.state, func.count()).where(B.state.in_(UNDECIDED)).group_by(B.state)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def size(session: Session) -> int:
    """Bytes of the database."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        return int(pages * connection.execute(text("PRAGMA page_size")).scalar_one())
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def rule_counts(session: Session, since: datetime) -> tuple[dict[str, int], bool]:
    """How many messages matched each rule since then, of the newest :data:`LATEST`; whether those are all."""
    latest = select(M.id, M.received_at, M.findings).order_by(M.id.desc()).limit(LATEST).subquery()
    rule = latest.c.findings["match"]["rule"].as_string()
    statement = select(rule, func.count()).where(latest.c.received_at >= since).group_by(rule)
    connection = session.connection()
    counts = {row[0] or "": row[1] for row in connection.execute(statement)}
    oldest = connection.execute(select(func.min(latest.c.received_at), func.count())).one()
    return counts, oldest[1] < LATEST or oldest[0] < since
