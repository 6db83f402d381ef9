"""Who may begin, who waits, and who comes next when a place is given back."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class NoPlace(Exception):  # noqa: N818 - a state, named as people say it
    """No place came free in time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    shares: Mapping[str, int]
    turn: asyncio.Future[None]


class FairPlaces:
    """``size`` places for anybody, and ``kept`` more that only those we know may take.

    Whoever takes one of the ``size`` names what it is for (a domain, a peer) and how many places each of
    these may hold at one time. Among those who wait, the one whose names hold the fewest places is next, so
    that a newcomer passes a crowd. Belongs to one event loop.
    """

    def __init__(self, size: int, kept: int = 0) -> None:
        self.size = size
        self._free = size
        self._kept = asyncio.Semaphore(kept)
        self._held: Counter[str] = Counter()
        self._queue: list[_Waiting] = []

    def part(self, share: float) -> int:
        """A share of the places as a count, at least one."""
        return max(1, int(self.size * share))

    @asynccontextmanager
    async def held(self, shares: Mapping[str, int], seconds: float | None = None) -> AsyncIterator[None]:
        """One of the common places. :class:`NoPlace` when none came free in ``seconds`` (None: no limit)."""
        await self._take(shares, seconds)
        try:
            yield
        finally:
            self._give(shares)

    @asynccontextmanager
    async def kept(self, seconds: float | None = None) -> AsyncIterator[None]:
        """One of the places that are kept. :class:`NoPlace` as above."""
        try:
            async with asyncio.timeout(seconds):
                await self._kept.acquire()
        except TimeoutError:
            raise NoPlace from None
        try:
            yield
        finally:
            self._kept.release()

    async def _take(self, shares: Mapping[str, int], seconds: float | None) -> None:
        if self._fits(shares):
            self._count(shares)
            return
        waiting = _Waiting(shares, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting.turn
        except BaseException as error:
            if waiting in self._queue:
                self._queue.remove(waiting)
            elif waiting.turn.done() and not waiting.turn.cancelled():
                self._give(shares)  # its turn came at the moment it gave up
            if isinstance(error, TimeoutError):
                raise NoPlace from None
            raise

    def _give(self, shares: Mapping[str, int]) -> None:
        self._free += 1
        self._held.subtract(shares.keys())
        for name in shares:
            if self._held[name] <= 0:
                del self._held[name]
        self._next()

    def _next(self) -> None:
        while ready := [waiting for waiting in self._queue if self._fits(waiting.shares)]:
            chosen = min(ready, key=lambda waiting: sum(self._held[name] for name in waiting.shares))
            self._queue.remove(chosen)
            if not chosen.turn.done():
                self._count(chosen.shares)
                chosen.turn.set_result(None)

    def _fits(self, shares: Mapping[str, int]) -> bool:
        return self._free > 0 and all(self._held[name] < share for name, share in shares.items())

    def _count(self, shares: Mapping[str, int]) -> None:
        self._free -= 1
        self._held.update(shares.keys())
