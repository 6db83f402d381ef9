"""The whole report: read the store, count, and write it in one of its forms."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeVar

from relaydesk.report import printed, render, terminal, workbook
from relaydesk.report.history import histories
from relaydesk.report.rows import ClockRow, clock_row
from relaydesk.report.sla import Door, figures
from relaydesk.store import reporting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import TextIO

    from sqlmodel import Session

    from relaydesk.business_time import Calendar
    from relaydesk.report.figures import Report
    from relaydesk.report.runs import ClockRun
    from relaydesk.report.scope import ReportScope
    from relaydesk.store import Store

ReportFormat = Literal["table", "json", "csv", "html", "xlsx"]
Listed = TypeVar("Listed")
AT_ONCE = 500  # tickets looked up together


def count_report(
    store: Store, scope: ReportScope, *, calendar: Calendar, now: datetime, compare: bool = False
) -> Report:
    """The figures of ``scope`` as they are at ``now``; with ``compare`` those of the period before too."""
    with store.reading() as session:
        return _counted(session, scope, calendar=calendar, now=now, compare=compare)


def publish_report(  # noqa: PLR0913 - what is asked, where to, and by which clock and calendar
    store: Store,
    scope: ReportScope,
    out: TextIO,
    *,
    form: ReportFormat,
    calendar: Calendar,
    now: datetime,
    templates: Path,
    compare: bool = False,
) -> None:
    """Write the SLA report of ``scope`` to ``out``, as it is at ``now``; XLSX to the bytes below ``out``.

    ``templates`` is the folder that holds ``report/sla.html``. CSV, JSON and XLSX hold every clock run,
    however many there are: they are read from the store while they are written.
    """
    with store.reading() as session:
        rows = _clock_rows(session, scope, calendar, now)
        if form == "csv":
            render.csv(rows, out, zone=calendar.zone, calendar=calendar.describe())
            return
        report = _counted(session, scope, calendar=calendar, now=now, compare=compare)
        if form == "json":
            render.json(report, rows, out)
        elif form == "xlsx":
            out.flush()
            workbook.write(report, rows, out.buffer)
        elif form == "html":
            printed.html(report, out, templates)
        else:
            terminal.table(report, out)


def _counted(
    session: Session, scope: ReportScope, *, calendar: Calendar, now: datetime, compare: bool
) -> Report:
    earlier = scope.before(calendar.zone) if compare else None
    since = min(scope.since, earlier.since) if earlier else scope.since
    report = figures(
        histories(reporting.events(session, since, scope.until), now),
        _door(session, scope),
        scope,
        calendar=calendar,
        now=now,
        open_tickets=reporting.open_tickets(session),
        before=(earlier, _door(session, earlier)) if earlier else None,
    )
    return _with_buyers(session, report)


def _door(session: Session, scope: ReportScope) -> Door:
    return Door(
        reporting.refusals(session, scope.since, scope.until),
        reporting.drift(session, scope.since, scope.until),
    )


def _with_buyers(session: Session, report: Report) -> Report:
    """Names buyer and order of each breach."""
    breaches = []
    for part in _in_parts(report.breaches):
        facts = reporting.ticket_facts(session, [breach.ticket for breach in part])
        breaches += [
            replace(breach, buyer=facts[breach.ticket].buyer, orders=facts[breach.ticket].orders)
            if breach.ticket in facts
            else breach
            for breach in part
        ]
    return replace(report, breaches=tuple(breaches))


def _clock_rows(
    session: Session, scope: ReportScope, calendar: Calendar, now: datetime
) -> Iterator[ClockRow]:
    for part in _in_parts(_runs(session, scope, now)):
        facts = reporting.ticket_facts(session, list({run.ticket for run in part}))
        for run in part:
            yield clock_row(run, facts.get(run.ticket), calendar, now)


def _runs(session: Session, scope: ReportScope, now: datetime) -> Iterator[ClockRun]:
    tickets = histories(reporting.events(session, scope.since, scope.until), now)
    return (run for history in tickets for run in history.runs if scope.takes(run))


def _in_parts(entries: Iterable[Listed]) -> Iterator[list[Listed]]:
    rest = iter(entries)
    while part := list(islice(rest, AT_ONCE)):
        yield part
