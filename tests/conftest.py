"""Databases for tests: ``store`` and ``store_url`` come once on SQLite and once on PostgreSQL.

A test run uses one PostgreSQL server, shared by all its processes and started when first needed; each
test gets an empty database, copied from one with the migrations applied.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relaydesk.store.engine import Store
from relaydesk_testkit import postgres
from relaydesk_testkit.lent_databases import LentDatabases
from tests.support.compiled import share_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUN = "RELAYDESK_TEST_RUN"
TEMPLATE = "relaydesk_template"
UMASK = os.umask(0o022)
os.umask(UMASK)
_ours: list[postgres.Server] = []


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a run makes the directory that all of them share."""
    # A run and the programs that its tests start are hundreds of processes, all of the same sources. Where
    # PYTHONDONTWRITEBYTECODE is set, each would compile them anew: a sixth of all the work.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = tempfile.mkdtemp(prefix="relaydesk-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """And it is the one that stops what was started."""
    run = os.environ.get(RUN)
    if run is None or hasattr(config, "workerinput"):
        return
    del os.environ[RUN]
    for server in _ours:
        server.remove()
    note = Path(run) / "postgres.json"
    if note.exists():
        started = json.loads(note.read_text())
        if started["pid"] is not None:
            _end(
                started["pid"], Path(started["directory"]) / "data" / "postmaster.pid"
            )  # by a worker, now gone
            shutil.rmtree(started["directory"], ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)


def _end(pid: int, lock: Path) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT)
    for _ in range(200):
        if not lock.exists():
            return
        time.sleep(0.02)


@contextmanager
def _alone() -> Iterator[Path]:
    run = Path(os.environ[RUN])
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield run


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        share_statements(patch)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Callable[[str], str]:
    """The address of a database on the run's server, by the database's name."""
    with _alone() as run:
        note = run / "postgres.json"
        if not note.exists():
            note.write_text(json.dumps(_server()))
        base = json.loads(note.read_text())["url"]
    return lambda name: _renamed(base, name)


def _renamed(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


def _server() -> dict[str, object]:
    """Finds or starts the server and makes the database the tests copy."""
    given = os.environ.get("TEST_DATABASE_URL")
    pid, directory = None, None
    if given is None:
        try:
            server = postgres.Server()
            server.start()
        except postgres.NoPostgres as problem:
            if os.environ.get("CI") == "true":
                pytest.fail(str(problem))
            pytest.skip(f"{problem} These tests ran on SQLite only.")
        given, pid, directory = server.url(), server.pid, str(server.directory)
        if "PYTEST_XDIST_WORKER" in os.environ:
            server.leave()  # the first process of the run ends it
        _ours.append(server)
    template = _renamed(given, TEMPLATE)
    postgres.execute(given, f"DROP DATABASE IF EXISTS {TEMPLATE}", f"CREATE DATABASE {TEMPLATE}")
    Store.open(template, upgrade=True).close()
    return {"url": given, "pid": pid, "directory": directory}


@pytest.fixture(scope="session")
def made_once() -> Callable[[str, Callable[[Store], object]], Path]:
    """An SQLite file that one process of the run fills, by its name."""

    def made(name: str, fill: Callable[[Store], object]) -> Path:
        with _alone() as run:
            path = run / name
            if not path.exists():
                store = Store.open(f"sqlite:///{path}", upgrade=True)
                try:
                    fill(store)
                finally:
                    store.close()
        return path

    return made


@pytest.fixture(scope="session")
def sqlite_template(made_once: Callable[[str, Callable[[Store], object]], Path]) -> Path:
    """An SQLite file with the migrations applied."""
    return made_once("template.db", lambda _: None)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite database."""
    path = tmp_path / "relaydesk.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def databases(postgres_url: Callable[[str], str]) -> Iterator[LentDatabases]:
    databases = LentDatabases(postgres_url, TEMPLATE, _alone)
    yield databases
    databases.close()


@pytest.fixture
def fresh_postgres_url(postgres_url: Callable[[str], str], databases: LentDatabases) -> Iterator[str]:
    """The address of a PostgreSQL database as a fresh one is."""
    name = databases.lend()
    yield postgres_url(name)
    databases.take_back(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database, once on each engine."""
    name = "sqlite_url" if request.param == "sqlite" else "fresh_postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store on a fresh database, once on each engine."""
    opened = Store.open(store_url, lock_timeout=5.0)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """An open store on a fresh SQLite database."""
    opened = Store.open(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(fresh_postgres_url: str) -> Iterator[Store]:
    """An open store on a fresh PostgreSQL database."""
    opened = Store.open(fresh_postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def own_postgres() -> Iterator[postgres.Server]:
    """A server of one's own that the test may stop and start, with an up-to-date database ``postgres``."""
    try:
        server = postgres.Server()
    except postgres.NoPostgres as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    try:
        server.start()
        Store.open(server.url(), upgrade=True).close()
        yield server
    finally:
        server.remove()


@pytest.fixture(autouse=True)
def _process_as_it_was() -> Iterator[None]:
    """Commands that run in this process set its umask and log; what comes after them must not meet that."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    os.umask(UMASK)
    yield
    os.umask(UMASK)
    if root.level != level:
        root.setLevel(level)
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)
        logging.captureWarnings(capture=False)
