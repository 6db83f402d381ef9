"""The report as JSON, CSV and HTML page. Owner of jinja2 and defusedcsv."""

from __future__ import annotations

import dataclasses
import json as jsonlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from defusedcsv import csv as defused
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from relaydesk.characters import json_escaped
from relaydesk.report.figures import Outcomes, Report
from relaydesk.report.words import EMPTY, WEEKDAYS, duration, percent, person, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO
    from zoneinfo import ZoneInfo

    from relaydesk.report.runs import ClockRun

COLUMNS = (
    "ticket",
    "kind",
    "queue",
    "agent",
    "clock",
    "round",
    "outcome",
    "open",
    "how",
    "started",
    "due",
    "stopped",
    "ended",
    "target",
    "reading",
    "zone",
    "calendar",
)
"""The columns of the CSV; but for the last two also the keys of a clock in the JSON. Times are UTC."""
_FORMULA_STARTS = ("\t", "\r", "\n")


def json(report: Report, runs: Iterable[ClockRun], out: TextIO) -> None:
    """The figures, each with its tickets, then every run in ``clocks``. Durations are seconds, times UTC."""
    head = jsonlib.dumps(plain(report), indent=1, ensure_ascii=False)
    out.write(json_escaped(head).removesuffix("\n}") + ',\n "clocks": [')
    between = "\n  "
    for run in runs:
        cells = {name: value for name, value in _cells(run).items() if name in COLUMNS}
        out.write(between + json_escaped(jsonlib.dumps(cells, ensure_ascii=False)))
        between = ",\n  "
    out.write("\n ]\n}\n")


def plain(value: Any) -> Any:
    """A figure as JSON takes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, Report):
        return _plain_report(value)
    if dataclasses.is_dataclass(value):
        named = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Outcomes):
            named |= {"attainment": value.attainment}
        return named
    return value


def _plain_report(report: Report) -> dict[str, Any]:
    figures = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    figures["zone"] = report.zone.key
    figures["terms"] = [
        {"clock": clock, "target": target, "reading": reading} for clock, target, reading in report.terms
    ]
    figures["became_claims"] = [{"case": case, "claim": claim} for case, claim in report.became_claims]
    figures["unverified"] = [{"code": code, **plain(tally)} for code, tally in report.unverified]
    terms, claims, unverified = (figures.pop(name) for name in ("terms", "became_claims", "unverified"))
    rest = {name: plain(value) for name, value in figures.items()}
    return rest | {"terms": terms, "became_claims": claims, "unverified": unverified}


def csv(runs: Iterable[ClockRun], out: TextIO, *, zone: ZoneInfo, calendar: str) -> None:
    """A line for every clock run; a cell that a spreadsheet would run as a formula is defused."""
    # with "\n" alone the csv module of Python 3.11 would leave a lone CR unquoted
    writer = defused.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for run in runs:
        cells = _cells(run) | {"zone": zone.key, "calendar": calendar}
        writer.writerow(_defused(cells[name]) for name in COLUMNS)


def _defused(value: object) -> object:
    """What defusedcsv leaves alone: spreadsheets run a formula behind a leading tab or line end."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _cells(run: ClockRun) -> dict[str, Any]:
    named = {name: getattr(run, name) for name in COLUMNS if hasattr(run, name)}
    named["open"] = "yes" if run.open else "no"
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in named.items()
    }


def html(report: Report, out: TextIO, templates: Path) -> None:
    """A page that needs nothing else: no script, no outside resource, fit to be printed."""
    room = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= {"duration": duration, "percent": percent, "person": person}
    page = room.get_template("report/sla.html").stream(
        report=report, weekdays=WEEKDAYS, period=span(report), empty=EMPTY, week=dict(_week(report))
    )
    for piece in cast("Iterator[str]", page):
        out.write(piece)


def _week(report: Report) -> Iterator[tuple[tuple[int, int], Any]]:
    return (((hour.weekday, hour.hour), hour) for hour in report.hours)
