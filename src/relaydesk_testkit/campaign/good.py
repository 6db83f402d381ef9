"""Good mail, sent at a steady pace and timed: a process of its own, so that no attack slows its clock.

``python -m relaydesk_testkit.campaign.good PORT FIRST INTERVAL``: mail of about 3 KB from the listed network,
each over a connection of its own, until standard input ends; then one JSON object on standard output.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import send
from relaydesk_testkit.smtp import Talk

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 3_000
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Timed:
    """What became of good mail: milliseconds from connect to 250, and the replies by their code."""

    milliseconds: tuple[float, ...] = ()
    codes: dict[str, int] = field(default_factory=dict)

    @property
    def p95(self) -> float:
        """The 95th percentile, 0 for none."""
        if len(self.milliseconds) < 2:
            return max(self.milliseconds, default=0.0)
        return statistics.quantiles(self.milliseconds, n=20)[-1]

    @property
    def worst(self) -> float:
        return max(self.milliseconds, default=0.0)

    @property
    def refused(self) -> dict[str, int]:
        """The replies other than 250."""
        return {code: number for code, number in self.codes.items() if code != "250"}


class GoodMail:
    """The process that sends good mail, from ``start`` to ``stop``."""

    def __init__(self, port: int, first: int, interval: float = 0.1) -> None:
        command = [sys.executable, "-m", __name__, str(port), str(first), str(interval)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self) -> Timed:
        """Ends it; what it saw."""
        out, _ = self._process.communicate(timeout=120)
        seen = json.loads(out)
        return Timed(tuple(seen["milliseconds"]), seen["codes"])


def _main(port: int, first: int, interval: float) -> None:
    ended = threading.Event()

    def until_closed() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=until_closed, daemon=True).start()
    milliseconds: list[float] = []
    codes: Counter[str] = Counter()
    free = threading.Semaphore(CLIENTS)

    def one(number: int) -> None:
        prepared, started = mail(number, size=SIZE), time.perf_counter()
        code = _sent(port, prepared)
        codes[code] += 1
        if code == "250":
            milliseconds.append(1000 * (time.perf_counter() - started))
        free.release()

    threads = []
    for number in _numbers(first, ended, interval):
        free.acquire()
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    json.dump({"milliseconds": milliseconds, "codes": codes}, sys.stdout)


def _numbers(first: int, ended: threading.Event, interval: float) -> Iterator[int]:
    number = first
    while not ended.wait(interval):
        yield number
        number += 1


def _sent(port: int, prepared: object) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = Talk(sock)
            greeting = talk.reply()
            reply = send(talk, prepared) if greeting.startswith("220") else greeting  # type: ignore[arg-type]
    except OSError as error:
        return type(error).__name__
    return reply[:3] or "closed"


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
