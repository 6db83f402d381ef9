"""PostgreSQL databases that are lent to one test after another and emptied between them.

To copy a database and drop it again costs the server 30 ms, to empty one that a test has left 2 ms.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from relaydesk_testkit import postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

OFTEN = 50
"""Tests that use one database. What they wrote still fills its files, without autovacuum."""

_LEAVE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Whatever changes the schema writes rows of these tables, under the number of its own transaction.
_SCHEMA = """
SELECT version_num, (SELECT sum(xmin::text::bigint) FROM pg_class),
       (SELECT sum(xmin::text::bigint) FROM pg_attribute),
       (SELECT sum(xmin::text::bigint) FROM pg_constraint), (SELECT sum(xmin::text::bigint) FROM pg_trigger)
FROM alembic_version
"""
_FREELY = "SET session_replication_role = replica"  # no foreign key asks for an order of the deletions
_EMPTYING = """
SELECT string_agg(CASE relkind WHEN 'r' THEN format('DELETE FROM %s', oid::regclass)
                  ELSE format('SELECT setval(%s, 1, false)', oid) END, ';')
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
AND relname <> 'alembic_version'
"""


@dataclass(slots=True)
class _Lent:
    name: str
    connection: psycopg.Connection[Any]
    schema: tuple[Any, ...] | None
    emptying: str
    times: int = 0


class LentDatabases:
    """Databases like ``template``, which is empty; ``address`` tells a database's address by its name."""

    def __init__(
        self, address: Callable[[str], str], template: str, alone: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        self._address, self._template, self._alone = address, template, alone
        self._free: list[_Lent] = []
        self._lent: dict[str, _Lent] = {}

    def lend(self) -> str:
        """The name of an empty database that nobody else uses."""
        lent = self._free.pop() if self._free else self._copied()
        self._lent[lent.name] = lent
        return lent.name

    def take_back(self, name: str) -> None:
        """Empties it for the next test; one that cannot be as it was is dropped."""
        lent = self._lent.pop(name)
        lent.times += 1
        if lent.times < OFTEN and _emptied(lent):
            self._free.append(lent)
        else:
            self._drop(lent)

    def close(self) -> None:
        """Drops all that came back."""
        while self._free:
            self._drop(self._free.pop())

    def _copied(self) -> _Lent:
        name = f"t{uuid.uuid4().hex}"
        with self._alone():  # two copies of one template at once are an error
            postgres.copy_database(self._address("postgres"), self._template, name)
        connection = psycopg.connect(self._address(name), autocommit=True)
        (emptying,) = connection.execute(_EMPTYING).fetchone() or ("",)
        return _Lent(name, connection, _schema(connection), f"{_FREELY};{emptying}")

    def _drop(self, lent: _Lent) -> None:
        lent.connection.close()
        postgres.execute(self._address("postgres"), f"DROP DATABASE IF EXISTS {lent.name} WITH (FORCE)")


def _schema(connection: psycopg.Connection[Any]) -> tuple[Any, ...] | None:
    return connection.execute(_SCHEMA).fetchone()


def _emptied(lent: _Lent) -> bool:
    """Whether it is as it was copied again: everybody has left, its schema was kept, its rows are gone."""
    try:
        lent.connection.execute(_LEAVE)
        if _schema(lent.connection) != lent.schema:
            return False
        lent.connection.execute(lent.emptying.encode())
    except psycopg.Error:  # the test ended our connection too, there is no table left, or we are no superuser
        return False
    return True
