"""What SPF, DKIM and DMARC found, as values: whether anything vouches, and the header that reports it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relaydesk.message.charsets import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

Result = Literal["pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"]
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+./^_`{|}~-]+")  # RFC 2045 §5.1 without what would end a value


@dataclass(frozen=True, slots=True)
class SpfResult:
    """RFC 7208 §2.6. ``domain`` is the one checked (of MAIL FROM, or HELO for the null sender).

    ``explanation`` is what the domain publishes by ``exp=`` for a fail, made printable: its words, not ours.
    """

    result: Result
    domain: str = ""
    reason: str = ""
    identity: Literal["mailfrom", "helo", ""] = ""
    ip: str = ""
    record: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class DkimResult:
    """One DKIM-Signature, top first.

    ``b`` is the signature in canonical base64: with ``domain`` and ``selector`` it is the replay key.
    """

    result: Result
    domain: str = ""
    selector: str = ""
    reason: str = ""
    identity: str = ""
    algorithm: str = ""
    key_bits: int = 0
    signed_headers: tuple[str, ...] = ()
    record: str = ""
    b: str = ""
    signed_at: int | None = None


@dataclass(frozen=True, slots=True)
class DmarcResult:
    """RFC 9989. ``domain`` is where the record was found ("" for none); ``policy`` is what it asks for From.

    ``aligned_by`` names what passed *and* aligned with From ("dkim", "spf") under the record's modes, or
    relaxed where there is no record; it is filled even when ``result`` is ``none``. ``undecided`` is true
    when a temporary failure leaves open whether something would align, or which policy applies, and no
    aligned pass settles it. ``open_by`` names the checks that failed so, whether or not another settles it;
    ``aligned_dkim`` the domains of the aligned signatures that pass.
    """

    result: Result
    policy: Literal["none", "quarantine", "reject", ""] = ""
    domain: str = ""
    from_domain: str = ""
    organizational_domain: str = ""
    aligned_by: tuple[str, ...] = ()
    reason: str = ""
    record: str = ""
    undecided: bool = False
    open_by: tuple[str, ...] = ()
    aligned_dkim: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthResults:
    """The whole evidence of one message. ``aligned_dkim`` are indexes into ``dkim`` of aligned passes."""

    spf: SpfResult
    dkim: tuple[DkimResult, ...]
    dmarc: DmarcResult
    aligned_dkim: tuple[int, ...] = ()


UNASKED = AuthResults(SpfResult("none"), (), DmarcResult("none"))
"""Of a message whose proof nobody asked for, as it would change nothing."""


def vouches(
    report: AuthResults, from_domain: str, dkim_map: Mapping[str, tuple[str, ...]], *, spf_counts: bool
) -> tuple[str, dict[str, str]] | None:
    """What proves the message genuine: the code of a reason and its facts, or None when nothing does.

    An aligned DKIM pass; else a DKIM pass of a domain that the list maps to ``from_domain``; else, where
    ``spf_counts`` (a known origin that is not shared), an aligned SPF pass. No DMARC record is needed.
    """
    for index in report.aligned_dkim:
        return "aligned_dkim", {"domain": report.dkim[index].domain}
    for signature in report.dkim:
        if signature.result == "pass" and signature.domain in dkim_map.get(from_domain, ()):
            return "mapped_dkim", {"domain": signature.domain, "from_domain": from_domain}
    if spf_counts and "spf" in report.dmarc.aligned_by:
        return "aligned_spf", {"domain": report.spf.domain, "ip": report.spf.ip}
    return None


def undecided(
    report: AuthResults, from_domain: str, dkim_map: Mapping[str, tuple[str, ...]], *, spf_counts: bool
) -> str:
    """What a temporary failure leaves open, as sentences; "" when the verdict is settled.

    Only a failure that matters counts: of a check that could have vouched (see :func:`vouches`), or of
    the look-up that would tell the policy for what nothing vouches for.
    """
    if vouches(report, from_domain, dkim_map, spf_counts=spf_counts):
        return ""
    mapped = dkim_map.get(from_domain, ())
    open_by = set(report.dmarc.open_by) - (set() if spf_counts else {"spf"})
    failed = [
        signature.reason
        for signature in report.dkim
        if signature.result == "temperror" and ("dkim" in open_by or signature.domain in mapped)
    ]
    if "spf" in open_by and report.spf.result == "temperror":
        failed.append(report.spf.reason)
    if open_by and (report.dmarc.result == "temperror" or not failed):
        failed.append(report.dmarc.reason)
    return " ".join(dict.fromkeys(failed))


def authentication_results(report: AuthResults, authserv_id: str) -> str:
    """The value of an Authentication-Results header (RFC 8601), one unfolded line:

    ``mx.shop.example; spf=pass smtp.mailfrom=…; dkim=…; dmarc=…``.

    Domains only, no local parts. Foreign text is made printable, so it can break neither line nor syntax.
    """
    spf, dmarc = report.spf, report.dmarc
    scope = "smtp.helo" if spf.identity == "helo" else "smtp.mailfrom"
    parts = [_method("spf", spf.result, spf.reason, {scope: spf.domain})]
    for signature in report.dkim:
        # RFC 6008 §4: at least eight characters of b= tell signatures of one domain apart.
        properties = {
            "header.d": signature.domain,
            "header.s": signature.selector,
            "header.b": signature.b[:8],
        }
        parts.append(_method("dkim", signature.result, signature.reason, properties))
    if not report.dkim:
        parts.append("dkim=none")
    parts.append(_method("dmarc", dmarc.result, dmarc.reason, {"header.from": dmarc.from_domain}))
    return "; ".join([_value(authserv_id), *parts])


def _method(name: str, result: str, reason: str, properties: dict[str, str]) -> str:
    failure = {} if result == "pass" or not reason else {"reason": reason}
    filled = {key: value for key, value in (failure | properties).items() if value}
    return " ".join([f"{name}={result}", *(f"{key}={_value(text)}" for key, text in filled.items())])


def _value(text: str) -> str:
    if _TOKEN.fullmatch(text):
        return text
    quoted = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
