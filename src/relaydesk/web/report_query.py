"""What the address of a report asks for: a period by name or by days, a queue, an agent. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from relaydesk.desk import NOBODY

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from starlette.datastructures import QueryParams

USUAL_DAYS = 30
MOST_DAYS = 366  # of a page; a file may hold more


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """One way to name a period is filled: ``days``, ``month`` (2026-11), ``week`` (the last whole one), or
    the days ``first`` and ``last``, both included. ``queue`` and ``agent`` are "" for all."""

    days: int | None = None
    month: str = ""
    week: bool = False
    first: str = ""
    last: str = ""
    queue: str = ""
    agent: str = ""

    @property
    def period(self) -> dict[str, Any]:
        """As :meth:`Reports.scope` takes it."""
        if self.first or self.last:
            return {"since": self.first, "until": self.last}
        return {"days": self.days, "of_month": self.month, "last_whole_week": self.week}

    @property
    def scope(self) -> dict[str, Any]:
        """The same with queue and agent."""
        agent = "" if self.agent == NOBODY else self.agent or None
        return {**self.period, "queue": self.queue or None, "agent": agent}

    @property
    def preset(self) -> dict[str, str]:
        """The name of the period as an address holds it; none of the usual one and of days of one's own."""
        if self.first or self.last:
            return {}
        if self.month:
            return {"month": self.month}
        if self.week:
            return {"last": "week"}
        return {} if self.days == USUAL_DAYS else {"days": str(self.days)}

    def address(self, **more: str) -> str:
        """The query part of the same report's address, with what is to be added."""
        days = {"from": self.first, "to": self.last}
        parts = {**self.preset, **days, "queue": self.queue, "agent": self.agent, **more}
        return urlencode({name: value for name, value in parts.items() if value})

    def over(self, **period: Any) -> ReportQuery:
        """The same queue and agent over another period."""
        return replace(ReportQuery(queue=self.queue, agent=self.agent), **period)


def report_query(asked: QueryParams) -> ReportQuery:
    """From an address. ValueError is a sentence."""
    of = ReportQuery(queue=asked.get("queue", ""), agent=asked.get("agent", ""))
    days = asked.get("days", "")
    if days and not (days.isascii() and days.isdigit() and 1 <= int(days[:5]) <= MOST_DAYS):
        raise ValueError(f"a report covers 1 to {MOST_DAYS} days")
    preset: dict[str, Any] = {"days": USUAL_DAYS}
    if month := asked.get("month", ""):
        preset = {"month": month}
    elif asked.get("last") == "week":
        preset = {"week": True}
    elif days:
        preset = {"days": int(days)}
    first, last = asked.get("from", ""), asked.get("to", "")
    # A form sends the days of its preset along: they are days of one's own only where they were changed.
    changed = (first, last) != (asked.get("shown_from", ""), asked.get("shown_to", ""))
    if (first or last) and changed:
        return of.over(first=first, last=last)
    return of.over(**preset)


def presets(query: ReportQuery, now: datetime, zone: ZoneInfo) -> tuple[tuple[str, str, bool], ...]:
    """The periods one is offered: words, address, whether it is the one shown."""
    today = now.astimezone(zone).date()
    this, before = _month(today, 0), _month(today, 1)
    choices = (
        ("Today", query.over(days=1)),
        ("7 days", query.over(days=7)),
        ("30 days", query.over(days=30)),
        ("Last week", query.over(week=True)),
        (this[1], query.over(month=this[0])),
        (before[1], query.over(month=before[0])),
    )
    return tuple((words, f"/report?{choice.address()}", choice == query) for words, choice in choices)


def _month(today: date, ago: int) -> tuple[str, str]:
    number = today.year * 12 + today.month - 1 - ago
    first = today.replace(day=1, year=number // 12, month=number % 12 + 1)
    return f"{first:%Y-%m}", f"{first:%B}"
