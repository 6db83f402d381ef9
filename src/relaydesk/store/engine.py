"""Opening the store, and the only two ways in: ``transaction()`` to write, ``reading()`` to look."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from relaydesk.store import durability, raw_bytes, schema
from relaydesk.store.errors import StoreAbsent, StoreUnavailable, StoreUnfit, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

FORMS = "sqlite:///relaydesk.db, sqlite:////var/lib/relaydesk/relaydesk.db or postgresql://user@host/database"


class Store:
    """One database, shared by all threads of a process. Every process opens its own."""

    def __init__(self, engine: Engine, lock_timeout: float) -> None:
        self.engine = engine
        self._lock_timeout = lock_timeout
        embedded = engine.dialect.name == "sqlite"
        self._reader: Engine = engine if embedded else engine.execution_options(postgresql_readonly=True)
        self._writer: Engine = engine.execution_options(writes=True)
        # SQLite lets one writer in at a time and waits by sleeping: within a process a lock is fairer.
        self._turn = threading.Lock() if embedded else None

    @classmethod
    def open(
        cls, url: str, *, connections: int = 8, lock_timeout: float = 5.0, upgrade: bool = False
    ) -> Store:
        """Opens ``sqlite:///path`` or ``postgresql://…`` and refuses what is not durable or not up to date.

        ``connections`` bounds the pool; ``lock_timeout`` in seconds is how long a writer waits for another
        before :class:`StoreUnavailable`. With ``upgrade`` the schema is brought up to date first.
        Raises StoreUnfit (a sentence that names the remedy) or StoreUnavailable.
        """
        address = _address(url)
        if address.get_backend_name() == "sqlite":
            _own_file(Path(str(address.database)), make=upgrade)
        engine = create_engine(
            address,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=lock_timeout * 2,
            connect_args=_connect_args(address),
        )
        durability.attach(engine, lock_timeout)
        raw_bytes.attach(engine)
        return cls(engine, lock_timeout)._checked(upgrade=upgrade)

    @classmethod
    def open_to_read(cls, url: str, *, lock_timeout: float = 5.0) -> Store:
        """Opens a database that is there to look at it: nothing of it is made, upgraded or written.

        Raises StoreAbsent where there is none, else StoreUnfit or StoreUnavailable as :meth:`open` does.
        """
        address = _address(url)
        if address.get_backend_name() == "sqlite":
            _demand_file(Path(str(address.database)))
            file = f"file:{quote(str(address.database))}"
            address = address.set(database=file, query={"mode": "ro", "uri": "true"})
        engine = create_engine(address, pool_size=1, max_overflow=0, connect_args=_connect_args(address))
        durability.attach(engine, lock_timeout, read_only=True)
        store = cls(engine, lock_timeout)
        store._writer = store._reader
        return store._checked(upgrade=False)

    def _checked(self, *, upgrade: bool) -> Store:
        try:
            if upgrade:
                self.upgrade()
            else:
                self.demand_current()
        except BaseException:
            self.close()
            raise
        return self

    def upgrade(self) -> None:
        """Brings the schema up to date, once, under a lock; harmless when it is already."""
        with translated():
            schema.upgrade(self._writer)

    def demand_current(self) -> None:
        """StoreUnfit unless the schema is exactly the one this version knows."""
        with translated():
            schema.demand_current(self._reader)

    def close(self) -> None:
        """Closes the pooled connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The one way to write: BEGIN IMMEDIATE on SQLite, so nothing read here is stale when written.

        Commits at the end (synced when it returns), rolls back on any exception. Raises Conflict or
        StoreUnavailable instead of the driver's errors. No network inside.
        """
        with (
            self._own_turn(),
            translated(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A short look; the database refuses writes in it."""
        with translated(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=self._lock_timeout):
            raise StoreUnavailable("The store is unavailable: other writers of this process hold it.")
        try:
            yield
        finally:
            self._turn.release()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise StoreUnfit(f"Setting database: the address cannot be read; use {FORMS}.") from None
    family = address.get_backend_name()
    if family == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if family != "sqlite":
        raise StoreUnfit(f"Setting database: {family} is not supported; use {FORMS}.")
    if not address.database or address.database == ":memory:":
        raise StoreUnfit(
            "Setting database: a database in memory keeps nothing; use a file, such as sqlite:///relaydesk.db."
        )
    return address


def _own_file(path: Path, *, make: bool) -> None:
    """The database file; a new one is readable by its owner only, as it will hold customers' mail.

    A file that is there is not opened: closing it again would drop every lock that SQLite holds on it for
    this process (sqlite.org/howtocorrupt.html §2.2), and another might then delete a log still in use.
    """
    if not make and path.parent.is_dir():
        _demand_file(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.is_dir() or not os.access(path, os.R_OK | os.W_OK):
            why = "it is a directory" if path.is_dir() else "permission denied"
            raise StoreUnavailable(f"{path} cannot be opened for writing: {why}.") from None
    except FileNotFoundError:
        raise StoreUnfit(f"The directory {path.parent} does not exist; create it first.") from None
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be opened for writing: {error.strerror}.") from error


def _demand_file(path: Path) -> None:
    if not path.exists():
        raise StoreAbsent(
            f"There is no database {path} yet; run `relaydesk db upgrade`, or `relaydesk serve`."
        )


def _connect_args(address: URL) -> dict[str, object]:
    if address.get_backend_name() == "sqlite":
        return {"check_same_thread": False}
    return {"connect_timeout": 5, "application_name": "relaydesk"}
