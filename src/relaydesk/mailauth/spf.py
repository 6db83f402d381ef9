"""SPF (RFC 7208) by pyspf, asked through our resolver and without threads.

pyspf is synchronous: it runs on the answers we hold, notes what it lacks, and runs again when that has
come. With a warm cache it runs once. Its own DNS function is never reached. What it reads wrongly or slowly
is read by :mod:`relaydesk.mailauth.spf_record` and :mod:`relaydesk.mailauth.spf_macros`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from relaydesk.dns import DnsAnswer, RecordSet, TempFail
from relaydesk.mailauth.spf_query import HOSTS_LIMIT, Query, TempError
from relaydesk.message import Result, SpfResult, canonical_ip, domain_name, printable, split_address

if TYPE_CHECKING:
    from relaydesk.dns import Lookup, Rdata, RrType

_ROUNDS = 40  # ten terms of two rounds each (MX, then addresses) and their exp= stay well below
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
    local, text = _identity(mail_from, helo)
    identity: Literal["mailfrom", "helo"] = "mailfrom" if mail_from else "helo"
    domain = domain_name(text)
    blank = SpfResult("none", domain=domain or "", identity=identity, ip=ip)
    if domain is None:
        return replace(blank, reason=f"{printable(text) or 'Nothing'} is not a domain that can publish SPF.")
    address = canonical_ip(ip)
    if address is None:
        return replace(blank, reason=f"{printable(ip)} is not an IP address.")
    evaluation = _Evaluation(
        str(address), printable(local) or "postmaster", domain, printable(helo), resolver
    )
    for _ in range(_ROUNDS):
        outcome = evaluation.run()
        if isinstance(outcome, SpfResult):
            return replace(outcome, identity=identity)
        await evaluation.fetch(outcome, deadline)
    return replace(blank, result="permerror", reason=f"SPF of {domain} needs too many look-ups.")


def spf_domain(mail_from: str, helo: str) -> str:
    """The domain that :func:`check_spf` asks, "" for none."""
    return domain_name(_identity(mail_from, helo)[1]) or ""


def _identity(mail_from: str, helo: str) -> tuple[str, str]:
    """The local part and the domain that are checked, both as written."""
    if not mail_from:
        return "postmaster", helo
    local, domain = split_address(mail_from)
    return (local, domain) if domain else ("", mail_from)  # RFC 7208 §4.3: it is a domain itself


class _Evaluation:
    """One question to pyspf, and what is held for it from run to run."""

    def __init__(self, ip: str, local: str, domain: str, helo: str, resolver: Lookup) -> None:
        self.ip, self.local, self.domain, self.helo = ip, local, domain, helo
        self.resolver = resolver
        self.held: dict[tuple[str, RrType], DnsAnswer] = {}
        self.expanded: dict[tuple[str, str], str] = {}
        self.matched: dict[tuple[tuple[str, ...], int], bool] = {}

    def run(self) -> SpfResult | tuple[str, RrType]:
        """The result, or the look-up that it lacks."""
        query = Query(self.ip, self.local, self.domain, self.helo, self)
        try:
            result, problem, explanation = query.verdict()
        except _NotYetAsked as lacking:
            return lacking.name, lacking.rrtype
        return self._verdict(result, problem, explanation, str(query.mechanism or "default"))

    def records(self, name: str, rrtype: RrType) -> tuple[Rdata, ...]:
        key = (name, rrtype)
        answer = self.held.get(key) or self.resolver.cached(name, rrtype)
        if answer is None:
            raise _NotYetAsked(name, rrtype)
        self.held[key] = answer  # one answer for the whole evaluation, whatever the cache does meanwhile
        if isinstance(answer, TempFail):
            raise TempError(f"{answer.why} asking for {rrtype} of {name}")
        return answer.records if isinstance(answer, RecordSet) else ()

    async def fetch(self, question: tuple[str, RrType], deadline: float | None) -> None:
        """Ask what was lacking, and the addresses of the hosts of an MX or PTR that comes."""
        await self._ask((question,), deadline)
        answer = self.held[question]
        if question[1] in ("MX", "PTR") and isinstance(answer, RecordSet):
            family: RrType = "AAAA" if ":" in self.ip else "A"
            await self._ask(tuple({(host, family) for host in answer.names[:HOSTS_LIMIT]}), deadline)

    async def _ask(self, questions: tuple[tuple[str, RrType], ...], deadline: float | None) -> None:
        answers = await asyncio.gather(*(self.resolver.lookup(*key, deadline) for key in questions))
        self.held.update(zip(questions, answers, strict=True))

    def _verdict(self, result: Result, problem: str, explanation: str, mechanism: str) -> SpfResult:
        why = printable(problem).removeprefix("SPF Permanent Error: ").removeprefix("SPF Temporary Error: ")
        sentence = _SENTENCES[result].format(
            ip=self.ip, domain=self.domain, by=printable(mechanism), problem=why
        )
        answer = self.held.get((self.domain, "TXT"))
        texts = answer.texts if isinstance(answer, RecordSet) else ()
        record = next((record for record in texts if record[:6].lower() == b"v=spf1"), b"")
        return SpfResult(
            result,
            domain=self.domain,
            reason=sentence,
            ip=self.ip,
            record=printable(record.decode("latin-1"), 4096),
            explanation=printable(explanation),
        )


class _NotYetAsked(Exception):  # noqa: N818 - no error: it ends a run at the first answer we do not hold
    def __init__(self, name: str, rrtype: RrType) -> None:
        super().__init__(name)
        self.name, self.rrtype = name, rrtype
