"""The process's side: takes one task after the other until the pool hangs up.

``python -m relaydesk.process_pool.worker DESCRIPTOR``, started by the pool.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import sys
from importlib import import_module
from operator import attrgetter
from typing import Any

from relaydesk.process_pool.frames import LENGTH, packed, unpacked

PR_SET_PDEATHSIG = 1  # prctl(2)


def serve(line: socket.socket) -> None:
    """Works until the other end is gone."""
    context: object = None
    while (head := _exactly(line, LENGTH)) is not None:
        request = _exactly(line, int.from_bytes(head, "big"))
        if request is None:
            return
        name, takes_context, learnt, arguments = unpacked(request)
        del request
        context = learnt if learnt is not None else context
        answer = _answer(name, (context, *arguments) if takes_context else arguments)
        line.sendall(len(answer).to_bytes(LENGTH, "big"))
        line.sendall(answer)


def _answer(name: tuple[str, str], arguments: tuple[Any, ...]) -> bytes:
    try:
        function = attrgetter(name[1])(import_module(name[0]))
        return packed((True, function(*arguments)))
    except Exception as error:
        return packed((False, f"{name[1]}: {type(error).__name__}: {error}"))


def _exactly(line: socket.socket, size: int) -> bytearray | None:
    data, at = bytearray(size), 0
    view = memoryview(data)
    while at < size:
        count = line.recv_into(view[at:])
        if not count:
            return None
        at += count
    return data


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pool's process, which then hangs up
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with socket.socket(fileno=int(sys.argv[1])) as line:
        try:
            serve(line)
        except ConnectionError:
            return


if __name__ == "__main__":
    main()
