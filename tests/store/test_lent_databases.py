"""A database that goes from one test to the next is as a fresh one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from relaydesk.store.engine import Store
from relaydesk_testkit import lent_databases, postgres
from relaydesk_testkit.arriving import open_ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk_testkit.lent_databases import LentDatabases


def used(databases: LentDatabases, address: Callable[[str], str]) -> tuple[str, int]:
    """The name of a database in which a ticket was opened, and the ticket's number."""
    name = databases.lend()
    store = Store.open(address(name))
    ticket = open_ticket(store)
    store.close()
    return name, ticket


def test_it_is_empty_and_counts_from_the_start(
    databases: LentDatabases, postgres_url: Callable[[str], str]
) -> None:
    name, first = used(databases, postgres_url)
    with psycopg.connect(postgres_url(name)) as forgotten:
        forgotten.execute("SELECT * FROM ticket FOR UPDATE")
        databases.take_back(name)
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")
    again = used(databases, postgres_url)
    databases.take_back(name)
    assert again == (name, first)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE other ()",
        "ALTER TABLE ticket ADD COLUMN other INTEGER",
        "ALTER TABLE ticket ADD CONSTRAINT other CHECK (id > 0)",
        "UPDATE alembic_version SET version_num = '0004'",
        "DROP SCHEMA public CASCADE",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()",
    ],
)
def test_one_that_is_not_as_it_was_is_dropped(
    databases: LentDatabases, postgres_url: Callable[[str], str], change: str
) -> None:
    name, _ticket = used(databases, postgres_url)
    postgres.execute(postgres_url(name), change)
    databases.take_back(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres_url(name))


def test_none_is_lent_for_ever(
    databases: LentDatabases, postgres_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lent_databases, "OFTEN", 1)
    name = databases.lend()
    databases.take_back(name)
    other = databases.lend()
    databases.take_back(other)
    assert name != other
