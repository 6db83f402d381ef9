"""INSERT … ON CONFLICT, which both engines speak alike and SQLAlchemy spells once per engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

from relaydesk.store.tables import table

if TYPE_CHECKING:
    from sqlmodel import Session, SQLModel


def engine_of(session: Session) -> str:
    """``sqlite`` or ``postgresql``: which engine a session speaks to."""
    return session.get_bind().dialect.name


def upsert_for(engine: str, model: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return sqlite.insert(table(model)) if engine == "sqlite" else postgresql.insert(table(model))


def upsert(session: Session, model: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """The same for the engine of a session."""
    return upsert_for(engine_of(session), model)
