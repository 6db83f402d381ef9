"""Which hosts take a domain's mail (RFC 5321 §5.1), as our own resolver tells. Unknown is not "no"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.dns import NoData, NxDomain, RecordSet, TempFail
from relaydesk.outbound.answer import HopReply

if TYPE_CHECKING:
    from relaydesk.dns import DnsAnswer, Lookup

HOSTS = 5  # so many addresses are tried before the answer waits


async def exchanges(resolver: Lookup, domain: str) -> tuple[tuple[str, str], ...] | HopReply:
    """``(host name, address)`` in the order to try them, or the reply that no host need be asked for.

    A domain without MX is its own host; a null MX (RFC 7505) and a domain that does not exist are final; a
    failure of the DNS is no reply at all, so that the answer waits.
    """
    found = await resolver.lookup(domain, "MX")
    match found:
        case TempFail(why):
            return _unknown(f"the DNS does not say who takes mail for {domain} ({why})")
        case NxDomain():
            return HopReply(550, f"5.1.2 the domain {domain} does not exist", "rcpt")
        case NoData():
            hosts: tuple[str, ...] = (domain,)
        case RecordSet():
            hosts = found.names
    if not any(host.strip(".") for host in hosts):
        return HopReply(556, f"5.1.10 the domain {domain} takes no mail", "rcpt")
    return await _addresses(resolver, hosts)


async def _addresses(resolver: Lookup, hosts: tuple[str, ...]) -> tuple[tuple[str, str], ...] | HopReply:
    reached: list[tuple[str, str]] = []
    unsure = False
    for host in hosts:
        for rrtype in ("A", "AAAA"):
            answer: DnsAnswer = await resolver.lookup(host, "A" if rrtype == "A" else "AAAA")
            unsure = unsure or isinstance(answer, TempFail)
            if isinstance(answer, RecordSet):
                reached += [(host, record) for record in answer.records if isinstance(record, str)]
        if len(reached) >= HOSTS:
            break
    if reached:
        return tuple(reached[:HOSTS])
    if unsure:
        return _unknown(f"the DNS does not give the address of {hosts[0]}")
    return HopReply(550, f"5.4.4 {hosts[0]} has no address", "rcpt")


def _unknown(text: str) -> HopReply:
    return HopReply(0, text, "connect")
