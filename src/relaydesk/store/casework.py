"""The rows that people change: a ticket's state, queue and assignee.

Every function expects a write transaction in which :func:`lock` was called for the ticket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from sqlalchemy import select, update

from relaydesk.store import lists
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

T = table(TicketTable).c


class TicketChanges(TypedDict, total=False):
    """The columns of a ticket that people change."""

    state: lists.TicketState
    queue: str
    assignee: str | None
    closed_at: datetime | None
    next_due: datetime | None


def lock(session: Session, ticket_id: int) -> lists.TicketRow | None:
    """The ticket as it stands now, ours till the transaction ends; None when there is no such ticket."""
    # key_share leaves others free to insert events that point to the ticket (PostgreSQL).
    statement = select(T.id).where(T.id == ticket_id).with_for_update(key_share=True)
    if session.connection().execute(statement).first() is None:
        return None
    return lists.row(session, ticket_id)


def change(session: Session, ticket_id: int, **values: Unpack[TicketChanges]) -> None:
    """Sets columns of a locked ticket."""
    session.connection().execute(update(table(TicketTable)).where(T.id == ticket_id).values(**values))


def thread_is_open(session: Session, ticket_id: int) -> int | None:
    """Another open ticket bound to the same relay address, if there is one."""
    key = select(T.thread_key).where(T.id == ticket_id).scalar_subquery()
    statement = select(T.id).where(T.thread_key == key, T.state == "open", T.id != ticket_id)
    return session.connection().execute(statement).scalar()
