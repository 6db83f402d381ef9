"""The workbook, read back by another library."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.report import render, workbook
from relaydesk.report.history import histories
from relaydesk.report.rows import COLUMNS, clock_row
from relaydesk.report.scope import ReportScope
from relaydesk.report.sla import Door, figures
from relaydesk.store.reporting import TicketFacts
from tests.support.stories import assigned, at, opened, random_stories, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from relaydesk.events import Event
    from relaydesk.report.figures import Report
    from relaydesk.report.rows import ClockRow

CALENDAR = Calendar.default()
DOOR = Door((("no_role", 12),), (("192.0.2.0/24", "support.facebook.com", 3),))
GOLDEN = Path(__file__).parents[1] / "data" / "report"
HOUR = 3600


def counted(events: Sequence[Event], facts: TicketFacts | None = None) -> tuple[Report, list[ClockRow]]:
    scope = ReportScope(at(0), at(168))
    stories = list(histories(events, at(168)))
    report = figures(
        stories,
        DOOR,
        scope,
        calendar=CALENDAR,
        now=at(168),
        before=(scope.before(CALENDAR.zone), Door()),
    )
    runs = (run for history in stories for run in history.runs if scope.takes(run))
    return report, [clock_row(run, facts, CALENDAR, at(168)) for run in runs]


def as_json(report: Report, rows: list[ClockRow]) -> str:
    out = io.StringIO()
    render.json(report, rows, out)
    return out.getvalue()


def as_csv(rows: list[ClockRow]) -> str:
    out = io.StringIO()
    render.csv(rows, out, zone=CALENDAR.zone, calendar=CALENDAR.describe())
    return out.getvalue()


def read_back(report: Report, rows: list[ClockRow]) -> dict[str, list[dict[str, Any]]]:
    """Every sheet as rows by the names of its columns."""
    out = io.BytesIO()
    workbook.write(report, rows, out)
    book = openpyxl.load_workbook(io.BytesIO(out.getvalue()))
    return {sheet.title: list(_lines(sheet)) for sheet in book}


def _lines(sheet: Any) -> Iterator[dict[str, Any]]:
    head, *lines = sheet.iter_rows(values_only=True)
    for line in lines:
        yield dict(zip(head, line, strict=True))


def same_moment(cell: datetime, text: str) -> bool:
    """A workbook keeps milliseconds."""
    moment = datetime.fromisoformat(text)
    return abs((cell.replace(tzinfo=UTC) - moment).total_seconds()) < 0.01


@pytest.mark.parametrize("seed", range(6))
def test_it_holds_what_the_json_holds(seed: int) -> None:
    report, rows = counted(random_stories(seed))
    told, sheets = json.loads(as_json(report, rows)), read_back(report, rows)
    for sheet, key in (("By queue", "by_queue"), ("By agent", "by_agent"), ("By day", "by_day")):
        for line, row in zip(sheets[sheet], told[key], strict=True):
            assert line["attainment"] == pytest.approx(row["attainment"])
            for name, column in (("met", "met"), ("breached", "breached"), ("still open", "overdue")):
                assert line[name] == row[column]["count"]
    for line, row in zip(sheets["Times (hours)"], told["times"], strict=True):
        assert line["business p90"] * HOUR == pytest.approx(row["business"]["p90"])
        assert line["wall max"] * HOUR == pytest.approx(row["wall"]["max"])
    for line, row in zip(sheets["Breaches"], told["breaches"], strict=True):
        assert (line["ticket"], line["why"]) == (row["ticket"], " ".join(row["why"]))
        assert line["late (hours)"] * HOUR == pytest.approx(row["late"])
        assert same_moment(line["due (UTC)"], row["due"])
    clocks = sheets["Clocks"]
    for line, clock in zip(clocks, told["clocks"], strict=True):
        for name in ("ticket", "queue", "clock", "round", "outcome", "open", "target"):
            assert line[name] == (clock[name] or None)
        assert same_moment(line["started"], clock["started"])


@pytest.mark.parametrize(
    "name", ["=1+1", "@SUM(A1)", "+1", "http://evil.example", "{=1+1}", "0123", "\x1b[2Jx"]
)
def test_what_people_typed_is_text_and_nothing_else(name: str) -> None:
    report, rows = counted([*opened(1), assigned(1, 1, name)], TicketFacts(name, (name,)))
    out = io.BytesIO()
    workbook.write(report, rows, out)
    sheet = openpyxl.load_workbook(io.BytesIO(out.getvalue()))["Clocks"]
    cells = {cell.value: cell for cell in sheet[1]}
    for column in ("agent", "buyer", "orders"):
        cell = sheet[2][cells[column].column - 1]
        assert (cell.data_type, cell.hyperlink) == ("s", None)
        assert str(cell.value).lstrip("\x1b") in (
            name,
            name.replace("\x1b", "\N{REPLACEMENT CHARACTER}"),
        ) or ("\x1b" in name)


def test_rows_beyond_a_sheet_go_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    report, rows = counted([event for number in range(1, 6) for event in opened(number)])
    sheets = read_back(report, rows)
    assert [len(sheets[name]) for name in ("Clocks", "Clocks 2", "Clocks 3")] == [2, 2, 1]


def test_an_empty_period_makes_a_workbook_too() -> None:
    sheets = read_back(*counted([]))
    assert sheets["Clocks"] == []
    assert {line["figure"]: line["value"] for line in sheets["Summary"]}["attainment"] is None


def test_json_and_csv_are_as_they_were() -> None:
    """What programs read: a change here is told in the changelog. To renew: write out what is compared."""
    story = [*random_stories(3, 12), *opened(90), stopped(90, 5)]
    report, rows = counted(story, TicketFacts("gift.for.two", ("404455667788990",)))
    assert as_json(report, rows) == (GOLDEN / "report.json").read_text(encoding="utf-8")
    assert as_csv(rows) == (GOLDEN / "report.csv").read_bytes().decode()


def test_the_csv_has_one_line_a_clock_in_columns_that_only_grow() -> None:
    assert COLUMNS[:17] == (
        *("ticket", "kind", "queue", "agent", "clock", "round", "outcome", "open", "how", "started", "due"),
        *("stopped", "ended", "target", "reading", "zone", "calendar"),
    )
