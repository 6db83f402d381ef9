"""The figures of the SLA report, from clock runs. Pure.

A clock belongs to the period in which it **started**, that is in which the customer's message was accepted:
the report of a week answers "how did we do by those who wrote that week", and a figure only changes while
such a clock still runs. Days are the local days on which deadlines fell. What people did (answers sent,
tickets closed) and what came back belongs to the period in which it happened. Ageing and open tickets look
at what is open now, whenever it began.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.business_time import open_time_between
from relaydesk.report.figures import (
    Age,
    AgentWork,
    Breach,
    Drifted,
    Escalation,
    Hour,
    Reasoned,
    Report,
)
from relaydesk.report.tallies import Count, Rows, Taken, times
from relaydesk.report.why import circumstances

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from relaydesk.business_time import Calendar
    from relaydesk.report.figures import Figure
    from relaydesk.report.runs import ClockRun, History, RunMark
    from relaydesk.report.scope import ReportScope

AGES = (
    ("under 4 hours", timedelta(hours=4)),
    ("4 to 24 hours", timedelta(days=1)),
    ("1 to 2 days", timedelta(days=2)),
    ("2 to 4 days", timedelta(days=4)),
    ("4 to 7 days", timedelta(days=7)),
    ("over 7 days", timedelta.max),
)
"""Buckets of wall time since the clock started; a bucket ends before the next begins."""


@dataclass(frozen=True, slots=True)
class Door:
    """What came to the SMTP door in a period and was not taken: (code, count), (network, domain, count)."""

    refused: Iterable[tuple[str, int]] = ()
    drift: Iterable[tuple[str, str, int]] = ()


def group(run: ClockRun) -> str:
    """The group whose times belong together: the first answer is another promise than a later one."""
    if run.clock != "response":
        return run.clock
    return "first response" if run.round == 1 else "next response"


def figures(  # noqa: PLR0913 - what there is to count, and by which scope, calendar and clock
    histories: Iterable[History],
    door: Door,
    scope: ReportScope,
    *,
    calendar: Calendar,
    now: datetime,
    open_tickets: Iterable[tuple[int, str, str]] = (),
    before: tuple[ReportScope, Door] | None = None,
) -> Report:
    """Count it all in one pass; ``histories`` come in order of ticket, and so do ``open_tickets``, which are
    (ticket, queue, assignee or ""). ``before`` is the period to compare with: counted by the way."""
    counting = _Counting(scope, calendar, now)
    earlier = _Counting(before[0], calendar, now) if before else None
    for history in histories:
        counting.take(history)
        if earlier:
            earlier.take(history)
    for ticket, queue, agent in open_tickets:
        counting.open_ticket(ticket, queue, agent)
    report = counting.report(door)
    return replace(report, before=earlier.report(before[1])) if earlier and before else report


class _Counting:
    def __init__(self, scope: ReportScope, calendar: Calendar, now: datetime) -> None:
        self.scope, self.calendar, self.now = scope, calendar, now
        self.terms: set[tuple[str, str, str]] = set()
        self.overall, self.clocks, self.queues, self.agents, self.days = (Rows() for _ in range(5))
        self.ages, self.hours, self.unverified, self.bounced, self.work = (Rows() for _ in range(5))
        self.cases, self.withdrawn, self.sent = Count(), Count(), Count()
        self.taken: dict[str, list[Taken]] = defaultdict(list)
        self.breaches: list[Breach] = []
        self.became_claims: list[Escalation] = []

    def take(self, history: History) -> None:
        for run in history.runs:
            self.run(run)
        for mark in history.marks:
            if self.scope.during(mark.at) and self.scope.among(mark):
                self.mark(mark, history)

    def run(self, run: ClockRun) -> None:
        if run.open and self.scope.among(run):
            self.age(run)
        if not self.scope.takes(run):
            return
        self.terms.add((run.clock, run.target, run.reading))
        self.outcome(run)
        started = run.started.astimezone(self.calendar.zone)
        hour = (started.weekday(), started.hour)
        self.hours.add(hour, "started", run.ticket)
        if run.outcome == "breached":
            self.hours.add(hour, "breached", run.ticket)
            self.breaches.append(self.breach(run))
        if run.kind == "case":
            self.cases.add(run.ticket)
        if run.stopped:
            business = open_time_between(run.started, run.stopped, self.calendar)
            late = run.outcome == "breached"
            self.taken[group(run)].append(Taken(business, run.stopped - run.started, run.ticket, late))

    def outcome(self, run: ClockRun) -> None:
        for table, row in (
            (self.overall, "all"),
            (self.clocks, group(run)),
            (self.queues, run.queue),
            (self.agents, run.agent),
            (self.days, run.due.astimezone(self.calendar.zone).date()),
        ):
            table.add(row, run.outcome, run.ticket)
            if run.outcome == "breached" and run.open:
                table.add(row, "overdue", run.ticket)

    def age(self, run: ClockRun) -> None:
        age = self.now - run.started
        name = next(name for name, limit in AGES if age < limit)
        self.ages.add(name, "overdue" if run.outcome == "breached" else "in_time", run.ticket)

    def breach(self, run: ClockRun) -> Breach:
        until = run.ended or self.now
        return Breach(
            ticket=run.ticket,
            clock=run.clock,
            round=run.round,
            queue=run.queue,
            agent=run.agent,
            started=run.started,
            due=run.due,
            open=run.open,
            late=until - run.due,
            late_business=open_time_between(run.due, until, self.calendar),
            why=(run.cause, *circumstances(run, self.calendar)),
        )

    def mark(self, mark: RunMark, history: History) -> None:
        match mark.what:
            case "escalated":
                self.became_claims.append(_escalation(mark, history))
            case "unverified":
                self.unverified.add(mark.ref, "came", mark.ticket)
            case "breach_withdrawn":
                self.withdrawn.add(mark.ticket)
            case "bounced":
                self.bounced.add(mark.ref, "came", mark.ticket)
            case work:
                self.work.add(mark.agent, work, mark.ticket)
                if work == "sent":
                    self.sent.add(mark.ticket)

    def open_ticket(self, ticket: int, queue: str, agent: str) -> None:
        if self.scope.queue in (None, queue) and self.scope.agent in (None, agent):
            self.work.add(agent, "open", ticket)

    def report(self, door: Door) -> Report:
        refused = [Reasoned(code, count) for code, count in door.refused]
        drift = [Drifted(*entry) for entry in door.drift]
        return Report(
            scope=self.scope,
            made_at=self.now,
            zone=self.calendar.zone,
            calendar=self.calendar.describe(),
            terms=tuple(sorted(self.terms)),
            overall=self.overall.outcomes("all"),
            by_clock=self.clocks.all_outcomes(),
            by_queue=self.queues.all_outcomes(),
            by_agent=self.agents.all_outcomes(),
            by_day=self.days.all_outcomes(),
            times=tuple(times(name, self.taken[name]) for name in sorted(self.taken)),
            ageing=tuple(Age(name, *_pair(self.ages, name, "in_time", "overdue")) for name, _ in AGES),
            hours=tuple(
                Hour(*place, *_pair(self.hours, place, "started", "breached"))
                for place in _week()
                if place in self.hours.rows
            ),
            breaches=tuple(sorted(self.breaches, key=lambda breach: (breach.due, breach.ticket))),
            withdrawn=self.withdrawn.done(),
            cases=self.cases.done(),
            became_claims=tuple(self.became_claims),
            work=tuple(self._workload(name) for name in sorted(self.work.rows, key=str)),
            sent=self.sent.done(),
            bounced=self.bounced.by_count("came"),
            refused=tuple(sorted(refused, key=lambda entry: (-entry.count, entry.code))),
            drift=tuple(sorted(drift, key=lambda entry: (-entry.count, entry.network, entry.from_domain))),
            unverified=self.unverified.by_count("came"),
        )

    def _workload(self, name: object) -> AgentWork:
        return AgentWork(
            str(name), *(self.work.tally(name, column) for column in ("sent", "handled", "closed", "open"))
        )


def _escalation(mark: RunMark, history: History) -> Escalation:
    first = next((run for run in history.runs if run.clock == "response"), None)
    stopped = first.stopped if first else None
    return Escalation(
        mark.ticket,
        mark.ref,
        mark.at,
        stopped - first.started if first and stopped else None,
        bool(first and first.outcome == "met"),
    )


def _pair(rows: Rows, row: object, first: str, second: str) -> tuple[Figure, Figure]:
    return rows.tally(row, first), rows.tally(row, second)


def _week() -> Iterator[tuple[int, int]]:
    return ((weekday, hour) for weekday in range(7) for hour in range(24))
