"""The report's pages: the same figures as the command line, each of which leads to its tickets."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import CONSOLE
from relaydesk.store import audit
from relaydesk_testkit.full_desk import MORNING
from relaydesk_testkit.pages import DeskPages, barriers, signed_in
from relaydesk_testkit.past import fill, turned_away
from tests.support.desk import desk
from tests.support.stored_stories import keep
from tests.support.stories import at, random_stories

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from relaydesk.store.engine import Store

LARGEST = 60_000  # bytes of a page
LINK = re.compile(r'<a href="(report/tickets\?[^"]*)">([^<]*)</a>')
WORKED = "days=30"


def links(html: str) -> dict[str, str]:
    """Every figure of a page that leads to tickets: its address and what it says."""
    return {f"/{unescape(address)}": text for address, text in LINK.findall(html)}


def name_of(address: str) -> list[str]:
    (name,) = re.findall(r"figure=([^&]*)", address)
    return name.replace("%20", " ").split(":")


def in_json(told: dict[str, Any], name: list[str]) -> int:  # noqa: PLR0911 - one for each kind
    """A figure of the JSON by its name on the page, read without the code that the page uses."""
    kind, *row, column = name
    key = ":".join(row)
    if kind == "all":
        return int(told["overall"][column]["count"])
    if kind in ("clock", "queue", "agent"):
        return sum(line[column]["count"] for line in told[f"by_{kind}"] if line["name"] == key)
    if kind == "days":
        first, _, last = key.partition("..")
        return sum(
            line[column]["count"] for line in told["by_day"] if first <= line["name"] <= (last or first)
        )
    if kind == "age":
        return sum(line[column]["count"] for line in told["ageing"] if key in (line["name"], "all"))
    if kind == "hour":
        day, hours = key.split("-")
        first, _, last = hours.partition("..")
        return sum(
            line[column]["count"]
            for line in told["hours"]
            if line["weekday"] == int(day) and int(first) <= line["hour"] <= int(last or first)
        )
    if kind == "work":
        return sum(line[column]["count"] for line in told["work"] if line["name"] == key)
    if kind == "why":
        return sum(column in line["why"] for line in told["breaches"])
    if kind in ("bounced", "unverified"):
        return sum(line["count"] for line in told[kind] if line["code"] == column)
    if kind == "bands":
        group, band = key.split(":")
        rows = (line for times in told["times"] if times["name"] == group for line in times["bands"])
        return sum(line[column]["count"] for line in rows if line["name"] == band)
    if kind == "times":
        return sum(line[column]["count"] for line in told["times"] if line["name"] == key)
    of_whole = {"open": sum(line["open"]["count"] for line in told["work"])}
    return of_whole[column] if column in of_whole else int(told[column]["count"])


def as_json(pages: DeskPages, **scope: Any) -> dict[str, Any]:
    """What ``relaydesk report sla --compare --json`` prints."""
    out = io.StringIO()
    reports = pages.desk.reports
    reports.sla(reports.scope(**scope), out, "json", by=CONSOLE, compare=True)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, the report is waited for."""
    monkeypatch.setattr("relaydesk.desk.report_counts.PATIENCE", 60.0)


@pytest.fixture(scope="module")
def busy(shared_pages: DeskPages) -> DeskPages:
    """The full desk with two months behind it."""
    since = MORNING - timedelta(days=60)
    fill(shared_pages.desk.store, 400, since=since, until=MORNING, first=10_000)
    turned_away(shared_pages.desk.store, [since + timedelta(days=day) for day in range(60)])
    return shared_pages


