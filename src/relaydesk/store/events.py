"""Events: the one place that appends to the truth, and that reads its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from relaydesk.events import PAYLOADS, Event, Payload, UnreadPayload
from relaydesk.store import news
from relaydesk.store.columns import keys, read_value
from relaydesk.store.tables import TicketEventTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from sqlmodel import Session

_APPEND = insert(table(TicketEventTable))


def append(session: Session, events: Iterable[Event], noted_at: datetime) -> None:
    """Appends events, in the transaction that makes them true, and tells whoever shows their tickets."""
    events = tuple(events)
    rows = [
        {
            "ticket_id": event.ticket_id,
            "at": event.at,
            "noted_at": noted_at,
            "what": event.what,
            "actor": event.actor,
            "data": event.data,
        }
        for event in events
    ]
    if rows:
        session.connection().execute(_APPEND, rows)
        news.tell(session, (name for event in events for name in news.names_of(event.ticket_id, event.what)))


def read_event(ticket_id: int, at: datetime, what: str, actor: str, data: Mapping[str, Any]) -> Event:
    """An event from the columns of its row, whichever version wrote it.

    What this version cannot read, an unknown word or a form that does not fit it, is an
    :class:`UnreadPayload`; keys that it does not know stay in ``beyond``.
    """
    kind = PAYLOADS.get(what)
    payload: Payload
    try:
        payload = read_value(kind, data) if kind is not None else UnreadPayload(what, data)
    except (TypeError, ValueError):
        return Event(ticket_id, at, UnreadPayload(what, data), actor)
    beyond = {key: data[key] for key in data.keys() - keys(kind)} if kind is not None else {}
    return Event(ticket_id, at, payload, actor, beyond)
