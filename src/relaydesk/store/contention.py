"""Writing where others write at the same moment: upserts, claims under a lease, deciding again.

SQLite lets one writer in at a time and PostgreSQL many, so each of these is safe with both.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import func, literal, select, update

from relaydesk.store.errors import Conflict, StoreUnavailable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlmodel import Session, SQLModel

    from relaydesk.store.engine import Store

R = TypeVar("R")
T = TypeVar("T")
TRIES = 8  # a conflict needs another writer at the same key; eight in a row do not happen
PAUSE = 0.03  # seconds more after each try
TURN_SECONDS = 0.05  # how long bulk work may hold the store at a time; mail that waits feels it
FIRST_TURN = 20  # rows


def until_settled(attempt: Callable[[], T]) -> T:
    """What ``attempt`` returns: it reads, decides and writes, all over again after each Conflict.

    Raises StoreUnavailable when others were first :data:`TRIES` times in a row.
    """
    for _ in range(TRIES):
        try:
            return attempt()
        except Conflict:
            continue
    raise _unsettled()


async def until_settled_async(attempt: Callable[[], Awaitable[T]]) -> T:
    """The same for an attempt that also waits for other things than the store.

    That takes a while, in which others are first more often: a pause lets their burst go by.
    """
    for tries in range(TRIES):
        try:
            return await attempt()
        except Conflict:
            await asyncio.sleep(PAUSE * tries)
    raise _unsettled()


def _unsettled() -> StoreUnavailable:
    return StoreUnavailable(f"Other processes wrote the same rows first, {TRIES} times in a row.")


def in_turns(
    store: Store,
    rows: Sequence[R],
    write: Callable[[Session, Sequence[R]], T],
    *,
    first: int = FIRST_TURN,
    longest: int = 1_000,
) -> Iterator[T]:
    """Bulk work behind mail: what ``write`` gives for each slice of ``rows``, in order, once it is committed.

    Each slice is a transaction of its own (:meth:`Store.turn`), written all over again after a Conflict. It
    holds as many rows as fit into :data:`TURN_SECONDS` by the measure of the slice before, at most
    ``longest``; the ``first`` has none before it. What was given stays written when a later slice raises.
    """
    start, size = 0, min(first, longest)
    while start < len(rows):
        part = rows[start : start + size]

        def attempt(part: Sequence[R] = part) -> tuple[T, float]:
            with store.turn() as session:
                entered = time.monotonic()
                outcome = write(session, part)
                return outcome, time.monotonic() - entered

        outcome, held = until_settled(attempt)
        yield outcome
        start += len(part)
        size = min(longest, 2 * size, max(1, int(len(part) * TURN_SECONDS / max(held, 1e-6))))


def engine_of(session: Session) -> str:
    """``sqlite`` or ``postgresql``: which engine a session speaks to."""
    return session.get_bind().dialect.name


def upsert_for(engine: str, model: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``.

    Both engines speak it alike; SQLAlchemy spells it once per engine, and only that of the session is loaded.
    """
    insert: sqlite.Insert | postgresql.Insert
    insert = import_module(f"sqlalchemy.dialects.{engine}").insert(table(model))
    return insert


def upsert(session: Session, model: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """The same for the engine of a session."""
    return upsert_for(engine_of(session), model)


class ClaimedRow(Protocol):
    """A row that is ours until its lease ends. ``attempts`` counts the row's claims and so names this one."""

    @property
    def id(self) -> int: ...
    @property
    def attempts(self) -> int: ...


@dataclass(frozen=True)
class Claims:
    """The rows of one table that any process may pick up, each held by one at a time under a lease.

    A process that dies lets its lease run out, and the row is claimed again; what it did meanwhile is for
    the table's owner to know. The table has the columns ``id state attempts next_try_at first_tried_at
    lease_by lease_until``. ``undecided`` are the states in which there is still something to do, ``working``
    the one of them in which somebody does it; ``next_try_at`` is when such a row may be claimed, which while
    somebody works is the end of the lease.
    """

    model: type[SQLModel]
    undecided: tuple[str, ...]
    working: str

    def any_due(self, session: Session, now: datetime) -> bool:
        """Whether :meth:`take` could find something: a short look that keeps an idle process from writing."""
        columns = table(self.model).c
        statement = select(columns.id).where(*self._due(now)).limit(1)
        return session.connection().execute(statement).first() is not None

    def take(  # noqa: PLR0913 - whose, from when, for how long, how many
        self,
        session: Session,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        limit: int,
        returning: Sequence[ColumnElement[Any]],
        size: ColumnElement[int] | None = None,
        most: int = 0,
    ) -> list[tuple[Row[Any], bool]]:
        """Up to ``limit`` rows whose time has come, longest waiting first; now ``worker``'s for ``lease``.

        Each with ``returning``, which holds the id, and whether the claim before ran out without an outcome.
        Where there is a ``size``, no more than come to ``most`` by it, but for the first.
        """
        columns = table(self.model).c
        due = (
            select(columns.id, columns.state, (literal(0) if size is None else size).label("size"))
            .where(*self._due(now))
            .order_by(columns.next_try_at, columns.id)
            .limit(limit)
            .with_for_update(skip_locked=True)  # PostgreSQL; a writer on SQLite is alone
        )
        lapsed: dict[int, bool] = {}
        for row in session.connection().execute(due):
            most -= row.size
            if lapsed and most < 0:
                break
            lapsed[row.id] = row.state == self.working
        if not lapsed:
            return []
        statement = (
            update(table(self.model))
            .where(columns.id.in_(lapsed))
            .values(
                state=self.working,
                attempts=columns.attempts + 1,
                lease_by=worker,
                lease_until=now + lease,
                next_try_at=now + lease,
                first_tried_at=func.coalesce(columns.first_tried_at, now),
            )
            .returning(*returning)
        )
        rows = session.connection().execute(statement).all()
        return [(row, lapsed[row.id]) for row in sorted(rows, key=lambda row: int(row.id))]

    def end(self, session: Session, claim: ClaimedRow, **values: Any) -> bool:
        """Gives the row back with ``values``, its new state among them. False when the lease was lost."""
        columns = table(self.model).c
        own = (
            columns.id == claim.id,
            columns.state == self.working,
            columns.attempts == claim.attempts,
        )
        statement = update(table(self.model)).where(*own).values(lease_by=None, lease_until=None, **values)
        return session.connection().execute(statement).rowcount == 1

    def _due(self, now: datetime) -> tuple[ColumnElement[bool], ...]:
        columns = table(self.model).c
        return (columns.state.in_(self.undecided), columns.next_try_at <= now)
