"""What is known of where a mail came from, check by check: icon, result, and the sentence behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.message import DkimResult, Origin
    from relaydesk.store import MessageRow

_ICONS = {"pass": "d-met", "none": "d-none", "neutral": "d-none", "policy": "d-none"}
_HOW = {
    "peer": "it connected itself",
    "proxy": "said by our proxy",
    "xclient": "said by our front server (XCLIENT)",
    "received": "read from our relay\u2019s Received line",
    "unknown": "not known",
}
# What a decision says of the checks themselves stands with them; the rest is told as its reasons.
_MARKS = {
    "old_signature",
    "replayed",
    "already_stored",
    "reply_to_ignored",
    "mapped_dkim",
    "auth_outage",
    "unreadable",
    "content_unread",
    "lf_read_as_crlf",
    "not_listed_sender",
    "forged",
    "directory_address",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``result`` is a word or two, ``hint`` the sentence."""

    icon: str
    title: str
    result: str
    hint: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one mail."""

    row: MessageRow
    checks: tuple[Check, ...]
    marks: tuple[str, ...]
    reasons: tuple[str, ...]
    near: tuple[Check, ...]


def evidence_of(row: MessageRow) -> Evidence:
    """The evidence of a stored message, as it was found when it came."""
    match = row.findings.match
    near = tuple(Check("i-x", f"Rule {rule}", "", _sentence(lacked)) for rule, lacked in match.near)
    return Evidence(
        row,
        (*_signatures(row), *_policies(row), _connection(row.origin, row), _rule(row)),
        tuple(reason.text for reason in row.reasons if reason.code in _MARKS),
        tuple(reason.text for reason in row.reasons),
        near,
    )


def _signatures(row: MessageRow) -> Iterator[Check]:
    if not row.auth.dkim:
        yield Check("d-none", "DKIM", "none", "The message is not signed.")
    for number, signature in enumerate(row.auth.dkim):
        aligned = " It is aligned with From." if number in row.auth.aligned_dkim else ""
        yield Check(_icon(signature.result), "DKIM", signature.result, _signature(signature) + aligned)


def _signature(signature: DkimResult) -> str:
    reason = signature.reason or f"The signature of {signature.domain} gives {signature.result}."
    return f"{reason} Selector {signature.selector}." if signature.selector else reason


def _policies(row: MessageRow) -> Iterator[Check]:
    spf, dmarc = row.auth.spf, row.auth.dmarc
    words = spf.reason or f"{spf.domain or 'No domain'} says {spf.result}."
    own = f" Its own words: {spf.explanation}" if spf.explanation else ""
    yield Check(_icon(spf.result), "SPF", spf.result, _sentence(words) + own)
    policy = f", policy {dmarc.policy}" if dmarc.policy else ""
    yield Check(_icon(dmarc.result), "DMARC", f"{dmarc.result}{policy}", dmarc.reason)


def _connection(origin: Origin, row: MessageRow) -> Check:
    where = f"{origin.ip} in {origin.network}" if origin.ip and origin.network else origin.ip or row.peer
    facts = [where, _HOW.get(origin.how, origin.how), "TLS" if row.tls else "no TLS", row.helo]
    if origin.shared:
        facts.append("a provider on the way relays strangers too")
    if origin.note:
        facts.append(origin.note)
    hint = " \u00b7 ".join(fact for fact in facts if fact)
    if origin.allowlisted:
        return Check("d-met", "Connection", "from Facebook\u2019s network", hint)
    word = "through our relay" if origin.role == "relay" else "from an unlisted network"
    return Check("i-x" if origin.ip else "d-none", "Connection", word, hint)


def _rule(row: MessageRow) -> Check:
    match = row.findings.match
    if not match.rule:
        return Check("d-none", "Rule", "none", "No rule matches.")
    return Check("d-met", "Rule", match.rule, _sentence(match.why))


def _sentence(words: str) -> str:
    whole = words[:1].upper() + words[1:]
    return whole if whole.endswith((".", "!", "?")) or not whole else f"{whole}."


def _icon(result: str) -> str:
    return _ICONS.get(result, "i-x")
