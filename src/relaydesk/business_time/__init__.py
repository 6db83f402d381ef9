"""Business time: a :class:`Calendar` of open windows, and the deadlines counted on it.

A :class:`Target` is what a queue promises; :func:`deadline` gives the instant and can say why. Aware UTC in
and out; the zone of the desk is the calendar's. Pure.
"""

from relaydesk.business_time.calendar import Calendar
from relaydesk.business_time.deadlines import (
    READINGS,
    Reading,
    Target,
    deadline,
    earliest_deadline,
    explain_due,
    warning_time,
)
from relaydesk.business_time.open_time import open_time_between

__all__ = [
    "READINGS",
    "Calendar",
    "Reading",
    "Target",
    "deadline",
    "earliest_deadline",
    "explain_due",
    "open_time_between",
    "warning_time",
]
