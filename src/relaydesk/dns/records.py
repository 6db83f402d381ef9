"""DNS answers as values. "Unknown right now" is one of them: it is neither a record nor its absence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import idna

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
    """Nobody could say: ``timeout``, or ``servfail`` when the servers answered with an error."""

    why: Literal["timeout", "servfail"]


_FOREIGN = frozenset(' @[]()<>:;,\\"/')
NAME_LIMIT, LABEL_LIMIT = 253, 63  # RFC 1035 §2.3.4, in text without the final dot

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


def domain_name(text: str) -> str | None:
    """``text`` as a mail domain: lower-case A-labels, no final dot, at least two labels; None if it is none.

    Address literals and single labels are no domains (RFC 7208 §4.3).
    """
    # Only ASCII is lowered and nothing is mapped: str.lower makes U+212A a "k", and UTS 46 makes full-width
    # letters somebody else's domain.
    name = text.encode("utf-8", "replace").lower().decode("utf-8").removesuffix(".")
    if not name.isascii():
        try:
            name = idna.encode(name).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    labels = name.split(".")
    fits = len(labels) > 1 and len(name) <= NAME_LIMIT and all(map(label_fits, labels))
    return name if fits and not set(name) & _FOREIGN and name.isprintable() else None


def label_fits(label: str) -> bool:
    return 0 < len(label) <= LABEL_LIMIT
