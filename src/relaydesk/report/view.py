"""A report made ready for a page: bars for its charts, differences from the period before, words. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from relaydesk.reasons import general
from relaydesk.report import words
from relaydesk.report.figures import Figure, Outcomes
from relaydesk.report.names import figure, joined
from relaydesk.report.tallies import HOURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from relaydesk.report.figures import Breach, Hour, Report, Times

MOST_DAYS, MOST_WEEKS = 45, 60  # bars of a chart; beyond that weeks, then months
SHOWN_BREACHES, SHOWN_ROWS = 8, 6  # rows of a table on the page; the rest is a link away
PRINTED = 200  # ticket numbers under one figure on paper
LEVELS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """The clocks whose deadline fell on a day, in a week or month; ``row`` names it in a figure's name,
    ``place`` counts from 0."""

    place: int
    name: str
    label: str
    row: str
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class ReportView:
    """What a page shows beside the report itself. ``week`` is the heat map by weekday and hour; of
    ``by_agent`` nobody is the last."""

    period: str
    before: str
    bars: tuple[Bar, ...]
    by: str
    peak: int
    first: Times | None
    next: Times | None
    week: dict[tuple[int, int], Hour]
    busiest: int
    oldest: int
    by_agent: tuple[Outcomes, ...]
    clocks_now: int
    overdue_now: Figure
    open_now: Figure
    breaches: tuple[Breach, ...]
    causes: tuple[tuple[str, Figure], ...]
    change: dict[str, str]


def view_of(report: Report) -> ReportView:
    """Of any report."""
    by, bars = _bars(report)
    totals = [bar.outcomes.clocks for bar in bars]
    ages = [age.in_time.count + age.overdue.count for age in report.ageing]
    times = {entry.name: entry for entry in report.times}
    return ReportView(
        period=_period(report),
        before=_period(report.before) if report.before else "",
        bars=bars,
        by=by,
        peak=_round_up(max(totals, default=1)),
        first=times.get("first response"),
        next=times.get("next response"),
        week={(hour.weekday, hour.hour): hour for hour in report.hours},
        busiest=max((hour.started.count for hour in report.hours), default=0),
        oldest=max(ages, default=0),
        by_agent=tuple(sorted(report.by_agent, key=lambda row: (not row.name, row.name))),
        clocks_now=sum(ages),
        overdue_now=figure(report, "age:all:overdue") or Figure(),
        open_now=figure(report, "whole::open") or Figure(),
        causes=_causes(report),
        breaches=report.breaches[: -SHOWN_BREACHES - 1 : -1],
        change=_changes(report),
    )


def _causes(report: Report) -> tuple[tuple[str, Figure], ...]:
    """What breaches had for reasons, the commonest first."""
    counted = Counter(code for breach in report.breaches for code in breach.why)
    return tuple((code, figure(report, f"why::{code}") or Figure()) for code, _ in counted.most_common())


def _bars(report: Report) -> tuple[str, tuple[Bar, ...]]:
    """By day with the days between that have none, or by week or month where there are too many."""
    days = {date.fromisoformat(row.name): row for row in report.by_day}
    if not days:
        return "day", ()
    first, last = min(days), max(days)
    count = (last - first).days + 1
    if count <= MOST_DAYS:
        every = (first + timedelta(days=number) for number in range(count))
        return "day", tuple(
            _bar(place, day, day, [days[day]] if day in days else []) for place, day in enumerate(every)
        )
    by: str
    start: Callable[[date], date]
    if count <= MOST_WEEKS * 7:
        by, start = "week", lambda day: day - timedelta(days=day.weekday())
    else:
        by, start = "month", lambda day: day.replace(day=1)
    groups: dict[date, list[date]] = {}
    for day in sorted(days):
        groups.setdefault(start(day), []).append(day)
    return by, tuple(
        _bar(place, begin, members[-1], [days[day] for day in members])
        for place, (begin, members) in enumerate(groups.items())
    )


def _bar(place: int, begin: date, end: date, rows: list[Outcomes]) -> Bar:
    columns = ("met", "breached", "overdue", "running", "undecided")
    outcomes = (
        Outcomes(begin.isoformat(), *(joined(getattr(row, column) for row in rows) for column in columns))
        if rows
        else Outcomes(begin.isoformat(), *(Figure() for _ in columns))
    )
    row = begin.isoformat() if begin == end else f"{begin}..{end}"
    return Bar(place, f"{begin:%a} {begin.day} {begin:%b}", f"{begin.day} {begin:%b}", row, outcomes)


def _round_up(most: int) -> int:
    """The top of an axis: the next number that three lines part evenly into round steps."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 3 >= most:
                return step * factor * 3
        step *= 10


