"""How well the shop answers: figures from the tickets' events, and the forms they are shown in.

:func:`count_report` gives the figures as one frozen value, which pages show; :func:`publish_report` writes
them as a table, CSV, JSON, a workbook or a page to print. Both count by the same code.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.report.scope import ReportScope, last_days, last_week, month, report_period

if TYPE_CHECKING:
    from relaydesk.report.figures import Breach, Figure, Report
    from relaydesk.report.names import figure, title
    from relaydesk.report.publish import ReportFormat, count_report, publish_report
    from relaydesk.report.view import CONSTANTS, FILTERS, view_of

__all__ = [
    "CONSTANTS",
    "FILTERS",
    "Breach",
    "Figure",
    "Report",
    "ReportFormat",
    "ReportScope",
    "count_report",
    "figure",
    "last_days",
    "last_week",
    "month",
    "publish_report",
    "report_period",
    "title",
    "view_of",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "CONSTANTS": "view",
            "FILTERS": "view",
            "Breach": "figures",
            "Figure": "figures",
            "Report": "figures",
            "ReportFormat": "publish",
            "count_report": "publish",
            "figure": "names",
            "publish_report": "publish",
            "title": "names",
            "view_of": "view",
        },
    )
