"""Opening the store, and the only two ways in: ``transaction()`` to write, ``reading()`` to look."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, ProgrammingError
from sqlmodel import Session

from relaydesk.store import durability, raw_bytes, schema
from relaydesk.store.database_file import demand_file, own_file
from relaydesk.store.errors import StoreUnavailable, StoreUnfit, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from relaydesk.store.database_file import DatabaseFile

LONGEST_PAUSE = 1.0  # seconds
FORMS = "sqlite:///relaydesk.db, sqlite:////var/lib/relaydesk/relaydesk.db or postgresql://user@host/database"


class Store:
    """One database, shared by all threads of a process. Every process opens its own."""

    def __init__(self, engine: Engine, lock_timeout: float, file: DatabaseFile | None = None) -> None:
        self.engine = engine
        self._file = file
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
        embedded = address.get_backend_name() == "sqlite"
        file = own_file(Path(str(address.database)), make=upgrade) if embedded else None
        engine = _engine(address, pool_size=connections, pool_timeout=lock_timeout * 2)
        durability.attach(engine, lock_timeout)
        raw_bytes.attach(engine)
        return cls(engine, lock_timeout, file)._checked(upgrade=upgrade)

    @classmethod
    def open_to_read(cls, url: str, *, lock_timeout: float = 5.0) -> Store:
        """Opens a database that is there to look at it: nothing of it is made, upgraded or written.

        Raises StoreAbsent where there is none, else StoreUnfit or StoreUnavailable as :meth:`open` does.
        """
        address = _address(url)
        if address.get_backend_name() == "sqlite":
            demand_file(Path(str(address.database)))
            file = f"file:{quote(str(address.database))}"
            address = address.set(database=file, query={"mode": "ro", "uri": "true"})
        engine = _engine(address, pool_size=1)
        durability.attach(engine, lock_timeout, read_only=True)
        store = cls(engine, lock_timeout)
        store._writer = store._reader
        return store._checked(upgrade=False)

    def _checked(self, *, upgrade: bool) -> Store:
        try:
            self._connect()
            if upgrade:
                self.upgrade()
            else:
                self.demand_current()
            if self._file is not None:
                self._file.hold()
        except BaseException:
            self.close()
            raise
        return self

    def _connect(self) -> None:
        """The first connection: what a driver does not understand by then can only be the address."""
        with _usable_options(), translated():
            self.engine.connect().close()

    def upgrade(self) -> None:
        """Brings the schema up to date, once, under a lock; harmless when it is already."""
        with translated():
            schema.upgrade(self._writer)

    def demand_current(self) -> None:
        """StoreUnfit unless the schema is exactly the one this version knows."""
        with translated():
            schema.demand_current(self._reader)

    @property
    def opened_to_others(self) -> tuple[tuple[Path, int], ...]:
        """The files that others could read before they were closed to them, each with its mode."""
        return self._file.opened_to_others if self._file is not None else ()

    def demand_same(self) -> None:
        """StoreLost when this is no longer the database that was opened.

        For who runs long: a restore can put another one at its address, or older tables into it, at any time.
        """
        if self._file is not None:
            self._file.demand_same()
        with translated():
            schema.demand_kept(self._reader)

    def close(self) -> None:
        """Closes the pooled connections."""
        if self._file is not None:
            self._file.let_go()
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The one way to write: BEGIN IMMEDIATE on SQLite, so nothing read here is stale when written.

        Commits at the end (synced when it returns), rolls back on any exception. Raises Conflict or
        StoreUnavailable instead of the driver's errors; StoreLost where the commit went into a file that has
        lost its name meanwhile, so that nobody is told it is stored. No network inside.
        """
        with (
            self._own_turn(),
            translated(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        if self._file is not None:
            self._file.demand_same()

    @contextmanager
    def turn(self) -> Iterator[Session]:
        """One transaction of bulk work: afterwards its thread stays away as long as it held the store.

        A writer on SQLite waits by looking again, in the end every 100 ms, and would seldom find the
        store free beside one who comes back at once. PostgreSQL lets many write, so there nobody waits.
        """
        with self.transaction() as session:
            entered = time.monotonic()
            yield session
        if self._turn is not None:
            time.sleep(min(time.monotonic() - entered, LONGEST_PAUSE))

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
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise StoreUnfit(f"Setting database: the address cannot be read; use {FORMS}.") from None
    if "@" in (address.host or ""):
        raise StoreUnfit("Setting database: an @ in the password must be written as %40.")
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


@contextmanager
def _usable_options() -> Iterator[None]:
    """StoreUnfit for what stands behind the address and no driver takes; its values may be secrets."""
    try:
        yield
    except (ArgumentError, ProgrammingError, ValueError):
        raise StoreUnfit(
            "Setting database: an option after the ? of the address is unknown or its value cannot be used; "
            "correct or remove it."
        ) from None


def _engine(address: URL, **pool: float) -> Engine:
    with _usable_options():
        return create_engine(
            address,
            max_overflow=0,
            connect_args=_connect_args(address),
            hide_parameters=True,  # an error's text holds its statement, and no customer's name
            **pool,
        )


def _connect_args(address: URL) -> dict[str, object]:
    if address.get_backend_name() == "sqlite":
        return {"check_same_thread": False}
    return {"connect_timeout": 5, "application_name": "relaydesk"}
