"""The one door of this room: an envelope and its letter in, an :class:`AuthReport` out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from relaydesk.mailauth import dkim, spf, tree_walk
from relaydesk.mailauth.dmarc import Identifier, Walk
from relaydesk.message import AuthResults, DkimResult, DmarcResult, SpfResult, domain_name

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from relaydesk.dns import Lookup
    from relaydesk.message import Envelope, Message

T = TypeVar("T")

_NO_SPF = SpfResult("permerror", reason="SPF could not be evaluated.")
_NO_DKIM = (DkimResult("permerror", reason="The signatures could not be read."),)
_NO_DMARC = DmarcResult("permerror", reason="DMARC could not be evaluated.")
TIME_LIMIT = 20.0  # seconds of look-ups a message (RFC 7208 §4.6.4 asks for at least 20)


async def authenticate(
    envelope: Envelope,
    letter: Message,
    resolver: Lookup,
    *,
    now: datetime | None = None,
    limit: float = TIME_LIMIT,
) -> AuthResults:
    """SPF, DKIM and DMARC of one message; never raises.

    ``now`` is the moment against which signatures expire (default: that of receipt). After ``limit``
    seconds every look-up that is still open counts as a time-out, that is ``temperror``.
    """
    deadline = asyncio.get_running_loop().time() + limit
    checks = (
        _guarded(_spf(envelope, resolver, deadline), _NO_SPF),
        _guarded(
            dkim.verify_dkim(envelope.raw, resolver, now or envelope.received_at, deadline=deadline), _NO_DKIM
        ),
        _guarded(_author(letter, resolver, deadline), _NO_DMARC),
    )
    sender, signatures, author = await asyncio.gather(*checks)
    policy = await _guarded(_dmarc(author, sender, signatures, resolver, deadline), _NO_DMARC)
    aligned = tuple(
        index
        for index, one in enumerate(signatures)
        if one.result == "pass" and one.domain in policy.aligned_dkim
    )
    return AuthResults(sender, signatures, policy, aligned)


async def _guarded(check: Awaitable[T], otherwise: T) -> T:
    try:
        return await check
    except Exception:  # a message must not stop the door, whatever it holds
        return otherwise


async def _spf(envelope: Envelope, resolver: Lookup, deadline: float) -> SpfResult:
    if envelope.origin.ip is None:
        return SpfResult("none", reason="relayed: the origin is not known")
    return await spf.check_spf(
        envelope.origin.ip, envelope.mail_from, envelope.helo, resolver, deadline=deadline
    )


async def _author(letter: Message, resolver: Lookup, deadline: float) -> Walk | DmarcResult:
    """The tree walk of the From domain, or why there is none."""
    if len(letter.from_) != 1:
        count = len(letter.from_)
        reason = f"From holds {count} addresses; DMARC needs exactly one."
        return DmarcResult("permerror" if count else "none", reason=reason)
    from_domain = domain_name(letter.from_[0].domain)
    if from_domain is None:
        return DmarcResult("none", reason="From names no domain that could publish a DMARC record.")
    return await tree_walk.walk(from_domain, resolver, deadline)


async def _dmarc(
    author: Walk | DmarcResult,
    sender: SpfResult,
    signatures: tuple[DkimResult, ...],
    resolver: Lookup,
    deadline: float,
) -> DmarcResult:
    if isinstance(author, DmarcResult):
        return author
    identifiers = [Identifier("dkim", one.domain, one.result) for one in signatures if one.domain]
    if sender.domain:
        identifiers.append(Identifier("spf", sender.domain, sender.result))
    return await tree_walk.check_dmarc(author, identifiers, resolver, deadline=deadline)
