"""Stories of the report's tests, put into a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.store.tables import DeadlineTable, TicketEventTable, TicketTable
from tests.support.stories import at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaydesk.events import Event
    from relaydesk.store.engine import Store


def keep(store: Store, events: Iterable[Event], running: tuple[int, ...] = ()) -> None:
    """Store events, their tickets, and a running deadline for the tickets named."""
    events = list(events)
    with store.transaction() as session:
        for number in sorted({event.ticket_id for event in events}):
            moment = at(0)
            session.add(
                TicketTable(id=number, kind="case", queue="case", opened_at=moment, last_message_at=moment)
            )
        session.flush()
        for event in events:
            session.add(
                TicketEventTable(
                    ticket_id=event.ticket_id,
                    at=event.at,
                    noted_at=at(100),
                    what=event.what,
                    actor=event.actor,
                    data=event.data,
                )
            )
            session.flush()
        for number in running:
            session.add(
                DeadlineTable(
                    ticket_id=number,
                    queue="case",
                    clock="response",
                    round=1,
                    started_at=at(0),
                    due_at=at(48),
                    reading="elapsed",
                    target="2 business days",
                    explanation=[],
                )
            )
