"""The deadline rows: starting, stopping, suspending and moving clocks, and finding those that fell due.

A clock runs until it is stopped, or until closing its ticket suspends it ("undecided"). One clock of a
name runs per ticket; its rounds count from 1. Every change here is written with its event by the caller
or, where the event is always the same, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, bindparam, insert, select, tuple_, update

from relaydesk.events import (
    BreachWithdrawn,
    ClockMoved,
    ClockReopened,
    ClockStarted,
    ClockTerms,
    ClockWithdrawn,
    DeadlineBreached,
    DeadlineWarned,
    Event,
    StoppedHow,
)
from relaydesk.store import events as journal
from relaydesk.store import next_due, snoozes
from relaydesk.store.tables import DeadlineTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlmodel import Session

    from relaydesk.business_time import Reading
    from relaydesk.events import ClockName
    from relaydesk.policy import Planned

D = table(DeadlineTable).c
T = table(TicketTable).c
RUNNING = and_(D.stopped_at.is_(None), D.undecided_at.is_(None))

_INSERT = insert(table(DeadlineTable))
_OF_TICKETS = (
    select(table(DeadlineTable))
    .where(D.ticket_id.in_(bindparam("tickets", expanding=True)))
    .order_by(D.ticket_id, D.id)
)

WithdrawnHow = Literal["withdrawn", "not_promised"]
"""``withdrawn`` for good: an older clock runs for its message; ``not_promised`` by the queue that the ticket
is in: runs on when the ticket comes to one that does."""

DeadlineMark = Literal["warned", "breached"]
# which column says that the mark is set, and which one when it falls due
_MARKS = {"warned": (D.warned_at, D.warn_at), "breached": (D.breached_at, D.due_at)}


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """One round of one clock, as stored. Times are aware UTC."""

    id: int
    ticket_id: int
    queue: str
    clock: ClockName
    round: int
    started_at: datetime
    due_at: datetime
    warn_at: datetime | None
    reading: Reading
    target: str
    explanation: tuple[str, ...]
    stopped_at: datetime | None = None
    stopped_how: StoppedHow | WithdrawnHow | Literal[""] = ""
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    undecided_at: datetime | None = None

    @property
    def running(self) -> bool:
        return self.stopped_at is None and self.undecided_at is None

    @property
    def suspended(self) -> bool:
        """Undecided since the ticket was closed: runs on when it is reopened."""
        return self.stopped_at is None and self.undecided_at is not None

    @property
    def set_aside(self) -> bool:
        """Withdrawn while the ticket is in a queue that does not promise it."""
        return self.stopped_how == "not_promised"


def _clock(row: Row[tuple[object, ...]]) -> DeadlineRow:
    values = dict(row._mapping)
    return DeadlineRow(**{**values, "explanation": tuple(values["explanation"])})


def of_tickets(session: Session, tickets: Sequence[int]) -> tuple[DeadlineRow, ...]:
    """All rounds of all clocks of these tickets, oldest first."""
    if not tickets:
        return ()
    return tuple(_clock(row) for row in session.connection().execute(_OF_TICKETS, {"tickets": list(tickets)}))


def start(  # noqa: PLR0913 - a row has that many facts
    session: Session,
    ticket_id: int,
    queue: str,
    planned: Iterable[Planned],
    *,
    now: datetime,
    existing: Iterable[DeadlineRow] = (),
) -> None:
    """Starts clocks, each in its next round, with the events; one that runs already is left alone.

    ``existing`` are the ticket's clocks; leave it out only for a new ticket.
    """
    before = tuple(existing)
    running = {clock.clock for clock in before if clock.running}
    fresh = [(plan, _next_round(before, plan.clock)) for plan in planned if plan.clock not in running]
    if not fresh:
        return
    session.connection().execute(_INSERT, [_row(ticket_id, queue, plan, number) for plan, number in fresh])
    events = (
        Event(ticket_id, plan.start, _as_told(ClockStarted, queue, plan, number)) for plan, number in fresh
    )
    journal.append(session, events, now)


def _next_round(existing: tuple[DeadlineRow, ...], name: str) -> int:
    return 1 + max((clock.round for clock in existing if clock.clock == name), default=0)


def _row(ticket_id: int, queue: str, plan: Planned, number: int) -> dict[str, object]:
    return {
        "ticket_id": ticket_id,
        "clock": plan.clock,
        "round": number,
        "started_at": plan.start,
        "stopped_how": "",
        **_terms(queue, plan),
    }


def _terms(queue: str, plan: Planned) -> dict[str, object]:
    return {
        "queue": queue,
        "due_at": plan.due,
        "warn_at": plan.warn_at,
        "reading": plan.reading,
        "target": plan.target,
        "explanation": list(plan.explanation),
    }


def _as_told(kind: type[ClockTerms], queue: str, plan: Planned, number: int) -> ClockTerms:
    return kind(
        plan.clock,
        number,
        due=plan.due,
        warn_at=plan.warn_at,
        reading=plan.reading,
        target=plan.target,
        queue=queue,
    )


def stop(session: Session, clock: DeadlineRow, at: datetime, how: StoppedHow) -> bool:
    """Stops a running clock at ``at``; False when somebody else stopped it meanwhile."""
    statement = (
        update(table(DeadlineTable)).where(D.id == clock.id, RUNNING).values(stopped_at=at, stopped_how=how)
    )
    return session.connection().execute(statement).rowcount == 1


def suspend(session: Session, running: Iterable[DeadlineRow], at: datetime) -> None:
    """The ticket is closed: these clocks become undecided."""
    ids = [clock.id for clock in running]
    session.connection().execute(
        update(table(DeadlineTable)).where(D.id.in_(ids), RUNNING).values(undecided_at=at)
    )


def revive(
    session: Session, suspended: Iterable[DeadlineRow], why: str, *, at: datetime, noted_at: datetime
) -> None:
    """Suspended clocks run on from their start, as if the ticket had never been closed."""
    clocks = tuple(suspended)
    statement = (
        update(table(DeadlineTable)).where(D.id.in_([clock.id for clock in clocks])).values(undecided_at=None)
    )
    session.connection().execute(statement)
    events = (Event(clock.ticket_id, at, ClockReopened(clock.clock, clock.round, why)) for clock in clocks)
    journal.append(session, events, noted_at)


def undo_stop(session: Session, clock: DeadlineRow, why: str, *, at: datetime, noted_at: datetime) -> None:
    """A stop turned out to be none: the clock runs on with its own start and due. No other may run."""
    statement = update(table(DeadlineTable)).where(D.id == clock.id).values(stopped_at=None, stopped_how="")
    session.connection().execute(statement)
    reopened = Event(clock.ticket_id, at, ClockReopened(clock.clock, clock.round, why))
    journal.append(session, [reopened], noted_at)


def withdraw(  # noqa: PLR0913 - which clock, why, for how long, when
    session: Session,
    clock: DeadlineRow,
    why: str,
    *,
    at: datetime,
    noted_at: datetime,
    how: WithdrawnHow = "withdrawn",
) -> None:
    """A clock that counts no more: the report forgets it, but no breach of a promise that had been made."""
    statement = (
        update(table(DeadlineTable))
        .where(D.id == clock.id)
        .values(stopped_at=at, stopped_how=how, undecided_at=None)
    )
    session.connection().execute(statement)
    breached = how == "not_promised" and clock.due_at < at
    withdrawn = Event(clock.ticket_id, at, ClockWithdrawn(clock.clock, clock.round, why, breached))
    journal.append(session, [withdrawn], noted_at)


def move(session: Session, clock: DeadlineRow, queue: str, plan: Planned, at: datetime) -> None:
    """Gives a running clock new terms. A breach stamped at another deadline is withdrawn."""
    terms = _terms(queue, plan)
    events = [Event(clock.ticket_id, at, _as_told(ClockMoved, queue, plan, clock.round))]
    if clock.breached_at is not None and plan.due != clock.due_at:
        terms["breached_at"] = None  # the sweep stamps it again, at the new deadline, if that has passed too
        events.append(withdrawal(clock, at))
    if plan.warn_at != clock.warn_at and plan.warn_at is not None and plan.warn_at > at:
        terms["warned_at"] = None
    session.connection().execute(
        update(table(DeadlineTable)).where(D.id == clock.id, RUNNING).values(**terms)
    )
    journal.append(session, events, at)


def withdraw_breach(session: Session, clock: DeadlineRow, noted_at: datetime) -> None:
    """A stop dated before the deadline came to be known after the breach was stamped."""
    session.connection().execute(
        update(table(DeadlineTable)).where(D.id == clock.id).values(breached_at=None)
    )
    journal.append(session, [withdrawal(clock, noted_at)], noted_at)


def withdrawal(clock: DeadlineRow, at: datetime) -> Event:
    return Event(clock.ticket_id, at, BreachWithdrawn(clock.clock, clock.round))


def refresh_next_due(session: Session, ticket_id: int) -> None:
    """Sets the ticket's cached deadline to the earliest one that runs, or none; and whose turn it is.

    Of one that is merged into another, that one's, whose clocks and those of all its members it shows.
    """
    next_due.refresh(session, ticket_id)


def mark_passed(
    session: Session, clocks: Iterable[DeadlineRow], until: datetime, noted_at: datetime
) -> tuple[int, int]:
    """Stamps the warnings and breaches of running clocks that fell due by ``until``: (warned, breached).

    Each is dated when it fell due, however late it is noticed, and stamped once. A warning falls due at
    its instant; a deadline is breached after it, since a stop at the deadline itself keeps it.
    """
    passed = tuple(clocks)
    warned = [c for c in passed if c.warned_at is None and c.warn_at is not None and c.warn_at <= until]
    breached = [c for c in passed if c.breached_at is None and c.due_at < until]
    return _mark(session, "warned", warned, noted_at), _mark(session, "breached", breached, noted_at)


def _mark(session: Session, mark: DeadlineMark, clocks: list[DeadlineRow], noted_at: datetime) -> int:
    stamp, falls_due = _MARKS[mark]
    done = []
    for clock in clocks:
        statement = (
            update(table(DeadlineTable))
            .where(D.id == clock.id, RUNNING, stamp.is_(None), falls_due == getattr(clock, falls_due.name))
            .values({stamp: falls_due})
        )
        if session.connection().execute(statement).rowcount == 1:
            done.append(_passed(mark, clock))
    journal.append(session, done, noted_at)
    if done:
        snoozes.wake(session, {event.ticket_id for event in done})
    return len(done)


def _passed(mark: DeadlineMark, clock: DeadlineRow) -> Event:
    if mark == "breached":
        breached = DeadlineBreached(clock.clock, clock.round, due=clock.due_at)
        return Event(clock.ticket_id, clock.due_at, breached)
    return Event(clock.ticket_id, clock.warn_at or clock.due_at, DeadlineWarned(clock.clock, clock.round))


def fallen_due(session: Session, now: datetime, limit: int, skipping: Sequence[int] = ()) -> tuple[int, ...]:
    """Ids of running clocks with a warning or breach to stamp, earliest first, off the deadline indexes."""
    ids: dict[int, None] = {}
    for stamp, falls_due, passed in (
        (D.warned_at, D.warn_at, D.warn_at <= now),
        (D.breached_at, D.due_at, D.due_at < now),
    ):
        statement = (
            select(D.id)
            .where(RUNNING, stamp.is_(None), falls_due.is_not(None), passed, D.id.not_in(skipping))
            .order_by(falls_due, D.id)
            .limit(limit)
        )
        ids.update(dict.fromkeys(session.connection().execute(statement).scalars()))
    return tuple(ids)[:limit]


def claim(session: Session, ids: Sequence[int]) -> tuple[DeadlineRow, ...]:
    """Those of the clocks that still run and that no other process holds; they stay ours till the commit."""
    statement = (
        select(table(DeadlineTable))
        .where(D.id.in_(ids), RUNNING)
        .order_by(D.id)
        .with_for_update(skip_locked=True)
    )
    return tuple(_clock(row) for row in session.connection().execute(statement))


def running_after(session: Session, after: tuple[int, str], limit: int) -> tuple[DeadlineRow, ...]:
    """Running clocks of open tickets in the order of (ticket, clock name), from ``after`` on."""
    statement = (
        select(table(DeadlineTable))
        .where(RUNNING, tuple_(D.ticket_id, D.clock) > tuple_(*after))
        .order_by(D.ticket_id, D.clock)
        .limit(limit)
    )
    return tuple(_clock(row) for row in session.connection().execute(statement))
