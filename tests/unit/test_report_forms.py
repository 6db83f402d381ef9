"""The four forms of the report."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.report import printed, render, terminal
from relaydesk.report.history import histories
from relaydesk.report.rows import ClockRow, clock_row
from relaydesk.report.scope import ReportScope
from relaydesk.report.sla import Door, figures
from relaydesk.report.words import EMPTY, duration, percent
from tests.support.shared import ROOT
from tests.support.stories import at, event, opened, stopped

if TYPE_CHECKING:
    from relaydesk.events import Event
    from relaydesk.report.figures import Report

TEMPLATES = ROOT / "templates"
CALENDAR = Calendar.default()
STORY = (
    *opened(1),
    event(1, 1, "assigned", agent="alice"),
    stopped(1, 5),
    *opened(2),
    event(2, 1, "assigned", agent="<b>bob</b>"),
    event(2, 50, "escalated", by=3),
    *opened(3, 51, kind="claim", code="unverified"),
    *opened(4),
    event(4, 2, "closed", undecided=["response"]),
)
REFUSED = (("no_role", 12),)


def counted(*events: Event, refused: tuple[tuple[str, int], ...] = ()) -> tuple[Report, list[ClockRow]]:
    told = list(histories(events, at(60)))
    report = figures(told, Door(refused), ReportScope(at(0), at(168)), calendar=CALENDAR, now=at(60))
    return report, [clock_row(run, None, CALENDAR, at(60)) for history in told for run in history.runs]


def as_json(*events: Event, refused: tuple[tuple[str, int], ...] = ()) -> dict[str, Any]:
    report, runs = counted(*events, refused=refused)
    out = io.StringIO()
    render.json(report, runs, out)
    parsed: dict[str, Any] = json.loads(out.getvalue())
    return parsed


def as_csv(runs: list[ClockRow]) -> list[dict[str, str]]:
    out = io.StringIO()
    render.csv(runs, out, zone=CALENDAR.zone, calendar=CALENDAR.describe())
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def as_html(*events: Event, refused: tuple[tuple[str, int], ...] = ()) -> str:
    out = io.StringIO()
    printed.html(counted(*events, refused=refused)[0], out, TEMPLATES)
    return out.getvalue()


def as_table(*events: Event, refused: tuple[tuple[str, int], ...] = ()) -> str:
    out = io.StringIO()
    terminal.table(counted(*events, refused=refused)[0], out)
    return out.getvalue()


def test_json_leads_from_every_number_to_its_tickets() -> None:
    told = as_json(*STORY, refused=REFUSED)
    assert told["overall"]["attainment"] == 0.5
    assert told["overall"]["breached"] == {"count": 1, "tickets": [2]}
    assert told["overall"]["undecided"]["tickets"] == [4]
    assert told["became_claims"] == [
        {"case": 2, "claim": "3", "at": at(50).isoformat(), "answered": None, "in_time": False}
    ]
    assert told["unverified"] == [{"code": "unverified", "count": 1, "tickets": [3]}]
    assert told["refused"] == [{"code": "no_role", "count": 12}]
    assert told["times"][0]["wall"]["median"] == 5 * 3600
    assert (told["zone"], told["calendar"]) == ("America/Los_Angeles", CALENDAR.describe())
    assert told["terms"] == [{"clock": "response", "target": "2 business days", "reading": "elapsed"}]


def test_json_has_every_run() -> None:
    clocks = as_json(*STORY)["clocks"]
    assert [(clock["ticket"], clock["outcome"]) for clock in clocks] == [
        (1, "met"),
        (2, "breached"),
        (3, "running"),
        (4, "undecided"),
    ]
    assert clocks[0]["stopped"] == at(5).isoformat()
    assert clocks[1]["stopped"] is None


def test_csv_has_a_line_a_run_and_no_cap() -> None:
    _, (run, *_) = counted(*STORY)
    rows = as_csv([run] * 20_000)
    assert len(rows) == 20_000
    assert (rows[0]["ticket"], rows[0]["outcome"], rows[0]["stopped"]) == ("1", "met", at(5).isoformat())
    assert (rows[0]["zone"], rows[0]["calendar"], rows[0]["reading"]) == (
        "America/Los_Angeles",
        CALENDAR.describe(),
        "elapsed",
    )


@pytest.mark.parametrize("name", ["=1+1", "+1+1", "@SUM(A1)", "-1+1", "\t=1+1", "\r=1+1", "\n=1+1"])
def test_csv_defuses_formulas(name: str) -> None:
    _, runs = counted(*opened(1), event(1, 1, "assigned", agent=name))
    (row,) = as_csv(runs)
    assert row["agent"].startswith("'")
    assert row["agent"][1:] == name


class Page(HTMLParser):
    """What the tests ask of a page: its tags with their attributes, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    page = Page(as_html(*STORY, refused=REFUSED))
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not [attrs for _, attrs in page.tags if {"src", "href", "onclick"} & set(attrs)]


