"""What a connection's place grants it: time limits, and until when nobody may take the place from it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from relaydesk.smtpd.connection_places import Familiarity, TakenPlace, peer_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from relaydesk.smtpd.server import Server


class Seat:
    """One connection on its :class:`TakenPlace`. Times are those of the event loop."""

    def __init__(self, server: Server, place: TakenPlace) -> None:
        self._server, self._place, self._limits = server, place, server.endpoint.limits
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._waiting: asyncio.Timeout | None = None
        self._cutting: asyncio.TimerHandle | None = None

    def take(self, give_way: Callable[[], None]) -> None:
        """From now on ``give_way`` ends this connection, should somebody else need the place."""
        self._place.give_way, self._place.hurry, self._place.idle = give_way, self._hurry, True

    # --- its time limits

    @property
    def hurries(self) -> bool:
        """Whether the client is a stranger while places are scarce."""
        return self._server.places.hurries(self._place)

    def seconds(self, usual: float) -> float:
        """How long the client may take for one thing."""
        return min(usual, self._limits.stress_idle_seconds) if self.hurries else usual

    @property
    def errors(self) -> int:
        """How many 5xx the client may collect."""
        return min(self._limits.errors, self._limits.stress_errors) if self.hurries else self._limits.errors

    @property
    def ends(self) -> float:
        """When the session has lasted too long."""
        longest = self._limits.session_seconds
        return self._began + (min(longest, self._limits.stress_session_seconds) if self.hurries else longest)

    @contextlib.asynccontextmanager
    async def for_one_command(self) -> AsyncIterator[None]:
        """Time for one command of the client, within the session. TimeoutError when it is over."""
        idle = self._loop.time() + self.seconds(self._limits.idle_seconds)
        try:
            async with asyncio.timeout_at(min(self.ends, idle)) as self._waiting:
                yield
        finally:
            self._waiting = None

    def stop_waiting(self) -> None:
        """End the time for one command now."""
        if self._waiting is not None and not self._waiting.expired():  # else it ends by itself, in a moment
            self._waiting.reschedule(self._loop.time())

    def _hurry(self) -> None:
        soon = self._loop.time() + self._limits.stress_idle_seconds
        if self._waiting is not None and self.hurries and (self._waiting.when() or soon) >= soon:
            self._waiting.reschedule(soon)

    # --- its place

    def work(self) -> None:
        """A command is being carried out: nobody else may get the place."""
        self._place.idle = False

    def rest(self, *, bringing: bool) -> None:
        """No command is: others may get the place, unless the client is ``bringing`` a message."""
        self._place.idle = not bringing

    @contextlib.contextmanager
    def waiting(self, *, bringing: bool) -> Iterator[None]:
        """The same while the client is waited for, be it within a command."""
        before, self._place.idle = self._place.idle, not bringing
        try:
            yield
        finally:
            self._place.idle = before or self._place.leaving

    @property
    def idle(self) -> bool:
        """Whether the client is waited for and brings nothing."""
        return self._place.idle

    @property
    def leaving(self) -> bool:
        """Whether the last reply was said."""
        return self._place.leaving

    def brought(self) -> None:
        """The client has brought a message: its idleness counts anew."""
        self._place.since = self._loop.time()

    def speaks_for(self, ip: str) -> str:
        """Count this connection as that of the client behind it; the name of a reply if it has no place."""
        familiarity, now = self._server.familiarity(ip), self._loop.time()
        obstacle = self._server.places.change(self._place, peer_key(ip), familiarity, now)
        if obstacle:
            self._server.turned_away.add(obstacle)
        return obstacle

    def logged_in(self) -> None:
        """This client is no stranger, nor will its address be one next time."""
        self._server.remember(self._place.peer)
        self._server.places.change(self._place, self._place.peer, Familiarity.PROVEN, self._loop.time())

    def leave(self) -> None:
        """The last reply is said: whoever comes may have the place."""
        self._server.places.leave(self._place)

    def cut_later(self, abort: Callable[[], None]) -> None:
        """Cut a client that never takes our replies or never ends TLS: it would keep its socket for ever."""
        if self._cutting is None:
            self._cutting = self._loop.call_later(self._limits.write_seconds, abort)

    def give_back(self) -> None:
        """The socket is closed. More than once does no harm."""
        self._server.places.give_back(self._place)
        if self._cutting is not None:
            self._cutting.cancel()
