"""Tickets as lines of a list by their numbers, wherever they stand; and an agent's open ones."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from relaydesk.store import ticket_orders
from relaydesk.store.lists import TicketRow
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from relaydesk.store.ticket_orders import TicketOrder

T = table(TicketTable).c
OPEN = T.state == "open"
_ROW = [T[field.name] for field in fields(TicketRow)]


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, TicketRow]:
    """The rows of these tickets by their numbers."""
    rows = session.connection().execute(select(*_ROW).where(T.id.in_(sorted(set(ids)))))
    return {row.id: TicketRow(*row) for row in rows}


def of_ids(session: Session, ids: Sequence[int]) -> tuple[tuple[TicketRow, ...], tuple[TicketOrder, ...]]:
    """These tickets, open or closed, in the order of ``ids``, with their numbers."""
    tickets = by_ids(session, ids)
    rows = tuple(tickets[number] for number in ids if number in tickets)
    return rows, ticket_orders.of_tickets(session, ids)


def open_by_assignee(session: Session) -> dict[str, int]:
    """How many open tickets each agent has."""
    statement = select(T.assignee, func.count()).where(OPEN, T.assignee.is_not(None)).group_by(T.assignee)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def open_of(session: Session, assignee: str, limit: int) -> tuple[int, ...]:
    """The numbers of open tickets of one agent."""
    statement = select(T.id).where(OPEN, T.assignee == assignee).order_by(T.id).limit(limit)
    return tuple(session.connection().execute(statement).scalars())
