"""The process's side: takes one task after the other until the pool hangs up.

``python -m relaydesk.process_pool.worker DESCRIPTOR BYTES [MODULE]``, started by the pool. ``BYTES`` is how
much memory it may take, ``MODULE`` what its first task will need.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import traceback
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from relaydesk.process_pool.frames import NUMBER, numbers, packed, unpacked

PR_SET_PDEATHSIG = 1  # prctl(2)
DESCRIPTORS = 64
READY, DONE, RAISED, TOO_LARGE = "ready", "done", "raised", "too large"
"""What the process says of itself, and of a task."""


def serve(line: socket.socket, ahead: str) -> None:
    """Works until the other end is gone. ``ahead`` is a module to import before anything is asked for."""
    if ahead:
        with contextlib.suppress(Exception):  # the task will say it
            import_module(ahead)
    _send(line, (READY,))
    context: object = None
    while (pieces := _received(line)) is not None:
        home, name, seconds, takes_context, learnt, *arguments = unpacked(pieces)
        del pieces
        if takes_context:
            context = learnt if learnt is not None else context
            arguments.insert(0, context)
        _send(line, _answer(home, name, arguments, seconds))
        del arguments, learnt


def _answer(home: str, name: str, arguments: list[Any], seconds: float) -> tuple[object, ...]:
    try:
        function = attrgetter(name)(import_module(home))
        # Of this process's own processor time, so that a busy machine makes nothing too slow. What the
        # signal ends is the process, wherever it is: in a pattern of C as well as in our code.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            return DONE, function(*arguments)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except MemoryError:
        return (TOO_LARGE,)
    except Exception:
        return RAISED, traceback.format_exc()


def _send(line: socket.socket, values: tuple[object, ...]) -> None:
    try:
        pieces = packed(values)
    except MemoryError:
        pieces = packed((TOO_LARGE,))
    except Exception:  # what cannot be pickled
        pieces = packed((RAISED, traceback.format_exc()))
    for piece in pieces:
        line.sendall(piece)


def _received(line: socket.socket) -> list[bytes] | None:
    """The pieces of the next task, None when the pool has hung up."""
    if not (count := _exactly(line, NUMBER)):
        return None
    sizes = numbers(_exactly(line, numbers(count)[0] * NUMBER))
    pieces = [_exactly(line, size) for size in sizes]
    return pieces if list(map(len, pieces)) == sizes else None


def _exactly(line: socket.socket, size: int) -> bytes:
    """So many bytes, fewer when the other end is gone. What comes in one go is not copied."""
    data = line.recv(size, socket.MSG_WAITALL) if size else b""
    while data and len(data) < size:
        more = line.recv(size - len(data), socket.MSG_WAITALL)
        if not more:
            break
        data += more
    return data


def _confine(memory: int) -> None:
    """Ends with the pool's process, takes no word but from it, and no more of the machine than it may."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group: the pool's process ends us
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        with contextlib.suppress(OSError):  # if memory runs out, it ends before what holds the mail
            Path("/proc/self/oom_score_adj").write_text("500", "ascii")
    with contextlib.suppress(OSError):
        os.nice(5)  # the event loop comes first
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: DESCRIPTORS, resource.RLIMIT_DATA: memory}
    for which, most in limits.items():
        hard = resource.getrlimit(which)[1]
        capped = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (capped, capped))


def main() -> None:
    descriptor, memory, *ahead = sys.argv[1:]
    _confine(int(memory))
    with socket.socket(fileno=int(descriptor)) as line, contextlib.suppress(ConnectionError):
        serve(line, *(ahead or [""]))


if __name__ == "__main__":
    main()
