"""Reports at the desk: counted for pages, written as files."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart, demand
from relaydesk.desk.report_counts import CountedReport, ReportCounts
from relaydesk.report import (
    ReportScope,
    count_report,
    figure,
    last_days,
    last_week,
    month,
    publish_report,
    report_period,
)
from relaydesk.store import audit, named_tickets, reporting

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import TextIO

    from relaydesk.desk.config import DeskConfig
    from relaydesk.report import Breach, Figure, Report, ReportFormat
    from relaydesk.store import Store, TicketOrder, TicketRow

BUSY = "Another report is being written just now; try again in a minute."
WAIT = 60  # seconds for one's turn to write a file
ROWS = 40  # tickets of a page


@dataclass(frozen=True, slots=True)
class FigureTickets:
    """A page of the tickets that a figure counts, newest first. ``breaches`` are those of the report, by
    ticket. ``before`` leads to the next page: tickets of lower numbers; None when this is the last."""

    counted: Figure
    tickets: tuple[TicketRow, ...]
    numbers: tuple[TicketOrder, ...]
    breaches: dict[int, Breach]
    made_at: datetime
    before: int | None


class Reports(DeskPart):
    """How well the shop answers."""

    def __init__(self, store: Store, config: DeskConfig, clock: Callable[[], datetime]) -> None:
        super().__init__(store, config, clock)
        self._writing = threading.Lock()
        self._counts = ReportCounts(self._counted, self._newest, clock)

    def scope(  # noqa: PLR0913 - the ways to name a period
        self,
        since: str = "",
        until: str = "",
        *,
        of_month: str = "",
        last_whole_week: bool = False,
        days: int | None = None,
        queue: str | None = None,
        agent: str | None = None,
    ) -> ReportScope:
        """What a report is asked for: days or ISO times (see :func:`report_period`), else a month such as
        2026-11, the last whole week, or so many days up to now.

        ValueError is a sentence about a period that is none; UnknownQueue names the queues there are.
        """
        if queue is not None:
            self.config.demand_queue(queue)
        zone, now = self.config.calendar.zone, self.clock()
        ways = [bool(since or until), bool(of_month), last_whole_week, days is not None]
        if sum(ways) > 1:
            raise ValueError("a period is named in two ways; name it in one")
        if of_month:
            period = month(of_month, zone)
        elif last_whole_week:
            period = last_week(zone, now)
        elif days is not None:
            period = last_days(days, zone, now)
        else:
            period = report_period(since, until, zone, now)
        return ReportScope(*period, queue, agent)

    def count(self, scope: ReportScope, *, by: str) -> CountedReport:
        """The figures of a period, compared with the period before, for who may read the report.

        They are counted apart; see :mod:`relaydesk.desk.report_counts`.
        """
        with self.store.reading() as session:
            demand(session, "read_report", by)
        now, zone = self.clock(), self.config.calendar.zone
        # "until now" is another moment each time, and still the same report
        until = scope.until if scope.until < now else None
        key = (scope.since, until, scope.before(zone).since, scope.queue, scope.agent)
        return self._counts.get(key, scope)

    def tickets(self, scope: ReportScope, name: str, *, by: str, before: int | None = None) -> FigureTickets:
        """The tickets behind one figure of the report. DeskError when there is no such figure, or while the
        report is still being counted."""
        with self.store.reading() as session:
            demand(session, "read_report", by)
        standing = self.count(scope, by=by)
        if standing.report is None:
            raise DeskError("The report is still being counted; open this figure again in a moment.")
        counted = figure(standing.report, name)
        if counted is None:
            raise DeskError("The report has no such figure; go back to the report and choose one.")
        ids = [ticket for ticket in reversed(counted.tickets) if before is None or ticket < before]
        shown = ids[:ROWS]
        with self.store.reading() as session:
            tickets, numbers = named_tickets.of_ids(session, shown)
        wanted = set(shown)
        breaches = {entry.ticket: entry for entry in standing.report.breaches if entry.ticket in wanted}
        more = shown[-1] if len(ids) > ROWS else None
        return FigureTickets(counted, tickets, numbers, breaches, standing.report.made_at, more)

    def sla(
        self,
        scope: ReportScope,
        out: TextIO,
        form: ReportFormat,
        *,
        by: str,
        compare: bool = False,
    ) -> None:
        """Writes the SLA report as it stands now: attainment, response times, breaches, ageing, refusals.

        A file that programs read is put on record before it is written; the table is only shown.
        """
        if form == "table":
            with self.store.reading() as session:
                demand(session, "read_report", by)
        else:
            with self.acting("export_report", by) as acting:
                facts = {"form": form, **_facts(scope)}
                audit.append(acting.session, "report_exported", actor=acting.actor, now=acting.now, **facts)
        if not self._writing.acquire(timeout=WAIT):
            raise DeskError(BUSY)
        try:
            publish_report(
                self.store,
                scope,
                out,
                form=form,
                calendar=self.config.calendar,
                now=self.clock(),
                templates=self.config.report_templates,
                compare=compare,
            )
        finally:
            self._writing.release()

    def _counted(self, scope: ReportScope) -> Report:
        return count_report(self.store, scope, calendar=self.config.calendar, now=self.clock(), compare=True)

    def _newest(self) -> int:
        with self.store.reading() as session:
            return reporting.newest_event(session)


def _facts(scope: ReportScope) -> dict[str, str | None]:
    """A scope as the audit log keeps it."""
    return {
        "since": scope.since.isoformat(),
        "until": scope.until.isoformat(),
        "queue": scope.queue,
        "agent": scope.agent,
    }
