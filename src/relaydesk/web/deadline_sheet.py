"""How a deadline came about, as the sheet under its figure shows it: a line a date, and what stops the clock.

The lines are those that were written down when the clock started; the calendar only says at what time of a
day its open hours begin, for the bars.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from relaydesk.business_time import open_time_between
from relaydesk.web.wording import Due, due_of, lasted, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from relaydesk.business_time import Calendar
    from relaydesk.store import DeadlineRow

DAY = timedelta(days=1)
WIDTH = 96  # units of a bar, four an hour
_COUNTED = re.compile(r"\w{3} (\d{1,2}) (\w{3}) (?=\d)(?:([\d,]+) h ?)?(?:(\d+) min ?)?(?:(\d+) s)?")
_SKIPPED = re.compile(r"\w{3} (\d{1,2}) (\w{3}) skipped \((.*)\)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STOPS = {
    "response": "when Meta\u2019s mail server takes an answer",
    "handling": "when you record what was done",
    "evidence": "when you record that the evidence was sent",
}
_SUFFIXES = {"response": "", "handling": "", "evidence": "evidence "}


@dataclass(frozen=True, slots=True)
class DayBar:
    """A date and the time that it gave: the bar runs from ``x`` for ``width`` of :data:`WIDTH` units; with
    ``width`` 0 nothing was counted. ``amount`` stands behind it. A line that is no date has a label alone."""

    label: str
    amount: str = ""
    x: float = 0
    width: float = 0


@dataclass(frozen=True, slots=True)
class DeadlineSheet:
    """One clock: its figure, how its deadline came about, and what it does."""

    clock: DeadlineRow
    due: Due
    words: str
    title: str
    about: str
    days: tuple[DayBar, ...]
    sum: tuple[str, str]
    beside: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]

    @property
    def tone(self) -> str:
        return self.due.state if self.due.state in ("over", "soon") else ""


def current_clock(clocks: Sequence[DeadlineRow]) -> DeadlineRow | None:
    """The clock that a ticket's deadline is of: of those that run the first to fall due, else the latest."""
    running = sorted((clock for clock in clocks if clock.running), key=lambda clock: clock.due_at)
    return next(iter(running), clocks[-1] if clocks else None)


def clock_name(clock: DeadlineRow) -> str:
    """``First response``, ``Next response``, ``Evidence``."""
    if clock.clock != "response":
        return clock.clock.capitalize()
    return "First response" if clock.round == 1 else "Next response"


def state_of(clock: DeadlineRow, now: datetime, zone: ZoneInfo) -> Due:
    """A clock's figure, whether it runs or not."""
    if clock.running:
        return due_of(clock.due_at, clock.warn_at, now, zone)
    if clock.suspended:
        return Due("undecided", "undecided", "closed in time, without an answer")
    if clock.stopped_how in ("withdrawn", "not_promised") or clock.stopped_at is None:
        return Due("none", "withdrawn", "counts no more")
    figure = f"in {lasted(clock.stopped_at - clock.started_at)}"
    if clock.breached_at:
        return Due("over", f"{figure}, late", f"stopped {figure}, past the deadline")
    return Due("met", figure, f"stopped {figure}")


