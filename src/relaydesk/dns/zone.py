"""A zone written down as a mapping, the way the RFC 7208 test suite writes it, and its answers.

``example.com: [{TXT: "v=spf1 -all"}, {A: 192.0.2.1}, {MX: [10, mx.example.com]}, TIMEOUT]``. ``TIMEOUT``
and ``SERVFAIL`` in a list answer for every type the list does not hold. An absent name does not exist,
unless a name below it does. ``SPF`` is read as TXT at a name that has no TXT of its own, and
``TXT: NONE`` says that it has none: both are conventions of that suite.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from relaydesk.dns.records import DnsAnswer, NoData, NxDomain, Rdata, RecordSet, RrType, TempFail

if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT")
_FAILURES: dict[object, Literal["timeout", "servfail"]] = {"TIMEOUT": "timeout", "SERVFAIL": "servfail"}
_CHAIN = 10


class ZoneError(ValueError):
    """A zone that cannot be read; the sentence names the owner name and the remedy."""


@dataclass(frozen=True, slots=True)
class Node:
    """What one name holds; ``failure`` answers for the types it does not hold."""

    records: Mapping[RrType, tuple[Rdata, ...]]
    failure: TempFail | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """All names of the world as the zone file has it. ``ttl`` in seconds is that of every answer."""

    nodes: Mapping[str, Node]
    ttl: int = 300
    _branches: frozenset[str] = field(default=frozenset(), repr=False)

    def answer(self, name: str, rrtype: RrType) -> DnsAnswer:
        """The answer for a name, CNAMEs followed. A CNAME loop is a failed look-up (RFC 1034 §3.6.2)."""
        *_, last = chain = self.chain(name, rrtype)
        node = self.nodes.get(last)
        if node is None:
            return NoData(self.ttl) if last in self._branches else NxDomain(self.ttl)
        if records := node.records.get(rrtype):
            return RecordSet(records, self.ttl)
        if "CNAME" in node.records and len(chain) > 1:
            return TempFail("servfail")
        return node.failure or NoData(self.ttl)

    def chain(self, name: str, rrtype: RrType) -> tuple[str, ...]:
        """The names from ``name`` along its CNAMEs to the one that answers for ``rrtype``."""
        names = [name.lower().removesuffix(".")]
        while len(names) <= _CHAIN:
            node = self.nodes.get(names[-1])
            if node is None or rrtype in node.records or "CNAME" not in node.records:
                break
            target = str(node.records["CNAME"][0])
            names.append(target)
            if target in names[:-1]:
                break
        return tuple(names)


class ZoneSource:
    """Answers straight from a zone; a TIMEOUT entry times out at once, without a wait."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    async def query(self, name: str, rrtype: RrType) -> DnsAnswer:
        return self._zone.answer(name, rrtype)


def parse_zone(mapping: object, *, ttl: int = 300) -> Zone:
    """The zone of a loaded ``ZONE.yaml``.

    :raises ZoneError: naming the name and what is wrong with its entry.
    """
    if not isinstance(mapping, Mapping):
        raise ZoneError("A zone maps names to lists of records, as in 'example.com: [{A: 192.0.2.1}]'.")
    nodes = {_name(key, key): _node(key, entries) for key, entries in mapping.items()}
    branches = {".".join(labels[cut:]) for labels in map(_labels, nodes) for cut in range(1, len(labels))}
    return Zone(nodes, ttl, frozenset(branches))


def _labels(name: str) -> list[str]:
    return name.split(".")


def _node(owner: object, entries: object) -> Node:
    if _failure(entries) is not None:
        entries = [entries]
    if isinstance(entries, (str, Mapping)) or not isinstance(entries, Sequence):
        raise ZoneError(f'{owner}: expected a list of records such as [{{TXT: "v=spf1 -all"}}].')
    failure = next((failure for entry in entries if (failure := _failure(entry)) is not None), None)
    pairs = [pair for entry in entries if _failure(entry) is None for pair in _pairs(owner, entry)]
    if not any(rrtype == "TXT" for rrtype, _ in pairs):
        pairs = [("TXT" if rrtype == "SPF" else rrtype, value) for rrtype, value in pairs]
    held: dict[RrType, tuple[Rdata, ...]] = {}
    for rrtype, value in pairs:
        if rrtype == "SPF" or value == "NONE":
            continue
        kept = cast("RrType", rrtype)
        held[kept] = (*held.get(kept, ()), _rdata(owner, kept, value))
    return Node(held, failure)


def _failure(entry: object) -> TempFail | None:
    """``TIMEOUT`` or ``SERVFAIL``, alone or as the one key of a mapping."""
    if isinstance(entry, Mapping) and len(entry) == 1:
        entry = next(iter(entry))
    return TempFail(_FAILURES[entry]) if isinstance(entry, str) and entry in _FAILURES else None


def _pairs(owner: object, entry: object) -> Iterable[tuple[str, object]]:
    if not isinstance(entry, Mapping):
        raise ZoneError(f"{owner}: {entry!r} is not a record; use {{TYPE: value}}, TIMEOUT or SERVFAIL.")
    for key, value in entry.items():
        rrtype = str(key).upper()
        if rrtype not in (*_TYPES, "SPF"):
            raise ZoneError(f"{owner}: unknown record type {key}; use one of {', '.join(_TYPES)}.")
        yield rrtype, value


def _rdata(owner: object, rrtype: RrType, value: object) -> Rdata:
    if rrtype == "TXT":
        return _text(owner, value)
    if rrtype == "MX":
        match value:
            case [int(preference), host]:
                return preference, _name(owner, host)
        raise ZoneError(f"{owner}: an MX is written [10, mx.example.com], not {value!r}.")
    if rrtype in ("A", "AAAA"):
        return _address(owner, rrtype, value)
    return _name(owner, value)


def _text(owner: object, value: object) -> bytes:
    parts = [value] if isinstance(value, str) or not isinstance(value, Sequence) else list(value)
    strings = [part for part in parts if isinstance(part, str)]
    if len(strings) != len(parts):
        raise ZoneError(f"{owner}: a TXT is a string or a list of strings, not {value!r}; put it in quotes.")
    text = "".join(strings)
    try:
        return text.encode("latin-1")  # the suite writes single bytes as \x80
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _address(owner: object, rrtype: str, value: object) -> str:
    try:
        kind = ipaddress.IPv4Address if rrtype == "A" else ipaddress.IPv6Address
        return str(kind(str(value)))
    except ValueError:
        raise ZoneError(f"{owner}: {value!r} is not an address for a record of type {rrtype}.") from None


def _name(owner: object, value: object) -> str:
    if not isinstance(value, str):
        raise ZoneError(f"{owner}: {value!r} is not a name; put it in quotes.")
    return value.lower().removesuffix(".")
