"""What the report reads: the events of the tickets it is about, in a stream, and the refusals added up."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text, union

from relaydesk.events import (
    ClockMoved,
    ClockReopened,
    ClockStarted,
    ClockStopped,
    ClockWithdrawn,
    MessageJoined,
    TicketAssigned,
    TicketClosed,
    TicketEscalated,
    TicketMoved,
    TicketOpened,
    TicketReopened,
    TicketSorted,
)
from relaydesk.store.events import read_event
from relaydesk.store.tables import RUNNING, RefusalTable, TicketEventTable, table
from relaydesk.store.tables import DeadlineTable as DeadlineRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event

AT_ONCE = 1000

_EVENT = table(TicketEventTable)
_DEADLINE = table(DeadlineRow)
_REFUSAL = table(RefusalTable)
# what places a ticket in a period …
_PLACING = (TicketOpened.what, MessageJoined.what, TicketEscalated.what, ClockStarted.what)
# … and what tells its story then
_TELLING = (
    *_PLACING,
    ClockMoved.what,
    ClockStopped.what,
    ClockReopened.what,
    ClockWithdrawn.what,
    TicketAssigned.what,
    TicketMoved.what,
    TicketClosed.what,
    TicketReopened.what,
    TicketSorted.what,
)


def events(session: Session, since: datetime, until: datetime) -> Iterator[Event]:
    """The events of every ticket to which something came from ``since`` to ``until`` or whose clock runs now.

    Whole stories, ticket by ticket, in the order of recording; a thousand rows are in memory at once.
    """
    placed = select(_EVENT.c.ticket_id).where(
        _EVENT.c.at >= since, _EVENT.c.at < until, _EVENT.c.what.in_(_PLACING)
    )
    waiting = select(_DEADLINE.c.ticket_id).where(text(RUNNING))
    columns = _EVENT.c
    stories = (
        select(columns.ticket_id, columns.at, columns.what, columns.actor, columns.data)
        .where(columns.ticket_id.in_(union(placed, waiting)), columns.what.in_(_TELLING))
        .order_by(columns.ticket_id, columns.id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in session.execute(stories):
        yield read_event(*row)


def refusals(session: Session, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """Refused messages by reason. They are kept by UTC day, so the days at both ends count whole."""
    first_day = since.astimezone(UTC).date().isoformat()
    last_day = (until.astimezone(UTC) - timedelta(microseconds=1)).date().isoformat()
    columns = _REFUSAL.c
    rows = session.execute(
        select(columns.code, func.sum(columns["count"]))
        .where(columns.day >= first_day, columns.day <= last_day)
        .group_by(columns.code)
    )
    return [(code, int(count)) for code, count in rows]
