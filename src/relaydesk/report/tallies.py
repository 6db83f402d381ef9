"""Tallies in the making: counts with their tickets, tables of them, and spreads of times. Pure.

A median is the middle (of an even number, the mean of the middle two); p90 is the smallest measured time
that at least nine in ten do not exceed. Nothing is an average.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from relaydesk.report.figures import Band, Figure, Outcomes, Spread, Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HOURS = (1, 2, 4, 8, 16, 24, 32, 40, 48)
"""Where the bands of response times end, in business hours; a band ends before the next begins."""
BANDS = (
    "under 1",
    *(f"{low} to {high}" for low, high in pairwise(HOURS)),
    f"{HOURS[-1]} and more",
)


class Count:
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


class Rows:
    """Rows by name, columns by name, a count in each cell."""

    def __init__(self) -> None:
        self.rows: dict[object, dict[str, Count]] = defaultdict(lambda: defaultdict(Count))

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

    def by_count(self, column: str) -> tuple[tuple[str, Figure], ...]:
        """One column of every row, the greatest first."""
        named = ((str(row), self.tally(row, column)) for row in self.rows)
        return tuple(sorted(named, key=lambda entry: (-entry[1].count, entry[0])))


@dataclass(frozen=True, slots=True)
class Taken:
    """How long one answer took."""

    business: timedelta
    wall: timedelta
    ticket: int
    late: bool


def times(name: str, taken: Sequence[Taken]) -> Times:
    """The spread of answers, which come in order of ticket."""
    business = _spread([entry.business for entry in taken])
    bands = Rows()
    for entry in taken:
        hours = entry.business / timedelta(hours=1)
        place = sum(hours >= limit for limit in HOURS)
        bands.add(place, "late" if entry.late else "in_time", entry.ticket)
    return Times(
        name,
        tally(entry.ticket for entry in taken),
        tally(entry.ticket for entry in taken if entry.business >= business.p90),
        tally(entry.ticket for entry in taken if entry.business >= business.max),
        business,
        _spread([entry.wall for entry in taken]),
        tuple(
            Band(band, bands.tally(place, "in_time"), bands.tally(place, "late"))
            for place, band in enumerate(BANDS)
        ),
    )


def tally(tickets: Iterable[int]) -> Figure:
    """The figure of tickets that come in order."""
    count = Count()
    for ticket in tickets:
        count.add(ticket)
    return count.done()


def _spread(spans: list[timedelta]) -> Spread:
    seconds = sorted(span.total_seconds() for span in spans)
    p90 = seconds[math.ceil(len(seconds) * 0.9) - 1]
    return Spread(*(timedelta(seconds=value) for value in (statistics.median(seconds), p90, seconds[-1])))
