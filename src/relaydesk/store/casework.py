"""The rows that people change: a ticket's state, queue and assignee, and the agents themselves.

Every function expects a write transaction in which :func:`lock` was called for the ticket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from sqlalchemy import insert, select, update

from relaydesk.store import tickets
from relaydesk.store.tables import AgentTable, TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

T, G = table(TicketTable).c, table(AgentTable).c


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A person at the desk."""

    name: str
    email: str
    active: bool
    added_at: datetime


class TicketChanges(TypedDict, total=False):
    """The columns of a ticket that people change."""

    state: tickets.TicketState
    queue: str
    assignee: str | None
    closed_at: datetime | None
    next_due: datetime | None


def lock(session: Session, ticket_id: int) -> tickets.TicketRow | None:
    """The ticket as it stands now, ours till the transaction ends; None when there is no such ticket."""
    # key_share leaves others free to insert events that point to the ticket (PostgreSQL).
    statement = select(T.id).where(T.id == ticket_id).with_for_update(key_share=True)
    if session.connection().execute(statement).first() is None:
        return None
    return tickets.row(session, ticket_id)


def change(session: Session, ticket_id: int, **values: Unpack[TicketChanges]) -> None:
    """Sets columns of a locked ticket."""
    session.connection().execute(update(table(TicketTable)).where(T.id == ticket_id).values(**values))


def thread_is_open(session: Session, ticket_id: int) -> int | None:
    """Another open ticket bound to the same relay address, if there is one."""
    key = select(T.thread_key).where(T.id == ticket_id).scalar_subquery()
    statement = select(T.id).where(T.thread_key == key, T.state == "open", T.id != ticket_id)
    return session.connection().execute(statement).scalar()


def agents(session: Session) -> tuple[AgentRow, ...]:
    """All agents by name, former ones too."""
    found = session.connection().execute(select(G.name, G.email, G.active, G.added_at).order_by(G.name))
    return tuple(AgentRow(*row) for row in found)


def agent(session: Session, name: str) -> AgentRow | None:
    """The agent of that name."""
    found = (
        session.connection()
        .execute(select(G.name, G.email, G.active, G.added_at).where(G.name == name))
        .first()
    )
    return None if found is None else AgentRow(*found)


def add_agent(session: Session, name: str, email: str, now: datetime) -> None:
    """Adds an agent; Conflict when the name is taken."""
    row = {"name": name, "email": email, "active": True, "added_at": now}
    session.connection().execute(insert(table(AgentTable)), row)


def set_agent(session: Session, name: str, **values: Any) -> None:
    """Changes an agent's ``email`` or ``active``."""
    session.connection().execute(update(table(AgentTable)).where(G.name == name).values(**values))
