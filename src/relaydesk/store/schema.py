"""The schema's version. Migrations run once, under a lock; every other process only compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from relaydesk.store.errors import StoreLost, StoreUnfit

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

HEAD = "0013"  # the newest file of migrations/versions; a test holds the two together
WITHOUT_MODEL = ("search_index", "outbox_number")
FULL_TEXT = "fts5"  # the module of SQLite behind the search index
_LOCK = 0x72656C617964  # "relayd": the advisory lock of every process that migrates


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Whether a name of the database is one of the tables' that alembic compares: two have no model.

    SQLite makes the search index of several tables of its own, and counts the numbers of the outbox in one.
    """
    del parents
    return kind != "table" or not (name or "").startswith(WITHOUT_MODEL)


def config(connection: Connection) -> Config:
    """Alembic's configuration, without a file."""
    from alembic.config import Config  # noqa: PLC0415 - heavy, and only needed to migrate

    settings = Config()
    settings.set_main_option("script_location", "relaydesk.store:migrations")
    settings.attributes["connection"] = connection
    return settings


def revision(connection: Connection) -> str | None:
    """The revision of the database, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def demand_current(engine: Engine) -> None:
    """StoreUnfit unless the database is at :data:`HEAD`."""
    with engine.connect() as connection:
        current = revision(connection)
    if current == HEAD:
        return
    if current is None:
        raise StoreUnfit("The database has no relaydesk tables yet; run `relaydesk db upgrade`.")
    if current > HEAD:
        raise StoreUnfit(_newer(current))
    raise StoreUnfit(
        f"The database has schema {current}, this version needs {HEAD}; run `relaydesk db upgrade`."
    )


def demand_kept(engine: Engine) -> None:
    """StoreLost when the tables that were there at the start are gone, or older: another database.

    Newer ones are no other: another machine was upgraded first, and every migration leaves the older
    version able to work on.
    """
    with engine.connect() as connection:
        current = revision(connection)
    if current is None or current < HEAD:
        schema = f"schema {current}" if current else "no relaydesk tables"
        raise StoreLost(
            f"The database has {schema} now: another one was put in its place while relaydesk was running. "
            "Start relaydesk again."
        )


def upgrade(engine: Engine) -> None:
    """Runs what is missing in one transaction. Others that come meanwhile wait, then find nothing to do."""
    from alembic import command  # noqa: PLC0415 - heavy, and only needed to migrate

    embedded = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if embedded:
            # A rebuilt table is dropped, which would cascade; inside a transaction the pragma is ignored.
            _pragma(connection, "foreign_keys=OFF")
        with connection.begin():
            if not embedded:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            current = revision(connection)
            if current is not None and current > HEAD:
                raise StoreUnfit(_newer(current))
            if embedded:
                _demand_full_text(connection)
            if current != HEAD:
                command.upgrade(config(connection), "head")
            if embedded and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StoreUnfit("The upgrade would leave rows that point nowhere; nothing was changed.")
        if embedded:
            _pragma(connection, "foreign_keys=ON")


def _demand_full_text(connection: Connection) -> None:
    """StoreUnfit where this SQLite was built without what the search index needs."""
    statement = text("SELECT 1 FROM pragma_module_list WHERE name = :module")
    if connection.execute(statement, {"module": FULL_TEXT}).first() is None:
        raise StoreUnfit(
            f"The SQLite library of this Python has no {FULL_TEXT} (full-text search); "
            "install a Python whose SQLite has it, or use PostgreSQL."
        )


def _pragma(connection: Connection, pragma: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _newer(current: str) -> str:
    return (
        f"The database has schema {current}, newer than this version's {HEAD}; "
        "install the newer relaydesk (`relaydesk db upgrade` cannot go back)."
    )
