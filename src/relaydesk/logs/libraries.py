"""What others would write on standard error: libraries, warnings, and errors that nobody catches.

All of it becomes lines of the same form. Libraries may say what happened, not with which values: an SMTP
library writes every line of a message at DEBUG (measured: aiosmtpd), a driver the values of a statement.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from relaydesk.logs.lines import LineWriter

TELLING = re.compile(r"(relaydesk|alembic)(\.|$)")  # loggers whose arguments hold no mail
WARNINGS = "py.warnings"
LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))
_CATEGORY = re.compile(r".*?: \w*Warning\b")


class LibraryLines(logging.Handler):
    """Takes the records of the standard library. What is said again and again is counted, as with our own."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """One record as a line. Never raises."""
        telling = TELLING.match(record.name) is not None
        if record.levelno < logging.WARNING and not telling:
            return
        level = next((name for number, name in LEVELS if record.levelno >= number), "debug")
        facts = {"logger": record.name}
        error = record.exc_info[1] if record.exc_info else None
        try:
            event = _sentence(record, telling=telling)
        except Exception:  # its arguments do not fit it
            event = str(record.msg)
        if error is not None:
            self._writer.error(level, event, error, facts)
        else:
            # By the sentence as it is in the source: filled in it would be another each time.
            self._writer.fact(level, event, facts, limit_by="", kind=str(record.msg)[:100])


def catch_the_uncaught(writer: LineWriter) -> None:
    """Errors that nobody catches, in any thread, and those of a finaliser, end in a line."""

    def uncaught(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        writer.error("error", "unexpected_error", error, {})

    def in_thread(args: threading.ExceptHookArgs) -> None:
        writer.error("error", "unexpected_error", args.exc_value, {})

    def unraisable(args: Any) -> None:
        writer.error("error", "unexpected_error", args.exc_value, {})

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable


def _sentence(record: logging.LogRecord, *, telling: bool) -> str:
    if telling:
        return record.getMessage()
    if record.name != WARNINGS:
        return str(record.msg).split("\n")[0]
    text = record.getMessage().split("\n")[0]
    category = _CATEGORY.match(text)
    # What is out of date names code; other warnings may quote a value.
    return text if category is None or "Deprecation" in category[0] else category[0]
