"""What DMARC needs from DNS: the records on the way up, asked one after another, and only when needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relaydesk.dns import NxDomain, RecordSet, TempFail
from relaydesk.mailauth.dmarc import (
    DmarcRecord,
    Walk,
    applicable,
    evaluate,
    needs_walk,
    single_record,
    walk_names,
    wants_existence,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.dns import Lookup
    from relaydesk.mailauth.dmarc import Identifier
    from relaydesk.message import DmarcResult


async def walk(domain: str, resolver: Lookup, deadline: float | None = None) -> Walk:
    """The tree walk from ``domain`` (RFC 9989 §4.10): at most eight queries, ended by ``psd=y`` or ``=n``."""
    found: list[tuple[str, DmarcRecord]] = []
    for name in walk_names(domain):
        answer = await resolver.lookup(f"_dmarc.{name}", "TXT", deadline)
        if isinstance(answer, TempFail):
            return Walk(domain, tuple(found), f"{answer.why} asking for _dmarc.{name}")
        record = single_record(answer.texts) if isinstance(answer, RecordSet) else None
        if record:
            found.append((name, record))
            if record.psd != "u":
                break
    return Walk(domain, tuple(found))


async def check_dmarc(
    author: Walk, identifiers: Sequence[Identifier], resolver: Lookup, *, deadline: float | None = None
) -> DmarcResult:
    """The DMARC result of the From domain whose walk is ``author``, with what SPF and DKIM found."""
    place = applicable(author)
    record = place[1] if place else DmarcRecord("")
    modes = {"dkim": record.adkim, "spf": record.aspf}
    others = {one.domain for one in identifiers if needs_walk(one, author.start, modes[one.by])}
    walks = await asyncio.gather(*(walk(other, resolver, deadline) for other in others))
    exists: bool | None = True
    if wants_existence(author):
        answer = await resolver.lookup(author.start, "A", deadline)
        exists = None if isinstance(answer, TempFail) else not isinstance(answer, NxDomain)
    return evaluate(author, identifiers, {one.start: one for one in walks}, exists=exists)
