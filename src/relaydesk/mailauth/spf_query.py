"""pyspf's evaluator, with what it asks, reads and expands turned to ours.

It walks the terms, counts them and finds the result. The grammar of records and of macros, which it reads
loosely and in quadratic time, the void look-ups, which it counts by address, and the explanation are ours.
"""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Protocol

from relaydesk.dns import label_fits
from relaydesk.mailauth.spf_macros import MacroError, expand_name, expand_text
from relaydesk.mailauth.spf_record import RECORD_LIMIT, RecordError, parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address

    from relaydesk.dns import Rdata, RrType
    from relaydesk.message import Result

with warnings.catch_warnings():
    # Its source has invalid escapes: the first import after an installation would print a warning.
    warnings.simplefilter("ignore")
    import spf

HOSTS_LIMIT = 10  # RFC 7208 §4.6.4: no more than ten hosts of an MX or PTR are looked up
VOID_LIMIT = 2  # terms whose look-ups had no answer (§4.6.4)

TempError = spf.TempError


class HeldAnswers(Protocol):
    """Where the evaluator takes records from, and what it keeps between two runs of one evaluation."""

    expanded: dict[tuple[str, str], str]
    matched: dict[tuple[tuple[str, ...], int], bool]

    def records(self, name: str, rrtype: RrType) -> tuple[Rdata, ...]:
        """The records of a name, () for none.

        :raises TempError: when they cannot be looked up now.
        """


class Query(spf.query):  # type: ignore[misc]  # pyspf has no types
    """One run of an evaluation. What ``answers`` raises passes through it, but for ``TempError``."""

    ipaddr: IPv4Address | IPv6Address

    def __init__(self, ip: str, local: str, domain: str, helo: str, answers: HeldAnswers) -> None:
        super().__init__(i=ip, s=f"postmaster@{domain}", h=helo)
        self.s, self.l, self.o, self.d = f"{local}@{domain}", local, domain, domain
        self.answers = answers
        self.mechanism = None
        self.depth = -1  # of the record that is being evaluated
        self.void_term = False  # whether the present term has been counted as void
        self.explained = (domain, "")  # the domain of the last record at depth 0, and its exp=

    def verdict(self) -> tuple[Result, str, str]:
        """The result, why there is none, and the explanation that the domain publishes for a fail."""
        result, _, text = self.check()
        explanation = self.explanation() if result == "fail" else ""
        return result, str(text), explanation

    def check0(self, text_of_record: str | None, recursion: int) -> Any:
        """Evaluate one record; its syntax is checked as a whole before (§4.6)."""
        if not text_of_record:
            return super().check0(text_of_record, recursion)
        try:
            record = parse_record(text_of_record)
        except RecordError as error:
            raise spf.PermError(str(error)) from None
        if recursion == 0:
            self.explained = (self.d, record.explanation)
        text = record.text_for(self.ipaddr)
        self.lookups -= " redirect=" in text  # which pyspf counts when it reads it; see check1
        return super().check0(text, recursion)

    def check1(self, text_of_record: str | None, domain: str, recursion: int) -> Any:
        """Evaluate the record of a domain; a redirect= counts when it is followed (§4.6.4)."""
        if recursion == self.depth:
            self.check_lookups()
        outer, self.depth = self.depth, recursion
        try:
            return super().check1(text_of_record, domain, recursion)
        finally:
            self.depth = outer

    def check_lookups(self) -> None:
        """Count the term that begins here."""
        self.void_term = False
        super().check_lookups()

    def expand_domain(self, arg: str) -> str:
        """The domain that a domain-spec of the present record means."""
        key = (self.d, arg)
        if key not in self.answers.expanded:
            self.answers.expanded[key] = expand_name(arg, self.macro)
        return self.answers.expanded[key]

    def macro(self, letter: str) -> str:
        """What a macro letter stands for (§7.2)."""
        return self._client_name() if letter == "p" else str(getattr(self, letter) or "")

    def _client_name(self) -> str:
        """The validated name nearest to the present domain (§7.3); no term is void for lack of one."""
        self.p, outer, self.void_term = None, self.void_term, True
        try:
            return str(self.getp())
        finally:
            self.void_term = outer

    def explanation(self) -> str:
        """The text of exp= (§6.2), "" when it cannot be had or read: it decides nothing."""
        self.d, spec = self.explained
        if not spec:
            return ""
        try:
            texts = self.dns_txt(self.expand_domain(spec), ignore_void=True)
            text = texts[0].decode("ascii") if len(texts) == 1 and texts[0].isascii() else ""
            return expand_text(text, self.macro) if len(text) <= RECORD_LIMIT else ""
        except (spf.TempError, MacroError):
            return ""

    def dns(self, name: str, qtype: RrType, cnames: object = None, ignore_void: bool = False) -> list[Rdata]:
        """The records of a name; void look-ups are counted once a term (§4.6.4)."""
        asked = str(name).lower().removesuffix(".")
        if not asked.isascii() or not all(map(label_fits, asked.split("."))):
            return []
        records = self.answers.records(asked, qtype)
        if not records and not ignore_void and not self.void_term:
            self.void_term = True
            self.void_lookups += 1
            if self.void_lookups > VOID_LIMIT:
                raise spf.PermError(f"More than {VOID_LIMIT} terms found nothing in DNS")
        return list(records)

    def dns_txt(self, domainname: str, rr: RrType = "TXT", ignore_void: bool = False) -> list[bytes]:
        """The texts of a name."""
        return [text for text in self.dns(domainname, rr, ignore_void=ignore_void) if isinstance(text, bytes)]

    def dns_mx(self, domainname: str) -> Iterator[Sequence[str]]:
        """The addresses of each MX host, looked up in order of preference until one matches (§5.4)."""
        hosts = sorted(record for record in self.dns(domainname, "MX") if isinstance(record, tuple))
        if len(hosts) > HOSTS_LIMIT:
            raise spf.PermError(f"More than {HOSTS_LIMIT} MX records at {domainname}")
        return (self.dns_a(host, self.A) for _, host in hosts)

    def cidrmatch(self, ipaddrs: Sequence[str] | Iterator[Sequence[str]], n: int) -> bool:
        """Whether the client is in the network of ``n`` bits of one of these addresses."""
        if isinstance(ipaddrs, Iterator):
            return any(self.cidrmatch(addresses, n) for addresses in ipaddrs)
        key = (tuple(ipaddrs), n)
        if key not in self.answers.matched:
            family = socket.AF_INET if self.ipaddr.version == 4 else socket.AF_INET6  # noqa: PLR2004 - of IP
            network = ip_network((self.ipaddr, n), strict=False)
            mask, start = int(network.netmask), int(network.network_address)
            self.answers.matched[key] = any(
                int.from_bytes(socket.inet_pton(family, address), "big") & mask == start
                for address in ipaddrs
            )
        return self.answers.matched[key]

    def validated_ptrs(self) -> list[str]:
        """Names of the client that point back to it; those whose look-up fails are passed over (§5.5)."""
        try:
            hosts = self.dns_ptr(self.i)[:HOSTS_LIMIT]
        except spf.TempError:
            return []
        return [host for host in hosts if self._points_back(host)]

    def _points_back(self, host: str) -> bool:
        try:
            return self.cidrmatch(self.dns_a(host, self.A), self.cidrmax)
        except spf.TempError:
            return False
