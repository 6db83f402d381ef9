"""DNS answers as values. "Unknown right now" is one of them: it is neither a record nor its absence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

RrType = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"]
# A and AAAA are canonical address text, CNAME, NS and PTR a name, MX is (preference, name), and TXT the
# bytes of its strings joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2: joined without a space).
Rdata = str | bytes | tuple[int, str]


@dataclass(frozen=True, slots=True)
class RecordSet:
    """Records of the type asked for, CNAMEs followed. ``ttl`` in seconds."""

    records: tuple[Rdata, ...]
    ttl: int = 300

    @property
    def texts(self) -> tuple[bytes, ...]:
        return tuple(record for record in self.records if isinstance(record, bytes))

    @property
    def names(self) -> tuple[str, ...]:
        """Addresses, names, or the hosts of MX records in order of preference."""
        exchanges = sorted(record for record in self.records if isinstance(record, tuple))
        plain = tuple(record for record in self.records if isinstance(record, str))
        return plain or tuple(host for _, host in exchanges)


@dataclass(frozen=True, slots=True)
class NoData:
    """The name exists, but not with this type (RFC 2308 §2.2)."""

    ttl: int = 300


@dataclass(frozen=True, slots=True)
class NxDomain:
    """The name does not exist, nor any below it (RFC 8020)."""

    ttl: int = 300


@dataclass(frozen=True, slots=True)
class TempFail:
    """There is no answer now: ``timeout``, or ``servfail`` when the servers answered with an error."""

    why: Literal["timeout", "servfail"]


LABEL_LIMIT = 63  # octets (RFC 1035 §2.3.4)

DnsAnswer = RecordSet | NoData | NxDomain | TempFail


class DnsSource(Protocol):
    """Where answers come from: name servers on the network, or a zone file."""

    async def query(self, name: str, rrtype: RrType) -> DnsAnswer:
        """The answer for a lower-case name without final dot. Failure is an answer, never an exception."""


class Lookup(Protocol):
    """What the checks ask their questions of; :class:`relaydesk.dns.resolver.Resolver` is the one."""

    async def lookup(self, name: str, rrtype: RrType, deadline: float | None = None) -> DnsAnswer:
        """The answer, or ``TempFail("timeout")`` once ``deadline`` (of the running loop's clock) is past."""

    def cached(self, name: str, rrtype: RrType) -> DnsAnswer | None:
        """The answer if it is known without asking."""


def label_fits(label: str) -> bool:
    return 0 < len(label) <= LABEL_LIMIT