def test_each_chart_is_hidden_from_readers_and_has_a_sentence_and_a_table() -> None:
    text = as_html(*STORY)
    sections = re.findall(r"<section.*?</section>", text, re.S)
    charts = [section for section in sections if '<p class="vh">' in section and "<svg" in section]
    assert len(charts) == 4
    for section in charts:
        assert '<p class="vh">' in section
        assert "<table" in section
    assert not re.findall(r'<svg class="chart[^>]*(?<!aria-hidden="true")>', text)


def test_bars_are_as_high_as_their_numbers() -> None:
    text = as_html(*STORY, *opened(5), stopped(5, 5), *opened(6), stopped(6, 5))
    (bar,) = re.findall(r'<svg class="chart bars".*?</svg>', text, re.S)
    heights = {
        name: float(height)
        for name, height in re.findall(r'<g class="(met|over)"><rect.*?height="([\d.]+)"', bar)
    }
    assert heights["met"] == pytest.approx(3 * heights["over"], abs=0.1)


def test_the_page_escapes_what_people_typed() -> None:
    text = as_html(*STORY)
    assert "&lt;b&gt;bob&lt;/b&gt;" in text
    assert "<b>bob" not in text


def test_the_page_shows_the_figures_and_their_tickets() -> None:
    text = as_html(*STORY, refused=REFUSED)
    for wanted in (
        "50.0 %",
        "America/Los_Angeles",
        "2 business days",
        "elapsed",
        "5 h 00",
        "is not listed in networks",
        "#2",
    ):
        assert wanted in text


def test_the_table_shows_the_figures_and_their_tickets() -> None:
    text = as_table(*STORY, refused=REFUSED)
    for wanted in ("50.0 %", "America/Los_Angeles", "2 business days", " 5:00 ", "no_role", "<b>bob</b>"):
        assert wanted in text
    assert max(len(line) for line in text.splitlines()) <= terminal.PLAIN_WIDTH
    assert "\x1b" not in text


def test_markup_in_a_name_does_nothing_in_the_table() -> None:
    assert "[red]eve[/red]" in as_table(*opened(1), event(1, 1, "assigned", agent="[red]eve[/red]"))


def test_an_empty_period_says_so_in_every_form() -> None:
    told = as_json()
    assert (told["overall"]["attainment"], told["clocks"]) == (None, [])
    assert as_csv([]) == []
    assert EMPTY in as_table()
    page = as_html()
    assert EMPTY in page
    assert Page(page).open == []


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "0 s"),
        (0.01, "36 s"),
        (0.5, "30 min"),
        (2, "2 h 00"),
        (48.25, "48 h 15"),
        (1.999999, "2 h 00"),
    ],
)
def test_a_duration_is_hours_and_minutes(hours: float, text: str) -> None:
    assert duration(at(hours) - at(0)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100.0 %"),
        (0.99999, "99.9 %"),
        (0.29, "29.0 %"),
        (0.9375, "93.8 %"),
        (0.0001, "0.1 %"),
        (0.0, "0.0 %"),
        (None, "–"),
    ],
)
def test_only_all_of_them_are_a_hundred_percent(share: float | None, text: str) -> None:
    assert percent(share) == text