@pytest.mark.parametrize("seed", range(5))
def test_the_page_shows_what_the_command_line_prints(store: Store, seed: int) -> None:
    """Any stories: each number with a link is that of the JSON, and its list counts as many."""
    keep(store, random_stories(seed))
    pages = DeskPages(desk(store, at(168)))
    lead = pages.client("bob")
    page = lead.get("/report?from=2026-11-16&to=2026-11-23").text
    told = as_json(pages, since="2026-11-16", until="2026-11-23")
    shown = links(page)
    assert len(shown) > 20
    for address, text in shown.items():
        name = name_of(address)
        count = in_json(told, name)
        if text.replace(",", "").isdigit():
            assert int(text.replace(",", "")) == count, name
    for address in list(shown)[:: len(shown) // 12]:
        answer = lead.get(address).text
        assert f"{in_json(told, name_of(address)):,} counted" in answer, address


def test_a_long_figure_is_paged_by_number(busy: DeskPages) -> None:
    lead = busy.client("desk.lead")
    address: str | None = "/report/tickets?days=30&figure=all::met"
    seen: list[int] = []
    while address:
        page = lead.get(address).text
        seen += [int(number) for number in re.findall(r'<li class="row" id="t(\d+)">', page)]
        following = re.search(r'href="([^"]*)" rel="next"', page)
        address = unescape(following[1]) if following else None
    (count,) = {int(n) for n in re.findall(r"(\d+) counted", page)}
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == count > 100


def test_it_compares_and_explains_and_stays_small(busy: DeskPages) -> None:
    page = busy.client("desk.lead").get("/report").text
    for wanted in (
        "Compared with 27 Sep to 26 Oct 2026",
        "As of Wed 25 Nov 10:42",
        "How this is counted",
        "nobody took it",
        "66.220.155.0/24",
        "poster.fan",
        "371202934455811",
    ):
        assert wanted in page, wanted
    assert len(page.encode()) <= LARGEST


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("month=2026-10", "1 Oct to 31 Oct 2026"),
        ("last=week", "16 Nov to 22 Nov 2026"),
        ("days=1", "25 Nov 2026"),
        ("from=2026-11-02&to=2026-11-08", "2 Nov to 8 Nov 2026"),
        (
            "days=7&from=2026-11-19&to=2026-11-25&shown_from=2026-11-19&shown_to=2026-11-25",
            "19 Nov to 25 Nov",
        ),
        (
            "days=7&from=2026-11-18&to=2026-11-25&shown_from=2026-11-19&shown_to=2026-11-25",
            "18 Nov to 25 Nov",
        ),
    ],
)
def test_it_shows_the_period_that_is_asked_for(busy: DeskPages, query: str, shown: str) -> None:
    assert f"Clocks started {shown}" in busy.client("desk.lead").get(f"/report?{query}").text


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("month=13", 409, "write it as 2026-11"),
        ("from=2026-11-09&to=2026-11-01", 409, "before it begins"),
        ("days=0", 409, "1 to 366 days"),
        ("from=2020-01-01", 409, "at most 366 days"),
        ("queue=nonsense", 404, "There is no queue nonsense"),
    ],
)
def test_what_is_no_period_is_told(busy: DeskPages, query: str, status: int, sentence: str) -> None:
    answer = busy.client("desk.lead").get(f"/report?{query}")
    assert (answer.status_code, sentence in answer.text) == (status, True)


def test_it_narrows_to_a_queue_and_to_nobody(busy: DeskPages) -> None:
    page = busy.client("desk.lead").get("/report?days=30&queue=case&agent=:nobody").text
    told = as_json(busy, days=30, queue="case", agent="")
    shown = {name_of(address)[-1]: text for address, text in links(page).items() if "all:" in address}
    assert shown["breached"] == str(told["overall"]["breached"]["count"])


@pytest.mark.parametrize("path", ["/report", "/report/tickets?figure=all::met", "/report/export/csv"])
def test_it_is_for_leads_and_admins(busy: DeskPages, path: str) -> None:
    assert busy.nobody().get(path).status_code == 303
    agent = busy.client("day.agent")
    assert (agent.get(path).status_code, "needs the role" in agent.get(path).text) == (403, True)
    assert 'href="/report"' not in agent.get("/").text
    assert [busy.client(name).get(path).status_code for name in ("desk.lead", "shop.admin")] == [200, 200]


