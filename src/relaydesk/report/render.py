"""The report as JSON and CSV. Owner of defusedcsv."""

from __future__ import annotations

import dataclasses
import json as jsonlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from defusedcsv import csv as defused

from relaydesk.characters import json_escaped
from relaydesk.report.figures import Outcomes, Report
from relaydesk.report.rows import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO
    from zoneinfo import ZoneInfo

    from relaydesk.report.rows import ClockRow

_FORMULA_STARTS = ("\t", "\r", "\n")


def json(report: Report, rows: Iterable[ClockRow], out: TextIO) -> None:
    """The figures, each with its tickets, then every run in ``clocks``. Durations are seconds, times UTC."""
    head = jsonlib.dumps(plain(report), indent=1, ensure_ascii=False)
    out.write(json_escaped(head).removesuffix("\n}") + ',\n "clocks": [')
    between = "\n  "
    for row in rows:
        out.write(between + json_escaped(jsonlib.dumps(_cells(row), ensure_ascii=False)))
        between = ",\n  "
    out.write("\n ]\n}\n")


def plain(value: Any) -> Any:
    """A figure as JSON takes it."""
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, Report):
        return _plain_report(value)
    if dataclasses.is_dataclass(value):
        named = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return named | {"attainment": value.attainment} if isinstance(value, Outcomes) else named
    return _plain_time(value)


def _plain_time(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _plain_report(report: Report) -> dict[str, Any]:
    figures = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    figures["zone"] = report.zone.key
    figures["terms"] = [
        {"clock": clock, "target": target, "reading": reading} for clock, target, reading in report.terms
    ]
    for name in ("unverified", "bounced"):
        figures[name] = [{"code": code, **plain(tally)} for code, tally in figures[name]]
    return {name: value if name == "terms" else plain(value) for name, value in figures.items()}


def csv(rows: Iterable[ClockRow], out: TextIO, *, zone: ZoneInfo, calendar: str) -> None:
    """A line for every clock run; a cell that a spreadsheet would run as a formula is defused."""
    # with "\n" alone the csv module of Python 3.11 would leave a lone CR unquoted
    writer = defused.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = _cells(row) | {"zone": zone.key, "calendar": calendar}
        writer.writerow(_defused(cells[name]) for name in COLUMNS)


def _defused(value: object) -> object:
    """What defusedcsv leaves alone: spreadsheets run a formula behind a leading tab or line end."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _cells(row: ClockRow) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.cells().items()
    }
