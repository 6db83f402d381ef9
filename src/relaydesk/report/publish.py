"""The whole report in one call: read the store, count, print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from relaydesk.report import render, terminal
from relaydesk.report.runs import histories
from relaydesk.report.sla import figures
from relaydesk.store import reporting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import TextIO

    from sqlmodel import Session

    from relaydesk.business_time import Calendar
    from relaydesk.report.runs import ClockRun
    from relaydesk.report.scope import ReportScope
    from relaydesk.store import Store

ReportFormat = Literal["table", "json", "csv", "html"]


def publish_report(  # noqa: PLR0913 - the one call: what is asked, where to, and by which clock and calendar
    store: Store,
    scope: ReportScope,
    out: TextIO,
    *,
    form: ReportFormat,
    calendar: Calendar,
    now: datetime,
    templates: Path,
) -> None:
    """Write the SLA report of ``scope`` to ``out``, as it is at ``now``.

    ``templates`` is the folder that holds ``report/sla.html``. CSV and JSON hold every clock run, however
    many there are: they are read from the store while they are written.
    """
    with store.reading() as session:
        if form == "csv":
            render.csv(_runs(session, scope, now), out, zone=calendar.zone, calendar=calendar.describe())
            return
        tickets = histories(reporting.events(session, scope.since, scope.until), now)
        refused = reporting.refusals(session, scope.since, scope.until)
        report = figures(tickets, refused, scope, calendar=calendar, now=now)
        if form == "json":
            render.json(report, _runs(session, scope, now), out)
        elif form == "html":
            render.html(report, out, templates)
        else:
            terminal.table(report, out)


def _runs(session: Session, scope: ReportScope, now: datetime) -> Iterator[ClockRun]:
    tickets = histories(reporting.events(session, scope.since, scope.until), now)
    return (run for history in tickets for run in history.runs if scope.takes(run))
