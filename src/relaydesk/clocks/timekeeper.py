"""The timekeeper: stamps warnings and breaches when they have fallen due, and derives deadlines again.

Any number of timekeepers may run at once: a stamp is a conditional update, so it happens once. It is dated
when it fell due, also when no timekeeper ran at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.logs import error_text
from relaydesk.store import StoreUnavailable, deadlines, named_tickets, tickets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.policy import Plan, Planned
    from relaydesk.store import DeadlineRow, Store, TicketRow

BATCH = 100  # clocks in one transaction: few syncs, short locks


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep stamped. ``failed`` are the deadlines that could not be, with the error's text."""

    warned: int = 0
    breached: int = 0
    failed: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rederived:
    """How many running clocks were looked at and how many got another deadline."""

    seen: int = 0
    moved: int = 0
    failed: tuple[tuple[int, str], ...] = ()


def sweep(store: Store, now: datetime, limit: int = 10_000) -> Swept:
    """Stamps up to ``limit`` clocks whose warning or deadline has passed, earliest first.

    A row that cannot be stamped is left out, reported and tried again by the next sweep; it never holds up
    the others. StoreUnavailable ends the sweep: the next one goes on.
    """
    warned = breached = done = 0
    failed: dict[int, str] = {}
    held: list[int] = []  # by another process at this moment, which stamps them
    while done < limit:
        with store.reading() as session:
            ids = deadlines.fallen_due(session, now, min(BATCH, limit - done), (*failed, *held))
        if not ids:
            break
        for stamped in _stamp_all(store, ids, now, failed):
            warned, breached = warned + stamped.warned, breached + stamped.breached
            held += stamped.held
        done += len(ids)
    return Swept(warned, breached, tuple(failed.items()))


@dataclass(frozen=True, slots=True)
class _Stamped:
    warned: int
    breached: int
    held: tuple[int, ...]


def _stamp_all(store: Store, ids: Sequence[int], now: datetime, failed: dict[int, str]) -> list[_Stamped]:
    """All in one transaction; if that fails, one by one, so that only the bad ones are left out."""
    try:
        return [_stamp(store, ids, now)]
    except StoreUnavailable:
        raise
    except Exception as error:  # a bad row must not stop the clock of all others
        if len(ids) == 1:
            failed[ids[0]] = error_text(error)
            return []
    return [stamped for number in ids for stamped in _stamp_all(store, [number], now, failed)]


def _stamp(store: Store, ids: Sequence[int], now: datetime) -> _Stamped:
    with store.turn() as session:
        ours = deadlines.claim(session, ids)
        warned, breached = deadlines.mark_passed(session, ours, now, now)
    return _Stamped(warned, breached, tuple(set(ids) - {clock.id for clock in ours}))


def rederive_deadlines(store: Store, plan: Plan, now: datetime) -> Rederived:
    """After a change of calendar or targets: derives every running deadline again, from its own start.

    A clock whose queue has no target for it any more keeps its deadline. Safe to repeat and to interrupt.
    """
    examined = moved = 0
    last = (0, "")
    failed: list[tuple[int, str]] = []
    while True:
        with store.reading() as session:
            batch = deadlines.running_after(session, last, BATCH)
        if not batch:
            return Rederived(examined, moved, tuple(failed))
        for clock in batch:
            try:
                moved += _rederive_one(store, clock, plan, now)
            except StoreUnavailable:
                raise
            except Exception as error:  # as in the sweep
                failed.append((clock.id, error_text(error)))
        examined += len(batch)
        last = (batch[-1].ticket_id, batch[-1].clock)


@dataclass(frozen=True, slots=True)
class Moving:
    """A running deadline that a change would move. Times are aware UTC."""

    ticket_id: int
    queue: str
    clock: str
    due_at: datetime
    would_be: datetime


@dataclass(frozen=True, slots=True)
class WouldMove:
    """What a change of calendar or targets would do: of ``seen`` running deadlines ``count`` would move, of
    which ``moving`` are the first. ``whole`` is False where there are more than were looked at."""

    seen: int
    count: int
    moving: tuple[Moving, ...]
    whole: bool = True


def would_move(store: Store, plan: Plan, *, most: int = 2_000, shown: int = 100) -> WouldMove:
    """The same without doing it, for up to ``most`` running deadlines."""
    seen, count, last = 0, 0, (0, "")
    moving: list[Moving] = []
    while seen < most:
        with store.reading() as session:
            batch = deadlines.running_after(session, last, min(BATCH, most - seen))
            rows = named_tickets.by_ids(session, [clock.ticket_id for clock in batch])
        for clock in batch:
            ticket = rows.get(clock.ticket_id)
            wanted = _wanted(clock, ticket, plan) if ticket is not None else None
            if wanted is not None and wanted.due != clock.due_at:
                count += 1
                if len(moving) < shown:
                    moving.append(Moving(clock.ticket_id, clock.queue, clock.clock, clock.due_at, wanted.due))
        seen += len(batch)
        if len(batch) < BATCH:
            return WouldMove(seen, count, tuple(moving))
        last = (batch[-1].ticket_id, batch[-1].clock)
    return WouldMove(seen, count, tuple(moving), whole=False)


def _wanted(clock: DeadlineRow, ticket: TicketRow, plan: Plan) -> Planned | None:
    planned = plan(
        ticket.queue, clock.started_at, relay=bool(ticket.relay_address), contact_reason=ticket.contact_reason
    )
    return next((each for each in planned if each.clock == clock.clock), None)


def _rederive_one(store: Store, clock: DeadlineRow, plan: Plan, now: datetime) -> bool:
    with store.turn() as session:
        ticket = tickets.lock(session, clock.ticket_id)
        current = next(
            (c for c in deadlines.of_tickets(session, [clock.ticket_id]) if c.id == clock.id), None
        )
        if ticket is None or current is None or not current.running:
            return False
        if not rederive_deadline(session, current, ticket, ticket.queue, plan=plan, now=now):
            return False
        deadlines.refresh_next_due(session, clock.ticket_id)
        return True


def rederive_deadline(  # noqa: PLR0913 - whose clock, in which queue, by which plan
    session: Session, clock: DeadlineRow, ticket: TicketRow, queue: str, *, plan: Plan, now: datetime
) -> bool:
    """Derives a running clock's deadline again from its own start; True when it changed (rule 9)."""
    planned = plan(
        queue, clock.started_at, relay=bool(ticket.relay_address), contact_reason=ticket.contact_reason
    )
    wanted = next((p for p in planned if p.clock == clock.clock), None)
    if wanted is None or _same(clock, queue, wanted):
        return False
    deadlines.move(session, clock, queue, wanted, now)
    return True


def _same(clock: DeadlineRow, queue: str, planned: Planned) -> bool:
    stored = (clock.queue, clock.due_at, clock.warn_at, clock.reading, clock.target, clock.explanation)
    return stored == (
        queue,
        planned.due,
        planned.warn_at,
        planned.reading,
        planned.target,
        planned.explanation,
    )
