"""Snoozed tickets: what an agent does not want in their own lists before a moment.

A snooze ends by itself at its moment; no clock has to tick for it. What happens to the ticket ends it at
once: the row is deleted in the transaction that brings mail, or stamps a warning or breach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, select

from relaydesk.store.acts_tables import SnoozeTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

S, T = table(SnoozeTable).c, table(TicketTable).c


def put(session: Session, agent: str, ticket_id: int, until: datetime, now: datetime) -> None:
    """Hides a ticket from an agent until a moment; a second time moves the moment. Their past ones go."""
    connection = session.connection()
    connection.execute(delete(table(SnoozeTable)).where(S.agent == agent, S.until <= now))
    row = upsert(session, SnoozeTable).values(agent=agent, ticket_id=ticket_id, until=until)
    connection.execute(
        row.on_conflict_do_update(index_elements=[S.agent, S.ticket_id], set_={"until": until})
    )


def until(session: Session, agent: str, ticket_id: int, now: datetime) -> datetime | None:
    """Until when a ticket is hidden from an agent; None when it is not."""
    statement = select(S.until).where(S.agent == agent, S.ticket_id == ticket_id, S.until > now)
    moment: datetime | None = session.connection().execute(statement).scalar()
    return moment


def drop(session: Session, agent: str, ticket_id: int, now: datetime) -> bool:
    """The agent wants to see it again; False when it was not hidden."""
    hidden = until(session, agent, ticket_id, now) is not None
    statement = delete(table(SnoozeTable)).where(S.agent == agent, S.ticket_id == ticket_id)
    session.connection().execute(statement)
    return hidden


def wake(session: Session, ticket_ids: Collection[int]) -> None:
    """Something happened to these tickets: everybody sees them, and those that they are merged into."""
    heads = select(func.coalesce(T.merged_into, T.id)).where(T.id.in_(ticket_ids))
    session.connection().execute(delete(table(SnoozeTable)).where(S.ticket_id.in_(heads)))


def hidden_from(agent: str, now: datetime) -> ColumnElement[bool]:
    """A condition on tickets: this agent has snoozed it and it has not woken yet."""
    return exists(
        select(S.ticket_id)
        .where(S.ticket_id == T.id, S.agent == agent, S.until > now)
        .correlate(table(TicketTable))
    )
