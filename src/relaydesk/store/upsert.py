"""INSERT … ON CONFLICT, which both engines speak alike and SQLAlchemy spells once per engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

from relaydesk.store.tables import table

if TYPE_CHECKING:
    from sqlmodel import Session, SQLModel


def upsert(session: Session, model: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table(model))
    return postgresql.insert(table(model))
