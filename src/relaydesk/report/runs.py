"""Tickets' events → the run of each clock: when it started, fell due, stopped, and how that ended.

What the stamp of a sweep says does not matter here: a clock is met when a human stopped it at its deadline
or before, breached when the deadline passed first, even if the ticket was closed later.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from relaydesk.events import Event

RunOutcome = Literal["met", "breached", "running", "undecided"]
BY_HUMANS = frozenset({"answered", "answered_outside", "handled"})
"""The ways to stop a clock that count: an automatic answer is none of them."""
VOUCHED = frozenset({"aligned_dkim", "mapped_dkim", "aligned_spf", "bounce_of_answer"})
"""First reasons of messages that were proven genuine; an accepted message with another one is unverified."""


@dataclass(frozen=True, slots=True)
class ClockRun:
    """One round of one clock of one ticket; times are aware UTC.

    ``queue`` is where the ticket stood when the clock was met or fell due (or stands now). ``agent`` is who
    met it; for a breach who had the ticket at the deadline; else who has it now; "" for nobody.
    ``ended`` is when it stopped or the ticket was closed over it; None while it is open, breached or not.
    ``how`` is the way it was stopped, "" if it was not.
    """

    ticket: int
    kind: str
    queue: str
    agent: str
    clock: str
    round: int
    reading: str
    target: str
    started: datetime
    due: datetime
    ended: datetime | None
    how: str
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
    kind: str
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
    clock: str
    round: int
    reading: str
    target: str
    started: datetime
    due: datetime
    stopped: datetime | None = None
    how: str = ""
    by: str = ""
    closed: datetime | None = None


class _HistoryReader:
    """Reads one ticket's events in order."""

    def __init__(self, ticket: int) -> None:
        self.ticket = ticket
        self.kind = ""
        self.queue = _Course()
        self.agent = _Course()
        self.runs: dict[tuple[str, int], _Run] = {}
        self.marks: list[tuple[datetime, Literal["escalated", "unverified"], str]] = []

    def take(self, event: Event) -> None:
        take = _TAKES.get(event.what)
        if take is not None:
            take(self, event)

    def opened(self, event: Event) -> None:
        self.kind = event.data.get("kind", "")
        self.queue.set(event.at, event.data.get("queue", ""))
        self.agent.set(event.at, "")
        self.message(event)

    def message(self, event: Event) -> None:
        code = _first_code(event.data.get("reasons"))
        if code and code not in VOUCHED:
            self.marks.append((event.at, "unverified", code))

    def escalated(self, event: Event) -> None:
        self.marks.append((event.at, "escalated", str(event.data.get("by", ""))))

    def moved(self, event: Event) -> None:
        self.queue.set(event.at, event.data["to"])

    def assigned(self, event: Event) -> None:
        self.agent.set(event.at, event.data.get("agent") or "")

    def started(self, event: Event) -> None:
        data = event.data
        key = data["clock"], data.get("round", 1)
        due = datetime.fromisoformat(data["due"])
        self.runs[key] = _Run(*key, data.get("reading", ""), data.get("target", ""), event.at, due)

    def due_moved(self, event: Event) -> None:
        run = self._run(event.data)
        if run is not None:
            run.due = datetime.fromisoformat(event.data["due"])
            run.reading = event.data.get("reading", run.reading)
            run.target = event.data.get("target", run.target)

    def stopped(self, event: Event) -> None:
        run = self._run(event.data)
        if run is not None and event.data.get("how") in BY_HUMANS:
            run.stopped, run.how = event.at, event.data["how"]
            run.by = event.actor.removeprefix("agent:") if event.actor.startswith("agent:") else ""

    def stop_undone(self, event: Event) -> None:
        run = self._run(event.data)
        if run is not None:
            run.stopped, run.how, run.by = None, "", ""

    def withdrawn(self, event: Event) -> None:
        self.runs.pop((event.data["clock"], event.data.get("round", 1)), None)

    def closed(self, event: Event) -> None:
        for run in self.runs.values():
            run.closed = run.closed or event.at

    def reopened(self, _: Event) -> None:
        for run in self.runs.values():
            run.closed = None

    def _run(self, data: dict[str, Any]) -> _Run | None:
        return self.runs.get((data["clock"], data.get("round", 1)))

    def history(self, now: datetime) -> History:
        runs = tuple(self._finished(run, now) for run in self.runs.values())
        marks = tuple(
            RunMark(self.ticket, at, what, ref, self.queue.at(at), self.agent.at(at))
            for at, what, ref in self.marks
        )
        return History(self.ticket, self.kind, runs, marks)

    def _finished(self, run: _Run, now: datetime) -> ClockRun:
        ended = run.stopped or run.closed
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


def _first_code(reasons: object) -> str:
    """The first reason's code, whether reasons are stored as codes or as objects with a code."""
    first = reasons[0] if isinstance(reasons, list) and reasons else ""
    code = first.get("code", "") if isinstance(first, dict) else first
    return str(code)


_TAKES = {
    "opened": _HistoryReader.opened,
    "message": _HistoryReader.message,
    "escalated": _HistoryReader.escalated,
    "moved": _HistoryReader.moved,
    "assigned": _HistoryReader.assigned,
    "clock_started": _HistoryReader.started,
    "clock_moved": _HistoryReader.due_moved,
    "clock_stopped": _HistoryReader.stopped,
    "clock_reopened": _HistoryReader.stop_undone,
    "clock_withdrawn": _HistoryReader.withdrawn,
    "closed": _HistoryReader.closed,
    "reopened": _HistoryReader.reopened,
}
