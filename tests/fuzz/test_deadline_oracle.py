"""The clock against two second opinions: an oracle that counts minute by minute, and workclock.

The oracle knows only which wall time each UTC minute shows (UTC to local, never the way back). From that
it finds when a window opens and closes, marks every open minute, and counts.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
import workclock

from relaydesk.business_time.calendar import Calendar
from relaydesk.business_time.deadlines import Target, deadline, warning_time
from relaydesk.business_time.open_time import open_time_between

ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",  # never changes
    "Australia/Lord_Howe",  # changes by half an hour
    "America/Santiago",  # changes at midnight
    "Africa/Cairo",  # changes at midnight of a Friday
    "America/Nuuk",  # changes before midnight, the gap ends with the date
)
MINUTE = timedelta(minutes=1)
DAYS = 70  # a table reaches this far, with the change of time in its third week
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sunday")
CONFIGS, STARTS = 9, 16  # for each of 8 zones and 2 changes: 2,304 cases

Wall = tuple[int, int]  # minutes since midnight; the end runs past 1440 into the next date

# Within a family no window can run into the next date's first one, whichever days are combined.
BY_NIGHT: tuple[tuple[Wall, ...], ...] = (
    (),
    ((0, 1440),),
    ((0, 150), (165, 375)),
    ((30, 90), (105, 180), (600, 1410)),
    ((130, 170),),
    ((540, 1020),),
    ((0, 5), (1380, 1440)),
)
BY_DAY: tuple[tuple[Wall, ...], ...] = (
    (),
    ((540, 1020),),
    ((540, 720), (780, 1440)),
    ((1320, 1800),),
    ((480, 721), (1380, 1565)),
    ((390, 1830),),
    ((600, 601), (1200, 1530)),
)


@dataclass(frozen=True)
class Config:
    """A calendar as plain minutes, for the oracle and for the text that our own reader gets."""

    zone: str
    week: tuple[tuple[Wall, ...], ...]
    holidays: frozenset[date]
    special: dict[date, tuple[Wall, ...]]

    def on(self, day: date) -> tuple[Wall, ...]:
        if day in self.special:
            return self.special[day]
        return () if day in self.holidays else self.week[day.weekday()]

    def calendar(self) -> Calendar:
        def text(windows: tuple[Wall, ...]) -> list[str]:
            return [f"{_hhmm(start)}-{_hhmm(end if end <= 1440 else end - 1440)}" for start, end in windows]

        mapping = {
            "zone": self.zone,
            "hours": {name: text(windows) for name, windows in zip(DAY_NAMES, self.week, strict=True)},
            "holidays": {"add": sorted(self.holidays)},
            "special": {str(day): text(windows) for day, windows in self.special.items()},
        }
        return Calendar.from_mapping(mapping)

    def nominal(self) -> int:
        """Minutes of the commonest open weekday, the longer on a tie."""
        lengths = [sum(end - start for start, end in windows) for windows in self.week if windows]
        return max(lengths, key=lambda minutes: (lengths.count(minutes), minutes))


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@cache
def first_instants(zone: str, begin: datetime) -> dict[datetime, int]:
    """Each wall minute that the zone shows, with the first minute (since ``begin``) that shows it."""
    here, shown = ZoneInfo(zone), {}
    for minute in range(DAYS * 1440):
        wall = (begin + minute * MINUTE).astimezone(here).replace(tzinfo=None, fold=0)
        shown.setdefault(wall, minute)
    return shown


def instant(shown: dict[datetime, int], wall: datetime) -> int:
    """The minute of a wall time; in a gap, as far after the last shown one as its clock says."""
    back = 0
    while wall - back * MINUTE not in shown:
        back += 1
    return shown[wall - back * MINUTE] + back


class Oracle:
    """Every minute marked open or closed; questions are answered by counting."""

    def __init__(self, config: Config, begin: datetime) -> None:
        shown = first_instants(config.zone, begin)
        self.begin = begin
        self.open = bytearray(DAYS * 1440)
        self.closings: list[int] = []  # last closing of each business day
        for day in sorted({wall.date() for wall in shown})[2:-2]:
            midnight = datetime.combine(day, time())
            ends = []
            for start, end in config.on(day):
                opens, closes = (instant(shown, midnight + minutes * MINUTE) for minutes in (start, end))
                self.open[opens:closes] = b"\1" * max(0, closes - opens)
                ends += [closes] * (opens < closes)
            if ends:
                self.closings.append(max(ends))

    def due(self, start: int, amount: int) -> int:
        minute = start
        while amount or not self.open[minute]:
            amount -= self.open[minute]
            minute += 1
            if not amount and self.open[minute - 1]:
                return minute
        return minute

    def end_of_day(self, start: int, days: int) -> int:
        return [closing for closing in self.closings if closing > start][days]

    def warning(self, start: int, due: int, before: int) -> int | None:
        minutes = [minute for minute in range(start, due) if self.open[minute]]
        return minutes[max(-before, -len(minutes))] if minutes else None


def changes(zone: str) -> list[datetime]:
    """Two changes of the zone's time in 2026 and 2027 (any two dates where there is none)."""
    here, noon = ZoneInfo(zone), datetime(2026, 1, 10, 12, tzinfo=UTC)
    days = [noon + timedelta(days=n) for n in range(600)]
    found = [
        day
        for day in days
        if day.astimezone(here).utcoffset() != (day + timedelta(days=1)).astimezone(here).utcoffset()
    ]
    return (found or [days[60], days[200]])[:2]


