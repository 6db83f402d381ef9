"""The content of DATA read off a connection: how slow the client may be, and how often it may wake us."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relaydesk.smtpd.data_reader import DataReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from relaydesk.smtpd.limits import Limits
    from relaydesk.smtpd.receive_buffer import ReceiveBuffer
    from relaydesk.smtpd.reception import Reception

TINY = 512  # bytes that came at one time
FREE_TINY = 64


class Pace:
    """The moment at which a client that sends a message has been too slow; what arrives puts it off.

    A client may be silent for ``idle_seconds``, and must come to ``min_data_rate`` over any such time.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._last = now + limits.data_seconds
        self._due = now + limits.idle_seconds
        self._tiny = 0

    @property
    def ends(self) -> float:
        return min(self._due, self._last)

    def arrived(self, size: int, now: float) -> float:
        """So many bytes more; the moment as it is now."""
        self._tiny += size < TINY
        self._due = min(self._due + size / self._limits.min_data_rate, now + self._limits.idle_seconds)
        return self.ends

    def waited(self, seconds: float) -> float:
        """The client waited for us."""
        self._due, self._last = self._due + seconds, self._last + seconds
        return self.ends

    @property
    def trickles(self) -> bool:
        """Whether the client sends so many tiny packets that waking for each of them costs too much."""
        return self._tiny > FREE_TINY


async def read_content(
    buffer: ReceiveBuffer, limits: Limits, reception: Reception, quiet: Callable[[], Awaitable[bool]]
) -> DataReader:
    """Read to the end of the data. TimeoutError when the client is too slow.

    ``quiet`` says whether the client waits for a reply now.
    """
    loop = asyncio.get_running_loop()
    reader, pace = DataReader(limits), Pace(limits, loop.time())
    async with asyncio.timeout_at(pace.ends) as deadline:
        while True:
            chunk = await buffer.chunk()
            deadline.reschedule(pace.arrived(len(chunk), loop.time()))
            ended = reader.feed(chunk)
            if not reception.covers(reader.size):
                began = loop.time()
                deadline.reschedule(None)
                if not await reception.grow():
                    reader.refuse("insufficient_storage")
                deadline.reschedule(pace.waited(loop.time() - began))
            if reader.flaw:
                reception.received(0)
            if ended and (not reader.doubtful or await quiet()):
                buffer.unread(reader.rest)
                reception.received(reader.size)
                return reader
            if pace.trickles and len(chunk) < TINY:
                await buffer.rest()
