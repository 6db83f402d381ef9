"""The database is taken away from a running serve: nothing more counts as stored, and it stops."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relaydesk.store import processes_seen
from relaydesk.store.engine import Store
from relaydesk_testkit import postgres
from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import PATIENCE, STORED, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk_testkit.serving import Serving
    from tests.e2e.conftest import Start


def restored_by_cp(path: Path) -> None:
    copy = path.with_name("backup.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    path.write_bytes(copy.read_bytes())


def without_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def stops(serving: Serving) -> None:
    """It takes no more mail, and ends with a sentence and a status by itself."""
    assert serving.process is not None
    for number in range(1, 4):
        with suppress(OSError):  # the port may be closed already
            assert not serving.deliver(mail(number)).startswith(STORED)
    assert serving.process.wait(PATIENCE) == os.EX_IOERR
    assert serving.logged("store_lost")
    assert not serving.logged("unexpected_error")


@pytest.mark.parametrize("take_away", [restored_by_cp, without_log])
def test_it_stops_when_its_file_is_taken_away(
    start_serving: Start, sqlite_url: str, take_away: Callable[[Path], None]
) -> None:
    serving = start_serving(sqlite_url)
    assert serving.deliver(mail(0)).startswith(STORED)
    for pid in serving.everyone():
        assert "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text()
    take_away(Path(sqlite_url.removeprefix("sqlite:///")))
    stops(serving)


def test_it_stops_when_the_tables_are_gone(start_serving: Start, fresh_postgres_url: str) -> None:
    serving = start_serving(fresh_postgres_url)
    assert serving.deliver(mail(0)).startswith(STORED)
    postgres.execute(fresh_postgres_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    assert serving.process is not None
    assert serving.process.wait(PATIENCE) == os.EX_IOERR
    assert serving.logged("store_lost")


def test_it_stops_when_another_shops_database_is_there(start_serving: Start, fresh_postgres_url: str) -> None:
    serving = start_serving(fresh_postgres_url, roles=("office",))
    with closing(Store.open(fresh_postgres_url)) as store, store.reading() as session:
        eventually(lambda: session.rollback() or processes_seen.everyone(session), "the office")
    postgres.execute(fresh_postgres_url, "UPDATE secret SET value = reverse(value) || 'ff'")
    assert serving.process is not None
    assert serving.process.wait(PATIENCE) == os.EX_IOERR
    (line, *_) = serving.logged("store_lost")
    assert "Another database" in line["problem"]
