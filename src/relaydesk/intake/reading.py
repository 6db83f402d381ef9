"""Reading a message's content where it stops nobody: small mail at once, the rest in a process of its own.

Of what takes more than the limits of that process allow, the header alone is read, and a person opens the
original. What nobody vouches for waits for a process apart from what is proven, fairly by domain and peer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relaydesk.logs import log
from relaydesk.places import FairPlaces
from relaydesk.policy import Addressed, read_content, read_for_store, unread_content
from relaydesk.process_pool import TaskTooHeavy

if TYPE_CHECKING:
    from relaydesk.classify import Rules
    from relaydesk.intake.turns import Shares
    from relaydesk.message import Envelope, Message
    from relaydesk.policy import Content, Policy
    from relaydesk.process_pool import ProcessPool

SMALL = 6_144
"""Bytes up to which a message is read on the event loop: the worst of that size takes it for 30 ms."""


def addressed(envelope: Envelope, policy: Policy) -> Addressed:
    """What sorting needs to know of an envelope."""
    return Addressed(envelope.rcpt_to, frozenset(policy.allowlist.senders), policy.secret)


class Reader:
    """Reads content. Without a pool everything is read in this process, as ``explain`` does.

    One process is never a stranger's: as many as the pool has but one may be at work on what nobody vouches
    for.
    """

    def __init__(self, pool: ProcessPool | None = None) -> None:
        self._pool = pool
        size = pool.size if pool is not None else 1
        self._places = FairPlaces(max(1, size - 1), kept=size)

    async def read(
        self, envelope: Envelope, headed: Message, policy: Policy, rules: Rules, shares: Shares | None
    ) -> Content:
        """What the message says. ``shares`` are a stranger's, None for what is proven.

        NoPlace when no process came free in time. What is raised beside is a bug.
        """
        about = addressed(envelope, policy)
        if len(envelope.raw) <= SMALL:
            return read_content(rules, envelope.raw, about, headed)
        if self._pool is None:
            return await asyncio.to_thread(read_content, rules, envelope.raw, about, headed)
        async with shares.place(self._places) if shares else self._places.kept():
            try:
                return await self._pool.run(read_for_store, envelope.raw, about, context=rules)
            except TaskTooHeavy as failure:
                origin = envelope.origin
                log(
                    "content_unread",
                    level="warning",
                    limit_by=None if origin.allowlisted else origin.ip or envelope.peer,
                    size=len(envelope.raw),
                    problem=str(failure),
                )
                return unread_content(rules, headed, about)
