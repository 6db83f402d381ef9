"""Statements are compiled once for all stores that a process of the test run opens.

SQLAlchemy keeps what it has compiled with each engine, and a process of the product has one engine all its
life. A test opens its own, and would compile every statement of its acts anew: a third of its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.util import LRUCache

from relaydesk.store import engine

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Engine


class SharedStatements(LRUCache[Any, Any]):
    """Compiled statements, of each dialect by its name: every engine has a dialect object of its own.

    All are alike here: one driver each for SQLite and PostgreSQL, and one server.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_named(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_named(key), value)


def _named(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return (dialect.name, *statement)


def share_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives one cache to every engine that a store makes from now on."""
    shared, create = SharedStatements(5000), engine.create_engine

    def creating(*args: Any, **options: Any) -> Engine:
        return create(*args, execution_options={"compiled_cache": shared}, **options)

    monkeypatch.setattr(engine, "create_engine", creating)
