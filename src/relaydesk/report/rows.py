"""One clock as a row of CSV, JSON and XLSX: the same columns everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relaydesk.report.why import circumstances

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from relaydesk.business_time import Calendar
    from relaydesk.report.runs import ClockRun
    from relaydesk.store import TicketFacts

OF_RUN = (
    "ticket",
    "kind",
    "queue",
    "agent",
    "clock",
    "round",
    "outcome",
    "open",
    "how",
    "started",
    "due",
    "stopped",
    "ended",
    "target",
    "reading",
)
OF_BREACH = ("late", "why", "buyer", "orders")
COLUMNS = (*OF_RUN, "zone", "calendar", *OF_BREACH)
"""The columns of the CSV. Times are UTC, ``late`` is in seconds; causes and orders are parted by a space."""


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A clock, how late it was answered (None: it was not late) and why, whose ticket it is, its orders."""

    run: ClockRun
    late: timedelta | None
    why: tuple[str, ...]
    buyer: str
    orders: tuple[str, ...]

    def cells(self) -> dict[str, Any]:
        """By name of column; times are datetimes."""
        run = self.run
        return {
            **{name: getattr(run, name) for name in OF_RUN},
            "open": "yes" if run.open else "no",
            "late": None if self.late is None else self.late.total_seconds(),
            "why": " ".join(self.why),
            "buyer": self.buyer,
            "orders": " ".join(self.orders),
        }


def clock_row(run: ClockRun, facts: TicketFacts | None, calendar: Calendar, now: datetime) -> ClockRow:
    """The row of a run; ``facts`` are None for a ticket that is not there."""
    late = (run.ended or now) - run.due if run.outcome == "breached" else None
    why = (run.cause, *circumstances(run, calendar)) if late is not None else ()
    buyer, orders = (facts.buyer, facts.orders) if facts else ("", ())
    return ClockRow(run, late, why, buyer, orders)
