"""Opening the store: durability, write transactions, and what the engines' errors become."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text, update

from relaydesk.store import agents, durability
from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreAbsent, StoreUnavailable, StoreUnfit
from relaydesk.store.tables import FirstSeenTable, RefusalTable, table
from relaydesk_testkit.arriving import NOON

if TYPE_CHECKING:
    from relaydesk_testkit.postgres import Server

SEEN, REFUSED = table(FirstSeenTable), table(RefusalTable)


def remember(store: Store, key: str) -> None:
    with store.transaction() as session:
        session.connection().execute(SEEN.insert(), {"delivery_key": key, "at": NOON})


def remembered(store: Store) -> list[str]:
    with store.reading() as session:
        return list(
            session.connection().execute(select(SEEN.c.delivery_key).order_by(SEEN.c.delivery_key)).scalars()
        )


def test_it_syncs_every_commit_of_sqlite(sqlite_store: Store) -> None:
    def pragma(name: str) -> object:
        with sqlite_store.reading() as session:
            return session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 5000


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("synchronous=NORMAL", "synchronous=1"),
        ("foreign_keys=OFF", "foreign_keys=0"),
        ("busy_timeout=1", "busy_timeout=1"),
    ],
)
def test_it_refuses_a_connection_that_is_not_durable(tmp_path: Path, setting: str, named: str) -> None:
    connection = sqlite3.connect(tmp_path / "x.db")
    durability.assure_sqlite(connection, 5.0)
    connection.execute(f"PRAGMA {setting}")
    with pytest.raises(StoreUnfit, match=named):
        durability.demand_sqlite(connection, 5000)
    connection.close()


def test_it_asserts_durability_on_every_connection(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    demand = durability.demand_sqlite
    monkeypatch.setattr(durability, "demand_sqlite", lambda c, ms: (asked.append(ms), demand(c, ms))[1])
    store = Store.open(sqlite_url, connections=3)
    at_once = threading.Barrier(3)

    def look(_: int) -> None:
        with store.reading() as session:
            session.connection().execute(text("SELECT 1"))
            at_once.wait(10)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(look, range(3)))
    store.close()
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"fsync": "off", "full_page_writes": "on", "synchronous_commit": "on"}, "fsync=off"),
        ({"fsync": "on", "full_page_writes": "off", "synchronous_commit": "on"}, "full_page_writes=off"),
        (
            {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "local"},
            "synchronous_commit=local",
        ),
    ],
)
def test_it_names_the_postgres_setting_to_mend(settings: dict[str, str], named: str) -> None:
    with pytest.raises(StoreUnfit, match=named):
        durability.demand_postgres(**settings)
    durability.demand_postgres(fsync="on", full_page_writes="on", synchronous_commit="remote_apply")


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_it_refuses_a_postgres_that_acknowledges_early(fresh_postgres_url: str, value: str) -> None:
    joiner = "&" if "?" in fresh_postgres_url else "?"
    url = f"{fresh_postgres_url}{joiner}options=-c%20synchronous_commit%3D{value}"
    with pytest.raises(StoreUnfit, match=f"synchronous_commit={value}"):
        Store.open(url)


def test_it_refuses_a_postgres_without_fsync(own_postgres: Server) -> None:
    own_postgres.stop()
    own_postgres.settings["fsync"] = "off"
    own_postgres.start()
    with pytest.raises(StoreUnfit, match="fsync=off"):
        Store.open(own_postgres.url())


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("mysql://localhost/x", "mysql is not supported"),
        ("no address", "use sqlite:///"),
        ("sqlite://", "in memory"),
        ("sqlite:////no/such/place/x.db", "/no/such/place does not exist"),
        ("sqlite:///x.db?timeout=hunter2", r"after the \? of the address"),
        ("postgresql://desk@127.0.0.1:1/shop?passwrd=hunter2", r"after the \? of the address"),
        ("postgresql://desk@/shop?port=hunter2", r"after the \? of the address"),
    ],
)
def test_it_names_what_is_wrong_with_an_address(url: str, mend: str) -> None:
    with pytest.raises(StoreUnfit, match=mend) as caught:
        Store.open(url, upgrade=True)
    assert "hunter2" not in str(caught.value)


def test_it_creates_a_file_for_its_owner_only(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/new.db", upgrade=True).close()
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o600


def test_it_says_that_no_server_is_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="is unavailable"):
        Store.open(f"postgresql://relaydesk@/x?host={tmp_path}")


def test_it_writes_only_in_a_transaction(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)read-?only"), store.reading() as session:
        session.connection().execute(SEEN.insert(), {"delivery_key": "a", "at": NOON})
    assert remembered(store) == []


def test_it_keeps_nothing_of_a_transaction_that_raised(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction() as session:
        session.connection().execute(SEEN.insert(), {"delivery_key": "a", "at": NOON})
        raise KeyError("x")
    assert remembered(store) == []


def test_it_calls_a_second_of_one_key_a_conflict(store: Store) -> None:
    remember(store, "a")
    with pytest.raises(Conflict):
        remember(store, "a")
    remember(store, "b")
    assert remembered(store) == ["a", "b"]


INCREMENT = """
import sys
from sqlalchemy import select, update
from relaydesk.store import Store
from relaydesk.store.tables import RefusalTable, table
R = table(RefusalTable)
store = Store.open(sys.argv[1], lock_timeout=30)
for _ in range(40):
    with store.transaction() as session:
        lock = select(R.c.count).with_for_update()
        count = session.connection().execute(lock).scalar_one()
        session.connection().execute(update(R).values(count=count + 1))
