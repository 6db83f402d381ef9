"""Logging: one line per fact, structured, on one stream, without personal data. Owns structlog.

Other rooms call ``log("event", level="info", fact=…)``. What libraries log through the standard library
comes out in the same form, but never the commands or the body that an SMTP library would write at DEBUG
(measured: aiosmtpd logs every line of a message). As a safety net, any address that gets
into a line loses its local part before it is written, and a character that shows nothing by itself
(controls of C0 and C1, direction marks, zero width) is written as its escape: no name from the wire moves
a terminal's cursor.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from structlog.typing import Processor

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "json", "logfmt", "console"]
LEVELS: dict[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

# These write mail, addresses or bound values of statements at INFO and DEBUG: never below WARNING here.
TALKERS = (
    "mail",
    "mail.log",
    "mail.error",
    "mail.debug",
    "sqlalchemy",
    "sqlalchemy.engine",
    "dkimpy",
    "alembic",
)

# A local part, quoted or not. The look-behind lets a run of letters be tried once only: linear time.
LOCAL_PART = re.compile(r"""(?:"[^"\n]{1,256}"|(?<![^\s<>@"'(,;=:\[])[^\s<>@"'(,;=:\[]+)@(?=[\w\[.-])""")


# What a line may not hold as it is. A traceback keeps its line ends, indented, so that none poses as ours.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_TRACEBACK = "exception"


def configure(level: LogLevel = "info", form: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Sends every log line of this process to ``stream`` (default: stderr as it is now).

    ``auto`` is ``console`` on a terminal and ``json`` elsewhere. May be called again. Raises ``ValueError``
    for a level or a form that does not exist.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is not a log level; use one of {', '.join(LEVELS)}.")
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_local_parts,
        _escaped,
    ]
    render = _renderer(form, stream)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # names every one
    silence_talkers()


def silence_talkers() -> None:
    """Keeps libraries that would log mail at WARNING and above, and their arguments out of the line.

    A filter, not a level: a level set later, by us or by a library's own switch, opens nothing.
    """
    for name in TALKERS:
        logger = logging.getLogger(name)
        if _only_the_template not in logger.filters:
            logger.addFilter(_only_the_template)


def log(event: str, /, *, level: LogLevel = "info", **facts: object) -> None:
    """Writes one line: the event's name and its facts (ids, domains, figures; never a local part)."""
    structlog.get_logger().log(LEVELS[level], event, **facts)


def log_exception(event: str, /, **facts: object) -> None:
    """Writes one line at level error with the traceback of the exception in hand (without local values)."""
    structlog.get_logger().log(logging.ERROR, event, exc_info=True, **facts)


def _renderer(form: str, stream: TextIO) -> Processor:
    if form == "auto":
        form = "console" if stream.isatty() else "json"
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "logfmt":
        return structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True, bool_as_flag=False
        )
    if form == "console":
        # The plain formatter: the coloured ones print the local variables of every frame.
        return structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    raise ValueError(f"{form!r} is not a log format; use one of auto, json, logfmt, console.")


def _only_the_template(record: logging.LogRecord) -> bool:
    record.args = ()
    return record.levelno >= logging.WARNING


def _without_local_parts(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, str) and "@" in value:
            line[key] = LOCAL_PART.sub("…@", value)
        elif isinstance(value, (list, tuple)):
            line[key] = [LOCAL_PART.sub("…@", entry) if isinstance(entry, str) else entry for entry in value]
    return line


def _escaped(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, str):
            rows = value.split("\n") if key == _TRACEBACK else [value]
            line[key] = "\n  ".join(UNSEEN.sub(_escape, row) for row in rows)
        elif isinstance(value, (list, tuple)):
            line[key] = [UNSEEN.sub(_escape, entry) if isinstance(entry, str) else entry for entry in value]
    return line


def _escape(unseen: re.Match[str]) -> str:
    return unseen[0].encode("unicode_escape").decode("ascii")