def test_an_unknown_figure_is_told(busy: DeskPages) -> None:
    answer = busy.client("desk.lead").get("/report/tickets?figure=all::nonsense")
    assert (answer.status_code, "no such figure" in answer.text) == (409, True)


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_an_export_is_a_download_and_on_record(busy: DeskPages, form: str) -> None:
    answer = busy.client("desk.lead").get(f"/report/export/{form}?month=2026-11&queue=case")
    assert answer.headers["content-disposition"] == f'attachment; filename="sla-2026-11.{form}"'
    assert len(answer.content) == int(answer.headers["content-length"]) > 1000
    with busy.desk.store.reading() as session:
        row = next(line for line in audit.page(session) if line.what == "report_exported")
    assert (row.actor, row.facts["form"], row.facts["queue"]) == ("agent:desk.lead", form, "case")
    assert row.facts["since"] == "2026-11-01T00:00:00-07:00"


def test_a_report_that_takes_long_is_told_and_then_shown(
    pages: DeskPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks is not kept waiting, and a page without a script asks again by itself."""
    counts = pages.desk.reports._counts
    monkeypatch.setattr("relaydesk.desk.report_counts.PATIENCE", 0.0)
    lead = pages.client("desk.lead")
    with counts._turn:
        answer = lead.get("/report")
        assert (answer.headers["refresh"], "is being counted" in answer.text) == ("2", True)
        with pytest.raises(DeskError, match="still being counted"):
            pages.desk.reports.tickets(pages.desk.reports.scope(), "all::met", by=CONSOLE)
        (job,) = counts._jobs.values()
    assert job.over.wait(30)
    assert "Attainment" in lead.get("/report").text


def test_in_a_browser(busy: DeskPages, browser: Browser, tmp_path: Path) -> None:
    """The lead's morning: report, another period, a queue, down to the tickets and back, file, paper."""
    with busy.served() as address:
        context = signed_in(
            browser, address, busy.token("desk.lead"), viewport={"width": 1440, "height": 900}
        )
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto("/report")
        assert page.locator("#report .chart.heat rect").count() == 7 * 24
        no_barriers(page)
        page.get_by_role("link", name="Last week").click()
        page.get_by_text("Clocks started 16 Nov to 22 Nov 2026").wait_for()
        assert page.url.endswith("/report?last=week")
        page.get_by_role("combobox", name="Queue").select_option("claim")
        page.get_by_text("Queue claim").wait_for()
        assert "last=week" in page.url
        page.goto("/report")
        page.locator(".figures a").first.click()
        page.locator("h1", has_text="Met").wait_for()
        assert page.locator(".row").count() == 40
        no_barriers(page)
        page.get_by_title("Back to the report").click()
        page.locator("#report summary", has_text="Export").click()
        no_barriers(page)
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("XLSX")).click()
        assert download.value.suggested_filename == "sla-2026-10-27-to-2026-11-25.xlsx"
        on_paper(page)
        assert problems == []
        context.close()
        phone = signed_in(browser, address, busy.token("desk.lead"), viewport={"width": 390, "height": 844})
        narrow = phone.new_page()
        narrow.goto("/report")
        no_barriers(narrow)
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
        phone.close()


def no_barriers(page: Page) -> None:
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        assert barriers(page, looks=colours == "dark") == []


def on_paper(page: Page) -> None:
    """Printed, the controls go and the numbers of the tickets stay."""
    page.emulate_media(media="print")
    assert not page.locator(".rail").is_visible()
    assert not page.get_by_role("button", name="Show").is_visible()
    printed = page.locator(".print-only")
    assert printed.is_visible()
    assert re.search(r"#\d+", printed.inner_text())
    page.emulate_media(media="screen")


def test_without_a_script(busy: DeskPages, browser: Browser) -> None:
    with busy.served() as address:
        context = signed_in(browser, address, busy.token("desk.lead"), java_script_enabled=False)
        page = context.new_page()
        page.goto("/report")
        assert not page.get_by_role("button", name="Print").is_visible()
        page.get_by_role("combobox", name="Queue").select_option("case")
        page.get_by_role("button", name="Show").click()
        assert page.get_by_text("Queue case").is_visible()
        assert "queue=case" in page.url
        page.get_by_label("From").fill("2026-11-02")
        page.get_by_role("button", name="Show").click()
        assert page.get_by_text("Clocks started 2 Nov to 25 Nov 2026").is_visible()
        context.close()
