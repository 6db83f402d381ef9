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


class Hold:
    """What somebody holds of the places, for what: ``amount`` of them, until it is given back."""

    __slots__ = ("_places", "amount", "shares")

    def __init__(self, places: FairPlaces, shares: Mapping[str, int], amount: int) -> None:
        self._places, self.shares, self.amount = places, shares, amount

    def change(self, amount: int) -> None:
        """Hold another amount from now on. More is counted even when no more is free."""
        self._places.count(self.shares, amount - self.amount)
        self.amount = amount

    def give(self) -> None:
        """Give all back; more than once does no harm."""
        self.change(0)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    shares: Mapping[str, int]
    amount: int
    turn: asyncio.Future[None]


class FairPlaces:
    """``size`` places for anybody, and ``kept`` more that only those we know may take.

    Whoever takes of the ``size`` names what it is for (a domain, a peer) and how many places each may
    hold at one time. Among those who wait, the one whose names hold the fewest places is next, so that a
    newcomer passes a crowd. A place may be whatever is scarce, bytes as well as turns; who wants more of them
    than are free is not overtaken by those who want few. Belongs to one event loop.
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

    async def take(self, shares: Mapping[str, int], seconds: float | None = None, amount: int = 1) -> Hold:
        """``amount`` of the common places, to be given back by the caller.

        :class:`NoPlace` when they did not come free in ``seconds`` (None: no limit).
        """
        waiting = _Waiting(shares, amount, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._next()
        try:
            if not waiting.turn.done():
                async with asyncio.timeout(seconds):
                    await waiting.turn
        except BaseException as error:
            if waiting in self._queue:
                self._queue.remove(waiting)
                self._next()  # whoever was not to overtake it
            elif waiting.turn.done() and not waiting.turn.cancelled():
                self.count(shares, -amount)  # its turn came at the moment it gave up
            if isinstance(error, TimeoutError):
                raise NoPlace from None
            raise
        return Hold(self, shares, amount)

    @asynccontextmanager
    async def held(
        self, shares: Mapping[str, int], seconds: float | None = None, amount: int = 1
    ) -> AsyncIterator[Hold]:
        """The same, given back in the end."""
        hold = await self.take(shares, seconds, amount)
        try:
            yield hold
        finally:
            hold.give()

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

    def count(self, shares: Mapping[str, int], amount: int) -> None:
        """Count so many more as held, or fewer, and let those begin whose turn that makes it."""
        self._free -= amount
        for name in shares:
            self._held[name] += amount
            if self._held[name] <= 0:
                del self._held[name]
        if amount < 0:
            self._next()

    def _next(self) -> None:
        while within := [waiting for waiting in self._queue if self._within_shares(waiting)]:
            chosen = min(within, key=lambda waiting: sum(self._held[name] for name in waiting.shares))
            if chosen.amount > self._free:
                return
            self._queue.remove(chosen)
            if not chosen.turn.done():
                self.count(chosen.shares, chosen.amount)
                chosen.turn.set_result(None)

    def _within_shares(self, waiting: _Waiting) -> bool:
        return all(self._held[name] + waiting.amount <= share for name, share in waiting.shares.items())
