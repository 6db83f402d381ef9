"""SPF (RFC 7208) by pyspf, asked through our resolver and without threads.

pyspf is synchronous: it runs on the answers we hold, notes what it lacks, and runs again when that has
come. With a warm cache it runs once. Its own DNS function is never reached.
"""

from __future__ import annotations

import asyncio
import ipaddress
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from relaydesk.dns import DnsAnswer, RecordSet, TempFail, label_fits
from relaydesk.message import Result, SpfResult, domain_name, printable, split_address

if TYPE_CHECKING:
    from relaydesk.dns import Lookup, Rdata, RrType

with warnings.catch_warnings():
    # Its source has invalid escapes: the first import after an installation would print a warning.
    warnings.simplefilter("ignore")
    import spf

_ROUNDS = 40  # ten terms of two rounds each (MX, then addresses) and their exp= stay well below
_HOSTS = 10  # RFC 7208 §4.6.4: no more than ten hosts of an MX or PTR are looked up
_SENTENCES: dict[Result, str] = {
    "pass": "{ip} is permitted by {domain} ({by}).",
    "fail": "{ip} is not permitted by {domain} ({by}).",
    "softfail": "{ip} is probably not permitted by {domain} ({by}).",
    "neutral": "{domain} makes no statement about {ip} ({by}).",
    "none": "{domain} publishes no SPF record.",
    "permerror": "The SPF record of {domain} cannot be evaluated: {problem}",
    "temperror": "SPF of {domain} could not be looked up now: {problem}",
}


async def check_spf(
    ip: str, mail_from: str, helo: str, resolver: Lookup, *, deadline: float | None = None
) -> SpfResult:
    """The SPF result of one transaction (RFC 7208 §4.1), by MAIL FROM, or by HELO for the null sender.

    ``deadline`` is a moment of the running loop's clock. A failed look-up is ``temperror``; what is
    raised is a bug, whatever the record holds.
    """
    local, text = split_address(mail_from) if mail_from else ("postmaster", helo)
    if not text:  # RFC 7208 §4.3: a sender without a local part is a domain
        local, text = "", mail_from
    identity: Literal["mailfrom", "helo"] = "mailfrom" if mail_from else "helo"
    domain = domain_name(text)
    blank = SpfResult("none", domain=domain or "", identity=identity, ip=ip)
    if domain is None:
        return replace(blank, reason=f"{printable(text) or 'Nothing'} is not a domain that can publish SPF.")
    try:
        address = _address(ip)
    except ValueError:
        return replace(blank, reason=f"{printable(ip)} is not an IP address.")
    evaluation = _Evaluation(address, printable(local) or "postmaster", domain, printable(helo), resolver)
    for _ in range(_ROUNDS):
        verdict = evaluation.run()
        if verdict is not None:
            return replace(verdict, identity=identity)
        await evaluation.fetch(deadline)
    return replace(blank, result="permerror", reason=f"SPF of {domain} needs too many look-ups.")


