"""Writing events: the one place that appends to the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from relaydesk.events import WHAT
from relaydesk.store.tables import TicketEventTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event

_APPEND = insert(table(TicketEventTable))


def append(session: Session, events: Iterable[Event], noted_at: datetime) -> None:
    """Appends events, in the transaction that makes them true. An unknown word is a KeyError."""
    rows = []
    for event in events:
        if event.what not in WHAT:
            raise KeyError(event.what)
        rows.append(
            {
                "ticket_id": event.ticket_id,
                "at": event.at,
                "noted_at": noted_at,
                "what": event.what,
                "actor": event.actor,
                "data": event.data,
            }
        )
    if rows:
        session.connection().execute(_APPEND, rows)
