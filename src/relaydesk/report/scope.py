"""What a report is asked for: a period, and perhaps one queue or agent; and the period before. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.report.runs import ClockRun, RunMark

DEFAULT_DAYS = 30
DECEMBER = 12
DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)


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

    def days(self, zone: ZoneInfo) -> tuple[date, date]:
        """The first and the last local day, the last one perhaps in part."""
        return self.since.astimezone(zone).date(), (self.until - INSTANT).astimezone(zone).date()

    def before(self, zone: ZoneInfo) -> ReportScope:
        """The period before: of whole months as many months, else as many local days, from the same hour to
        the same hour, so that a day that is under way is held against the day before up to that hour."""
        begin, end = self.since.astimezone(zone), self.until.astimezone(zone)
        if _starts_month(begin) and _starts_month(end):
            months = (end.year - begin.year) * 12 + end.month - begin.month
            earlier = _month_start(begin.year, begin.month - months, zone)
            return replace(self, since=earlier.astimezone(UTC), until=self.since)
        first, last = self.days(zone)
        shift = last - first + DAY
        since, until = (_local(moment, shift, zone).astimezone(UTC) for moment in (begin, end))
        return replace(self, since=since, until=until)


def report_period(since: str, until: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The instants of ``--from`` and ``--to``: local days (the last one whole) or ISO instants with a zone.

    "" for ``until`` is now, for ``since`` thirty local days before the end. ValueError is a sentence.
    """
    end = _instant(until, zone, timedelta(days=1)) if until else now
    start = _instant(since, zone, timedelta()) if since else _days_before(end, DEFAULT_DAYS, zone)
    if start >= end:
        raise ValueError(f"the period ends ({until or 'now'}) before it begins ({since or 'default'})")
    return start, end


def last_days(days: int, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """So many local days, the last of which is today up to now. ValueError is a sentence."""
    if not 1 <= days <= 36_500:  # noqa: PLR2004 - a century
        raise ValueError("a period has at least one day and at most 36500")
    return _days_before(now, days, zone), now


def month(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local month ``2026-11``. ValueError is a sentence."""
    digits = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
    if digits is None or not 1 <= int(digits[2]) <= DECEMBER or not 1 < int(digits[1]) < date.max.year:
        raise ValueError(f"{text!r} is not a month; write it as 2026-11")
    year, number = int(digits[1]), int(digits[2])
    return _month_start(year, number, zone), _month_start(year, number + 1, zone)


def last_week(zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The last whole week from Monday to Sunday."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return _midnight(monday - 7 * DAY, zone), _midnight(monday, zone)


def _days_before(end: datetime, days: int, zone: ZoneInfo) -> datetime:
    return _midnight((end - INSTANT).astimezone(zone).date() - timedelta(days=days - 1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _local(moment: datetime, shift: timedelta, zone: ZoneInfo) -> datetime:
    """The same wall time so many days earlier."""
    return datetime.combine(moment.date() - shift, moment.time(), zone)


def _starts_month(local: datetime) -> bool:
    return local.day == 1 and local.time() == time()


def _month_start(year: int, number: int, zone: ZoneInfo) -> datetime:
    """The first instant of a month; ``number`` may lie outside 1 to 12."""
    return datetime(year + (number - 1) // 12, (number - 1) % 12 + 1, 1, tzinfo=zone)


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
