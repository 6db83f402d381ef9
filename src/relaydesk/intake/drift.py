"""Whether SPF passes for a listed sender from a network that is not listed: asked at RCPT, for anybody.

So it is bounded: one look-up at a time for each network, few in all, and its result is kept for a minute.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.intake.turns import network_of
from relaydesk.mailauth import check_spf
from relaydesk.message import domain_of
from relaydesk.places import FairPlaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from relaydesk.dns import Lookup
    from relaydesk.policy import Allowlist

AT_ONCE = 16
WAIT_SECONDS = 5.0
KEPT, KEPT_FOR = 2_000, timedelta(minutes=1)
SECONDS = 20.0  # of look-ups for one check (RFC 7208 §4.6.4)


class DriftCheck:
    """Asks SPF of strangers that use a listed sender's name."""

    def __init__(self, resolver: Lookup, clock: Callable[[], datetime]) -> None:
        self._resolver, self._clock = resolver, clock
        self._places = FairPlaces(AT_ONCE)
        self._results: OrderedDict[tuple[str, str], tuple[datetime, bool]] = OrderedDict()

    async def domain(self, ip: str | None, helo: str, mail_from: str, senders: Allowlist) -> str:
        """The listed sender domain for which SPF passes from this address, or "".

        :raises NoPlace: when its network has one check under way, or all have too many.
        """
        domain = domain_of(mail_from)
        if ip is None or not (senders.is_sender(domain) or senders.below_sender(domain)):
            return ""
        key = (ip, domain)
        if (passes := self._kept(key)) is None:
            async with self._places.held({network_of(ip): 1}, WAIT_SECONDS):
                if (passes := self._kept(key)) is None:
                    passes = await self._passes(ip, mail_from, helo)
                    self._keep(key, passes=passes)
        return domain if passes else ""

    async def _passes(self, ip: str, mail_from: str, helo: str) -> bool:
        deadline = asyncio.get_running_loop().time() + SECONDS
        return (await check_spf(ip, mail_from, helo, self._resolver, deadline=deadline)).result == "pass"

    def _kept(self, key: tuple[str, str]) -> bool | None:
        until, passes = self._results.get(key, (None, False))
        return passes if until is not None and self._clock() < until else None

    def _keep(self, key: tuple[str, str], *, passes: bool) -> None:
        self._results[key] = (self._clock() + KEPT_FOR, passes)
        self._results.move_to_end(key)
        if len(self._results) > KEPT:
            self._results.popitem(last=False)
