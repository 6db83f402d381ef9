"""The last check as the dispatcher makes it: against the configuration of now, within limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from relaydesk.outbound.check import outgoing_problem
from relaydesk.process_pool import TaskTooHeavy

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaydesk.outbound.sender import Sender
    from relaydesk.process_pool import ProcessPool
    from relaydesk.store import Claimed

NO_SENDER = "Answers have no sender; set support_contact."
TOO_HEAVY = "The finished message takes too long to check or too much memory. Nothing was sent."


class CheckConfig(Protocol):
    """What the last check reads of a snapshot of the configuration.

    ``sender`` is None where no support contact is configured; ``forward_to`` are the addresses that mail is
    forwarded to, lower case.
    """

    @property
    def sender(self) -> Sender | None: ...
    @property
    def forward_to(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class LastCheck:
    """Holds a message that is about to leave against what it is bound to now.

    A process of ``pool`` reads it, for a help desk wrote it; without one a thread of this process does.
    """

    pool: ProcessPool | None = None

    async def __call__(self, claimed: Claimed, config: CheckConfig) -> str:
        """Why it must not go out, or nothing. NoProcess when there is none to look at it now."""
        if claimed.purpose == "forward":
            stays = claimed.recipient.lower() not in config.forward_to
            return f"{claimed.recipient} is no longer an address that mail is forwarded to." if stays else ""
        if config.sender is None:
            return NO_SENDER
        bound = config.sender.bound(claimed.recipient, claimed.order_id)
        if self.pool is None:
            return await asyncio.to_thread(outgoing_problem, claimed.raw, bound)
        try:
            return await self.pool.run(outgoing_problem, claimed.raw, bound)
        except TaskTooHeavy:
            return TOO_HEAVY
