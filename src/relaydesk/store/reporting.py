"""What the report reads: the events of the tickets it is about, in a stream, and the refusals added up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, func, select, text, union

from relaydesk.events import (
    AnswerBounced,
    AnswerCancelled,
    AnswerFailed,
    AnswerQueued,
    AnswerRejected,
    AnswerSent,
    BreachWithdrawn,
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
from relaydesk.store.tables import (
    OPEN,
    RUNNING,
    RefusalTable,
    TicketEventTable,
    TicketOrderTable,
    TicketTable,
    table,
)
from relaydesk.store.tables import DeadlineTable as DeadlineRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event

AT_ONCE = 1000
MOST_DRIFT = 200  # networks of a report

_EVENT = table(TicketEventTable)
_DEADLINE = table(DeadlineRow)
_REFUSAL = table(RefusalTable)
_TICKET = table(TicketTable)
_NUMBER = table(TicketOrderTable)
# what places a ticket in a period …
_PLACING = (
    TicketOpened.what,
    MessageJoined.what,
    TicketEscalated.what,
    ClockStarted.what,
    ClockStopped.what,
    BreachWithdrawn.what,
    AnswerSent.what,
    AnswerBounced.what,
    TicketClosed.what,
)
# … and what tells its story then
_TELLING = (
    *_PLACING,
    ClockMoved.what,
    ClockReopened.what,
    ClockWithdrawn.what,
    AnswerQueued.what,
    AnswerRejected.what,
    AnswerFailed.what,
    AnswerCancelled.what,
    TicketAssigned.what,
    TicketMoved.what,
    TicketReopened.what,
    TicketSorted.what,
)


def events(session: Session, since: datetime, until: datetime) -> Iterator[Event]:
    """The events of every ticket on which something was done or to which something came from ``since`` to
    ``until``, or whose clock runs now.

    Whole stories, ticket by ticket, in the order of recording; a thousand rows are in memory at once.
    """
    placed = select(_EVENT.c.ticket_id).where(
        _EVENT.c.at >= since, _EVENT.c.at < until, _EVENT.c.what.in_(_PLACING)
    )
    waiting = select(_DEADLINE.c.ticket_id).where(text(RUNNING))
    columns = _EVENT.c
    stories = (
        select(columns.ticket_id, columns.at, columns.what, columns.actor, cast(columns.data, Text))
        .where(columns.ticket_id.in_(union(placed, waiting)), columns.what.in_(_TELLING))
        .order_by(columns.ticket_id, columns.id)
        .execution_options(yield_per=AT_ONCE)
    )
    for part in session.connection().execute(stories).partitions():
        # A thousand small objects are read three times as fast as one array.
        values = json.loads(f"[{','.join(row[-1] for row in part)}]")
        for (ticket, at, what, actor, _), data in zip(part, values, strict=True):
            yield read_event(ticket, at, what, actor, data)


def newest_event(session: Session) -> int:
    """The number of the latest event, 0 for none: as long as it is the same, nothing has happened."""
    return session.connection().execute(select(func.max(_EVENT.c.id))).scalar() or 0


def refusals(session: Session, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """Refused messages by reason. They are kept by UTC day, so the days at both ends count whole."""
    columns = _REFUSAL.c
    rows = session.execute(
        select(columns.code, func.sum(columns["count"]))
        .where(columns.day.between(*_utc_days(since, until)))
        .group_by(columns.code)
    )
    return [(code, int(count)) for code, count in rows]


def drift(session: Session, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """What was refused as coming from a network that a sender's SPF names and the allowlist lacks: network,
    From domain, messages; by whole UTC days, the greatest first."""
    columns, count = _REFUSAL.c, func.sum(_REFUSAL.c["count"])
    rows = session.execute(
        select(columns.network, columns.from_domain, count)
        .where(columns.day.between(*_utc_days(since, until)), columns.code == "drift")
        .group_by(columns.network, columns.from_domain)
        .order_by(count.desc(), columns.network, columns.from_domain)
        .limit(MOST_DRIFT)
    )
    return [(network, domain, int(count)) for network, domain, count in rows]


def _utc_days(since: datetime, until: datetime) -> tuple[str, str]:
    last = until.astimezone(UTC) - timedelta(microseconds=1)
    return since.astimezone(UTC).date().isoformat(), last.date().isoformat()


def open_tickets(session: Session) -> Iterator[tuple[int, str, str]]:
    """Ticket, queue and assignee ("" for nobody) of what is open now, in order of number."""
    columns = _TICKET.c
    statement = select(columns.id, columns.queue, columns.assignee).where(text(OPEN)).order_by(columns.id)
    for ticket, queue, assignee in session.execute(statement.execution_options(yield_per=AT_ONCE)):
        yield ticket, queue, assignee or ""


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """Whose ticket it is, and which orders are bound to it."""

    buyer: str
    orders: tuple[str, ...]


def ticket_facts(session: Session, tickets: Sequence[int]) -> dict[int, TicketFacts]:
    """Of these tickets, of which there may be a thousand. A buyer without a name is named by address."""
    columns, numbers = _TICKET.c, _NUMBER.c
    bound: dict[int, list[str]] = {}
    for ticket, value in session.execute(
        select(numbers.ticket_id, numbers.value)
        .where(numbers.ticket_id.in_(tickets), numbers.what == "order", numbers.how == "bound")
        .order_by(numbers.ticket_id, numbers.value)
    ):
        bound.setdefault(ticket, []).append(value)
    rows = session.execute(
        select(columns.id, columns.username, columns.relay_address, columns.sender).where(
            columns.id.in_(tickets)
        )
    )
    return {
        ticket: TicketFacts(username or relay or sender, tuple(bound.get(ticket, ())))
        for ticket, username, relay, sender in rows
    }
