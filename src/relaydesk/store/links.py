"""Tickets of one order: which are linked, and which case a claim has escalated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from relaydesk.events import Event, TicketEscalated, TicketLinked
from relaydesk.store import events as journal
from relaydesk.store.contention import upsert
from relaydesk.store.tables import TicketLinkTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel import Session

T, L = table(TicketTable).c, table(TicketLinkTable).c


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

    Each is recorded once, a link on both sides.
    """
    events = []
    for escalated in escalates:
        statement = update(table(TicketTable)).where(T.id == escalated, T.escalated.is_(False))
        if session.connection().execute(statement.values(escalated=True)).rowcount == 1:
            events.append(Event(escalated, at, TicketEscalated(ticket_id)))
    for linked in dict.fromkeys((*escalates, *links)):
        lower, higher = sorted((ticket_id, linked))
        link = upsert(session, TicketLinkTable).values(ticket_id=lower, other_id=higher)
        inserted = link.on_conflict_do_nothing().returning(L.ticket_id)
        if session.connection().execute(inserted).first() is not None:
            events.append(Event(ticket_id, at, TicketLinked(linked)))
            events.append(Event(linked, at, TicketLinked(ticket_id)))
    journal.append(session, events, noted_at)
