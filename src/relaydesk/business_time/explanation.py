"""A deadline in words, a line a date: ``Tue 24 Nov 3 h 20 min``, ``Thu 26 Nov skipped (holiday)``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from relaydesk.business_time.hours import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.business_time.calendar import Calendar
    from relaydesk.business_time.open_time import Stretch

# Own words: those of strftime follow the locale of the process.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_SHOWN_FIRST, _SHOWN_LAST = 21, 3


def amount(length: timedelta) -> str:
    """``3 h 20 min``, ``45 s``, ``0 s``, to the nearest second.

    Hours are not folded into days, whose length is the question.
    """
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number) or "0 s"


def day_name(day: date) -> str:
    """``Tue 24 Nov``."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1]}"


def moment(instant: datetime, calendar: Calendar) -> str:
    """``Tue 24 Nov 2026 12:00:00 PST (2026-11-24T20:00:00+00:00)``: on the wall, and in UTC."""
    local = instant.astimezone(calendar.zone)
    wall = f"{day_name(local.date())} {local.year} {local:%H:%M:%S} {local.tzname()}"
    return f"{wall} ({instant.astimezone(UTC).isoformat(timespec='seconds')})"


def counted_time(calendar: Calendar, arrival: date, used: list[Stretch]) -> list[str]:
    """What each date from the arrival on gave to an amount of open time."""
    open_by_day: dict[date, timedelta] = {}
    for opens, closes, day in used:
        open_by_day[day] = open_by_day.get(day, timedelta()) + (closes - opens)

    def line(day: date) -> str:
        return (
            f"{day_name(day)} {amount(open_by_day[day])}" if day in open_by_day else _skipped(calendar, day)
        )

    return _lines(min(arrival, *open_by_day), max(open_by_day), line)


def counted_days(calendar: Calendar, arrival: date, passed: list[date]) -> list[str]:
    """Which date from the arrival on is which business day; the first of ``passed`` is day 0."""
    number = {day: n for n, day in enumerate(passed)}

    def line(day: date) -> str:
        return f"{day_name(day)} is day {number[day]}" if day in number else _skipped(calendar, day)

    return _lines(min(arrival, passed[0]), passed[-1], line)


def _skipped(calendar: Calendar, day: date) -> str:
    return f"{day_name(day)} skipped ({calendar.closed_because(day) or 'after closing'})"


def _lines(first: date, last: date, line: Callable[[date], str]) -> list[str]:
    """A line a date, the middle of a long way left out."""
    dates = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    hidden = len(dates) - _SHOWN_FIRST - _SHOWN_LAST
    if hidden <= 1:
        return [line(day) for day in dates]
    gap = f"{hidden} more dates, to {day_name(dates[-_SHOWN_LAST - 1])}"
    return [*map(line, dates[:_SHOWN_FIRST]), gap, *map(line, dates[-_SHOWN_LAST:])]
