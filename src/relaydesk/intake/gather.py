"""Gather: what one message says and what the network proves, before the store is asked. Keeps nothing.

The header comes first, then what DNS says of it, and only what is not refused by that is read richly. So
a stranger's content costs nothing where its sender may not come in, and what is refused whatever DNS says has
nobody asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.intake.reading import Reader
from relaydesk.intake.turns import Shares, listed_zones, network_of, strange_zones
from relaydesk.mailauth import asked_domains, authenticate, read_signed, spf_domain
from relaydesk.message import UNASKED, parse_header
from relaydesk.places import FairPlaces, NoPlace
from relaydesk.policy import Gathered, decide_unproven, decide_unread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from relaydesk.classify import Rules
    from relaydesk.dns import Resolver
    from relaydesk.message import AuthResults, Envelope, Message
    from relaydesk.policy import Allowlist, Content, Decision, Policy
    from relaydesk.process_pool import ProcessPool


class Busy(Exception):  # noqa: N818 - a state
    """A stranger's message found no place in time; ``code`` is the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class GatherLimits:
    """How many messages of strangers may wait for DNS at one time, and how long one waits for its turn, in
    seconds. Those of listed senders have as many places of their own.
    """

    concurrent_auth: int = 32
    turn_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Gathering:
    """What was gathered of one message.

    ``refusal`` is set where the header alone is refused, which no content changes: then nothing else was
    read, and where no proof changes it none was asked for. ``shares`` are a stranger's, None for what is
    proven genuine.
    """

    gathered: Gathered
    refusal: Decision | None
    shares: Shares | None


async def gather(  # noqa: PLR0913 - the message and the means to judge it
    envelope: Envelope,
    resolver: Resolver,
    policy: Policy,
    rules: Rules,
    auth_timeout: float = 20.0,
    *,
    pool: ProcessPool | None = None,
) -> Gathered:
    """All that one message says and the network proves: for ``explain``."""

    def prove(message: Message) -> Awaitable[AuthResults]:
        return authenticate(envelope, message, resolver, limit=auth_timeout)

    headed = parse_header(envelope.raw)
    auth = await prove(headed)
    content = await Reader(pool).read(envelope, headed, policy, rules, None)
    return await _gathered(headed, auth, content, prove)


class Gatherer:
    """Gathers for a server: strangers' messages have places, and heavy content is read elsewhere."""

    def __init__(
        self, resolver: Resolver, pool: ProcessPool | None = None, limits: GatherLimits | None = None
    ) -> None:
        self.limits = limits or GatherLimits()
        self._resolver, self._reader = resolver, Reader(pool)
        self._auth = FairPlaces(self.limits.concurrent_auth, kept=self.limits.concurrent_auth)
        self._listed: tuple[Allowlist | None, frozenset[str]] = (None, frozenset())

    async def gather(
        self, envelope: Envelope, policy: Policy, rules: Rules, auth_timeout: float, now: datetime
    ) -> Gathering:
        """All of a message, or its refusal. :class:`Busy` when it found no place in time.

        What is raised beside is a bug.
        """

        def prove(message: Message) -> Awaitable[AuthResults]:
            return authenticate(envelope, message, self._resolver, limit=auth_timeout, signed=signed)

        headed = parse_header(envelope.raw)
        sender = spf_domain(envelope.mail_from, envelope.helo)
        if (refusal := decide_unproven(envelope, headed, sender, policy, now)) is not None:
            return Gathering(Gathered(headed, refusal.findings, UNASKED), refusal, self._by_peer(envelope))
        signed = read_signed(envelope.raw, envelope.received_at)
        asked = asked_domains(envelope, headed, signed)
        shares = self._shares(envelope, asked, policy.allowlist)
        try:
            async with shares.place(self._auth) if shares else self._auth.kept(self.limits.turn_seconds):
                auth = await prove(headed)
        except NoPlace:
            raise Busy("auth_busy") from None
        certain = decide_unread(envelope, headed, auth, policy, now)
        shares = None if certain.vouched else shares or self._by_peer(envelope)
        if certain.refusal is not None:
            return Gathering(Gathered(headed, certain.refusal.findings, auth), certain.refusal, shares)
        try:
            content = await self._reader.read(envelope, headed, policy, rules, shares)
        except NoPlace:
            raise Busy("content_busy") from None
        gathered = await _gathered(headed, auth, content, prove)
        return Gathering(gathered, None, shares)

    def listed(self, allowlist: Allowlist) -> frozenset[str]:
        """The zones of listed senders, which keep places; the resolver is told of them when they change."""
        if self._listed[0] is not allowlist:
            self._listed = (allowlist, listed_zones(allowlist))
            self._resolver.keep_places(self._listed[1])
        return self._listed[1]

    def _shares(self, envelope: Envelope, asked: Iterable[str], allowlist: Allowlist) -> Shares | None:
        """A stranger's shares; None for what has only listed senders' domains asked."""
        zones = strange_zones(asked, self.listed(allowlist))
        return Shares(zones, network_of(envelope.peer), self.limits.turn_seconds) if zones else None

    def _by_peer(self, envelope: Envelope) -> Shares:
        return Shares(frozenset(), network_of(envelope.peer), self.limits.turn_seconds)


async def _gathered(
    headed: Message, auth: AuthResults, content: Content, prove: Callable[[Message], Awaitable[AuthResults]]
) -> Gathered:
    """All of it. Where 8-bit bytes of From read otherwise with the content's charset, that From is proven."""
    message = content.message
    if [author.domain for author in message.from_] != [author.domain for author in headed.from_]:
        auth = await prove(message)
    return Gathered(message, content.findings, auth, content.dsn)
