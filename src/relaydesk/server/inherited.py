"""The child's side: the sockets it was given and the line that ties its life to its parent's.

The lifeline is one end of a socket pair. The child writes ``ready`` once it serves; the parent writes
nothing, so that its end closing, however the parent died, is the one thing the child can read.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

VARIABLE = "_RELAYDESK_INHERITED"  # "LIFELINE SOCKET…": file descriptors
READY = b"ready\n"
PR_SET_PDEATHSIG = 1  # prctl(2)
STORE_LOST = os.EX_IOERR  # exit status of a child that can't go on, nor another in its place
ORPHANED = 70  # exit status of a child that outlived its parent and did not end in time


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the parent handed down: the bound, not yet listening sockets and the lifeline."""

    sockets: tuple[socket.socket, ...]
    lifeline: socket.socket

    def ready(self) -> None:
        """Tells the parent that this child serves. To be called once, after signal handlers are in place."""
        with contextlib.suppress(OSError):  # a parent that just died: watch_parent deals with it
            self.lifeline.sendall(READY)

    def watch_parent(self, on_death: Callable[[], None], grace: float) -> None:
        """Calls ``on_death`` when the parent is gone; the process ends within ``grace`` seconds of that.

        ``on_death`` is called in a thread of its own; with asyncio let it be
        ``functools.partial(loop.call_soon_threadsafe, stop.set)``.
        """
        threading.Thread(target=self._wait, args=(on_death, grace), name="parent-watch", daemon=True).start()

    def _wait(self, on_death: Callable[[], None], grace: float) -> None:
        with contextlib.suppress(OSError):
            while self.lifeline.recv(64):
                pass
        try:
            on_death()
            time.sleep(grace)
        finally:
            os._exit(ORPHANED)


def inherited(environ: MutableMapping[str, str] = os.environ) -> Inherited | None:
    """What a parent handed to this process, None when no parent did. Takes it out of the environment."""
    value = environ.pop(VARIABLE, None)
    if value is None:
        return None
    lifeline, *sockets = [socket.socket(fileno=int(number)) for number in value.split()]
    for passed in (lifeline, *sockets):
        passed.set_inheritable(False)
    if sys.platform.startswith("linux"):
        # For the moments before and besides the watch: the kernel signals a child whose parent died.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return Inherited(tuple(sockets), lifeline)


def handed_down(
    lifeline: socket.socket, sockets: Sequence[socket.socket]
) -> tuple[dict[str, str], tuple[int, ...]]:
    """The parent's counterpart: the variable for the child's environment, and the descriptors to pass."""
    numbers = (lifeline.fileno(), *(passed.fileno() for passed in sockets))
    return {VARIABLE: " ".join(map(str, numbers))}, numbers
