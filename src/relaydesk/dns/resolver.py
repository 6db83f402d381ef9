"""The one resolver: asynchronous, caching, and honest about what it does not know.

Equal questions that are under way are asked once; answers keep their TTL within caps, negative ones too
(RFC 2308 §5), and a failure is remembered for a moment only. A slow zone costs those who ask for it: it has
its share of the questions under way, and one that never answers is left alone for a while.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.nsbase
import dns.resolver

from relaydesk.dns.cache import AnswerCache, CacheLimits, zone_of
from relaydesk.dns.records import DnsAnswer, NoData, NxDomain, RecordSet, TempFail
from relaydesk.places import FairPlaces, NoPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager

    from relaydesk.dns.records import DnsSource, Rdata, RrType

DNS_PORT = 53
EDNS_PAYLOAD = 1232  # the size that fits every path unfragmented (DNS flag day 2020)


@dataclass(frozen=True, slots=True)
class QuestionLimits:
    """How many questions are under way at one time: ``size`` of all zones, of which one zone's are at most
    ``share``, and ``kept`` more for the zones that keep places. ``wait`` is how long one waits for its turn,
    in seconds.

    A zone whose last ``silent`` questions all timed out is not asked again for ``silence`` seconds; what
    would have been asked counts as a time-out. Zones that keep places are always asked.
    """

    size: int = 64
    kept: int = 64
    share: float = 0.125
    wait: float = 5.0
    silent: int = 3
    silence: float = 15.0


_REMEMBERED = 1_000  # zones that did not answer


class Resolver:
    """Answers of one source, cached. Belongs to one event loop; ``asked`` counts the questions sent on."""

    def __init__(
        self,
        source: DnsSource,
        limits: CacheLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        questions: QuestionLimits | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._cache = AnswerCache(limits or CacheLimits())
        self._questions = questions or QuestionLimits()
        self._places = FairPlaces(self._questions.size, self._questions.kept)
        self._silent: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._under_way: dict[tuple[str, RrType], asyncio.Task[DnsAnswer]] = {}
        self.asked = 0

    @classmethod
    def over_network(cls, nameservers: Sequence[str] = (), *, timeout: float = 5.0) -> Resolver:
        """A resolver that asks these name servers (``"9.9.9.9"``, ``"127.0.0.1:5353"``), or the system's.

        :raises ValueError: naming the entry that is not an address.
        """
        return cls(NameServers(nameservers, timeout=timeout))

    def keep_places(self, domains: Collection[str]) -> None:
        """From now on the zones of these domains have places and room in the cache that no other can take."""
        self._cache.kept = frozenset(map(zone_of, domains))

    async def lookup(self, name: str, rrtype: RrType, deadline: float | None = None) -> DnsAnswer:
        """The answer; once ``deadline`` (of ``loop.time()``) is past, ``TempFail("timeout")``."""
        key = (name.lower().removesuffix("."), rrtype)
        if (cached := self._cache.get(key, self._clock())) is not None:
            return cached
        asking = self._under_way.get(key)
        if asking is None:
            if self._is_silent(zone_of(key[0])):
                return TempFail("timeout")
            asking = self._under_way[key] = asyncio.ensure_future(self._ask(key))
        try:
            # The question goes on when one asker gives up: others wait for it, and its answer is kept.
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(asking)
        except TimeoutError:
            return TempFail("timeout")

    def cached(self, name: str, rrtype: RrType) -> DnsAnswer | None:
        """The answer if it is in the cache and fresh."""
        return self._cache.get((name.lower().removesuffix("."), rrtype), self._clock())

    async def _ask(self, key: tuple[str, RrType]) -> DnsAnswer:
        zone, limits = zone_of(key[0]), self._questions
        if zone in self._cache.kept:
            place: AbstractAsyncContextManager[object] = self._places.kept(limits.wait)
        else:
            place = self._places.held({zone: self._places.part(limits.share)}, limits.wait)
        try:
            async with place:
                self.asked += 1
                answer = await self._source.query(*key)
        except NoPlace:
            return TempFail("timeout")
        finally:
            del self._under_way[key]
        self._listen(zone, answer)
        self._cache.put(key, answer, self._clock())
        return answer

    def _is_silent(self, zone: str) -> bool:
        times, until = self._silent.get(zone, (0, 0.0))
        return times >= self._questions.silent and self._clock() < until and zone not in self._cache.kept

    def _listen(self, zone: str, answer: DnsAnswer) -> None:
        """Whether the servers of a zone answer at all."""
        if answer != TempFail("timeout"):
            self._silent.pop(zone, None)
            return
        times = self._silent.get(zone, (0, 0.0))[0] + 1
        self._silent[zone] = (times, self._clock() + self._questions.silence)
        self._silent.move_to_end(zone)
        if len(self._silent) > _REMEMBERED:
            self._silent.popitem(last=False)


class NameServers:
    """Questions over UDP with EDNS, and over TCP when the answer is cut; search domains are never used."""

    def __init__(self, addresses: Sequence[str] = (), *, timeout: float = 5.0) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not addresses)
        if addresses:
            self._resolver.nameservers = [name_server(address) for address in addresses]
        self._resolver.search = []
        self._resolver.timeout = min(2.0, timeout)
        self._resolver.lifetime = timeout
        self._resolver.use_edns(0, 0, EDNS_PAYLOAD)

    async def query(self, name: str, rrtype: RrType) -> DnsAnswer:
        qname = _wire_name(name)
        if qname is None:
            return NxDomain()
        try:
            answer = await self._resolver.resolve(qname, rrtype, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as absent:
            return NxDomain(_negative_ttl(absent, qname))
        except dns.exception.Timeout:
            return TempFail("timeout")
        except (dns.exception.DNSException, OSError):
            return TempFail("servfail")
        ttl = answer.chaining_result.minimum_ttl
        if answer.rrset is None:
            return NoData(ttl)
        return RecordSet(tuple(map(_rdata, answer.rrset)), ttl)


def name_server(address: str) -> dns.nameserver.Do53Nameserver:
    """``"9.9.9.9"``, ``"127.0.0.1:5353"``, ``"2620:fe::fe"`` or ``"[::1]:5353"`` as a name server.

    :raises ValueError: naming the entry.
    """
    host, port = address.strip(), str(DNS_PORT)
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":") or str(DNS_PORT)
    elif host.count(":") == 1:
        host, port = host.split(":")
    try:
        return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(host)), int(port))
    except ValueError:
        sentence = f"{address!r} is not a name server; use an address such as 9.9.9.9 or [::1]:5353."
        raise ValueError(sentence) from None


def _wire_name(name: str) -> dns.name.Name | None:
    # By labels, not by dns.name.from_text: a backslash in a macro's expansion must stay one.
    try:
        return dns.name.Name((*(label.encode("ascii") for label in name.split(".")), b""))
    except (UnicodeEncodeError, dns.exception.DNSException):
        return None


def _negative_ttl(absent: dns.resolver.NXDOMAIN, qname: dns.name.Name) -> int:
    responses = absent.kwargs.get("responses", {})
    try:
        return int(responses[qname].resolve_chaining().minimum_ttl)
    except (KeyError, dns.exception.DNSException):
        return 0


def _rdata(rdata: object) -> Rdata:
    match rdata:
        case dns.rdtypes.ANY.TXT.TXT():
            return b"".join(rdata.strings)
        case dns.rdtypes.ANY.MX.MX():
            return rdata.preference, _name_text(rdata.exchange)
        case dns.rdtypes.IN.A.A() | dns.rdtypes.IN.AAAA.AAAA():
            return str(rdata.address)
        case dns.rdtypes.nsbase.NSBase():
            return _name_text(rdata.target)
        case _:
            raise TypeError(f"no record type of ours: {rdata!r}")


def _name_text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
