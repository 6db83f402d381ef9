"""What the connections of one endpoint share: the caps, and the work under way."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from relaydesk.message import canonical_ip
from relaydesk.smtpd.reception import Room

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from relaydesk.places import Places
    from relaydesk.smtpd.endpoint import Endpoint

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")


class OpenConnection(Protocol):
    """What a server needs of its connections."""

    @property
    def task(self) -> asyncio.Task[None] | None: ...
    def hang_up(self) -> None: ...
    def cut(self) -> None: ...


class Server:
    """Counts connections and messages of all listeners of one endpoint, and drains them.

    ``in_flight`` are the bytes that it shares with another endpoint of this process.
    """

    def __init__(self, endpoint: Endpoint[Any], in_flight: Places | None = None) -> None:
        self.endpoint = endpoint
        self.connections: set[OpenConnection] = set()
        self.closing = False
        self._peers: Counter[str] = Counter()
        self.room = Room(endpoint.limits, in_flight)
        self._work: set[asyncio.Task[Any]] = set()

    @property
    def full(self) -> bool:
        return len(self.connections) > self.endpoint.limits.connections

    def enter(self, peer: str) -> bool:
        """Count one more connection of a peer; false when it has too many (it is counted all the same)."""
        self._peers[peer] += 1
        return self._peers[peer] <= self.endpoint.limits.connections_per_peer

    def leave(self, peer: str) -> None:
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]

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
