"""The report as a workbook: a sheet for each section, then every clock. Owner of xlsxwriter.

Rows go to the disk as they come (``constant_memory``), so a sheet of a hundred thousand clocks costs no more
memory than one of ten. Numbers are numbers, durations are hours, times are dates in UTC. Text is written as
text: nothing that somebody typed is ever a formula or a link.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.characters import harmless
from relaydesk.report.rows import OF_BREACH, OF_RUN
from relaydesk.report.words import WEEKDAYS, WHY, person, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from relaydesk.report.figures import AgentWork, Outcomes, Report
    from relaydesk.report.rows import ClockRow

LONGEST_TEXT = 32_767  # characters of a cell
MOST_ROWS = 1_048_576  # of a sheet
WIDTH = 16
HOUR = timedelta(hours=1)
AS_GIVEN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
CLOCKS = (*OF_RUN, *OF_BREACH)


def write(report: Report, rows: Iterable[ClockRow], out: BinaryIO) -> None:
    """Writes it all to ``out``."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - heavy, and only needed here

    with Workbook(out, {"constant_memory": True, **AS_GIVEN}) as book:
        book.set_properties({"title": "SLA report", "created": datetime(1980, 1, 1)})  # noqa: DTZ001
        sheets = Sheets(book)
        for name, columns, lines in sections(report):
            sheets.add(name, columns, lines)
        sheets.add("Clocks", CLOCKS, ([row.cells()[column] for column in CLOCKS] for row in rows))


class Share(float):
    """A part of a whole, shown in percent."""

    __slots__ = ()


