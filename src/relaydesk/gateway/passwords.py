"""Logging in at the gateway: who is right comes in, whoever guesses beside them; guessing costs us little."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from relaydesk.gateway.clients import DUMMY_HASH, matches
from relaydesk.gateway.throttle import Recognized, Throttle
from relaydesk.logs import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HASHING = 2  # passwords looked at side by side; each takes 16 MiB for a moment
WAITING = 20  # passwords that wait for it; so one of them waits half a second
WRONG_SECONDS = 1.0  # what a wrong password costs whoever said it; a right one costs nothing


class Passwords:
    """Passwords as they are tried, by all peers of this process."""

    def __init__(self, throttle: Throttle | None = None, wrong_seconds: float = WRONG_SECONDS) -> None:
        self.throttle = throttle or Throttle()
        self._wrong_seconds = wrong_seconds
        self._recognized = Recognized()
        self._hashing, self._waiting = asyncio.Semaphore(HASHING), 0

    async def verdict(
        self, peer: str, name: str, password: str, secret_of: Callable[[str], Awaitable[str | None]]
    ) -> Literal["right", "wrong", "later"]:
        """Whether this is the client's password; ``secret_of`` reads its hash, None where there is none.

        A client that came in from this peer before is recognized by its right password at once. All else is
        throttled by peer.
        """
        if (peer, name) in self._recognized:
            stored = await secret_of(name)
            if self._recognized.is_right(peer, name, password, stored):
                return "right"
        tries = await self.throttle.begin(peer)
        if tries is None:
            return "later"
        verdict: Literal["right", "wrong", "later"] = "later"
        try:
            stored = await secret_of(name)
            verdict = await self._compared(password, stored)
        finally:
            self.throttle.end(tries, failed=verdict == "wrong")
        if verdict == "wrong":
            return await self._wrong(peer, name, stored)
        if verdict == "right" and stored is not None:
            self._recognized.remember(peer, name, password, stored)
        return verdict

    async def _compared(self, password: str, stored: str | None) -> Literal["right", "wrong", "later"]:
        if self._waiting >= WAITING:
            return "later"
        self._waiting += 1
        try:
            async with self._hashing:
                right = await asyncio.to_thread(matches, password, stored or DUMMY_HASH)
        finally:
            self._waiting -= 1
        return "right" if right and stored is not None else "wrong"

    async def _wrong(self, peer: str, name: str, stored: str | None) -> Literal["wrong"]:
        client = name if stored else None
        log("gateway_login_failed", level="warning", limit_by=peer, ip=peer, client=client)
        await asyncio.sleep(self._wrong_seconds)
        return "wrong"
