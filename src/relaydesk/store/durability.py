"""A 250 means fsynced: the settings that make it true, set and asserted on every new connection."""

from __future__ import annotations

import select
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from relaydesk.store.errors import StoreUnfit

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection, Engine

SQLITE_FULL = 2
TRY_AGAIN_AFTER = 0.02  # seconds

_ASSURE = """
SELECT set_config('TimeZone', 'UTC', false), set_config('lock_timeout', %s, false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')
"""


def assure_sqlite(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Sets WAL, FULL, foreign keys and the busy time-out, then reads them back.

    WAL with ``synchronous=NORMAL`` does no fsync at commit (measured), so a power cut would make
    the 250 a lie.
    """
    milliseconds = int(busy_timeout * 1000)
    connection.execute(f"PRAGMA busy_timeout={milliseconds}")
    _write_ahead(connection, busy_timeout)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    demand_sqlite(connection, milliseconds)


def _write_ahead(connection: sqlite3.Connection, seconds: float) -> None:
    """The first change of a new file to WAL: SQLite gives up at once when two come together, so we wait."""
    ends = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= ends:
                raise
            time.sleep(TRY_AGAIN_AFTER)
        else:
            return


def demand_sqlite(connection: sqlite3.Connection, busy_milliseconds: int) -> None:
    """StoreUnfit unless the connection is as :func:`assure_sqlite` left it."""
    required = {
        "journal_mode": "wal",
        "synchronous": SQLITE_FULL,
        "foreign_keys": 1,
        "busy_timeout": busy_milliseconds,
    }
    for name, value in required.items():
        actual = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if actual != value:
            raise StoreUnfit(
                f"SQLite has {name}={actual} where {value} is needed; use a file on a local disk."
            )


def assure_postgres(connection: psycopg.Connection[Any], lock_timeout: float) -> None:
    """Sets zone and time-outs and reads the durability settings, in one round trip.

    ``local`` and ``remote_write`` are refused with ``off``: a synchronous replica that takes over may
    then lack what was acknowledged. Without replicas ``on`` costs the same as ``local``.
    """
    before, connection.autocommit = connection.autocommit, True
    row = connection.execute(_ASSURE, [f"{int(lock_timeout * 1000)}ms"]).fetchone()
    connection.autocommit = before
    if row is None:
        raise StoreUnfit("PostgreSQL did not return its durability settings.")
    demand_postgres(fsync=row[3], full_page_writes=row[4], synchronous_commit=row[5])


def demand_postgres(*, fsync: str, full_page_writes: str, synchronous_commit: str) -> None:
    """StoreUnfit unless an acknowledged commit survives a power cut."""
    if fsync != "on":
        raise StoreUnfit("PostgreSQL runs with fsync=off; set fsync=on in postgresql.conf.")
    if full_page_writes != "on":
        raise StoreUnfit("PostgreSQL runs with full_page_writes=off; set it to on in postgresql.conf.")
    if synchronous_commit not in ("on", "remote_apply"):
        raise StoreUnfit(
            f"PostgreSQL runs with synchronous_commit={synchronous_commit}; set it to on or remote_apply."
        )


def attach(engine: Engine, timeout: float, *, read_only: bool = False) -> None:
    """Hangs the checks on every connection the engine opens; ``timeout`` for locks, in seconds.

    ``read_only`` leaves the file of an SQLite database as it is: who only looks promises nothing.
    """
    if engine.dialect.name == "sqlite":
        prepare = _look_at_sqlite if read_only else _open_sqlite
        event.listen(engine, "connect", lambda dbapi, _record: prepare(dbapi, timeout))
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", lambda dbapi, _record: assure_postgres(dbapi, timeout))
        event.listen(engine, "checkout", _still_there)


def _open_sqlite(connection: sqlite3.Connection, timeout: float) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN is deferred and loses updates
    assure_sqlite(connection, timeout)


def _look_at_sqlite(connection: sqlite3.Connection, timeout: float) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={int(timeout * 1000)}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _still_there(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    # An idle connection that is readable has been closed by the server: seen without a round trip.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        raise DisconnectionError("the server closed the connection")