class Sheets:
    """Adds sheets to a workbook, each with a head that stays in sight."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.head: Format = book.add_format({"bold": True, "bottom": 1})
        self.moment: Format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.share: Format = book.add_format({"num_format": "0.0 %"})
        self.hours: Format = book.add_format({"num_format": "0.00"})

    def add(self, name: str, columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
        """A sheet; what is more than one can hold goes on in another: "Clocks 2"."""
        sheet, place, part = self._sheet(name, columns), 1, 1
        for line in lines:
            if place == MOST_ROWS:
                part += 1
                sheet, place = self._sheet(f"{name} {part}", columns), 1
            for column, value in enumerate(line):
                self._cell(sheet, place, column, value)
            place += 1

    def _sheet(self, name: str, columns: Sequence[str]) -> Worksheet:
        sheet: Worksheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, WIDTH)
        for column, title in enumerate(columns):
            sheet.write_string(0, column, title, self.head)
        return sheet

    def _cell(self, sheet: Worksheet, row: int, column: int, value: Any) -> None:
        if isinstance(value, datetime):
            sheet.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), self.moment)
        elif isinstance(value, timedelta):
            sheet.write_number(row, column, value / HOUR, self.hours)
        elif isinstance(value, Share):
            sheet.write_number(row, column, value, self.share)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value)
        elif value:
            sheet.write_string(row, column, harmless(str(value))[:LONGEST_TEXT])


Section = tuple[str, tuple[str, ...], "Iterable[Sequence[Any]]"]


def sections(report: Report) -> Iterator[Section]:
    """Every section of the report but the clocks: its name, its columns, its rows."""
    yield "Summary", ("figure", "value", "before"), _summary(report)
    for name, first, rows in (
        ("By clock", "clock", report.by_clock),
        ("By queue", "queue", report.by_queue),
        ("By agent", "agent", report.by_agent),
        ("By day", "day of the deadline", report.by_day),
    ):
        columns = (first, "attainment", "met", "breached", "still open", "running", "undecided")
        yield name, columns, map(_outcomes, rows)
    yield "Times (hours)", _TIMES, _times(report)
    ages = ((age.name, age.in_time.count, age.overdue.count) for age in report.ageing)
    yield "Open now", ("age", "in time", "overdue"), ages
    hours = (
        (WEEKDAYS[hour.weekday], hour.hour, hour.started.count, hour.breached.count) for hour in report.hours
    )
    yield "Hours of the week", ("day", "hour", "started", "breached"), hours
    yield "Breaches", _BREACHES, _breaches(report)
    claims = (
        (entry.case, entry.claim, entry.at, entry.answered, "yes" if entry.in_time else "no")
        for entry in report.became_claims
    )
    yield "Became claims", ("case", "claim", "claim came (UTC)", "answered after (hours)", "in time"), claims
    yield "Workload", ("agent", "answers sent", "handled", "closed", "open now"), map(_work, report.work)
    bounced = ((kind, tally.count) for kind, tally in report.bounced)
    yield "Bounces", ("kind", "answers"), bounced
    yield "Refused", ("reason", "messages"), ((entry.code, entry.count) for entry in report.refused)
    unproven = ((code, tally.count) for code, tally in report.unverified)
    yield "Not proven", ("reason", "messages"), unproven
    drift = ((entry.network, entry.from_domain, entry.count) for entry in report.drift)
    yield "Allowlist drift", ("network", "From domain", "messages"), drift


_SPREADS = ("business median", "business p90", "business max", "wall median", "wall p90", "wall max")
_TIMES = ("clock", "answers", *_SPREADS)
_BREACHES = (
    *("ticket", "buyer", "orders", "clock", "round", "queue", "agent", "started (UTC)", "due (UTC)", "open"),
    *("late (hours)", "late (business hours)", "why", "in words"),
)


def _summary(report: Report) -> Iterator[tuple[Any, ...]]:
    yield "period", span(report), span(report.before) if report.before else ""
    yield "zone", report.zone.key, ""
    yield "calendar", report.calendar, ""
    yield "queue", report.scope.queue or "all", ""
    yield "agent", "all" if report.scope.agent is None else person(report.scope.agent), ""
    yield "made (UTC)", report.made_at, ""
    for clock, target, reading in report.terms:
        yield f"target: {clock}", f"{target}, reading {reading}", ""
    before = report.before
    earlier = before.overall if before else None
    yield "attainment", _share(report.overall), _share(earlier) if earlier else None
    for name in ("met", "breached", "overdue", "running", "undecided"):
        yield name, getattr(report.overall, name).count, getattr(earlier, name).count if earlier else None
    for name, value in (
        ("breaches withdrawn", lambda of: of.withdrawn.count),
        ("cases", lambda of: len(of.cases.tickets)),
        ("cases that became claims", lambda of: len(of.became_claims)),
        ("answers sent", lambda of: of.sent.count),
    ):
        yield name, value(report), value(before) if before else None


def _share(row: Outcomes) -> Share | None:
    return None if row.attainment is None else Share(row.attainment)


def _outcomes(row: Outcomes) -> tuple[Any, ...]:
    counts = (row.met, row.breached, row.overdue, row.running, row.undecided)
    return (person(row.name), _share(row), *(tally.count for tally in counts))


def _times(report: Report) -> Iterator[tuple[Any, ...]]:
    for times in report.times:
        spreads = (times.business, times.wall)
        values = (getattr(spread, name) for spread in spreads for name in ("median", "p90", "max"))
        yield (times.name, times.answered.count, *values)


def _breaches(report: Report) -> Iterator[tuple[Any, ...]]:
    for breach in report.breaches:
        yield (
            *(breach.ticket, breach.buyer, " ".join(breach.orders), breach.clock, breach.round, breach.queue),
            *(person(breach.agent), breach.started, breach.due, "yes" if breach.open else "no"),
            *(breach.late, breach.late_business, " ".join(breach.why)),
            " ".join(WHY.get(code, code) for code in breach.why),
        )


def _work(work: AgentWork) -> tuple[Any, ...]:
    counts = (work.sent, work.handled, work.closed, work.open)
    return (person(work.name), *(tally.count for tally in counts))
