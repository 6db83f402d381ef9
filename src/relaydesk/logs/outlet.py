"""Lines on a descriptor that may be closed, full or slow: nobody who writes one waits or fails.

A thread does the writing. What a slow reader has not taken waits, up to a bound; what does not fit there, and
what the descriptor refuses, is lost and counted. One line says how many as soon as writing works again.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WAITING = 262_144  # bytes for a reader that is slow: about a thousand lines, and four pipes full
TICK = 1.0  # seconds between two looks for what is due; a lost reader is tried as often
LINGER = 1.0  # seconds that the end of the process waits for the reader


@dataclass(slots=True)
class Outlet:
    """Where lines leave this process. ``write`` may be called from any thread, and from within itself.

    ``lost_line`` makes the line that says how many were lost; ``due`` gives lines that nobody's writing
    brings, and is asked every second. Neither may raise. ``lost_in_all`` counts what was ever lost.
    """

    descriptor: int
    lost_line: Callable[[int], str]
    due: Callable[[], Iterable[str]] = tuple
    _lines: deque[bytes] = field(default_factory=deque)
    _bytes: int = 0
    lost_in_all: int = 0
    _lost: int = 0
    _busy: bool = False
    _torn: bool = False  # whether the last line was cut in the middle
    _refused: bool = False  # whether it was not taken at all
    _closed: bool = False
    _thread: threading.Thread | None = None
    # Re-entrant: the garbage collector may log while a line is taken in.
    _changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))

    def write(self, line: str) -> None:
        """Takes a line, with its line end. Returns at once, whatever becomes of it."""
        data = _bytes_of(line)
        with self._changed:
            if self._bytes + len(data) > WAITING or not self._running():
                self._lost += 1
                self.lost_in_all += 1
                return
            self._lines.append(data)
            self._bytes += len(data)
            self._changed.notify_all()

    def close(self, seconds: float = LINGER) -> None:
        """Waits until all is written, for so long at most. What is left then, or comes later, is lost."""
        until = time.monotonic() + seconds
        for line in self.due():
            self.write(line)
        with self._changed:
            while (self._lines or self._busy) and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._closed = True
            self._changed.notify_all()

    def _running(self) -> bool:
        if self._thread is None and not self._closed:
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread can be had now
                return False
            self._thread = thread
        return not self._closed

    def _run(self) -> None:
        while not self._closed:
            with contextlib.suppress(Exception):  # for want of memory, say; the thread must outlive it
                self._step()
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _step(self) -> None:
        line = self._next()
        if line is None:
            for text in self.due():
                self.write(text)
        elif (self._refused and not self._tells_losses()) or not self._put(line):
            self._lose()
        if not self._lines:  # what had no room came after those that had
            self._tells_losses()

    def _next(self) -> bytes | None:
        """The next line; None after a second without one."""
        with self._changed:
            if not self._lines:
                self._changed.wait(TICK)
            if not self._lines:
                return None
            self._busy = True
            line = self._lines.popleft()
            self._bytes -= len(line)
            return line

    def _tells_losses(self) -> bool:
        """Whether nothing is lost that has not been said."""
        with self._changed:
            count = self._lost
        if not count:
            return True
        if not self._put(_bytes_of(self.lost_line(count))):
            return False
        with self._changed:
            self._lost -= count
        return True

    def _lose(self) -> None:
        with self._changed:
            self._lost += 1
            self.lost_in_all += 1

    def _put(self, line: bytes) -> bool:
        """Writes a whole line, however long that takes; False when the descriptor refuses it."""
        rest = memoryview(b"\n" + line if self._torn else line)
        while rest:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
                self._torn = bool(rest)
            except BlockingIOError:  # somebody who shares it has made it so
                _wait_for(self.descriptor)
            except OSError:
                self._refused = True
                return False
        self._refused = False
        return True


def _bytes_of(line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace")


def _wait_for(descriptor: int) -> None:
    look = select.poll()
    look.register(descriptor, select.POLLOUT)
    look.poll(TICK * 1000)
