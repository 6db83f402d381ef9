"""The figures of a report, as values: every number is a tally that leads to its tickets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from relaydesk.events import ClockName
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
class Band:
    """Answers that took between two numbers of business hours, in time and late."""

    name: str
    in_time: Figure
    late: Figure


@dataclass(frozen=True, slots=True)
class Times:
    """How long answers of one group took. ``slowest`` are the tickets at or above p90 of business time,
    ``longest`` those that took the longest of it."""

    name: str
    answered: Figure
    slowest: Figure
    longest: Figure
    business: Spread
    wall: Spread
    bands: tuple[Band, ...]


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
class Drifted:
    """Messages that a listed sender's SPF vouched for, from a network that the allowlist lacks."""

    network: str
    from_domain: str
    count: int


@dataclass(frozen=True, slots=True)
class Breach:
    """One deadline that passed. ``late`` and ``late_business`` are until the answer, or until now.

    ``why`` are codes of :data:`relaydesk.report.words.WHY`, the cause first. ``agent`` had the ticket at the
    deadline, "" for nobody; ``orders`` are those bound to it.
    """

    ticket: int
    clock: ClockName
    round: int
    queue: str
    agent: str
    started: datetime
    due: datetime
    open: bool
    late: timedelta
    late_business: timedelta
    why: tuple[str, ...]
    buyer: str = ""
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    """A case for whose order a claim came. ``answered`` is after how much wall time the case had its first
    answer, None for none yet; ``in_time`` whether that was before its deadline."""

    case: int
    claim: str
    at: datetime
    answered: timedelta | None
    in_time: bool


@dataclass(frozen=True, slots=True)
class AgentWork:
    """What one agent did in the period, and what they have open now; "" is nobody."""

    name: str
    sent: Figure
    handled: Figure
    closed: Figure
    open: Figure


@dataclass(frozen=True, slots=True)
class Report:
    """All figures. ``terms`` are the (clock, target, reading) that occur, ``hours`` those with a start.

    ``became_claims`` are cases escalated in the period, ``cases`` those with a clock started in it.
    ``refused`` and ``drift`` heed neither queue nor agent, for refused mail has none. ``before`` are the
    figures of the period before, where they are asked for.
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
    breaches: tuple[Breach, ...]
    withdrawn: Figure
    cases: Figure
    became_claims: tuple[Escalation, ...]
    work: tuple[AgentWork, ...]
    sent: Figure
    bounced: tuple[tuple[str, Figure], ...]
    refused: tuple[Reasoned, ...]
    drift: tuple[Drifted, ...]
    unverified: tuple[tuple[str, Figure], ...]
    before: Report | None = None
