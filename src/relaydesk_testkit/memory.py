"""The memory of a ``serve``: what all its processes take together."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaydesk_testkit.serving import Serving


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
    pids = [pid]
    for one in pids:
        pids += parents.get(one, [])
    return pids


def proportional(pids: list[int]) -> int:
    """Bytes of proportional set size (proc(5), smaps_rollup): shared pages count once in all."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += 1024 * int(line.split()[1])
    return total


class PeakMemory:
    """The most that all processes of a ``serve`` took while this was entered, looked at every 50 ms."""

    def __init__(self, serving: Serving, interval: float = 0.05) -> None:
        self._pid, self._interval = serving.pid, interval
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self.bytes = 0

    def __enter__(self) -> PeakMemory:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(self._interval):
            self.bytes = max(self.bytes, proportional(family(self._pid)))
