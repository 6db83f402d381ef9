"""The admin's side of mail authentication, by checkdmarc: what do domains publish, and is it enough?

checkdmarc is a linter for publishers: the mail path never uses it. It calls a failed look-up a missing
record, so every look-up of a check is watched, and a check with a failed one is ``unchecked``.
"""

from __future__ import annotations

import ipaddress
import logging
import smtplib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import dns.exception
import dns.rdatatype
import dns.resolver

from relaydesk.dns import name_server
from relaydesk.message import domain_name, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from relaydesk.policy import IpNetwork

SMTP_PORT = 25
_MX_PROBED = 3
_FAMILIES = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked, and a sentence with the remedy; ``unchecked`` when it could not be."""

    check: str
    level: Literal["ok", "warn", "fail", "unchecked"]
    text: str


@dataclass(frozen=True, slots=True)
class Audit:
    """A list of networks against what the senders publish in SPF.

    ``lacking`` are published networks that the list does not wholly hold, each with the sender domains that
    publish it; ``unpublished`` are listed ones that no sender publishes; ``remarks`` are sentences about
    what could not be found out.
    """

    lacking: tuple[tuple[IpNetwork, tuple[str, ...]], ...]
    unpublished: tuple[IpNetwork, ...]
    remarks: tuple[str, ...]


def check_domain(
    domain: str, nameservers: Sequence[str] = (), timeout: float = 5.0, *, smtp_port: int = SMTP_PORT
) -> tuple[Finding, ...]:
    """Would Meta take replies from this domain? Its SPF, DMARC, MX and STARTTLS.

    ``timeout`` is seconds a look-up or connection. Blocks; for the command line.

    :raises ValueError: when ``domain`` is not a domain name, or a name server not an address.
    """
    name = domain_name(domain)
    if name is None:
        raise ValueError(f"{printable(domain)!r} is not a domain name; use one such as shop.example.")
    watch = _Watched(nameservers, timeout)
    return (
        _spf_finding(name, watch),
        _dmarc_finding(name, watch),
        *_mx_findings(name, watch, timeout, smtp_port),
    )


def audit_networks(
    senders: Iterable[str],
    networks: Iterable[str | IpNetwork],
    nameservers: Sequence[str] = (),
    timeout: float = 5.0,
) -> Audit:
    """Which networks do the sender domains publish in SPF that the list lacks, and the reverse?

    Includes and redirects are followed as SPF does. Blocks; for the command line.

    :raises ValueError: for a network or a name server that is none.
    """
    listed = [ipaddress.ip_network(network) for network in networks]
    published: dict[IpNetwork, list[str]] = {}
    remarks: list[str] = []
    watch = _Watched(nameservers, timeout)
    for sender in dict.fromkeys(senders):
        for network in _published(sender, watch, remarks):
            published.setdefault(network, []).append(sender)
    lacking = {network: names for network, names in published.items() if not _holds(listed, network)}
    order = sorted(lacking, key=lambda network: (network.version, network))
    return Audit(
        tuple((network, tuple(dict.fromkeys(lacking[network]))) for network in order),
        tuple(network for network in listed if not _holds(published, network)),
        tuple(remarks),
    )


def _checkdmarc() -> Any:
    import checkdmarc  # noqa: PLC0415 - half a second and 50 MB, for two commands only

    return checkdmarc


class _Watched(dns.resolver.Resolver):
    """A blocking resolver that remembers which look-ups failed; search domains are never used."""

    def __init__(self, nameservers: Sequence[str], timeout: float) -> None:
        super().__init__(configure=not nameservers)
        if nameservers:
            self.nameservers = [name_server(address) for address in nameservers]
        self.search = []
        self.timeout, self.lifetime = min(2.0, timeout), timeout
        self.failed: list[str] = []

    def resolve(self, qname: Any, rdtype: Any = "A", *args: Any, **options: Any) -> dns.resolver.Answer:
        try:
            return super().resolve(qname, rdtype, *args, **options | {"lifetime": self.lifetime})
        except (dns.exception.Timeout, dns.resolver.NoNameservers):
            if str(rdtype) != "SPF":  # a type long given up, which some servers do not answer (RFC 7208 §3.1)
                self.failed.append(str(qname).rstrip("."))
            raise

    def addresses(self, host: str) -> Iterator[str]:
        """The IPv4 and IPv6 addresses of a host; ``failed`` holds the names whose look-up failed."""
        self.failed = []
        for family in _FAMILIES:
            try:
                yield from (record.address for record in self.resolve(host, family, search=False))
            except dns.exception.DNSException:
                continue

    def watch(self, check: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, list[str]]:
        """The result of one check of checkdmarc's, and the names whose look-up failed meanwhile."""
        logging.getLogger("checkdmarc").setLevel(logging.CRITICAL)  # what it logs, we say in a sentence
        _checkdmarc().utils.DNS_CACHE.clear()  # it outlives a change of the name servers
        self.failed = []
        return check(*args, resolver=self, timeout=self.lifetime, **options), self.failed


def _unchecked(check: str, domain: str, failed: list[str]) -> Finding:
    names = ", ".join(dict.fromkeys(failed))
    text = f"{domain} could not be checked: no answer for {names}. Try again, or ask who hosts its DNS."
    return Finding(check, "unchecked", text)


