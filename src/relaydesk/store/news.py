"""News: the names of what a transaction has changed, for every process that shows it.

A name says what to fetch anew and holds nothing of a customer: ``ticket-41``, ``tickets`` (some list),
``counts`` (of the rail), ``outbox``, ``due`` (a deadline came near or passed). On PostgreSQL they travel by
NOTIFY, in the transaction itself: they come out at its commit or not at all, in the order of the commits and
not of the events' numbers. On SQLite, where one writer comes after the other, whoever listens reads the
events' own numbers on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import func, select

from relaydesk.store.contention import engine_of
from relaydesk.store.errors import StoreUnavailable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    import psycopg
    from sqlalchemy import Engine
    from sqlmodel import Session

    from relaydesk.store.engine import Store

CHANNEL = "relaydesk_news"
LONGEST = 7000  # bytes of one NOTIFY; PostgreSQL takes 7,999
LOOK_SECONDS = 0.1  # between two looks whether an SQLite file has changed
MOST_EVENTS = 500  # read at a time
# Events that only the ticket itself shows: no list, no count.
OF_TICKET_ALONE = frozenset(
    {
        *("note", "linked", "order_bound", "order_released", "no_order_confirmed", "answer_cleaned"),
        *("answer_swallowed", "duplicate"),
    }
)


OF_A_DEADLINE = frozenset({"warned", "breached"})


def names_of(ticket_id: int, what: str) -> tuple[str, ...]:
    """What an event of this kind changes."""
    names = [f"ticket-{ticket_id}"]
    if what.startswith("answer_"):
        names.append("outbox")
    if what in OF_A_DEADLINE:
        names.append("due")
    if what not in OF_TICKET_ALONE:
        names += ["tickets", "counts"]
    return tuple(names)


def tell(session: Session, names: Iterable[str]) -> None:
    """Sends names with the commit of this transaction. On SQLite the events themselves are the news."""
    if engine_of(session) == "postgresql":
        for payload in _payloads(dict.fromkeys(names)):
            session.connection().execute(select(func.pg_notify(CHANNEL, payload)))


def _payloads(names: Iterable[str]) -> Iterator[str]:
    payload = ""
    for name in names:
        if payload and len(payload) + len(name) >= LONGEST:
            yield payload
            payload = ""
        payload += f" {name}" if payload else name
    if payload:
        yield payload


class NewsTail(Protocol):
    """What listens, over a connection of its own. It is for one thread."""

    def wait(self, seconds: float) -> list[str]:
        """The payloads that came, each names with spaces between them; none when the time is over.

        StoreUnavailable when the connection broke: what came meanwhile is lost, and another tail must begin.
        """

    def close(self) -> None: ...


def tail(store: Store) -> NewsTail:
    """Listens from now on: nothing committed after this returns is missed. StoreUnavailable, if it cannot."""
    return (
        PostgresTail(store.engine) if store.engine.dialect.name == "postgresql" else SqliteTail(store.engine)
    )


def _own_connection(engine: Engine, **options: object) -> Any:
    """Outside of the pool, whose places are for short work."""
    words, named = engine.dialect.create_connect_args(engine.url)
    return engine.dialect.connect(*words, **{**named, **options})


class PostgresTail:
    """LISTEN: costs nothing while nothing happens."""

    CHECK_SECONDS = 30.0  # a connection that is silently gone shows when something is asked

    def __init__(self, engine: Engine) -> None:
        self._broken: type[Exception] = engine.dialect.loaded_dbapi.Error
        try:
            self._connection: psycopg.Connection[Any] = _own_connection(
                engine,
                connect_timeout=5,
                application_name="relaydesk news",
                keepalives_idle=30,
                tcp_user_timeout=20_000,
            )
            self._connection.autocommit = True
            self._connection.execute(f"LISTEN {CHANNEL}")
        except self._broken as error:
            raise StoreUnavailable(f"The news of the database cannot be listened to: {error}") from error
        self._asked = time.monotonic()

    def wait(self, seconds: float) -> list[str]:
        try:
            notices = self._connection.notifies(timeout=seconds, stop_after=1)
            payloads = [notice.payload for notice in notices]
            if not payloads and time.monotonic() - self._asked > self.CHECK_SECONDS:
                self._connection.execute("SELECT 1")
                self._asked = time.monotonic()
        except self._broken as error:
            raise StoreUnavailable(f"The connection for the news of the database broke: {error}") from error
        return payloads

    def close(self) -> None:
        self._connection.close()


class SqliteTail:
    """Reads the events on, when the file says that another connection has committed.

    ``PRAGMA data_version`` reads a word of shared memory, so a look costs some microseconds.
    """

    def __init__(self, engine: Engine) -> None:
        self._broken: type[Exception] = engine.dialect.loaded_dbapi.Error
        try:
            self._connection: sqlite3.Connection = _own_connection(engine, check_same_thread=False)
            self._connection.isolation_level = None
            self._connection.execute("PRAGMA query_only=ON")
            self._connection.execute("PRAGMA busy_timeout=5000")
            self._version = self._data_version()
            (self._last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
        except self._broken as error:
            raise StoreUnavailable(f"The news of the database cannot be read: {error}") from error

    def wait(self, seconds: float) -> list[str]:
        until = time.monotonic() + seconds
        try:
            while not (payloads := self._read_on()) and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)
        except self._broken as error:
            raise StoreUnavailable(f"The news of the database cannot be read: {error}") from error
        return payloads

    def close(self) -> None:
        self._connection.close()

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _read_on(self) -> list[str]:
        version = self._data_version()
        if version == self._version:
            return []
        rows = self._connection.execute(
            "SELECT id, ticket_id, what FROM event WHERE id > ? ORDER BY id LIMIT ?",
            (self._last, MOST_EVENTS),
        ).fetchall()
        if len(rows) < MOST_EVENTS:  # else there is more of this version
            self._version = version  # as it was before reading: what came since shows at the next look
        if rows:
            self._last = rows[-1][0]
        names = dict.fromkeys(name for _, ticket, what in rows for name in names_of(ticket, what))
        return [" ".join(names)] if names else []
