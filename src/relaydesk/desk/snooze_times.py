"""When a snoozed ticket returns: the moments offered, in the agent's zone and on business days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from relaydesk.business_time import Calendar

MORNING, EVENING = time(9), time(18)
LATER = timedelta(hours=3)
QUARTER = timedelta(minutes=15)
LOOKED_AHEAD = 30  # days for a business day; a shop that is closed for longer takes the day itself
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SnoozeChoice:
    """One moment that is offered: ``key`` names it, ``label`` is for people, ``until`` is aware UTC."""

    key: str
    label: str
    until: datetime


def snooze_choices(now: datetime, zone: ZoneInfo, calendar: Calendar) -> tuple[SnoozeChoice, ...]:
    """Later today while the day lasts, the next business morning, the first one of next week."""
    return tuple(_choices(now, zone, calendar))


def _choices(now: datetime, zone: ZoneInfo, calendar: Calendar) -> Iterator[SnoozeChoice]:
    today = now.astimezone(zone).date()
    later = _rounded(now + LATER).astimezone(zone)
    if later.date() == today and later.timetz().replace(tzinfo=None) <= EVENING:
        yield SnoozeChoice("later", "Later today", later.astimezone(UTC))
    tomorrow = _business_day(today + _DAY, calendar)
    label = "Tomorrow morning" if tomorrow == today + _DAY else "Next business morning"
    yield SnoozeChoice("tomorrow", label, _morning(tomorrow, zone, calendar))
    monday = today + timedelta(days=7 - today.weekday())
    first = _business_day(monday, calendar)
    if first != tomorrow:
        label = "Next Monday" if first == monday else "Next week"
        yield SnoozeChoice("monday", label, _morning(first, zone, calendar))


def _rounded(moment: datetime) -> datetime:
    beyond = (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % QUARTER
    return moment + (QUARTER - beyond if beyond else timedelta())


def _business_day(day: date, calendar: Calendar) -> date:
    """This day, or the next one on which the shop is open."""
    days = (day + number * _DAY for number in range(LOOKED_AHEAD))
    return next((candidate for candidate in days if calendar.windows(candidate)), day)


def _morning(day: date, zone: ZoneInfo, calendar: Calendar) -> datetime:
    """Nine o'clock where the agent is, or the shop's opening where that is later on that day."""
    morning = datetime.combine(day, MORNING, zone).astimezone(UTC)
    windows = calendar.windows(day)
    opens = windows[0][0] if windows else morning
    return max(morning, opens) if opens.astimezone(zone).date() == day else morning
