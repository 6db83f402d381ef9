"""The agents: who works at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from relaydesk.store.tables import AgentTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

G = table(AgentTable).c
_ROW = (G.name, G.email, G.active, G.added_at)


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A person at the desk."""

    name: str
    email: str
    active: bool
    added_at: datetime


def rows(session: Session) -> tuple[AgentRow, ...]:
    """All agents by name, former ones too."""
    return tuple(AgentRow(*line) for line in session.connection().execute(select(*_ROW).order_by(G.name)))


def row(session: Session, name: str) -> AgentRow | None:
    """The agent of that name."""
    line = session.connection().execute(select(*_ROW).where(G.name == name)).first()
    return None if line is None else AgentRow(*line)


def add(session: Session, name: str, email: str, now: datetime) -> None:
    """Adds an agent; Conflict when the name is taken."""
    cells = {"name": name, "email": email, "active": True, "added_at": now}
    session.connection().execute(insert(table(AgentTable)), cells)


def change(session: Session, name: str, **values: Any) -> None:
    """Changes an agent's ``email`` or ``active``."""
    session.connection().execute(update(table(AgentTable)).where(G.name == name).values(**values))