def _changes(report: Report) -> dict[str, str]:
    """How the key figures differ from the period before, in words; "" where one of the two is missing."""
    before = report.before
    if before is None:
        return {}
    changes = {"before": words.percent(before.overall.attainment)}
    shares = (report.overall.attainment, before.overall.attainment)
    points = None if None in shares else (shares[0] - shares[1]) * 100  # type: ignore[operator]
    changes["attainment"] = words.more_or_less(points, " points")
    for name in ("first response", "next response"):
        pair = [next((times for times in of.times if times.name == name), None) for of in (report, before)]
        if pair[1] is None:
            changes[name] = ""
            continue
        changes[name] = words.duration(pair[1].business.median)
    changes["breached"] = str(before.overall.breached.count)
    changes["claims"] = str(len(before.became_claims))
    return changes


def _period(report: Report) -> str:
    """``27 Oct to 25 Nov 2026``, and the hours where it does not begin and end at midnight."""
    first, last = report.scope.days(report.zone)
    begin = f"{first.day} {first:%b}" + ("" if first.year == last.year else f" {first.year}")
    return f"{begin} to {last.day} {last:%b %Y}" if first != last else f"{last.day} {last:%b %Y}"


def level(count: int, most: int) -> int:
    """Which of five shades a cell has, 0 for none."""
    return -(-count * LEVELS // most) if most else 0


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """``Mon 23 Nov 14:20``, in the zone."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def six_hours(week: dict[tuple[int, int], Hour], weekday: int, hour: int) -> Figure:
    """The starts of six hours of the week."""
    places = ((weekday, later) for later in range(hour, hour + 6))
    return joined(week[place].started for place in places if place in week)


def whole_day(week: dict[tuple[int, int], Hour], weekday: int) -> Figure:
    """The breaches of a weekday's mail."""
    return joined(week[weekday, hour].breached for hour in range(24) if (weekday, hour) in week)


def band_place(taken: timedelta) -> float:
    """Where a time stands below the bars of its bands, in percent of their width."""
    hours = taken / timedelta(hours=1)
    place = sum(hours >= limit for limit in HOURS)
    if place == len(HOURS):
        return 95.0
    low = HOURS[place - 1] if place else 0
    return round(10 * (place + (hours - low) / (HOURS[place] - low)), 2)


def band_label(name: str) -> str:
    """ "4 to 8" in short, below a bar."""
    return name.replace(" to ", "\u2013").replace("under ", "< ").replace(" and more", "+")


FILTERS: dict[str, Callable[..., Any]] = {
    "duration": words.duration,
    "stopwatch": words.stopwatch,
    "percent": words.percent,
    "share_of": words.share,
    "person": words.person,
    "why": words.why,
    "level": level,
    "in_zone": moment,
    "six_hours": six_hours,
    "in_address": lambda name: quote(name, safe=":"),
    "whole_day": whole_day,
    "band_place": band_place,
    "band_label": band_label,
    "cause": lambda code: words.SHORT_WHY.get(code, code),
    "sentence": general,
    "thousands": lambda number: f"{number:,}",
}
CONSTANTS = {
    "COUNTED": words.COUNTED,
    "WEEKDAYS": words.WEEKDAYS,
    "EMPTY": words.EMPTY,
    "PRINTED": PRINTED,
    "SHOWN": SHOWN_ROWS,
}
"""What the templates know beside filters."""