def _address(ip: str) -> str:
    address = ipaddress.ip_address(ip.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


class _Evaluation:
    """One question to pyspf and the answers held for it; ``lacking`` are the look-ups of the last run."""

    def __init__(self, ip: str, local: str, domain: str, helo: str, resolver: Lookup) -> None:
        self.ip, self.local, self.domain, self.helo = ip, local, domain, helo
        self.resolver = resolver
        self.held: dict[tuple[str, RrType], DnsAnswer] = {}
        self.lacking: set[tuple[str, RrType]] = set()

    def run(self) -> SpfResult | None:
        """The result, or None while answers are lacking."""
        query = _Query(self)
        try:
            result, _, text = query.check()
        except _NotYetAsked:
            return None
        except ValueError as failure:
            # pyspf turns every run of digits in a record into a number; int() takes no more than 4300.
            result, text = "permerror", str(failure)
        return None if self.lacking else self._verdict(result, str(text), query)

    def records(self, name: str, rrtype: RrType) -> tuple[Rdata, ...]:
        key = (name, rrtype)
        answer = self.held.get(key) or self.resolver.cached(name, rrtype)
        if answer is None:
            # Noted, not only raised: pyspf swallows every exception while it expands exp=.
            self.lacking.add(key)
            raise _NotYetAsked
        self.held[key] = answer  # one answer for the whole evaluation, whatever the cache does meanwhile
        if isinstance(answer, TempFail):
            raise spf.TempError(f"{answer.why} asking for {rrtype} of {name}")
        return answer.records if isinstance(answer, RecordSet) else ()

    async def fetch(self, deadline: float | None) -> None:
        """Ask everything that was lacking, and the addresses of the hosts of every MX and PTR that comes."""
        questions, self.lacking = tuple(self.lacking), set()
        await self._ask(questions, deadline)
        family: RrType = "AAAA" if ":" in self.ip else "A"
        lists = [self.held[key] for key in questions if key[1] in ("MX", "PTR")]
        hosts = {host for answer in lists if isinstance(answer, RecordSet) for host in answer.names[:_HOSTS]}
        await self._ask(tuple((host, family) for host in hosts), deadline)

    async def _ask(self, questions: tuple[tuple[str, RrType], ...], deadline: float | None) -> None:
        answers = await asyncio.gather(*(self.resolver.lookup(*key, deadline) for key in questions))
        self.held.update(zip(questions, answers, strict=True))

    def _verdict(self, result: Result, text: str, query: _Query) -> SpfResult:
        problem = printable(text).removeprefix("SPF Permanent Error: ").removeprefix("SPF Temporary Error: ")
        sentence = _SENTENCES[result].format(
            ip=self.ip, domain=self.domain, by=printable(str(query.mechanism or "default")), problem=problem
        )
        published = text if result == "fail" and text != spf.EXPLANATIONS["fail"] else ""
        answer = self.held.get((self.domain, "TXT"))
        texts = answer.texts if isinstance(answer, RecordSet) else ()
        record = next((record for record in texts if record[:6].lower() == b"v=spf1"), b"")
        return SpfResult(
            result,
            domain=self.domain,
            reason=sentence,
            ip=self.ip,
            record=printable(record.decode("latin-1"), 4096),
            explanation=printable(published),
        )


class _NotYetAsked(Exception):  # noqa: N818 - no error: it ends a run at the first answer we do not hold
    pass


class _Query(spf.query):  # type: ignore[misc]  # pyspf has no types
    """pyspf's evaluator with its look-ups turned to ours."""

    def __init__(self, evaluation: _Evaluation) -> None:
        local, domain = evaluation.local, evaluation.domain
        super().__init__(i=evaluation.ip, s=f"postmaster@{domain}", h=evaluation.helo)
        self.s, self.l, self.o, self.d = f"{local}@{domain}", local, domain, domain
        self.evaluation = evaluation
        self.mechanism = None

    def dns(
        self, name: str, qtype: RrType, cnames: object = None, ignore_void: bool = False
    ) -> list[tuple[bytes] | Rdata]:
        """The records of a name in pyspf's shapes; void look-ups are counted (RFC 7208 §4.6.4)."""
        asked = str(name).lower().removesuffix(".")
        if not asked.isascii() or not all(map(label_fits, asked.split("."))):
            return []
        records = self.evaluation.records(asked, qtype)
        if not records and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError(f"More than {spf.MAX_VOID_LOOKUPS} look-ups without an answer")
        return [(record,) if isinstance(record, bytes) else record for record in records]

    def validated_ptrs(self) -> list[str]:
        """Names of the client that point back to it; those whose look-up fails are passed over (§5.5)."""
        try:
            hosts = self.dns_ptr(self.i)[:_HOSTS]
        except spf.TempError:
            return []
        return [host for host in hosts if self._points_back(host)]

    def _points_back(self, host: str) -> bool:
        try:
            return bool(self.cidrmatch(self.dns_a(host, self.A), self.cidrmax))
        except spf.TempError:
            return False
