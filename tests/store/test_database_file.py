"""The file of an SQLite database: closed to others, and noticed when it is taken away."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from relaydesk.store.database_file import BESIDE
from relaydesk.store.engine import Store
from relaydesk.store.errors import StoreLost, StoreUnavailable, StoreUnfit
from relaydesk.store.tables import FirstSeenTable, table
from relaydesk_testkit.arriving import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEEN = table(FirstSeenTable)


def remember(store: Store, key: str) -> None:
    with store.transaction() as session:
        session.connection().execute(SEEN.insert(), {"delivery_key": key, "at": NOON})


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[tuple[Store, Path]]:
    store = Store.open(sqlite_url)
    remember(store, "before")
    yield store, Path(sqlite_url.removeprefix("sqlite:///"))
    store.close()


def moved(path: Path) -> None:
    path.rename(path.with_name("old.db"))


def swapped(path: Path) -> None:
    """A restore by mv: the backup takes the name of the database."""
    backup(path)
    path.with_name("backup.db").rename(path)


def backup(path: Path) -> None:
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(path.with_name("backup.db"))) as to,
    ):
        source.backup(to)


def copied_over(path: Path) -> None:
    """A restore by cp: the same file by name and inode, with what the backup holds in it."""
    backup(path)
    path.write_bytes(path.with_name("backup.db").read_bytes())


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def replaced_beside(suffix: str) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        beside = Path(f"{path}{suffix}")
        shutil.copy(beside, path.with_name("copy"))
        path.with_name("copy").rename(beside)

    return replace


def removed_beside(suffix: str) -> Callable[[Path], None]:
    return lambda path: Path(f"{path}{suffix}").unlink()


@pytest.mark.parametrize(
    "take_away",
    [
        Path.unlink,
        moved,
        swapped,
        copied_over,
        emptied,
        removed_beside("-wal"),
        removed_beside("-shm"),
        replaced_beside("-wal"),
        replaced_beside("-shm"),
    ],
)
def test_nothing_counts_as_stored_in_a_file_that_was_taken_away(
    opened: tuple[Store, Path], take_away: Callable[[Path], None]
) -> None:
    store, path = opened
    store.demand_same()
    take_away(path)
    with pytest.raises(StoreLost, match=f"{path}.* was .* while relaydesk was running"):
        remember(store, "after")
    with pytest.raises(StoreLost):
        store.demand_same()


def test_what_writes_by_sqlite_takes_nothing_away(opened: tuple[Store, Path]) -> None:
    """Checkpoints, another process's writes, VACUUM and a restart of the pool leave it the same file."""
    store, path = opened
    other = Store.open(f"sqlite:///{path}")
    for number in range(20):
        remember(other, f"other-{number}")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        remember(store, f"own-{number}")
    other.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    remember(store, "after")
    store.demand_same()


def test_a_database_with_older_tables_or_none_is_another(store: Store) -> None:
    store.demand_same()
    for version, named in (("'0001'", "schema 0001"), ("NULL", "no relaydesk tables")):
        with store.transaction() as session:
            change = f"UPDATE alembic_version SET version_num = {version}"
            session.connection().execute(text("DELETE FROM alembic_version" if version == "NULL" else change))
        with pytest.raises(StoreLost, match=named):
            store.demand_same()


def test_newer_tables_are_no_other_database(store: Store) -> None:
    with store.transaction() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.demand_same()


@pytest.mark.parametrize("suffix", BESIDE)
def test_a_restored_file_is_closed_to_others(opened: tuple[Store, Path], suffix: str) -> None:
    store, path = opened
    Path(f"{path}{suffix}").chmod(0o664)
    again = Store.open(f"sqlite:///{path}")
    remember(again, "again")
    assert {mode(f"{path}{beside}") for beside in BESIDE} == {0o600}
    again.close()
    assert again.opened_to_others == ((Path(f"{path}{suffix}"), 0o664),)
    remember(store, "the locks are as they were")


def test_a_directory_in_which_everybody_writes_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StoreUnfit, match=f"chmod o-w {tmp_path}"):
        Store.open(f"sqlite:///{tmp_path}/new.db", upgrade=True)
    tmp_path.chmod(0o1777)  # as /tmp is: nobody may replace what belongs to others
    Store.open(f"sqlite:///{tmp_path}/new.db", upgrade=True).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_open_file_is_refused(opened: tuple[Store, Path]) -> None:
    _, path = opened
    path.parent.chmod(0o755)
    for ancestor in path.parents:
        if mode(ancestor) & 0o011 != 0o011:
            ancestor.chmod(mode(ancestor) | 0o011)
    path.chmod(0o666)
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        try:
            Store.open(f"sqlite:///{path}")
        except StoreUnfit as error:
            os._exit(0 if "belongs to another user" in str(error) else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("special", ["pipe", "directory", "device"])
def test_what_is_no_file_is_named(tmp_path: Path, special: str) -> None:
    path = tmp_path / "relaydesk.db"
    if special == "pipe":
        os.mkfifo(path)
    elif special == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(StoreUnavailable, match=f"it is a {special}"):
        Store.open(f"sqlite:///{path}", upgrade=True)
