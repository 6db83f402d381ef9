"""How often a peer may try a password, and clients that are recognized where they have come in before.

All of it is in memory, bounded, and of one process. Time is that of a clock that nobody sets.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(eq=False, slots=True)
class Tries:
    """The tries of one peer: ``count`` of those that failed and those under way, and who waits for a turn."""

    count: int = 0
    under_way: int = 0
    last: float = 0.0
    waiting: list[asyncio.Future[bool]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Throttle:
    """Tries of passwords by peer. One counts from its beginning, and is given back when it was right.

    After :data:`FREE` of them the peer's next ones are taken one at a time, :data:`PACE` seconds after the
    one before failed. So an address is never locked out, and whoever shares it with a guesser gets a turn:
    the newest goes first, and where more than :data:`WAITING` wait the oldest is told to come later.
    """

    FREE, PACE, WAITING, KEPT, REMEMBERED = 5, 1.0, 4, 900.0, 10_000

    def __init__(self, ticks: Callable[[], float] = time.monotonic, pace: float = PACE) -> None:
        self._ticks, self._pace = ticks, pace
        self._peers: OrderedDict[str, Tries] = OrderedDict()

    async def begin(self, peer: str) -> Tries | None:
        """A try of this peer, to be ended by :meth:`end`, when its turn has come; None: not now."""
        tries = self._of(peer)
        if tries.count < self.FREE:
            tries.count += 1
            tries.under_way += 1
            return tries
        if len(tries.waiting) >= self.WAITING:
            tries.waiting.pop(0).set_result(False)
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        tries.waiting.append(turn)
        self._next(tries)
        try:
            return tries if await turn else None
        except asyncio.CancelledError:
            if turn in tries.waiting:
                tries.waiting.remove(turn)
            elif turn.done() and not turn.cancelled() and turn.result():
                self.end(tries, failed=False)
            raise

    def end(self, tries: Tries, *, failed: bool) -> None:
        """The try was wrong, or it was right or could not be looked at and does not count."""
        tries.under_way -= 1
        if failed:
            tries.last = self._ticks()
        else:
            tries.count -= 1
        self._next(tries)

    def __len__(self) -> int:
        """How many peers are remembered."""
        return len(self._peers)

    def _of(self, peer: str) -> Tries:
        tries = self._peers.pop(peer, None)
        if tries is None or self._is_over(tries):
            tries = Tries()
        self._peers[peer] = tries
        if len(self._peers) > self.REMEMBERED:
            self._peers.popitem(last=False)
        return tries

    def _is_over(self, tries: Tries) -> bool:
        idle = not tries.under_way and not tries.waiting
        return idle and self._ticks() - tries.last > self.KEPT

    def _next(self, tries: Tries) -> None:
        """Gives the newest that waits its turn, now or when it is time."""
        if not tries.waiting or tries.under_way or tries.timer is not None:
            return
        wait = tries.last + self._pace - self._ticks()
        if wait > 0:
            tries.timer = asyncio.get_running_loop().call_later(wait, self._due, tries)
            return
        turn = tries.waiting.pop()
        if turn.cancelled():
            self._next(tries)
            return
        tries.count += 1
        tries.under_way += 1
        turn.set_result(True)

    def _due(self, tries: Tries) -> None:
        tries.timer = None
        self._next(tries)


class Recognized:
    """Clients that have come in from a peer: there their password is told by a keyed hash, in no time.

    So a client that is there already waits for no guesser, and guessing its password costs no scrypt. A
    client's password never changes; what is remembered goes with the stored hash it was proven by.
    """

    REMEMBERED = 1_000

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._marks: OrderedDict[tuple[str, str], tuple[str, bytes]] = OrderedDict()

    def __contains__(self, login: tuple[str, str]) -> bool:
        return login in self._marks

    def remember(self, peer: str, name: str, password: str, stored: str) -> None:
        """The password was right; ``stored`` is its hash in the store."""
        self._marks[peer, name] = (stored, self._mark(password))
        self._marks.move_to_end((peer, name))
        if len(self._marks) > self.REMEMBERED:
            self._marks.popitem(last=False)

    def is_right(self, peer: str, name: str, password: str, stored: str | None) -> bool:
        """Whether the password is the one remembered, while ``stored`` is still the client's hash."""
        proven, mark = self._marks.get((peer, name), ("", b""))
        return bool(mark) and stored == proven and hmac.compare_digest(mark, self._mark(password))

    def _mark(self, password: str) -> bytes:
        return hmac.new(self._key, password.encode("utf-8", "replace"), hashlib.sha256).digest()
