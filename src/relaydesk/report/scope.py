"""What a report is asked for: a period, and perhaps one queue or agent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.report.runs import ClockRun, RunMark

DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What is asked: clocks started from ``since`` (inclusive) to ``until`` (exclusive), aware UTC.

    ``queue`` and ``agent`` narrow it; None is all, and ``agent=""`` is what was unassigned.
    """

    since: datetime
    until: datetime
    queue: str | None = None
    agent: str | None = None

    def takes(self, run: ClockRun) -> bool:
        return self.during(run.started) and self.among(run)

    def during(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    def among(self, of: ClockRun | RunMark) -> bool:
        return self.queue in (None, of.queue) and self.agent in (None, of.agent)


def report_period(since: str, until: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The instants of ``--from`` and ``--to``: local days (the last one whole) or ISO instants with a zone.

    "" for ``until`` is now, for ``since`` thirty local days before the end. ValueError is a sentence.
    """
    end = _instant(until, zone, timedelta(days=1)) if until else now
    if since:
        start = _instant(since, zone, timedelta())
    else:
        day = (end - timedelta(microseconds=1)).astimezone(zone).date() - timedelta(days=DEFAULT_DAYS - 1)
        start = datetime.combine(day, time(), zone)
    if start >= end:
        raise ValueError(f"the period ends ({until or 'now'}) before it begins ({since or 'default'})")
    return start, end


def _instant(text: str, zone: ZoneInfo, later: timedelta) -> datetime:
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(text) + later, time(), zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is neither a day (2026-11-23) nor a time (2026-11-23T09:30:00Z)"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; add Z for UTC or an offset such as -08:00")
    return moment