"""


def test_it_loses_no_update_of_two_processes(store: Store, store_url: str) -> None:
    row = {
        "day": "",
        "code": "",
        "network": "",
        "from_domain": "",
        "count": 0,
        "first_at": NOON,
        "last_at": NOON,
    }
    with store.transaction() as session:
        session.connection().execute(REFUSED.insert(), row)
    command = [sys.executable, "-c", INCREMENT, store_url]
    running = [subprocess.Popen(command, env={"PYTHONPATH": "src"}) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    with store.reading() as session:
        assert session.connection().execute(select(REFUSED.c.count)).scalar_one() == 80


def test_it_is_unavailable_while_another_process_holds_the_store(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, lock_timeout=0.05)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        remember(store, "a")
    other.execute("ROLLBACK")
    other.close()
    remember(store, "a")
    assert remembered(store) == ["a"]
    store.close()


def test_it_is_unavailable_while_a_thread_holds_the_store(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, lock_timeout=0.05)
    with store.transaction(), ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(remember, store, "a").exception(), StoreUnavailable)
    remember(store, "a")
    store.close()


def test_it_is_unavailable_while_a_row_is_locked(fresh_postgres_url: str) -> None:
    store = Store.open(fresh_postgres_url, lock_timeout=0.1)
    remember(store, "a")
    with store.transaction() as session, ThreadPoolExecutor(1) as pool:
        session.connection().execute(update(SEEN).values(at=NOON))
        assert isinstance(pool.submit(remember, store, "a").exception(), StoreUnavailable)
    store.close()


def test_it_is_unavailable_when_the_disk_is_full(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, connections=1)
    with store.reading() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        remember(store, "a" * 400 + "b" * 100)
        for number in range(200):
            remember(store, f"{number}" + "x" * 400)
    with store.reading() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=1000000")
    remember(store, "room again")
    assert "room again" in remembered(store)
    store.close()


def test_it_is_unavailable_when_all_connections_are_in_use(store_url: str) -> None:
    store = Store.open(store_url, connections=1, lock_timeout=0.05)
    with store.reading() as session:
        session.connection().execute(text("SELECT 1"))
        with pytest.raises(StoreUnavailable, match="in use"), store.reading() as second:
            second.connection()
    store.close()


def test_it_recovers_by_itself_after_a_stop_of_the_server(own_postgres: Server) -> None:
    store = Store.open(own_postgres.url())
    remember(store, "before")
    own_postgres.stop()
    with pytest.raises(StoreUnavailable):
        remember(store, "while down")
    own_postgres.start()
    remember(store, "after")
    own_postgres.stop()
    own_postgres.start()
    remember(store, "unnoticed")  # no write met the outage, and none fails because of it
    assert remembered(store) == ["after", "before", "unnoticed"]
    store.close()


def test_it_is_unavailable_when_the_connection_breaks_inside(
    postgres_store: Store, fresh_postgres_url: str
) -> None:
    from relaydesk_testkit import postgres

    with pytest.raises(StoreUnavailable), postgres_store.transaction() as session:
        pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar()
        postgres.execute(fresh_postgres_url, f"SELECT pg_terminate_backend({pid})")
        session.connection().execute(SEEN.insert(), {"delivery_key": "a", "at": NOON})
    remember(postgres_store, "b")
    assert remembered(postgres_store) == ["b"]


def test_it_keeps_its_locks_when_the_file_is_opened_again(sqlite_url: str) -> None:
    """Else another process takes itself for the last one and deletes a log that is still in use."""
    first = Store.open(sqlite_url)
    with first.transaction() as session:
        agents.add(session, "alice", now=NOON)
    Store.open(sqlite_url).close()
    elsewhere = (
        "import sys; from datetime import UTC, datetime; from relaydesk.store import Store, agents\n"
        "store = Store.open(sys.argv[1])\n"
        "with store.transaction() as session:\n"
        "    agents.add(session, sys.argv[2], now=datetime.now(UTC))\n"
        "store.close()\n"
    )
    subprocess.run([sys.executable, "-c", elsewhere, sqlite_url, "bob"], check=True)
    with first.transaction() as session:
        agents.add(session, "carol", now=NOON)
    subprocess.run([sys.executable, "-c", elsewhere, sqlite_url, "dora"], check=True)
    again = Store.open(sqlite_url)
    for store in (first, again):
        with store.reading() as session:
            assert [agent.name for agent in agents.everybody(session)] == ["alice", "bob", "carol", "dora"]
        store.close()


def test_a_store_opened_to_read_writes_nothing(store: Store, store_url: str) -> None:
    remember(store, "one")
    reader = Store.open_to_read(store_url)
    assert remembered(reader) == ["one"]
    with pytest.raises(StoreUnavailable):
        remember(reader, "two")
    reader.close()
    assert remembered(store) == ["one"]


def test_opening_to_read_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreAbsent, match="There is no database"):
        Store.open_to_read(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(StoreAbsent):
        Store.open_to_read(f"sqlite:///{tmp_path / 'no folder' / 'none.db'}")
    assert list(tmp_path.iterdir()) == []
    plain = tmp_path / "plain.db"
    with sqlite3.connect(plain) as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")
    before = plain.read_bytes()
    with pytest.raises(StoreUnfit, match="has no relaydesk tables yet"):
        Store.open_to_read(f"sqlite:///{plain}")
    assert plain.read_bytes() == before  # not even its journal mode


def test_what_a_crash_left_is_read_and_not_tidied_up(sqlite_store: Store, tmp_path: Path) -> None:
    remember(sqlite_store, "one")
    living = Path(str(sqlite_store.engine.url.database))
    left = tmp_path / "left.db"
    for ending in ("", "-wal"):
        shutil.copy(f"{living}{ending}", f"{left}{ending}")
    before = left.read_bytes()
    reader = Store.open_to_read(f"sqlite:///{left}")
    assert remembered(reader) == ["one"]
    reader.close()
    assert left.read_bytes() == before
    assert Path(f"{left}-wal").stat().st_size > 0
