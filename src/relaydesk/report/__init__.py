"""How well the shop answers: figures from the tickets' events, and the forms they are printed in.

:func:`publish_report` does it all in one call.
"""

from relaydesk.report.publish import ReportFormat, publish_report
from relaydesk.report.scope import ReportScope, report_period

__all__ = ["ReportFormat", "ReportScope", "publish_report", "report_period"]
