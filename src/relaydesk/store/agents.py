"""The people at the desk: their names, roles, and whether they still work here.

Names differ by more than case: ``Alice`` and ``alice`` are one agent (:func:`folded`). Every function that
writes expects a write transaction.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, insert, or_, select, update

from relaydesk.store.tables import AgentTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

G = table(AgentTable).c

AgentRole = Literal["agent", "lead", "admin"]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A person at the desk. ``display_name`` signs the answers; it is the name where none was given."""

    name: str
    display_name: str
    email: str
    role: AgentRole
    active: bool
    added_at: datetime


_ROW = (G.name, G.display_name, G.email, G.role, G.active, G.added_at)


def folded(name: str) -> str:
    """What two names that are the same to a person have in common."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def everybody(session: Session) -> tuple[AgentRow, ...]:
    """All agents by name, former ones too."""
    return tuple(AgentRow(*row) for row in session.connection().execute(select(*_ROW).order_by(G.name)))


def named(session: Session, name: str) -> AgentRow | None:
    """The agent of that name, however it is capitalised; one who is written exactly so comes first."""
    statement = (
        select(*_ROW)
        .where(or_(G.name == name, G.folded == folded(name)))
        .order_by((G.name == name).desc())
        .limit(1)
    )
    row = session.connection().execute(statement).first()
    return None if row is None else AgentRow(*row)


def with_email(session: Session, email: str) -> AgentRow | None:
    """The one agent with this email address, in whatever case; None for none or several."""
    statement = select(*_ROW).where(func.lower(G.email) == email.lower(), G.email != "").limit(2)
    rows = session.connection().execute(statement).all()
    return AgentRow(*rows[0]) if len(rows) == 1 else None


def add(  # noqa: PLR0913 - a row has that many facts
    session: Session,
    name: str,
    *,
    now: datetime,
    display_name: str = "",
    email: str = "",
    role: AgentRole = "agent",
) -> None:
    """Adds an agent; Conflict when the name is taken."""
    row = {
        "name": name,
        "folded": folded(name),
        "display_name": display_name or name,
        "email": email,
        "role": role,
        "active": True,
        "added_at": now,
    }
    session.connection().execute(insert(table(AgentTable)), row)


def change(session: Session, name: str, **values: Any) -> None:
    """Changes ``display_name``, ``email``, ``role`` or ``active`` of the agent of exactly this name."""
    session.connection().execute(update(table(AgentTable)).where(G.name == name).values(**values))
