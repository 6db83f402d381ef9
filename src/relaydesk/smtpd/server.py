"""What the door is given, and what its connections share: the caps, and the work under way."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from relaydesk.message import canonical_ip
from relaydesk.smtpd.session import Session

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from relaydesk.message import Envelope, Origin
    from relaydesk.policy import Admission, Allowlist, Decision
    from relaydesk.reasons import Reason
    from relaydesk.smtpd.connection import Connection
    from relaydesk.smtpd.limits import Limits
    from relaydesk.smtpd.session import Peer, Transport

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")


class Receiver(Protocol):
    """Who decides. Its coroutines must not block the loop: heavy work belongs into a bounded executor."""

    async def admit(self, origin: Origin, helo: str, mail_from: str, rcpt: str) -> Admission:
        """The answer to one RCPT. Behind a relay the origin is still unknown (``origin.ip`` is None)."""
        ...

    async def receive(self, envelope: Envelope) -> Decision | Admission:
        """Decide on a message and, if accepted, have it stored when this returns."""
        ...

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], reason: Reason
    ) -> None:
        """Told of what the door refused by itself (row 1 of the policy, proxies without a client).

        ``peer`` is the host at the other end: where no origin is known, it is the one to be mended.
        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All that a listener is given. ``hostname`` stands in the banner and our Received lines.

    ``allowlist`` and ``tls`` are asked anew for each connection and each STARTTLS, so that a reload
    counts from the next one on; ``tls`` answers None where STARTTLS is not offered. ``now`` gives aware UTC.
    ``dialogue`` makes what is said in one session: mail from the networks, or a help desk's submission.
    """

    hostname: str
    limits: Limits
    receiver: Receiver
    allowlist: Callable[[], Allowlist]
    now: Callable[[], datetime]
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    dialogue: Callable[[Server, Transport, Peer, Allowlist], Session] = Session


class Server:
    """What the connections of one listener share: the caps, and the work under way."""

    def __init__(self, door: Endpoint) -> None:
        self.door = door
        self.connections: set[Connection] = set()
        self.closing = False
        self._peers: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(door.limits.concurrent_data)
        self._work: set[asyncio.Task[Any]] = set()

    @property
    def full(self) -> bool:
        return len(self.connections) > self.door.limits.connections

    def enter(self, peer: str) -> bool:
        """Count one more connection of a peer; false when it has too many (it is counted all the same)."""
        self._peers[peer] += 1
        return self._peers[peer] <= self.door.limits.connections_per_peer

    def leave(self, peer: str) -> None:
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]

    async def take_slot(self) -> bool:
        """Wait for a place to receive a message; false when none comes free in time."""
        try:
            async with asyncio.timeout(self.door.limits.slot_seconds):
                await self._slots.acquire()
        except TimeoutError:
            return False
        return True

    def give_slot(self) -> None:
        self._slots.release()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run work that outlives its connection: a client that hangs up must not cancel a commit."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the work on a message failed", exc_info=error)

    async def drain(self, seconds: float) -> None:
        """Let idle connections go with 421, wait for the rest, cut what is left after ``seconds``."""
        self.closing = True
        for connection in list(self.connections):
            connection.hang_up()
        ends = asyncio.get_running_loop().time() + seconds
        while (self.connections or self._work) and asyncio.get_running_loop().time() < ends:
            waiting = [*self._work, *(c.task for c in self.connections if c.task is not None)]
            if waiting:
                await asyncio.wait(waiting, timeout=max(0.0, ends - asyncio.get_running_loop().time()))
            await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.cut()
        for task in list(self._work):
            task.cancel()
        await asyncio.sleep(0)


def peer_key(ip: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 of an IPv6 address."""
    address = canonical_ip(ip)
    return str(ip_network((int(address) >> 64 << 64, 64))) if isinstance(address, IPv6Address) else ip
