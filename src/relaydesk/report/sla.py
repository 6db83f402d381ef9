"""The figures of the SLA report, from clock runs. Pure.

A clock belongs to the period in which it **started**, that is in which the customer's message was accepted:
the report of a week answers "how did we do by those who wrote that week", and a figure only changes while
such a clock still runs. Days are the local days on which deadlines fell. Ageing alone looks at every clock
open now, whenever it started. A median is the middle (of an even number, the mean of the middle two); p90 is
the smallest measured time that at least nine in ten do not exceed. Nothing is an average.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.business_time import open_time_between
from relaydesk.report.figures import Age, Figure, Hour, Outcomes, Reasoned, Report, Spread, Times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from relaydesk.business_time import Calendar
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


class _Count:
    """A tally in the making. Tickets come in order, so a ticket that is not the last one is new."""

    __slots__ = ("count", "tickets")

    def __init__(self) -> None:
        self.count = 0
        self.tickets: list[int] = []

    def add(self, ticket: int) -> None:
        self.count += 1
        if not self.tickets or self.tickets[-1] != ticket:
            self.tickets.append(ticket)

    def done(self) -> Figure:
        return Figure(self.count, tuple(self.tickets))


class _Table:
    """Rows by name, columns by name, a count in each cell."""

    def __init__(self) -> None:
        self.rows: dict[object, dict[str, _Count]] = defaultdict(lambda: defaultdict(_Count))

    def add(self, row: object, column: str, ticket: int) -> None:
        self.rows[row][column].add(ticket)

    def tally(self, row: object, column: str) -> Figure:
        cells = self.rows.get(row, {})
        return cells[column].done() if column in cells else Figure()

    def outcomes(self, row: object) -> Outcomes:
        columns = ("met", "breached", "overdue", "running", "undecided")
        return Outcomes(str(row), *(self.tally(row, column) for column in columns))

    def all_outcomes(self) -> tuple[Outcomes, ...]:
        return tuple(self.outcomes(row) for row in sorted(self.rows, key=str))


def group(run: ClockRun) -> str:
    """The group whose times belong together: the first answer is another promise than a later one."""
    if run.clock != "response":
        return run.clock
    return "first response" if run.round == 1 else "next response"


def figures(
    histories: Iterable[History],
    refusals: Iterable[tuple[str, int]],
    scope: ReportScope,
    *,
    calendar: Calendar,
    now: datetime,
) -> Report:
    """Count it all in one pass; ``histories`` come in order of ticket, ``refusals`` are (code, count)."""
    counting = _Counting(scope, calendar, now)
    for history in histories:
        for run in history.runs:
            counting.run(run)
        for mark in history.marks:
            counting.mark(mark)
    refused = [Reasoned(code, count) for code, count in refusals]
    return counting.report(tuple(sorted(refused, key=lambda entry: (-entry.count, entry.code))))


class _Counting:
    def __init__(self, scope: ReportScope, calendar: Calendar, now: datetime) -> None:
        self.scope = scope
        self.calendar = calendar
        self.now = now
        self.terms: set[tuple[str, str, str]] = set()
        self.overall, self.clocks, self.queues, self.agents, self.days = (_Table() for _ in range(5))
        self.ages, self.hours, self.unverified = (_Table() for _ in range(3))
        self.cases = _Count()
        self.took: dict[str, list[tuple[timedelta, timedelta, int]]] = defaultdict(list)
        self.became_claims: list[tuple[int, str]] = []

    def run(self, run: ClockRun) -> None:
        if run.open and self.scope.among(run):
            self.age(run)
        if not self.scope.takes(run):
            return
        self.terms.add((run.clock, run.target, run.reading))
        zone = self.calendar.zone
        rows = (
            (self.overall, "all"),
            (self.clocks, group(run)),
            (self.queues, run.queue),
            (self.agents, run.agent),
            (self.days, run.due.astimezone(zone).date()),
        )
        for table, row in rows:
            table.add(row, run.outcome, run.ticket)
            if run.outcome == "breached" and run.open:
                table.add(row, "overdue", run.ticket)
        started = run.started.astimezone(zone)
        hour = (started.weekday(), started.hour)
        self.hours.add(hour, "started", run.ticket)
        if run.outcome == "breached":
            self.hours.add(hour, "breached", run.ticket)
        if run.kind == "case":
            self.cases.add(run.ticket)
        if run.stopped:
            business = open_time_between(run.started, run.stopped, self.calendar)
            self.took[group(run)].append((business, run.stopped - run.started, run.ticket))

    def age(self, run: ClockRun) -> None:
        age = self.now - run.started
        name = next(name for name, limit in AGES if age < limit)
        self.ages.add(name, "overdue" if run.outcome == "breached" else "in_time", run.ticket)

    def mark(self, mark: RunMark) -> None:
        if not (self.scope.during(mark.at) and self.scope.among(mark)):
            return
        if mark.what == "escalated":
            self.became_claims.append((mark.ticket, mark.ref))
        else:
            self.unverified.add(mark.ref, "came", mark.ticket)

    def report(self, refused: tuple[Reasoned, ...]) -> Report:
        ages, hours = self.ages, self.hours
        unverified = ((str(code), self.unverified.tally(code, "came")) for code in self.unverified.rows)
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
            times=tuple(_times(name, self.took[name]) for name in sorted(self.took)),
            ageing=tuple(
                Age(name, ages.tally(name, "in_time"), ages.tally(name, "overdue")) for name, _ in AGES
            ),
            hours=tuple(
                Hour(*place, hours.tally(place, "started"), hours.tally(place, "breached"))
                for place in _week()
                if place in hours.rows
            ),
            cases=self.cases.done(),
            became_claims=tuple(self.became_claims),
            refused=refused,
            unverified=tuple(sorted(unverified, key=lambda entry: (-entry[1].count, entry[0]))),
        )


def _week() -> Iterator[tuple[int, int]]:
    return ((weekday, hour) for weekday in range(7) for hour in range(24))


def _times(name: str, took: list[tuple[timedelta, timedelta, int]]) -> Times:
    business = _spread([entry[0] for entry in took])
    slow = _tally(took, lambda entry: entry[0] >= business.p90)
    return Times(name, _tally(took, lambda _: True), slow, business, _spread([entry[1] for entry in took]))


def _tally(
    took: list[tuple[timedelta, timedelta, int]], wanted: Callable[[tuple[timedelta, timedelta, int]], bool]
) -> Figure:
    count = _Count()
    for entry in took:
        if wanted(entry):
            count.add(entry[2])
    return count.done()


def _spread(times: list[timedelta]) -> Spread:
    seconds = sorted(entry.total_seconds() for entry in times)
    p90 = seconds[math.ceil(len(seconds) * 0.9) - 1]
    return Spread(*(timedelta(seconds=value) for value in (statistics.median(seconds), p90, seconds[-1])))
