"""Reads one ticket's events in order: the run of each of its clocks, and what else is counted of it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, get_args

from relaydesk.events import (
    UNDONE,
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
    OfAnswer,
    OfClock,
    StoppedHow,
    TicketAssigned,
    TicketClosed,
    TicketEscalated,
    TicketMoved,
    TicketOpened,
    TicketReopened,
    TicketSorted,
)
from relaydesk.report.runs import ClockRun, History, RunMark
from relaydesk.report.why import AnswerCourse, Lapse, cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from relaydesk.events import ClockName, Event, Kind, OfMessage
    from relaydesk.report.runs import Marked, RunOutcome

BY_HUMANS: frozenset[str] = frozenset(get_args(StoppedHow))
"""The ways to stop a clock that count; a row of another version may name one that does not."""
VOUCHED = frozenset({"aligned_dkim", "mapped_dkim", "aligned_spf", "bounce_of_answer"})
"""First reasons of messages that were proven genuine; an accepted message with another one is unverified."""
_HARD = {True: "hard", False: "soft", None: "unclear"}


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

    def changes(self, since: datetime, until: datetime) -> list[tuple[datetime, str]]:
        """What it became after ``since``, up to ``until``."""
        places = range(bisect_right(self.moments, since), bisect_right(self.moments, until))
        return [(self.moments[place], self.values[place]) for place in places]


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
        self.closed = _Course()
        self.runs: dict[tuple[ClockName, int], _Run] = {}
        self.answers: dict[int, AnswerCourse] = {}
        self.marks: list[tuple[datetime, Marked, str, str | None]] = []

    def take(self, event: Event) -> None:
        match event.payload:
            case TicketOpened() as opened:
                self.opened(opened, event.at)
            case MessageJoined() as joined:
                self.message(joined, event.at)
            case TicketEscalated(by=claim):
                self.mark(event.at, "escalated", str(claim))
            case TicketSorted(to=kind):
                self.kind = kind
            case TicketMoved(to=queue):
                self.queue.set(event.at, queue)
            case TicketAssigned(agent=agent):
                self.agent.set(event.at, agent or "")
            case TicketClosed():
                self.mark(event.at, "closed", by=_agent(event))
                self.closed.set(event.at, "closed")
                for run in self.runs.values():
                    run.closed = run.closed or event.at
            case TicketReopened(why=why):
                self.reopened(event.at, undone=why == UNDONE)
            case OfClock() as payload:
                self.take_clock(payload, event)
            case OfAnswer() as payload:
                self.take_answer(payload, event)

    def take_clock(self, payload: OfClock, event: Event) -> None:
        match payload:
            case ClockStarted(clock=clock, round=number, due=due) as terms:
                self.runs[clock, number] = _Run(clock, number, terms.reading, terms.target, event.at, due)
            case ClockMoved() as moved if run := self.run_of(moved):
                run.due = moved.due
                run.reading, run.target = moved.reading or run.reading, moved.target or run.target
            case ClockStopped(how=how) as stop if how in BY_HUMANS and (run := self.run_of(stop)):
                run.stopped, run.how, run.by = event.at, how, _agent(event)
                if how != "answered":
                    self.mark(event.at, "handled", by=run.by)
            case ClockReopened() as undone if run := self.run_of(undone):
                run.stopped, run.how, run.by = None, "", ""
                run.withdrawn = run.withdrawn_at = None
            case ClockWithdrawn() as withdrawn if run := self.run_of(withdrawn):
                run.withdrawn, run.withdrawn_at = withdrawn, event.at
            case BreachWithdrawn():
                self.mark(event.at, "breach_withdrawn")

    def take_answer(self, payload: OfAnswer, event: Event) -> None:
        """Only answers of people count; what an automatic one or a forward does is not known here."""
        if isinstance(payload, AnswerQueued):
            if payload.purpose == "answer":
                self.answers[payload.answer] = AnswerCourse(event.at, _agent(event))
            return
        answer = self.answers.get(payload.answer)
        if answer is None:
            return
        match payload:
            case AnswerSent():
                answer.sent = event.at
                self.mark(event.at, "sent", by=answer.by)
            case AnswerRejected() | AnswerFailed():
                answer.ended = event.at
            case AnswerCancelled():
                answer.cancelled = True
            case AnswerBounced(hard=hard):
                answer.returned = answer.returned or hard is not False
                self.mark(event.at, "bounced", _HARD[hard], by=answer.by)

    def mark(self, at: datetime, what: Marked, ref: str = "", *, by: str | None = None) -> None:
        self.marks.append((at, what, ref, by))

    def reopened(self, at: datetime, *, undone: bool) -> None:
        self.closed.set(at, "open")
        if undone:
            self.unmark("closed")
        for run in self.runs.values():
            run.closed = None

    def unmark(self, what: Marked) -> None:
        """Takes back the latest mark of a kind: what was undone is nobody's work."""
        places = [place for place, mark in enumerate(self.marks) if mark[1] == what]
        if places:
            del self.marks[places[-1]]

    def opened(self, payload: TicketOpened, at: datetime) -> None:
        self.kind = payload.kind
        self.queue.set(at, payload.queue)
        self.agent.set(at, "")
        self.closed.set(at, "open")
        self.message(payload, at)

    def message(self, payload: OfMessage, at: datetime) -> None:
        """Notes a message that nothing proved genuine; by its first reason."""
        code = next(iter(payload.reasons), "")
        if code and code not in VOUCHED:
            self.mark(at, "unverified", code)

    def run_of(self, payload: OfClock) -> _Run | None:
        return self.runs.get((payload.clock, payload.round))

    def history(self, now: datetime) -> History:
        runs = tuple(self._finished(run, now) for run in self.runs.values() if run.counts)
        marks = tuple(
            RunMark(self.ticket, at, what, ref, self.queue.at(at), self.agent.at(at) if by is None else by)
            for at, what, ref, by in self.marks
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
            cause=self._cause(run) if outcome == "breached" else "",
        )

    def _cause(self, run: _Run) -> str:
        lapse = Lapse(run.started, run.due, bool(run.stopped), self.agent, self.queue, self.closed)
        return cause(lapse, self.answers.values() if run.clock == "response" else ())


def _agent(event: Event) -> str:
    return event.actor.removeprefix("agent:") if event.actor.startswith("agent:") else ""
