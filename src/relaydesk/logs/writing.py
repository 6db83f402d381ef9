"""The log of this process: where it goes, and the two calls that write to it."""

from __future__ import annotations

import atexit
import contextlib
import logging
import sys
from typing import TYPE_CHECKING, Literal

from relaydesk.logs.forms import renderer
from relaydesk.logs.libraries import LibraryLines, catch_the_uncaught
from relaydesk.logs.lines import LineWriter
from relaydesk.logs.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from relaydesk.logs.forms import LogFormat

LogLevel = Literal["debug", "info", "warning", "error"]
LEVELS: dict[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_configured: LineWriter | None = None
_outlet: Outlet | None = None


def configure(level: LogLevel = "info", form: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Sends every log line of this process to standard error, which may be closed, full or slow.

    A ``stream`` that is given is written to at once. ``auto`` is ``console`` on a terminal and ``json``
    elsewhere. May be called again. Raises ``ValueError`` for a level or a form that does not exist.
    """
    global _configured, _outlet  # noqa: PLW0603 - a process has one log
    if level not in LEVELS:
        raise ValueError(f"{level!r} is not a log level; use one of {', '.join(LEVELS)}.")
    writer = LineWriter(LEVELS[level], renderer(form, stream or sys.stderr), _direct(stream or sys.stderr))
    if stream is None and (descriptor := _descriptor(sys.stderr)) is not None:
        outlet = Outlet(descriptor, writer.lost, writer.held_back)
        writer.write, _outlet = outlet.write, outlet
        atexit.register(_end, writer, outlet)
        catch_the_uncaught(writer)
    _configured = writer
    logging.raiseExceptions = False
    logging.basicConfig(level=LEVELS[level], handlers=[LibraryLines(writer)], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # names every one


def lost_lines() -> int:
    """How many lines of this process were lost, because nobody read its log or it could not be written."""
    return _outlet.lost_in_all if _outlet is not None else 0


def log(event: str, /, *, level: LogLevel = "info", limit_by: str | None = None, **facts: object) -> None:
    """Writes one line: the event's name and its facts (ids, domains, figures; never a local part).

    ``limit_by`` is for what anybody can cause without end: the address of who did, or "" where nobody in
    particular. Of such an event and its code the first lines of a minute are written, of one network and in
    all; then one says how many more there were. Never raises, and never waits for a reader of the log.
    """
    writer = _configured or _unconfigured()
    if LEVELS[level] >= writer.level:
        writer.fact(level, event, facts, limit_by)


def log_exception(event: str, /, **facts: object) -> None:
    """Writes one line at level error with the traceback of the exception in hand, without values.

    What is raised at one place again and again is written a few times a minute, and then counted.
    """
    (_configured or _unconfigured()).error("error", event, sys.exception(), facts)


def announce(line: str) -> None:
    """One line on standard output, for whoever waits for this process to be ready. Never raises or waits."""
    descriptor = _descriptor(sys.stdout)
    if descriptor is None:
        _direct(sys.stdout)(f"{line}\n")
        return
    outlet = Outlet(descriptor, lambda _: "")
    outlet.write(f"{line}\n")
    atexit.register(outlet.close)


def _unconfigured() -> LineWriter:
    """For commands: what they have to say is their output, so only what went wrong is a line."""
    return LineWriter(logging.WARNING, renderer("auto", sys.stderr), _direct(sys.stderr))


def _descriptor(stream: TextIO | None) -> int | None:
    """The descriptor behind a stream, None where it has none (a test's)."""
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError):
        return None


def _direct(stream: TextIO | None) -> Callable[[str], None]:
    def write(line: str) -> None:
        if stream is not None:
            with contextlib.suppress(Exception):
                stream.write(line)
                stream.flush()

    return write


def _end(writer: LineWriter, outlet: Outlet) -> None:
    for text in writer.held_back(every=True):
        outlet.write(text)
    outlet.close()