def _spf_finding(domain: str, watch: _Watched) -> Finding:
    report, failed = watch.watch(_checkdmarc().spf.check_spf, domain)
    if failed:
        return _unchecked("spf", domain, failed)
    if report["record"] is None:
        remedy = "publish a TXT such as 'v=spf1 mx -all' that names your servers"
        return Finding("spf", "fail", f"{domain} has no usable SPF record ({_error(report)}): {remedy}.")
    if not report["valid"]:
        return Finding(
            "spf", "fail", f"The SPF record of {domain} is broken: {_error(report)}. Correct it in DNS."
        )
    if report["parsed"]["all"] in ("pass", "neutral"):
        text = f"The SPF record of {domain} does not refuse other servers; end it in ~all or -all."
        return Finding("spf", "warn", text)
    return Finding("spf", "ok", f"{domain} publishes SPF: {printable(report['record'])}")


def _dmarc_finding(domain: str, watch: _Watched) -> Finding:
    report, failed = watch.watch(_checkdmarc().dmarc.check_dmarc, domain, ignore_unrelated_records=True)
    policies = [name for name in failed if name.startswith("_dmarc.")]
    if policies and report["record"] is None:
        return _unchecked("dmarc", domain, policies)
    remedy = f"Meta refuses such mail; publish a TXT at _dmarc.{domain}, such as 'v=DMARC1; p=quarantine'."
    if report["record"] is None:
        return Finding("dmarc", "fail", f"{domain} has no DMARC policy ({_error(report)}): {remedy}")
    if not report["valid"]:
        text = f"The DMARC record of {domain} is broken: {_error(report)}. Correct it in DNS."
        return Finding("dmarc", "fail", text)
    if report["tags"]["p"]["value"] == "none":
        text = f"The DMARC policy of {domain} is none; raise it to quarantine or reject."
        return Finding("dmarc", "warn", text)
    return Finding("dmarc", "ok", f"{domain} publishes DMARC: {printable(report['record'])}")


def _mx_findings(domain: str, watch: _Watched, timeout: float, port: int) -> Iterator[Finding]:
    utils = _checkdmarc().utils
    try:
        records, failed = watch.watch(utils.get_mx_records, domain)
    except utils.DNSException:
        records, failed = [], watch.failed
    if failed:
        yield _unchecked("mx", domain, failed)
        return
    hosts = [record["hostname"] for record in records if record["hostname"] not in ("", ".")]
    if not hosts:
        yield Finding(
            "mx", "fail", f"{domain} accepts no mail: publish an MX record, or customers cannot answer."
        )
        return
    yield Finding("mx", "ok", f"{domain} accepts mail at {', '.join(map(printable, hosts))}.")
    for host in hosts[:_MX_PROBED]:
        yield _starttls_finding(host, watch, timeout, port)


def _starttls_finding(host: str, watch: _Watched, timeout: float, port: int) -> Finding:
    addresses = list(watch.addresses(host))
    if not addresses:
        text = f"The MX {host} has no address that could be found; correct the MX or its A record."
        return Finding("starttls", "unchecked" if watch.failed else "fail", text)
    try:
        with smtplib.SMTP(addresses[0], port, timeout=timeout) as session:
            session.ehlo()
            offered = session.has_extn("starttls")
    except (OSError, smtplib.SMTPException) as failure:
        text = (
            f"{host} could not be reached at port {port} ({printable(str(failure))}); many networks block it."
        )
        return Finding("starttls", "unchecked", text)
    if not offered:
        return Finding(
            "starttls", "warn", f"{host} offers no STARTTLS; give it a certificate and switch it on."
        )
    return Finding("starttls", "ok", f"{host} offers STARTTLS.")


def _published(sender: str, watch: _Watched, remarks: list[str]) -> Iterator[IpNetwork]:
    """Every network that the SPF record of ``sender`` permits, through includes and redirects."""
    report, failed = watch.watch(_checkdmarc().spf.check_spf, sender)
    if failed:
        remarks.append(_unchecked("spf", sender, failed).text)
    elif "parsed" not in report:
        remarks.append(f"{sender}: {_error(report)}.")
    for mechanism in _mechanisms(report.get("parsed")):
        value, kind = str(mechanism["value"]), mechanism["mechanism"]
        if kind in ("ip4", "ip6"):
            yield ipaddress.ip_network(value, strict=False)
        elif kind == "a":
            yield from (ipaddress.ip_network(address, strict=False) for address in mechanism["addresses"])
        elif kind == "mx":
            for host in mechanism["hosts"]:
                yield from map(ipaddress.ip_network, watch.addresses(host["hostname"]))
        elif kind != "include":
            remarks.append(f"{sender} also permits by {kind}:{printable(value)}, which names no networks.")


def _mechanisms(parsed: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    if not parsed:
        return
    for mechanism in parsed["mechanisms"]:
        if mechanism["action"] == "pass":
            yield mechanism
            yield from _mechanisms(mechanism.get("parsed"))
    yield from _mechanisms((parsed["redirect"] or {}).get("parsed"))


def _holds(networks: Iterable[IpNetwork], wanted: IpNetwork) -> bool:
    """Whether the networks together hold all of ``wanted``."""
    left = [wanted]
    for network in networks:
        left = [rest for part in left for rest in _without(part, network)]
    return not left


def _without(part: IpNetwork, taken: IpNetwork) -> Iterable[IpNetwork]:
    """``part`` less the addresses of ``taken``: two networks are apart, or one lies within the other."""
    if part.version != taken.version or not part.overlaps(taken):
        return (part,)
    return () if part.prefixlen >= taken.prefixlen else part.address_exclude(taken)  # type: ignore[arg-type]


def _error(report: Mapping[str, Any]) -> str:
    return printable(str(report.get("error", ""))).rstrip(".")
