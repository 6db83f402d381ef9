"""kill -9 at random moments under load, and what must hold after it: nothing lost, doubled or half written.

Each round sends mail from several clients at once and kills one thing in the middle of it. Then, before
anything is sent again, every mail that got its 250 must be stored, once and byte for byte. All others are
sent again, and some of the acknowledged ones too, as by a client that lost the 250; after that every mail
is stored once, and no row lacks what belongs to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import ZONE, Mail, mail
from relaydesk_testkit.serving import PATIENCE, STORED, Serving, eventually, gone, send
from relaydesk_testkit.soundness import backends, copies, unsound
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from relaydesk_testkit import postgres
    from relaydesk_testkit.smtp import Talk

CLIENTS = 4
MAILS = 40  # a round
AGAIN = 3  # acknowledged mails that are sent once more
ALWAYS = ("listener", "office", "parent", "everyone")
OF_POSTGRES = ("backend", "server")


@dataclass
class Figures:
    """What happened in all rounds together."""

    database: str
    rounds: int = 0
    sent: int = 0
    acknowledged: int = 0
    stored_without_250: int = 0
    seconds: float = 0.0
    killed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Load:
    """Several clients that send what is in one queue, each mail at most once, and remember the 250s."""

    def __init__(self, serving: Serving, mails: Iterable[Mail]) -> None:
        self.serving = serving
        self.acknowledged: set[int] = set()
        self._waiting: queue.SimpleQueue[Mail] = queue.SimpleQueue()
        for message in mails:
            self._waiting.put(message)
        self._threads = [threading.Thread(target=self._client) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(2 * PATIENCE)
            if thread.is_alive():
                raise TimeoutError("A client hangs: the server neither answers nor closes the connection.")

    def _client(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                message = self._waiting.get_nowait()
                # What is in hand when the connection breaks may be stored or not: the resend will tell.
                with contextlib.suppress(OSError), self.serving.talk() as talk:
                    while self._deliver(talk, message):
                        message = self._waiting.get_nowait()

    def _deliver(self, talk: Talk, message: Mail) -> bool:
        reply = send(talk, message)
        if reply.startswith(STORED):
            self.acknowledged.add(message.number)
        return bool(reply)


@dataclass
class Field:
    """What stands there to be killed."""

    serving: Serving
    chance: random.Random
    server: postgres.Server | None = None

    def kill(self, target: str) -> None:
        """kill -9, now."""
        if target in ("listener", "office"):
            victims = self.serving.children("door" if target == "listener" else "office")
            if victims:  # else it is being started again just now
                self._kill(self.chance.choice(victims))
        elif target == "parent":
            orphans = self.serving.everyone()
            self._kill(self.serving.pid)
            for pid in orphans:
                eventually(lambda pid=pid: gone(pid), f"the end of orphan {pid}")  # type: ignore[misc]
        elif target == "everyone":
            self.serving.kill_all()
        elif target == "backend":
            victims = backends(self.serving.database)
            if victims:
                self._kill(self.chance.choice(victims))
        elif self.server is not None:
            self.server.stop()

    def mend(self, target: str) -> None:
        """Start what does not start by itself."""
        if target in ("parent", "everyone"):
            self.serving.kill_all()
            self.serving.start()
        elif target == "server" and self.server is not None:
            self.server.start()

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def one_round(place: Field, target: str, numbers: range, figures: Figures) -> None:
    """Load, kill, look; send again, look again. ``numbers`` are those of the mails."""
    chance = place.chance
    # Two mails of each relay address, next to each other: two processes may open its ticket at once.
    mails = [mail(n, thread=n // 2, size=chance.choice((0, 0, 30_000))) for n in numbers]
    load = Load(place.serving, mails)
    moment = chance.randrange(len(mails))
    load.start()
    until = time.monotonic() + PATIENCE
    while len(load.acknowledged) < moment and time.monotonic() < until:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0.0, 0.01))
    place.kill(target)
    if target == "server":
        time.sleep(chance.uniform(0.0, 0.2))  # some mails meet a store that is away
    place.mend(target)
    load.finish()
    before = _readable(lambda: copies(place.serving.database, (message.message_id for message in mails)))
    figures.problems += _lost(mails, load.acknowledged, before)
    figures.stored_without_250 += sum(
        bool(before[message.message_id]) and message.number not in load.acknowledged for message in mails
    )
    _resend(place, mails, load.acknowledged)
    after = _readable(lambda: copies(place.serving.database, (message.message_id for message in mails)))
    figures.problems += _lost(mails, {message.number for message in mails}, after)
    figures.problems += unsound(place.serving.database)
    figures.killed[target] += 1
    figures.rounds += 1
    figures.sent += len(mails)
    figures.acknowledged += len(load.acknowledged)


def _lost(mails: Sequence[Mail], promised: set[int], digests: dict[str, list[str]]) -> list[str]:
    """What is not as promised: a promised mail is there once, any other at most once, all byte for byte."""
    problems = []
    for message in mails:
        stored, right = digests[message.message_id], hashlib.sha256(message.raw).hexdigest()
        if message.number in promised and not stored:
            problems.append(f"Mail {message.number} was acknowledged and is not stored.")
        if len(stored) > 1:
            problems.append(f"Mail {message.number} is stored {len(stored)} times.")
        if any(digest != right for digest in stored):
            problems.append(f"Mail {message.number} is stored with other bytes.")
    return problems


def _resend(place: Field, mails: Sequence[Mail], acknowledged: set[int]) -> None:
    safe = [message for message in mails if message.number in acknowledged]
    again = place.chance.sample(safe, min(AGAIN, len(safe)))
    for message in [*(message for message in mails if message.number not in acknowledged), *again]:
        eventually(partial(_taken, place.serving, message), f"the 250 for mail {message.number}")


def _taken(serving: Serving, message: Mail) -> bool:
    with contextlib.suppress(OSError):
        return serving.deliver(message).startswith(STORED)
    return False


def _readable(look: Callable[[], dict[str, list[str]]]) -> dict[str, list[str]]:
    """What ``look`` finds, once the database lets anybody in again."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return look()
        except Exception:  # whichever driver, it may say so in many ways
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def run(
    rounds: int,
    directory: Path,
    server: postgres.Server | None = None,
    *,
    seed: int = 0,
    targets: Sequence[str] = (),
    mails: int = MAILS,
    doors: int = 2,
    tell: Callable[[str], None] = lambda _: None,
) -> Figures:
    """So many rounds on an SQLite file in ``directory``, or on ``server``, which must run and be our own.

    ``targets`` are killed in turn; without them chance chooses. ``mails`` are sent in each round, to
    ``doors`` listener processes.
    """
    figures, chance = Figures("postgresql" if server else "sqlite"), random.Random(seed)
    choice = (*ALWAYS, *OF_POSTGRES) if server else ALWAYS
    url = server.url() if server else f"sqlite:///{directory / 'relaydesk.db'}"
    with (
        dns_server(ZONE) as dns,
        Serving(directory, url, dns.address, doors=doors, drain_seconds=5, sweep_seconds=0.1) as serving,
    ):
        place = Field(serving, chance, server)
        for number in range(rounds):
            target = targets[number % len(targets)] if targets else chance.choice(choice)
            started = time.monotonic()
            one_round(place, target, range(number * mails, (number + 1) * mails), figures)
            took = time.monotonic() - started
            figures.seconds += took
            tell(f"round {number + 1}: killed {target}, {took:.1f} s, {len(figures.problems)} problems")
        figures.problems += [str(line) for line in serving.logged("unexpected_error")[:5]]
    return figures
