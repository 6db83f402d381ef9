"""How the report writes durations, shares and its period, whatever the form. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from relaydesk.report.figures import Report

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EMPTY = "No clock started in this period: there is nothing to measure yet."
MINUTE = 60


def duration(span: timedelta) -> str:
    """Hours and minutes, ``26 h 05 min``: days would hide whether they are business days."""
    seconds = int(span.total_seconds())
    if seconds < MINUTE:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // MINUTE, MINUTE)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def stopwatch(span: timedelta) -> str:
    """Hours and minutes for narrow columns, ``26:05``."""
    hours, minutes = divmod(int(span.total_seconds()) // MINUTE, MINUTE)
    return f"{hours}:{minutes:02}"


def percent(share: float | None) -> str:
    """``97.5 %``, rounded down so that 100 % means every one; a dash while nothing is decided."""
    return "-" if share is None else f"{int(share * 1000 + 1e-9) / 10:.1f} %"


def person(name: str) -> str:
    """An agent's name, or the word for none."""
    return name or "unassigned"


def span(report: Report) -> str:
    """The period in the calendar's zone, the end exclusive."""
    since, until = (moment.astimezone(report.zone) for moment in (report.scope.since, report.scope.until))
    return f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"
