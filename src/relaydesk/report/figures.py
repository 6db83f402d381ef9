"""The figures of a report, as values: every number is a tally that leads to its tickets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from relaydesk.report.scope import ReportScope


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and the tickets it leads to (each once, in order of number)."""

    count: int = 0
    tickets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the clocks of one group ended. ``overdue`` are those of ``breached`` that are still open."""

    name: str
    met: Figure
    breached: Figure
    overdue: Figure
    running: Figure
    undecided: Figure

    @property
    def attainment(self) -> float | None:
        """Met ÷ (met + breached), 0 to 1; None while nothing is decided."""
        decided = self.met.count + self.breached.count
        return self.met.count / decided if decided else None

    @property
    def clocks(self) -> int:
        return self.met.count + self.breached.count + self.running.count + self.undecided.count


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, p90 and maximum of a set of times."""

    median: timedelta
    p90: timedelta
    max: timedelta


@dataclass(frozen=True, slots=True)
class Times:
    """How long answers of one group took. ``slowest`` are the tickets at or above p90 of business time."""

    name: str
    answered: Figure
    slowest: Figure
    business: Spread
    wall: Spread


@dataclass(frozen=True, slots=True)
class Age:
    """Open clocks of one age: those still within their deadline and those past it."""

    name: str
    in_time: Figure
    overdue: Figure


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the local week (``weekday`` 0 is Monday): clocks started in it, and those that breached."""

    weekday: int
    hour: int
    started: Figure
    breached: Figure


@dataclass(frozen=True, slots=True)
class Reasoned:
    """Messages refused or deferred for one reason: no tickets, ``relaydesk refusals`` lists them."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """All figures. ``terms`` are the (clock, target, reading) that occur, ``hours`` those with a start.

    ``became_claims`` are (case, claim) tickets of cases escalated in the period, ``cases`` those with a clock
    started in it. ``refused`` heeds neither queue nor agent, for refused mail has none.
    """

    scope: ReportScope
    made_at: datetime
    zone: ZoneInfo
    calendar: str
    terms: tuple[tuple[str, str, str], ...]
    overall: Outcomes
    by_clock: tuple[Outcomes, ...]
    by_queue: tuple[Outcomes, ...]
    by_agent: tuple[Outcomes, ...]
    by_day: tuple[Outcomes, ...]
    times: tuple[Times, ...]
    ageing: tuple[Age, ...]
    hours: tuple[Hour, ...]
    cases: Figure
    became_claims: tuple[tuple[int, str], ...]
    refused: tuple[Reasoned, ...]
    unverified: tuple[tuple[str, Figure], ...]
