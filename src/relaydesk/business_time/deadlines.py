"""Deadlines: a start, a target and a reading on a calendar give the instant an answer is due, and why.

Rule 11 of the clock: a ticket always gets a deadline. Should the business time not be computable after
all, :func:`deadline` counts wall-clock time and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast, get_args

from relaydesk.business_time.explanation import amount, counted_days, counted_time, moment
from relaydesk.business_time.open_time import (
    NoOpenTime,
    advance,
    closing,
    first_open,
    local_date,
    open_time_between,
    require_aware,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaydesk.business_time.calendar import Calendar

__all__ = (
    "READINGS",
    "Deadline",
    "Reading",
    "Target",
    "check_reading",
    "deadline",
    "earliest_deadline",
    "explain_due",
    "open_time_between",
    "warning_time",
)

Reading = Literal["elapsed", "end_of_day"]
Unit = Literal["second", "minute", "hour", "day"]

READINGS: tuple[Reading, ...] = get_args(Reading)

_UNIT_SECONDS: dict[Unit, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_TARGET = re.compile(r"\s*([0-9]{1,9})\s+(business\s+)?(second|minute|hour|day)s?\s*", re.IGNORECASE)
_LONGEST_TARGET = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Target:
    """How long an answer may take: ``2 business days``, ``90 business minutes``, ``10 days``, ``48 hours``.

    With ``business`` the amount is open time of a calendar, else plain elapsed time (days of 24 h).
    """

    count: int
    unit: Unit
    business: bool

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target of a text; ValueError with the accepted forms otherwise."""
        match = _TARGET.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(
                f"{text!r} is not a target; use a whole number and a unit, such as 2 business days, "
                "16 business hours, 90 business minutes, 3600 business seconds, 10 days or 48 hours"
            )
        target = cls(int(match[1]), cast("Unit", match[3].lower()), bool(match[2]))
        if target.plain > _LONGEST_TARGET:
            raise ValueError(f"{text!r} is too long for a target; write at most {_LONGEST_TARGET.days} days")
        return target

    @property
    def plain(self) -> timedelta:
        """The length on the wall clock, a day being 24 h."""
        return timedelta(seconds=self.count * _UNIT_SECONDS[self.unit])

    def open_time(self, calendar: Calendar) -> timedelta:
        """The length in open time, a day being the calendar's nominal business day."""
        return self.count * calendar.business_day if self.unit == "day" else self.plain

    def __str__(self) -> str:
        return f"{self.count} {'business ' if self.business else ''}{self.unit}{'s' * (self.count != 1)}"


@dataclass(frozen=True, slots=True)
class Deadline:
    """``due`` (aware UTC) and how it came about; ``reading`` is the one that was asked for."""

    due: datetime
    reading: Reading
    explanation: tuple[str, ...]
    target: str = ""


def check_reading(text: str) -> Reading:
    """The reading of this name; ValueError naming the readings otherwise."""
    for reading in READINGS:
        if text == reading:
            return reading
    raise ValueError(f"{text!r} is not a reading; use {' or '.join(READINGS)}")


def deadline(start: datetime, target: Target, calendar: Calendar, reading: str = "elapsed") -> Deadline:
    """When an answer to a message accepted at ``start`` (aware) is due.

    The reading says what *N business days* means: ``elapsed`` counts N nominal business days of open
    time, ``end_of_day`` ends with the N-th business day after the day of arrival. Business hours, minutes
    and seconds are counted over open time under either reading; plain targets pass through nights and
    weekends. No business time at all (``0 business hours``) is due at the first open instant.
    ValueError for a naive ``start`` or an unknown reading.
    """
    require_aware(start)
    named = check_reading(reading)
    try:
        return _due(start.astimezone(UTC), target, calendar, named)
    except Exception as error:  # whatever fails, the ticket gets a deadline, and its explanation says so
        due = _later(start, target.plain)
        why = f"business time could not be counted ({error}): {target} taken as {amount(target.plain)}"
        return Deadline(due, named, (f"{why} of wall-clock time", f"due {due.isoformat()}"), str(target))


def _due(start: datetime, target: Target, calendar: Calendar, reading: Reading) -> Deadline:
    if not target.business:
        due = start + target.plain
        lines = [f"{target}: {amount(target.plain)} on the wall clock, closed days included"]
    elif reading == "end_of_day" and target.unit == "day" and target.count:
        due, passed = closing(calendar, start, target.count)
        lines = [f"{target}: until the last closing of business day {target.count} after the day of arrival"]
        lines += counted_days(calendar, local_date(start, calendar), passed)
    else:
        length = target.open_time(calendar)
        due, used = advance(calendar, start, length)
        lines = [f"{target}: {amount(length)} of open time"]
        lines += counted_time(calendar, local_date(start, calendar), used)
    return Deadline(due, reading, (*lines, f"due {moment(due, calendar)}"), str(target))


def _later(start: datetime, length: timedelta) -> datetime:
    try:
        return start.astimezone(UTC) + length
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def warning_time(start: datetime, due: datetime, before: Target, calendar: Calendar) -> datetime | None:
    """When to warn: ``before`` ahead of ``due``, counted in business time, at an open instant.

    ``before`` is always open time (``4 hours`` means four open hours, ``1 day`` a nominal business day).
    Never before the first open instant at or after ``start``; None when no open instant is left between
    the start and the deadline, or when ``before`` is nothing. ValueError for naive instants.
    """
    require_aware(start, due)
    try:
        ahead = open_time_between(start, due, calendar) - before.open_time(calendar)
        reached, _ = advance(calendar, start, max(ahead, timedelta()))
        # An exact fit ends at a closing instant, which is closed: the same business time opens later.
        at = first_open(calendar, reached)
    except (NoOpenTime, OverflowError):  # no warning can be counted; the deadline holds all the same
        return None
    return at if at < due else None


def earliest_deadline(deadlines: Iterable[Deadline]) -> Deadline:
    """The deadline that falls first, saying which others it beat. ValueError when there is none."""
    ordered = sorted(deadlines, key=lambda each: each.due)
    if not ordered:
        raise ValueError("there is no deadline to choose from")
    first, *others = ordered
    beaten = tuple(f"earlier than {other.target}, {other.explanation[-1]}" for other in others)
    return replace(first, explanation=first.explanation + beaten)


def explain_due(received: str, target: str, reading: str, calendar: Calendar) -> dict[str, object]:
    """The answer of ``relaydesk due``: due (ISO 8601, UTC), reading and explanation.

    ``received`` is ISO 8601 with an offset. ValueError with a sentence for anything that cannot be used,
    a calendar without open time in the 400 days after the receipt included.
    """
    try:
        start = datetime.fromisoformat(received)
        require_aware(start)
        today = local_date(start, calendar)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{received!r} is not a time; use date, time and offset, such as 2026-11-24T12:00:00-08:00"
        ) from None
    wanted = Target.parse(target)
    if wanted.business:
        calendar.require_open_time(today)
    result = deadline(start, wanted, calendar, reading)
    return {"due": result.due.isoformat(), "reading": result.reading, "explanation": list(result.explanation)}
