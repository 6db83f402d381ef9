"""Events: the one place that appends to the truth, and that reads its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, or_, select

from relaydesk.events import PAYLOADS, Event, Payload, UnreadPayload
from relaydesk.store import news
from relaydesk.store.columns import keys, read_value
from relaydesk.store.tables import TicketEventTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from sqlmodel import Session

E = table(TicketEventTable).c
SINCE = 100
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


_COLUMNS = (E.ticket_id, E.at, E.what, E.actor, E.data)


def latest(session: Session, ticket_id: int, what: str) -> int:
    """The number of a ticket's latest event of a kind, 0 for none."""
    statement = select(func.max(E.id)).where(E.ticket_id == ticket_id, E.what == what)
    return int(session.connection().execute(statement).scalar() or 0)


def one(session: Session, number: int) -> Event | None:
    """One event by its number."""
    line = session.connection().execute(select(*_COLUMNS).where(E.id == number)).first()
    return None if line is None else read_event(*line)


def before(session: Session, ticket_id: int, what: str, number: int) -> Event | None:
    """A ticket's latest event of a kind before event ``number``."""
    statement = (
        select(*_COLUMNS)
        .where(E.ticket_id == ticket_id, E.what == what, E.id < number)
        .order_by(E.id.desc())
        .limit(1)
    )
    line = session.connection().execute(statement).first()
    return None if line is None else read_event(*line)


def since(session: Session, ticket_id: int, number: int) -> tuple[Event, ...]:
    """A ticket's events after event ``number``, and those of its members: the first hundred."""
    family = table(TicketTable).alias("family")
    tickets = select(family.c.id).where(or_(family.c.id == ticket_id, family.c.merged_into == ticket_id))
    statement = select(*_COLUMNS).where(E.ticket_id.in_(tickets), E.id > number).order_by(E.id).limit(SINCE)
    return tuple(read_event(*line) for line in session.connection().execute(statement))


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
    if kind is None or data.keys() <= keys(kind):
        return Event(ticket_id, at, payload, actor)
    return Event(ticket_id, at, payload, actor, {key: data[key] for key in data.keys() - keys(kind)})
