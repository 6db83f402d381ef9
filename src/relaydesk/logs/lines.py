"""From a fact to its line, and which lines of those that anybody can cause are written."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relaydesk.logs.redaction import fit, redacted
from relaydesk.logs.repeats import Repeats
from relaydesk.logs.tracebacks import place_of, traceback_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from relaydesk.logs.forms import Render

LONGEST_TRACEBACK = 20_000  # characters
LOOK = 1.0  # seconds between two looks for what was held back


@dataclass(slots=True)
class LineWriter:
    """The log of this process. ``write`` takes a whole line; it neither raises nor waits.

    Whatever is wrong with a fact, its caller never learns of it: what he does for mail goes on.
    """

    level: int
    render: Render
    write: Callable[[str], None]
    _repeats: Repeats = field(default_factory=Repeats)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _next_look: float = 0.0

    def fact(
        self,
        level: str,
        event: str,
        facts: Mapping[str, object],
        limit_by: str | None,
        kind: str | None = None,
    ) -> None:
        """One line; with ``limit_by`` the first of a minute of its event and code, or its ``kind``."""
        with contextlib.suppress(Exception):
            counted_as = (level, kind or event, None if kind else facts.get("code"))
            if limit_by is None or self._admits(counted_as, limit_by):
                self._line(level, event, facts)

    def error(self, level: str, event: str, error: BaseException | None, facts: Mapping[str, object]) -> None:
        """One line with a traceback: the first of a minute of those raised at the same place."""
        with contextlib.suppress(Exception):
            if self._admits((level, event, place_of(error)), ""):
                self._line(level, event, facts, error)

    def held_back(self, *, every: bool = False) -> Iterator[str]:
        """The lines that say what came more often than it was written; ``every`` such at the end."""
        now = time.monotonic()
        with contextlib.suppress(Exception), self._lock:
            if now < self._next_look and not every:
                return
            self._next_look = now + LOOK
            for repeated in list(self._repeats.due(now, every=every)):
                level, event, code = repeated.kind or ("warning", "other_lines", None)
                facts = {"code": code, "repeated": repeated.count, "most_from": repeated.most_from or None}
                yield self._text(str(level), str(event), facts)

    def lost(self, count: int) -> str:
        """The line that says how many could not be written."""
        return self._text("warning", "log_lines_lost", {"count": count})

    def _admits(self, kind: tuple[str, str, object], whose: str) -> bool:
        for text in self.held_back():
            self.write(text)
        with self._lock:
            return self._repeats.admits(kind, whose, time.monotonic())

    def _line(
        self, level: str, event: str, facts: Mapping[str, object], error: BaseException | None = None
    ) -> None:
        try:
            text = self._text(level, event, facts, error)
        except Exception as failure:  # a value that does not let itself be shown
            text = self._text("error", event, {"not_shown": type(failure).__name__})
        self.write(text)

    def _text(
        self, level: str, event: str, facts: Mapping[str, object], error: BaseException | None = None
    ) -> str:
        line: dict[str, Any] = {key: fit(value) for key, value in facts.items()}
        line |= {
            "event": redacted(event),
            "level": level,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        if error is not None:
            # Its line ends stay, indented, so that none poses as a line of ours.
            rows = traceback_text(error)[:LONGEST_TRACEBACK].split("\n")
            line["exception"] = "\n  ".join(map(redacted, rows))
        return f"{self.render(line)}\n"
