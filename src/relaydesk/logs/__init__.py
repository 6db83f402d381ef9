"""Logging: one line per fact, structured, on standard error, without personal data. Owns structlog.

Other rooms call ``log("event", level="info", fact=…)``. A line never decides about mail: nothing of this
raises or waits, whatever became of standard error; what could not be written is counted and said. What
strangers can cause without end is written a few times a minute and then counted (``limit_by``). As a safety
net any address that gets into a line loses its local part, a traceback has no values in it, and a character
that shows nothing by itself is written as its escape: no name from the wire moves a terminal's cursor.
"""

from relaydesk.logs.tracebacks import error_text, traceback_text
from relaydesk.logs.writing import announce, configure, log, log_exception, lost_lines

__all__ = ["announce", "configure", "error_text", "log", "log_exception", "lost_lines", "traceback_text"]
