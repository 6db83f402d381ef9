"""How often somebody tried to sign in, counted for all processes alike.

A count begins with the first try and ends a ``window`` after it, whatever is tried meanwhile. Every function
expects a write transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, select, update

from relaydesk.store.account_tables import SignInTriesTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlmodel import Session

T = table(SignInTriesTable).c


def take(session: Session, name: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
    """Counts a try; how many there are with it, and since when. Others who count the same wait for us."""
    over = T.since <= now - window
    row = upsert(session, SignInTriesTable).values(name=name, count=1, since=now)
    values = {"count": case((over, 1), else_=T.count + 1), "since": case((over, now), else_=T.since)}
    session.connection().execute(row.on_conflict_do_update(index_elements=[T.name], set_=values))
    count, since = session.connection().execute(select(T.count, T.since).where(T.name == name)).one()
    return count, since


def give_back(session: Session, name: str) -> None:
    """A try that was right, or could not be looked at, does not count."""
    statement = update(table(SignInTriesTable)).where(T.name == name, T.count > 0)
    session.connection().execute(statement.values(count=T.count - 1))


def clear(session: Session, name: str) -> None:
    """Counts from the beginning again."""
    session.connection().execute(delete(table(SignInTriesTable)).where(T.name == name))


def purge(session: Session, before: datetime) -> None:
    """Takes away what began before that moment."""
    session.connection().execute(delete(table(SignInTriesTable)).where(T.since <= before))
