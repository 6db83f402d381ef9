"""What can go wrong with the store, in three words, whatever the engine says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreError(Exception):
    """The base of the three; its text is a sentence for people."""


class StoreUnavailable(StoreError):  # noqa: N818 - a state, named as people say it
    """Not now: locked, full, read-only, stopped or out of reach. Trying later helps."""


class StoreLost(StoreUnavailable):
    """The database is no longer the one that was opened; nothing more may go into it. Start again."""


class Conflict(StoreError):  # noqa: N818
    """Another process was first. Read again, decide again, try again."""


class StoreUnfit(StoreError):  # noqa: N818
    """This database must not be used as it is (durability, schema, address): the start is refused."""


class StoreAbsent(StoreUnfit):
    """There is no database at that address yet."""


# https://www.sqlite.org/rescode.html: UNIQUE, PRIMARYKEY and ROWID constraints (extended codes)
_SQLITE_UNIQUE = {2067, 1555, 2579}
# BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB (primary codes)
_SQLITE_UNAVAILABLE = {5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26}
# unique_violation, serialization_failure, deadlock_detected
_POSTGRES_CONFLICT = {"23505", "40001", "40P01"}
# connection, resources (disk full), lock not available, cancelled or shut down, system, read-only,
# login refused, no such database
_POSTGRES_UNAVAILABLE = ("08", "53", "55P03", "57", "58", "25006", "28", "3D")


def translate(error: DBAPIError) -> StoreError | None:
    """The word for a driver's error, or None when it is our own mistake."""
    origin = error.orig
    code = getattr(origin, "sqlite_errorcode", None)
    if code is not None:
        if code in _SQLITE_UNIQUE:
            return Conflict("Another process stored this first.")
        return _unavailable(origin) if code & 0xFF in _SQLITE_UNAVAILABLE else None
    state = getattr(origin, "sqlstate", None)
    if state in _POSTGRES_CONFLICT:
        return Conflict("Another process stored this first.")
    lost = error.connection_invalidated or (
        state is None and isinstance(error, OperationalError | InterfaceError)
    )
    return _unavailable(origin) if lost or (state or "").startswith(_POSTGRES_UNAVAILABLE) else None


def _unavailable(origin: BaseException | None) -> StoreUnavailable:
    lines = str(origin).strip().splitlines()
    return StoreUnavailable(f"The store is unavailable: {lines[0] if lines else type(origin).__name__}.")


@contextmanager
def translated() -> Iterator[None]:
    """Turns driver errors into the three words; lets everything else through."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("The store is unavailable: all its connections are in use.") from error
    except DBAPIError as error:
        state = translate(error)
        if state is None:
            raise
        raise state from error
