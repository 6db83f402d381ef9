"""Tickets of one order: which are linked, and which case a claim has escalated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from relaydesk.events import Event, TicketEscalated, TicketLinked
from relaydesk.store import events as journal
from relaydesk.store import merges
from relaydesk.store.contention import upsert
from relaydesk.store.tables import TicketLinkTable, TicketOrderTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel import Session

T, L = table(TicketTable).c, table(TicketLinkTable).c
LABELLED = ("bound", "not_found")
NEAREST = 10


def relate(  # noqa: PLR0913 - which ticket, to which others, when
    session: Session,
    ticket_id: int,
    escalates: Sequence[int],
    links: Sequence[int],
    *,
    at: datetime,
    noted_at: datetime,
) -> None:
    """Marks the cases that ticket ``ticket_id`` escalates, and links it with them and with ``links``.

    Each is recorded once, a link on both sides. What is merged into another stands for that one.
    """
    escalates = [merges.head(session, ticket) for ticket in escalates]
    links = [ticket for linked in links if (ticket := merges.head(session, linked)) != ticket_id]
    events = []
    for escalated in escalates:
        statement = update(table(TicketTable)).where(T.id == escalated, T.escalated.is_(False))
        if session.connection().execute(statement.values(escalated=True)).rowcount == 1:
            events.append(Event(escalated, at, TicketEscalated(ticket_id)))
    for linked in dict.fromkeys((*escalates, *links)):
        if link(session, ticket_id, linked):
            events.append(Event(ticket_id, at, TicketLinked(linked)))
            events.append(Event(linked, at, TicketLinked(ticket_id)))
    journal.append(session, events, noted_at)


def link(session: Session, ticket_id: int, other: int) -> bool:
    """Links two tickets; False when they are linked. Its events are the caller's."""
    lower, higher = sorted((ticket_id, other))
    row = upsert(session, TicketLinkTable).values(ticket_id=lower, other_id=higher)
    inserted = row.on_conflict_do_nothing().returning(L.ticket_id)
    return session.connection().execute(inserted).first() is not None


def of_same_orders(session: Session, ticket_id: int) -> tuple[tuple[int, str], ...]:
    """The nearest open, proven tickets that share an order with this one, each with its kind.

    Orders that they are bound to, or named on a labelled line.
    """
    ours, theirs = table(TicketOrderTable).alias("ours"), table(TicketOrderTable).alias("theirs")
    shared = (
        select(theirs.c.ticket_id)
        .join(ours, (ours.c.what == theirs.c.what) & (ours.c.value == theirs.c.value))
        .where(ours.c.ticket_id == ticket_id, ours.c.what == "order", theirs.c.ticket_id != ticket_id)
        .where(ours.c.how.in_(LABELLED), theirs.c.how.in_(LABELLED))
    )
    statement = (
        select(T.id, T.kind)
        .where(T.id.in_(shared), T.state == "open", T.verified)
        .order_by(T.id.desc())
        .limit(NEAREST)
    )
    return tuple((row.id, row.kind) for row in session.connection().execute(statement))


def unlink(session: Session, ticket_id: int, other: int) -> bool:
    """Takes a link away; False when there is none. Its events are the caller's."""
    lower, higher = sorted((ticket_id, other))
    statement = delete(table(TicketLinkTable)).where(L.ticket_id == lower, L.other_id == higher)
    return session.connection().execute(statement).rowcount == 1
