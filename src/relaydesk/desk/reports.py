"""Reports at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart
from relaydesk.report import ReportScope, publish_report, report_period

if TYPE_CHECKING:
    from typing import TextIO

    from relaydesk.report import ReportFormat


class Reports(DeskPart):
    """How well the shop answers."""

    def scope(
        self, since: str = "", until: str = "", *, queue: str | None = None, agent: str | None = None
    ) -> ReportScope:
        """What a report is asked for, from days or ISO times (see :func:`report_period`).

        ValueError is a sentence about a period that is none; UnknownQueue names the queues there are.
        """
        if queue is not None:
            self.config.demand_queue(queue)
        begin, end = report_period(since, until, self.config.calendar.zone, self.clock())
        return ReportScope(begin, end, queue, agent)

    def sla(self, scope: ReportScope, out: TextIO, form: ReportFormat) -> None:
        """Writes the SLA report as it stands now: attainment, response times, breaches, ageing, refusals."""
        publish_report(
            self.store,
            scope,
            out,
            form=form,
            calendar=self.config.calendar,
            now=self.clock(),
            templates=self.config.report_templates,
        )