def sheet_of(clock: DeadlineRow, calendar: Calendar, now: datetime, zone: ZoneInfo) -> DeadlineSheet:
    """What the sheet of a clock says at ``now``, in ``zone``."""
    due = state_of(clock, now, zone)
    at = when(clock.due_at, now, zone)
    what = _SUFFIXES.get(clock.clock, "")
    passed = clock.due_at < now
    words = {
        "over": f"\u00b7 {what}was due {at}",
        "met": f"\u00b7 {what}was due {at}",
        "undecided": f"\u00b7 {what}would be due {at}",
        "none": "",
    }.get(due.state, f"left \u00b7 {what}due {at}" if what else f"left, {at}")
    head, days, beside = _explained(clock, calendar)
    local = clock.due_at.astimezone(zone)
    day = "today, " if local.date() == now.astimezone(zone).date() else ""
    full = f"{day}{local:%a} {local.day} {local:%b %H:%M %Z}"
    return DeadlineSheet(
        clock,
        due,
        words,
        f"{_capital(f'{what}was due' if passed else f'{what}due')} {full}",
        _about(clock, now, zone),
        days,
        head,
        beside,
        tuple(_facts(clock, calendar, now, zone)),
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _about(clock: DeadlineRow, now: datetime, zone: ZoneInfo) -> str:
    since = when(clock.started_at, now, zone)
    if clock.stopped_at is not None or clock.suspended:
        return f"It ran from {since}."
    if clock.clock == "response":
        return f"The buyer\u2019s message of {since} waits for an answer."
    if clock.clock == "evidence":
        return f"Evidence is wanted since {since}; mail cannot answer this."
    return f"What came at {since} waits to be handled; mail cannot answer this."


def _facts(
    clock: DeadlineRow, calendar: Calendar, now: datetime, zone: ZoneInfo
) -> Iterable[tuple[str, str]]:
    yield "Starts", "when the mail is accepted, not at its date"
    if clock.stopped_at is not None:
        yield "Stopped", when(clock.stopped_at, now, zone)
    else:
        yield "Stops", _STOPS.get(clock.clock, "when you record what was done")
        yield "Runs on", "through notes, closing and assigning"
    if clock.breached_at is not None:
        yield "Breached", f"{when(clock.breached_at, now, zone)}, dated at the deadline"
    elif clock.warn_at is not None:
        ahead = lasted(open_time_between(clock.warn_at, clock.due_at, calendar))
        yield "Warning", f"{when(clock.warn_at, now, zone)}, {ahead} of business time before"


def _explained(
    clock: DeadlineRow, calendar: Calendar
) -> tuple[tuple[str, str], tuple[DayBar, ...], tuple[str, ...]]:
    """The sum, the dates, and what else the explanation says."""
    lines = [line for line in clock.explanation if not line.startswith("due ")]
    target, _, amount = (lines[0] if lines else "").partition(": ")
    days: list[DayBar] = []
    beside: list[str] = []
    day = clock.started_at.astimezone(calendar.zone).date() - 2 * DAY
    for line in lines[1:]:
        bar = _bar(line, clock, calendar, day)
        if bar is not None:
            days.append(bar)
        elif line.startswith("earlier than"):
            beside.append(line.partition(" (")[0])
        else:
            days.append(DayBar(line))
    counted = " of open time"
    if amount.endswith(counted):
        return (f"{target}, counted in open hours", amount.removesuffix(counted)), tuple(days), tuple(beside)
    short, comma, rest = amount.partition(" on the wall clock")
    if comma:
        return (f"{target} on the wall clock{rest}", short), tuple(days), tuple(beside)
    return (target, amount), tuple(days), tuple(beside)


def _bar(line: str, clock: DeadlineRow, calendar: Calendar, since: date) -> DayBar | None:
    if skipped := _SKIPPED.fullmatch(line):
        return DayBar(" ".join(line.split(" ")[:2]), skipped[3])
    counted = _COUNTED.fullmatch(line)
    day = _date(counted[1], counted[2], since) if counted else None
    if counted is None or day is None:
        return None
    hours, minutes, seconds = (int((part or "0").replace(",", "")) for part in counted.groups()[2:])
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    amount = f"{hours} h {minutes:02}" if minutes else f"{hours} h"
    start = _opening(day, clock, calendar)
    label = line.split(" ")
    width = min(length / DAY, 1.0) * WIDTH
    return DayBar(f"{label[0]} {label[1]}", amount, round(min(start, WIDTH - width), 1), round(width, 1))


def _opening(day: date, clock: DeadlineRow, calendar: Calendar) -> float:
    """Where on a day's bar its counted time begins."""
    windows = calendar.windows(day)
    if not windows:
        return 0.0
    begins = max(windows[0][0], clock.started_at) if windows[-1][1] > clock.started_at else windows[0][0]
    local = begins.astimezone(calendar.zone)
    return (local.hour * 60 + local.minute) / (24 * 60) * WIDTH if local.date() == day else 0.0


def _date(day: str, month: str, since: date) -> date | None:
    """The first such date from ``since`` on: the lines name no year."""
    if month not in _MONTHS:
        return None
    for year in (since.year, since.year + 1):
        try:
            candidate = date(year, _MONTHS.index(month) + 1, int(day))
        except ValueError:
            continue
        if candidate >= since:
            return candidate
    return None
