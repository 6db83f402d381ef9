"""What the connections of one endpoint share: the caps, and the work under way."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from relaydesk.smtpd.connection_places import ConnectionPlaces, Familiarity, peer_key
from relaydesk.smtpd.reception import Room
from relaydesk.smtpd.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from relaydesk.places import FairPlaces
    from relaydesk.smtpd.endpoint import Endpoint

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")

REMEMBERED = 1000
"""Peers that have logged in, of which the latest are known again."""
PARTING = 3.0
"""Seconds for the last words to those who bring nothing, when we stop."""


class AwaitsClient(Protocol):
    """What waits for the next command of a client, but for a command under way."""

    @property
    def idle(self) -> bool: ...
    def stop_waiting(self) -> None: ...


class OpenConnection(Protocol):
    """What a server needs of its connections."""

    @property
    def task(self) -> asyncio.Task[None] | None: ...
    @property
    def seat(self) -> AwaitsClient: ...
    def cut(self) -> None: ...


class Server:
    """Counts connections and messages of all listeners of one endpoint, and drains them.

    ``in_flight`` are the bytes that it shares with another endpoint of this process.
    """

    def __init__(self, endpoint: Endpoint[Any], in_flight: FairPlaces | None = None) -> None:
        self.endpoint = endpoint
        self.connections: set[OpenConnection] = set()
        self.closing = False
        self.places = ConnectionPlaces(endpoint.limits)
        self.turned_away = Tally("connections_turned_away")
        self._logged_in: dict[str, None] = {}
        self.room = Room(endpoint.limits, in_flight)
        self._work: set[asyncio.Task[Any]] = set()

    def familiarity(self, ip: str) -> Familiarity:
        """How well we know a host, by its address alone."""
        role, _ = self.endpoint.configuration.current.allowlist.role(ip)
        if role != "none":
            return Familiarity.KNOWN if role == "proxy" else Familiarity.PROVEN
        return Familiarity.KNOWN if peer_key(ip) in self._logged_in else Familiarity.STRANGER

    def remember(self, peer: str) -> None:
        """Know a peer again that has logged in."""
        self._logged_in.pop(peer, None)
        self._logged_in[peer] = None
        if len(self._logged_in) > REMEMBERED:
            del self._logged_in[next(iter(self._logged_in))]

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
        """Let idle connections go with 421, wait for the rest, cut what is left after ``seconds``.

        An idle one that is deaf to the 421, or in the middle of a handshake, holds nobody up.
        """
        self.closing = True
        for connection in list(self.connections):
            connection.seat.stop_waiting()
        now = asyncio.get_running_loop().time()
        await self._finish(now + min(PARTING, seconds))
        for connection in [connection for connection in self.connections if connection.seat.idle]:
            connection.cut()
        await self._finish(now + seconds)
        for connection in list(self.connections):
            connection.cut()
        for task in list(self._work):
            task.cancel()
        self.turned_away.close()
        await asyncio.sleep(0)

    async def _finish(self, until: float) -> None:
        """Wait for all connections and all work, at most until then."""
        while (self.connections or self._work) and (left := until - asyncio.get_running_loop().time()) > 0:
            if waiting := [*self._work, *(c.task for c in self.connections if c.task is not None)]:
                await asyncio.wait(waiting, timeout=left)
            await asyncio.sleep(0)
