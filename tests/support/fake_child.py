"""A tiny child process for the supervisor's tests: a listener that answers with its name and pid.

Run as ``python fake_child.py NAME MODE``. Modes: ``serve`` (drains on SIGTERM: an open connection still
gets its ``bye``), ``stubborn`` (ignores SIGTERM and a dead parent), ``crash`` (dies after it was ready),
``refuse`` (exits 3 before it is ready), ``office`` (no sockets).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time

from relaydesk.server.inherited import inherited


def main() -> int:
    name, mode = sys.argv[1:3]
    sockets = inherited()
    assert sockets is not None
    if mode == "refuse":
        sys.stderr.write("a bad value\n")
        return 3
    state = {"stop": False, "reloads": 0}
    wake_reader, wake_writer = os.pipe()

    def stop(*_: object) -> None:
        if mode != "stubborn":
            state["stop"] = True
            os.write(wake_writer, b"x")

    def reload(*_: object) -> None:
        state["reloads"] += 1

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, reload)
    selector = selectors.DefaultSelector()
    selector.register(wake_reader, selectors.EVENT_READ, "wake")
    for listener in sockets.sockets:
        listener.listen()
        selector.register(listener, selectors.EVENT_READ, "accept")
    sockets.watch_parent(stop, grace=1.0)
    sockets.ready()
    if mode == "crash":
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGSEGV)
    open_ones = []
    while not state["stop"]:
        for key, _ in selector.select():
            if key.data == "accept":
                connection, _ = key.fileobj.accept()
                open_ones.append(connection)
                facts = [name, os.getpid(), state["reloads"]]
                connection.sendall((" ".join(map(str, facts)) + "\n").encode())
    for listener in sockets.sockets:
        listener.close()
    time.sleep(0.2)
    for connection in open_ones:
        with contextlib.suppress(OSError):
            connection.sendall(b"bye\n")
        connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
