"""Tickets' events → the run of each clock: when it started, fell due, stopped, and how that ended.

What the stamp of a sweep says does not matter here: a clock is met when a human stopped it at its deadline
or before, breached when the deadline passed first, even if the ticket was closed later.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, get_args

from relaydesk.events import (
    ClockMoved,
    ClockReopened,
    ClockStarted,
    ClockStopped,
    ClockWithdrawn,
    MessageJoined,
    StoppedHow,
    TicketAssigned,
    TicketClosed,
    TicketEscalated,
    TicketMoved,
    TicketOpened,
    TicketReopened,
    TicketSorted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from relaydesk.events import ClockName, Event, Kind, OfClock, OfMessage, Payload

RunOutcome = Literal["met", "breached", "running", "undecided"]
BY_HUMANS: frozenset[str] = frozenset(get_args(StoppedHow))
"""The ways to stop a clock that count; a row of another version may name one that does not."""
VOUCHED = frozenset({"aligned_dkim", "mapped_dkim", "aligned_spf", "bounce_of_answer"})
"""First reasons of messages that were proven genuine; an accepted message with another one is unverified."""


@dataclass(frozen=True, slots=True)
class ClockRun:
    """One round of one clock of one ticket; times are aware UTC.

    ``queue`` is where the ticket was when the clock was met or fell due (or is now). ``agent`` is who
    met it; for a breach who had the ticket at the deadline; else who has it now; "" for none.
    ``ended`` is when it stopped, was withdrawn after its breach, or the ticket was closed over it; None while
    it is open, breached or not.
    ``how`` is the way it was stopped, "" if it was not.
    """

    ticket: int
    kind: Kind
    queue: str
    agent: str
    clock: ClockName
    round: int
    reading: str
    target: str
    started: datetime
    due: datetime
    ended: datetime | None
    how: StoppedHow | Literal[""]
    outcome: RunOutcome

    @property
    def open(self) -> bool:
        return self.ended is None

    @property
    def stopped(self) -> datetime | None:
        """When a human answered or handled it, in time or late."""
        return self.ended if self.how else None


@dataclass(frozen=True, slots=True)
class RunMark:
    """Something else that happened to a ticket and is counted, with the queue and agent it had then.

    ``ref`` of an ``escalated`` one is the claim's ticket, of an ``unverified`` one the reason's code.
    """

    ticket: int
    at: datetime
    what: Literal["escalated", "unverified"]
    ref: str
    queue: str
    agent: str


@dataclass(frozen=True, slots=True)
class History:
    """What the report needs of one ticket."""

    ticket: int
    kind: Kind
    runs: tuple[ClockRun, ...]
    marks: tuple[RunMark, ...]


def histories(events: Iterable[Event], now: datetime) -> Iterator[History]:
    """One history a ticket, in a stream; ``events`` come ticket by ticket, in the order of recording."""
    for ticket, group in groupby(events, key=attrgetter("ticket_id")):
        reading = _HistoryReader(ticket)
        for event in group:
            reading.take(event)
        yield reading.history(now)


@dataclass(slots=True)
class _Course:
    """A value that changes over time, looked up by moment."""

    moments: list[datetime] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def set(self, at: datetime, value: str) -> None:
        place = bisect_right(self.moments, at)
        self.moments.insert(place, at)
        self.values.insert(place, value)

    def at(self, moment: datetime) -> str:
        if not self.values:
            return ""
        return self.values[max(bisect_right(self.moments, moment) - 1, 0)]


@dataclass(slots=True)
class _Run:
    clock: ClockName
    round: int
    reading: str
    target: str
    started: datetime
    due: datetime
    stopped: datetime | None = None
    how: StoppedHow | Literal[""] = ""
    by: str = ""
    closed: datetime | None = None
    withdrawn: ClockWithdrawn | None = None
    withdrawn_at: datetime | None = None

    @property
    def counts(self) -> bool:
        return self.withdrawn is None or self.withdrawn.breached


class _HistoryReader:
    """Reads one ticket's events in order."""

    def __init__(self, ticket: int) -> None:
        self.ticket = ticket
        self.kind: Kind = "unsorted"
        self.queue = _Course()
        self.agent = _Course()
        self.runs: dict[tuple[ClockName, int], _Run] = {}
        self.marks: list[tuple[datetime, Literal["escalated", "unverified"], str]] = []

    def take(self, event: Event) -> None:
        match event.payload:
            case TicketOpened() as opened:
                self.opened(opened, event.at)
            case MessageJoined() as joined:
                self.message(joined, event.at)
            case TicketEscalated(by=claim):
                self.marks.append((event.at, "escalated", str(claim)))
            case TicketSorted(to=kind):
                self.kind = kind
            case TicketMoved(to=queue):
                self.queue.set(event.at, queue)
            case TicketAssigned(agent=agent):
                self.agent.set(event.at, agent or "")
            case TicketClosed():
                for run in self.runs.values():
                    run.closed = run.closed or event.at
            case TicketReopened():
                for run in self.runs.values():
                    run.closed = None
            case payload:
                self.take_clock(payload, event)

    def take_clock(self, payload: Payload, event: Event) -> None:
        match payload:
            case ClockStarted(clock=clock, round=number, due=due) as terms:
                self.runs[clock, number] = _Run(clock, number, terms.reading, terms.target, event.at, due)
            case ClockMoved() as moved if run := self.run_of(moved):
                run.due = moved.due
                run.reading, run.target = moved.reading or run.reading, moved.target or run.target
            case ClockStopped(how=how) as stop if how in BY_HUMANS and (run := self.run_of(stop)):
                run.stopped, run.how = event.at, how
                run.by = event.actor.removeprefix("agent:") if event.actor.startswith("agent:") else ""
            case ClockReopened() as undone if run := self.run_of(undone):
                run.stopped, run.how, run.by = None, "", ""
                run.withdrawn = run.withdrawn_at = None
            case ClockWithdrawn() as withdrawn if run := self.run_of(withdrawn):
                run.withdrawn, run.withdrawn_at = withdrawn, event.at

    def opened(self, payload: TicketOpened, at: datetime) -> None:
        self.kind = payload.kind
        self.queue.set(at, payload.queue)
        self.agent.set(at, "")
        self.message(payload, at)

    def message(self, payload: OfMessage, at: datetime) -> None:
        """Notes a message that nothing proved genuine; by its first reason."""
        code = next(iter(payload.reasons), "")
        if code and code not in VOUCHED:
            self.marks.append((at, "unverified", code))

    def run_of(self, payload: OfClock) -> _Run | None:
        return self.runs.get((payload.clock, payload.round))

    def history(self, now: datetime) -> History:
        runs = tuple(self._finished(run, now) for run in self.runs.values() if run.counts)
        marks = tuple(
            RunMark(self.ticket, at, name, ref, self.queue.at(at), self.agent.at(at))
            for at, name, ref in self.marks
        )
        return History(self.ticket, self.kind, runs, marks)

    def _finished(self, run: _Run, now: datetime) -> ClockRun:
        ended = run.stopped or run.withdrawn_at or run.closed
        outcome: RunOutcome
        if (ended or now) > run.due:
            outcome, settled = "breached", run.due
        elif run.stopped:
            outcome, settled = "met", run.stopped
        else:
            outcome, settled = ("undecided" if ended else "running"), now
        agent = (run.by if outcome == "met" else "") or self.agent.at(settled)
        return ClockRun(
            ticket=self.ticket,
            kind=self.kind,
            queue=self.queue.at(settled),
            agent=agent,
            clock=run.clock,
            round=run.round,
            reading=run.reading,
            target=run.target,
            started=run.started,
            due=run.due,
            ended=ended,
            how=run.how,
            outcome=outcome,
        )
