"""SPF, DKIM and DMARC of one message, side by side; and what DMARC needs from DNS.

DMARC records are asked for on the way up from the From domain, one after another, and only when needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relaydesk.dns import NxDomain, RecordSet, TempFail
from relaydesk.mailauth import dkim, spf
from relaydesk.mailauth.dmarc import (
    DmarcRecord,
    Identifier,
    Walk,
    applicable,
    evaluate,
    needs_walk,
    single_record,
    walk_names,
    wants_existence,
)
from relaydesk.message import AuthResults, DmarcResult, SpfResult, domain_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.dns import Lookup
    from relaydesk.mailauth.dkim import SignedMessage
    from relaydesk.message import DkimResult, Envelope, Message

TIME_LIMIT = 20.0  # seconds of look-ups a message (RFC 7208 §4.6.4 asks for at least 20)


async def authenticate(
    envelope: Envelope,
    message: Message,
    resolver: Lookup,
    *,
    limit: float = TIME_LIMIT,
    signed: SignedMessage | None = None,
) -> AuthResults:
    """SPF, DKIM and DMARC of one message; ``signed`` is what was read of its signatures already.

    Signatures expire against the moment of receipt. After ``limit`` seconds every look-up that is still open
    counts as a time-out, that is ``temperror``. Whatever the bytes and the records hold has a result; what is
    raised is a bug (an ExceptionGroup of the checks that failed), and who asked must not take the message for
    anything then: half a result could refuse genuine mail.
    """
    deadline = asyncio.get_running_loop().time() + limit
    signed = signed or dkim.read_signed(envelope.raw, envelope.received_at)
    async with asyncio.TaskGroup() as checks:
        spf_check = checks.create_task(_spf(envelope, resolver, deadline))
        dkim_check = checks.create_task(dkim.verify_signed(signed, resolver, deadline=deadline))
        author_walk = checks.create_task(_author(message, resolver, deadline))
    sender, signatures = spf_check.result(), dkim_check.result()
    policy = await _dmarc(author_walk.result(), sender, signatures, resolver, deadline)
    aligned = tuple(
        index
        for index, signature in enumerate(signatures)
        if signature.result == "pass" and signature.domain in policy.aligned_dkim
    )
    return AuthResults(sender, signatures, policy, aligned)


def asked_domains(envelope: Envelope, message: Message, signed: SignedMessage) -> tuple[str, ...]:
    """The domains whose records :func:`authenticate` asks for: theirs, and whatever those records name."""
    named = [spf.spf_domain(envelope.mail_from, envelope.helo)] if envelope.origin.ip is not None else []
    named += [author.domain for author in message.from_]
    named += signed.domains
    return tuple(domain for name in named if (domain := domain_name(name)))


async def _spf(envelope: Envelope, resolver: Lookup, deadline: float) -> SpfResult:
    if envelope.origin.ip is None:
        return SpfResult("none", reason="relayed: the origin is unknown")
    return await spf.check_spf(
        envelope.origin.ip, envelope.mail_from, envelope.helo, resolver, deadline=deadline
    )


async def _author(message: Message, resolver: Lookup, deadline: float) -> Walk | DmarcResult:
    """The tree walk of the one domain of the authors (RFC 9989 §5.3.1), or why there is none."""
    domains = {domain_name(author.domain) for author in message.from_}
    if len(domains) > 1:
        reason = f"From holds addresses of {len(domains)} domains; DMARC needs exactly one."
        return DmarcResult("permerror", reason=reason)
    from_domain = next(iter(domains), None)
    if from_domain is None:
        return DmarcResult("none", reason="From has no domain that can publish a DMARC record.")
    return await walk_tree(from_domain, resolver, deadline)


async def _dmarc(
    author: Walk | DmarcResult,
    sender: SpfResult,
    signatures: tuple[DkimResult, ...],
    resolver: Lookup,
    deadline: float,
) -> DmarcResult:
    if isinstance(author, DmarcResult):
        return author
    identifiers = [
        Identifier("dkim", signature.domain, signature.result) for signature in signatures if signature.domain
    ]
    if sender.domain:
        identifiers.append(Identifier("spf", sender.domain, sender.result))
    return await check_dmarc(author, identifiers, resolver, deadline=deadline)


async def walk_tree(domain: str, resolver: Lookup, deadline: float | None = None) -> Walk:
    """The tree walk from ``domain`` (RFC 9989 §4.10): at most eight queries, ended by ``psd=y`` or ``=n``."""
    records: list[tuple[str, DmarcRecord]] = []
    for name in walk_names(domain):
        answer = await resolver.lookup(f"_dmarc.{name}", "TXT", deadline)
        if isinstance(answer, TempFail):
            return Walk(domain, tuple(records), f"{answer.why} asking for _dmarc.{name}")
        record = single_record(answer.texts) if isinstance(answer, RecordSet) else None
        if record:
            records.append((name, record))
            if record.psd != "u":
                break
    return Walk(domain, tuple(records))


async def check_dmarc(
    author: Walk, identifiers: Sequence[Identifier], resolver: Lookup, *, deadline: float | None = None
) -> DmarcResult:
    """The DMARC result of the From domain whose walk is ``author``, with what SPF and DKIM found."""
    place = applicable(author)
    record = place[1] if place else DmarcRecord("")
    modes = {"dkim": record.adkim, "spf": record.aspf}
    others = {
        identifier.domain
        for identifier in identifiers
        if needs_walk(identifier, author, modes[identifier.by])
    }
    walks = await asyncio.gather(*(walk_tree(other, resolver, deadline) for other in others))
    exists: bool | None = True
    if wants_existence(author):
        answer = await resolver.lookup(author.start, "A", deadline)
        exists = None if isinstance(answer, TempFail) else not isinstance(answer, NxDomain)
    return evaluate(
        author, identifiers, {other_walk.start: other_walk for other_walk in walks}, exists=exists
    )
