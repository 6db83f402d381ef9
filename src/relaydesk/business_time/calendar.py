"""When the desk is open: weekly hours, holidays and special days in one zone, turned into UTC windows.

Windows are local wall times, half-open, and belong to the date they start on. An ambiguous wall time is
its first occurrence; one that does not exist moves forward by the gap (both are what ``fold=0`` means,
PEP 495). A window that is empty in UTC is dropped; a date the zone skipped has no windows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from relaydesk.business_time.holidays import Holidays, read_holidays
from relaydesk.business_time.hours import (
    DAY_SECONDS,
    DEFAULT_ZONE,
    WEEKDAYS,
    CalendarError,
    Week,
    Window,
    blame,
    commonest_length,
    overlap,
    read_length,
    read_special,
    read_table,
    read_week,
    read_zone,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]

WHOLE_DAY = (Window(0, DAY_SECONDS),)
WORKING_WEEK: Week = (WHOLE_DAY,) * 5 + ((),) * 2
LONGEST_CLOSURE = 400  # days; longer is a mistake in the configuration, not a holiday
KEYS = ("zone", "hours", "holidays", "special", "business_day")

_DAY = timedelta(days=1)
_REMEMBERED_DATES = 20_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """The open time of a desk.

    ``week`` holds the windows of Monday to Sunday, ``special`` those of single dates, which beat
    ``holidays``. ``business_day`` is the nominal length of a business day.
    """

    zone: ZoneInfo
    week: Week
    business_day: timedelta
    special: Mapping[date, tuple[Window, ...]] = field(default_factory=dict, hash=False)
    holidays: Holidays = field(default_factory=Holidays)
    _known: dict[date, tuple[Span, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about lines of the configuration that have no effect."""
        return self.holidays.warnings

    @classmethod
    def default(cls) -> Calendar:
        """America/Los_Angeles, Monday to Friday, whole days, no holidays."""
        return cls.from_mapping({})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object] | None, source: str = "") -> Calendar:
        """The calendar of a configuration (keys: zone, hours, holidays, special, business_day).

        :class:`CalendarError` names ``source``, the key and the remedy. Without ``hours`` the desk is open
        Monday to Friday, whole days; without ``zone`` it is in America/Los_Angeles.
        """
        with blame(source or "calendar"):
            return _read(read_table({} if mapping is None else mapping, KEYS))

    def windows(self, day: date) -> tuple[Span, ...]:
        """The open windows that belong to this local date, as UTC instants, in order and disjoint."""
        spans = self._known.get(day)
        if spans is None:
            if len(self._known) >= _REMEMBERED_DATES:
                self._known.clear()
            spans = self._known[day] = self._resolve(day)
        return spans

    def wall_windows(self, day: date) -> tuple[Window, ...]:
        """What the configuration says for this date, before the zone has its word."""
        if day in self.special:
            return self.special[day]
        return () if self.holidays.name(day) else self.week[day.weekday()]

    def closed_because(self, day: date) -> str:
        """Why nothing is open on this date, or "" when it is a business day."""
        if self.windows(day):
            return ""
        if day in self.special:
            return "special hours"
        if self.wall_windows(day):
            return "a change of the zone's time"
        return self.holidays.name(day) if self.week[day.weekday()] else "closed weekday"

    def require_open_time(self, since: date) -> None:
        """:class:`CalendarError` unless the desk opens within 400 days from ``since`` (a local date)."""
        if _first_open(self, since) is None:
            raise CalendarError(
                f"the calendar has no open time in the {LONGEST_CLOSURE} days from {since}; "
                "add hours or special windows, or remove holidays"
            )

    def describe(self) -> str:
        """One line for the head of a report: zone, weekly hours, holidays."""
        runs = []
        for windows, group in groupby(zip(self.week, WEEKDAYS, strict=True), key=lambda each: each[0]):
            names = [name[:3] for _, name in group]
            if windows:
                runs.append(f"{'-'.join(dict.fromkeys((names[0], names[-1])))} {' '.join(map(str, windows))}")
        closed = self.holidays
        region = f"holidays {closed.region}" if closed.region else "no public holidays"
        own = f"{len(closed.added)} added, {len(closed.removed)} removed, {len(self.special)} special days"
        return f"{self.zone.key}; {', '.join(runs) or 'special days only'}; {region} ({own})"

    def _resolve(self, day: date) -> tuple[Span, ...]:
        wall = self.wall_windows(day)
        if not wall or self._skipped(day):
            return ()
        spans: list[Span] = []
        for opens, closes in sorted((self._utc(day, w.start), self._utc(day, w.end)) for w in wall):
            # A time moved forward by a gap may run into the next window: open time counts once.
            after_last = max(opens, spans[-1][1]) if spans else opens
            if after_last < closes:
                spans.append((after_last, closes))
        return tuple(spans)

    def _utc(self, day: date, seconds: int) -> datetime:
        wall = datetime.combine(day, time(), tzinfo=self.zone) + timedelta(seconds=seconds)
        return wall.astimezone(UTC)

    def _skipped(self, day: date) -> bool:
        """Whether the zone left this date out, as Pacific/Apia did with 2011-12-30."""
        return self._utc(day, DAY_SECONDS // 2).astimezone(self.zone).date() != day


def _read(table: Mapping[object, object]) -> Calendar:
    with blame("zone"):
        zone = read_zone(table.get("zone", DEFAULT_ZONE))
    with blame("hours"):
        week = read_week(table["hours"]) if "hours" in table else WORKING_WEEK
    with blame("special"):
        special = read_special(table.get("special", {}))
    if not any(week) and not any(special.values()):
        raise CalendarError("hours: the calendar is never open; give at least one weekday a window")
    with blame("holidays"):
        holidays = read_holidays(table.get("holidays", {}))
    with blame("business_day"):
        length = read_length(table["business_day"]) if "business_day" in table else commonest_length(week)
    calendar = Calendar(zone, week, length, special, holidays)
    _check_neighbours(calendar)
    _check_closures(calendar)
    return calendar


def _check_neighbours(calendar: Calendar) -> None:
    for day in sorted(calendar.special):
        for first, second in ((day - _DAY, day), (day, day + _DAY)):
            if sentence := overlap(calendar.wall_windows(first), calendar.wall_windows(second)):
                raise CalendarError(f"special: {day}: {sentence}")


def _check_closures(calendar: Calendar) -> None:
    """A configuration error when the days that are listed as closed make a closure of 400 days."""
    if not any(calendar.week):
        return  # only special days: how long they must last is for `require_open_time` to say
    listed = calendar.holidays.added | {day for day, windows in calendar.special.items() if not windows}
    open_again = date.min
    for day in sorted(listed):
        if day >= open_again:
            calendar.require_open_time(day)
            open_again = _first_open(calendar, day) or day


def _first_open(calendar: Calendar, since: date) -> date | None:
    return next((day for n in range(LONGEST_CLOSURE) if calendar.windows(day := since + n * _DAY)), None)