def random_config(rng: random.Random, zone: str, change: datetime) -> Config:
    family = rng.choice((BY_NIGHT, BY_DAY))
    week = tuple(rng.choice(family) for _ in range(7))
    dates = [change.date() + timedelta(days=n) for n in range(-10, 20)]
    special = {day: rng.choice(family) for day in rng.sample(dates, rng.randrange(6))}
    # An open Wednesday at least, so that every calendar is one.
    week = (*week[:2], week[2] or family[5], *week[3:])
    return Config(zone, week, frozenset(rng.sample(dates, rng.randrange(5))), special)


def moment(oracle: Oracle, minute: int | None) -> datetime | None:
    return None if minute is None else oracle.begin + minute * MINUTE


@pytest.mark.parametrize("zone", ZONES)
def test_it_agrees_with_counting_every_minute(zone: str) -> None:
    rng, cases = random.Random(zone), 0
    for change in changes(zone):
        begin = change.replace(hour=0) - timedelta(days=20)
        for _ in range(CONFIGS):
            config = random_config(rng, zone, change)
            oracle, calendar = Oracle(config, begin), config.calendar()
            for _ in range(STARTS):
                _compare(rng, oracle, config, calendar)
                cases += 1
    assert cases == 2 * CONFIGS * STARTS


def _compare(rng: random.Random, oracle: Oracle, config: Config, calendar: Calendar) -> None:
    start = rng.randrange(12 * 1440, 26 * 1440)
    received = oracle.begin + start * MINUTE
    amount = rng.choice((0, 1, rng.randrange(600), rng.randrange(3000), _exact_fit(rng, oracle, start)))
    due = oracle.due(start, amount)
    found = deadline(received, Target(amount, "minute", True), calendar).due
    assert found == moment(oracle, due), (config, received, amount)

    days = rng.randrange(1, 4)
    target = Target(days, "day", True)
    elapsed = deadline(received, target, calendar, "elapsed").due
    assert elapsed == moment(oracle, oracle.due(start, days * config.nominal())), (config, received, days)
    end_of_day = deadline(received, target, calendar, "end_of_day").due
    assert end_of_day == moment(oracle, oracle.end_of_day(start, days)), (config, received, days)

    until = start + rng.randrange(14 * 1440)
    measured = open_time_between(received, oracle.begin + until * MINUTE, calendar)
    assert measured == sum(oracle.open[start:until]) * MINUTE, (config, received, until)

    before = rng.choice((1, rng.randrange(1, 300), rng.randrange(1, 3000)))
    warned = warning_time(received, found, Target(before, "minute", True), calendar)
    assert warned == moment(oracle, oracle.warning(start, due, before)), (config, received, found, before)


def _exact_fit(rng: random.Random, oracle: Oracle, start: int) -> int:
    """The open minutes until one of the next closings."""
    closings = [closing for closing in oracle.closings if closing > start]
    return sum(oracle.open[start : closings[rng.randrange(3)]])


def as_workclock(config: Config) -> workclock.Schedule:
    rules: list[workclock.Rule] = [workclock.Holidays(config.holidays)]
    for weekday, windows in enumerate(config.week):
        for start, end in windows:
            opens, closes = (time(minutes // 60 % 24, minutes % 60) for minutes in (start, end))
            rules.append(workclock.WorkDay(opens, closes, days=[weekday]))
    return workclock.Schedule(rules, time_zone=config.zone)


@pytest.mark.parametrize("zone", ZONES)
def test_it_agrees_with_workclock(zone: str) -> None:
    """Where both mean the same: no special hours, and no window past midnight near a holiday."""
    rng = random.Random(f"workclock {zone}")
    for change in changes(zone):
        for _ in range(CONFIGS):
            drawn = random_config(rng, zone, change)
            past_midnight = any(end > 1440 for windows in drawn.week for _, end in windows)
            config = Config(zone, drawn.week, frozenset() if past_midnight else drawn.holidays, {})
            theirs, ours = as_workclock(config), config.calendar()
            for _ in range(STARTS // 2):
                received = change + timedelta(seconds=rng.randrange(-9 * 86_400, 9 * 86_400))
                seconds = rng.randrange(1, 200_000)
                due = deadline(received, Target(seconds, "second", True), ours).due
                assert due == theirs.add(received, seconds=seconds), (config, received, seconds)
                assert open_time_between(received, due, ours) == timedelta(seconds=seconds)
                assert theirs.between(received, due) == timedelta(seconds=seconds)
