"""The schema: models and migrations agree, upgrades run once, other revisions are refused with a mend."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url, text

from relaydesk.store import agents, schema
from relaydesk.store.all_tables import metadata
from relaydesk.store.durability import assure_sqlite
from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreUnfit
from relaydesk_testkit import postgres
from relaydesk_testkit.arriving import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection


def test_it_knows_its_newest_migration(store: Store) -> None:
    with store.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(schema.config(connection))
    assert scripts.get_heads() == [schema.HEAD]


def test_it_finds_no_difference_between_models_and_migrations(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": schema.include_name}
        )
        assert compare_metadata(context, metadata) == []


def conditions(connection: Connection) -> dict[str, str]:
    """Every index as the database defines it, with the conditions that alembic does not compare."""
    sqlite = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    postgres = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    found = connection.execute(text(sqlite if connection.dialect.name == "sqlite" else postgres))
    return {
        name: " ".join(definition.split()) for name, definition in found if not name.startswith("alembic")
    }


def test_it_makes_the_same_indexes_by_migration_as_by_model(store: Store) -> None:
    with store.transaction() as session:
        connection = session.connection()
        migrated = conditions(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        modelled = conditions(connection)
    migrated.pop("alembic_version_pkc", None)
    modelled.pop("alembic_version_pkc", None)
    assert migrated == modelled
    assert "WHERE" in migrated["uq_ticket_open_thread_key"]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new.db"
    url = str(request.getfixturevalue("fresh_postgres_url"))
    postgres.execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return url


def test_it_upgrades_once_when_three_come_at_once(empty_url: str) -> None:
    problems: list[BaseException] = []

    def upgrade() -> None:
        try:
            Store.open(empty_url, upgrade=True, lock_timeout=30).close()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    Store.open(empty_url).close()


class BusyAtFirst(sqlite3.Connection):
    """Answers the change to WAL as SQLite does when two come together: at once, whatever the time-out."""

    refusals = 2

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if "journal_mode=WAL" in sql and self.refusals:
            self.refusals -= 1
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise busy
        return super().execute(sql, *values)


def test_it_waits_for_another_that_makes_the_same_new_file(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "new.db", factory=BusyAtFirst)
    assure_sqlite(connection, busy_timeout=5)
    assert connection.refusals == 0
    connection.refusals = 1_000_000
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        assure_sqlite(connection, busy_timeout=0)
    connection.close()


def older(url: str, revision: str) -> Store:
    """A store at an earlier revision, open although it is not up to date."""
    Store.open(url, upgrade=True).close()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        for name in ("alembic_version", "search_index", "outbox_number"):
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        command.upgrade(schema.config(connection), revision)
    return Store(engine, 5.0)


AGENTS_BEFORE_ROLES = (
    ("alice", True),
    ("Alice", True),
    ("ALICE", False),
    ("Zoë", True),
    ("\N{LATIN CAPITAL LETTER SHARP S}", True),
)


def test_it_keeps_every_agent_when_names_become_one_in_any_case(empty_url: str) -> None:
    store = older(empty_url, "0002")
    with store.engine.begin() as connection:
        for name, active in AGENTS_BEFORE_ROLES:
            connection.execute(
                text(
                    "INSERT INTO agent (name, email, active, added_at) VALUES (:name, 'x@y.z', :active, :at)"
                ),
                {"name": name, "active": active, "at": NOON.replace(tzinfo=None)},
            )
    store.upgrade()
    store.demand_current()
    with store.reading() as session:
        kept = agents.everybody(session)
        assert {(agent.name, agent.active) for agent in kept} == set(AGENTS_BEFORE_ROLES)
        assert {(agent.role, agent.email) for agent in kept} == {("lead", "x@y.z")}
        assert all(agent.display_name == agent.name for agent in kept)
        for typed, name in (("alice", "alice"), ("Alice", "Alice"), ("ALICE", "ALICE"), ("aLICE", "alice")):
            found = agents.named(session, typed)
            assert found is not None and found.name == name
        assert agents.named(session, "ZOË") == agents.named(session, "Zoë") is not None
    with pytest.raises(Conflict), store.transaction() as session:
        agents.add(session, "AlicE", now=NOON)
    store.close()


def test_it_keeps_the_foreign_keys_on_after_an_upgrade(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, connections=1, upgrade=True)
    with store.reading() as session:
        assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    store.close()


@pytest.mark.parametrize(
    ("revision", "mend"), [("9999", "newer relaydesk"), ("0000", "run `relaydesk db upgrade`")]
)
def test_it_refuses_another_revision_and_names_the_mend(store: Store, revision: str, mend: str) -> None:
    with store.transaction() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    with pytest.raises(StoreUnfit, match=mend):
        store.demand_current()


def test_it_does_not_touch_a_newer_store(store: Store) -> None:
    with store.transaction() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnfit, match="cannot go back"):
        store.upgrade()


def test_it_refuses_an_empty_database(empty_url: str) -> None:
    with pytest.raises(StoreUnfit, match="run `relaydesk db upgrade`"):
        Store.open(empty_url)


def test_it_indexes_what_mail_is_looked_up_by(store: Store) -> None:
    with store.engine.connect() as connection:
        looked_up = inspect(connection).get_indexes("ticket")
    assert {"thread_key", "relay_address"} <= {index["column_names"][0] for index in looked_up}


def test_it_says_that_a_sqlite_lacks_full_text_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "FULL_TEXT", "fts9")
    with pytest.raises(StoreUnfit, match=r"has no fts9.*use PostgreSQL"):
        Store.open(f"sqlite:///{tmp_path}/new.db", upgrade=True)
