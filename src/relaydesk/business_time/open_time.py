"""Counting along the open time of a calendar: forward by an amount, to a closing, between two instants.

Instants are aware UTC, durations are real seconds (an hour is 3,600 of them on the day of a change too).
A walk ends where a calendar stays closed for 400 days, or after a lifetime: see :class:`NoOpenTime`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from relaydesk.business_time.calendar import LONGEST_CLOSURE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.business_time.calendar import Calendar

_DAY = timedelta(days=1)
_LONGEST_WALK = 30_000  # dates, some 80 years: a bound on work, beyond any deadline a desk can mean


class NoOpenTime(Exception):  # noqa: N818 - a finding about a calendar, turned into a fallback by `deadline`
    """The calendar has not the open time that was asked for."""


class Stretch(NamedTuple):
    """Open time from ``opens`` to ``closes`` that belongs to the business day of local date ``day``."""

    opens: datetime
    closes: datetime
    day: date


def require_aware(*instants: datetime) -> None:
    """ValueError for an instant without a zone: it names no moment."""
    for instant in instants:
        if instant.utcoffset() is None:
            raise ValueError(
                f"{instant.isoformat()} has no offset; use one such as 2026-11-24T12:00:00-08:00"
            )


def local_date(instant: datetime, calendar: Calendar) -> date:
    """The date on the wall of the calendar's zone."""
    return instant.astimezone(calendar.zone).date()


def business_days(calendar: Calendar, since: datetime) -> Iterator[date]:
    """The dates with open time that close after ``since``, in order; first the one ``since`` falls in.

    A window past midnight belongs to its starting date, so at 02:00 of a night shift the first business
    day is yesterday's.
    """
    # Two dates back: last night's shift may have begun before a date that the zone skipped.
    day = local_date(since, calendar) - 2 * _DAY
    closed = 0
    for _ in range(_LONGEST_WALK):
        windows = calendar.windows(day)
        closed = 0 if windows else closed + 1
        if closed > LONGEST_CLOSURE:
            raise NoOpenTime(f"no open time in {LONGEST_CLOSURE} days before {day}")
        if windows and windows[-1][1] > since:
            yield day
        day += _DAY
    raise NoOpenTime(f"not enough open time until {day}")


def stretches(calendar: Calendar, since: datetime) -> Iterator[Stretch]:
    """The open time from ``since`` on, in order and disjoint; without end but for :class:`NoOpenTime`."""
    done = since.astimezone(UTC)
    held: list[Stretch] = []
    for day in business_days(calendar, since):
        held += [Stretch(opens, closes, day) for opens, closes in calendar.windows(day)]
        held.sort()
        tomorrow = calendar.windows(day + _DAY)
        if tomorrow and tomorrow[0][0] < held[-1].opens:
            continue  # a gap at midnight moved the last window past tomorrow's first one
        for opens, closes, day_of in held:
            if closes > done:
                yield Stretch(max(opens, done), closes, day_of)
                done = closes
        held = []


def advance(calendar: Calendar, start: datetime, amount: timedelta) -> tuple[datetime, list[Stretch]]:
    """The instant when ``amount`` of open time has passed since ``start``, and the stretches it took.

    An exact fit ends at the closing instant; nothing at all ends at the first open instant.
    """
    used: list[Stretch] = []
    left = amount
    for opens, closes, day in stretches(calendar, start):
        if left <= closes - opens:
            used.append(Stretch(opens, opens + left, day))
            return opens + left, used
        left -= closes - opens
        used.append(Stretch(opens, closes, day))
    raise NoOpenTime("the calendar ended")


def first_open(calendar: Calendar, at: datetime) -> datetime:
    """The first open instant at or after ``at``."""
    return next(stretches(calendar, at)).opens


def closing(calendar: Calendar, start: datetime, days: int) -> tuple[datetime, list[date]]:
    """The last closing of the ``days``-th business day after day 0, and the business days from day 0 on.

    Day 0 is the first business day whose last closing lies after ``start``: the day of arrival if the
    mail came before its last closing, before the opening and in the lunch break included.
    """
    passed: list[date] = []
    for day in business_days(calendar, start):
        passed.append(day)
        if len(passed) > days:
            return calendar.windows(day)[-1][1], passed
    raise NoOpenTime("the calendar ended")


def open_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """The open time between two aware instants; zero when ``end`` is not after ``start``.

    Time that the calendar does not know of (a closure of over 400 days) counts as closed. ValueError for
    naive instants.
    """
    require_aware(start, end)
    total = timedelta()
    if end <= start:
        return total
    try:
        for opens, closes, _ in stretches(calendar, start):
            if opens >= end:
                break
            total += min(closes, end) - opens
    except (NoOpenTime, OverflowError):
        pass
    return total
