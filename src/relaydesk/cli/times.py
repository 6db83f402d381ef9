"""Moments and spans as people say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.cli.output import Alarm

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

HOUR, DAY = 60, 24 * 60  # minutes


def in_words(span: timedelta, *, brief: bool = False) -> str:
    """``45 min``, ``5 h 20 min`` (``brief``: ``5 h``), ``2 d 3 h``; rounded down, days of 24 hours."""
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return "under 1 min"
    if minutes < HOUR:
        return f"{minutes} min"
    if minutes < DAY:
        return _two((minutes // HOUR, "h"), (0 if brief else minutes % HOUR, "min"))
    return _two((minutes // DAY, "d"), (minutes % DAY // HOUR, "h"))


def _two(*amounts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in amounts if number)


def left(due: datetime | None, now: datetime, *, brief: bool = False) -> str:
    """What is left until a deadline, ``in 5 h``; what it is late by, ``overdue 3 h``, in red."""
    if due is None:
        return "no clock"
    if due < now:
        return Alarm(f"overdue {in_words(now - due, brief=brief)}")
    return f"in {in_words(due - now, brief=brief)}"


def local(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant in the desk's zone with its weekday and the zone's short name, ``-`` for none."""
    return instant.astimezone(zone).strftime("%a %d %b %H:%M %Z") if instant is not None else "-"
