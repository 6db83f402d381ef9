"""What happens too often for a line each: counted, and logged once a minute."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Literal

from relaydesk.logs import log

MINUTE = 60.0
"""Seconds between two lines."""


class Tally:
    """One kind of line: the first event is logged at once, what follows together with its count."""

    def __init__(self, line: str, level: Literal["warning", "error"] = "warning", **facts: Any) -> None:
        self._line, self._level, self._facts = line, level, facts
        self._counts: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, event: str) -> None:
        """Count one event. Only within the event loop."""
        self._counts[event] += 1
        if self._timer is None:
            self._write()

    def close(self) -> None:
        """Log what has been counted since the last line."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._log()

    def _write(self) -> None:
        counted = self._log()
        self._timer = asyncio.get_running_loop().call_later(MINUTE, self._write) if counted else None

    def _log(self) -> bool:
        counts, self._counts = self._counts, Counter()
        if counts:
            facts: dict[str, Any] = {**counts, **self._facts}
            log(self._line, level=self._level, **facts)
        return bool(counts)
