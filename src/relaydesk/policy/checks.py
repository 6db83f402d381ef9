"""The rows of the policy, one function each, in the order of the table: the first match decides.

Pure. ``admit`` answers a RCPT with the rows that need no message (2 to 4); :data:`ROWS` answer a whole
message, so that both entries share one policy.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relaydesk.bounces import bounced_ticket
from relaydesk.message import undecided, vouches
from relaydesk.policy.decision import Admission
from relaydesk.reasons import Reason, reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from relaydesk.classify import Findings
    from relaydesk.events import Kind
    from relaydesk.message import AuthResults, DkimResult, Envelope, Message, Origin
    from relaydesk.policy.decision import Gathered, Known, Outcome
    from relaydesk.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Arrival:
    """All that a row may look at."""

    envelope: Envelope
    gathered: Gathered
    known: Known
    policy: Policy
    now: datetime

    @property
    def message(self) -> Message:
        return self.gathered.message

    @property
    def auth(self) -> AuthResults:
        return self.gathered.auth

    @property
    def findings(self) -> Findings:
        return self.gathered.findings

    @property
    def origin(self) -> Origin:
        return self.envelope.origin

    @property
    def direct(self) -> bool:
        """Whether the peer itself is an origin: then a defect is the sender's own, not a relay's."""
        return self.origin.role == "origin"

    @property
    def from_domain(self) -> str:
        return self.message.from_[0].domain if self.message.from_ else ""

    @property
    def claims_listed(self) -> bool:
        """From is a listed sender domain or a name below one."""
        senders = self.policy.allowlist
        return senders.is_sender(self.from_domain) or senders.below_sender(self.from_domain)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one row found. ``genuine`` lets the rules sort the message; otherwise it is held as unsorted."""

    outcome: Outcome
    reason: Reason
    genuine: bool = False
    kind: Kind = "unsorted"


def admit(origin: Origin, mail_from: str, rcpt: str, policy: Policy, *, drift_domain: str = "") -> Admission:
    """Rows 2 to 4 for one recipient. ``drift_domain`` is set when SPF passes for a listed sender domain."""
    if (not mail_from or _has_role(origin)) and bounced_ticket(policy.secret, rcpt) is not None:
        return Admission("accepted")
    if not policy.is_mailbox(rcpt):
        return Admission("refused", reason("unknown_mailbox", rcpt=rcpt))
    if _has_role(origin):
        return Admission("accepted")
    if drift_domain:
        outcome: Literal["deferred", "refused"] = "deferred" if policy.on_drift == "defer" else "refused"
        return Admission(outcome, reason("drift", domain=drift_domain, ip=origin.ip))
    code = "proxy_without_header" if origin.role == "proxy" else "no_role"
    return Admission("refused", reason(code, ip=origin.ip))


# --- the rows ---------------------------------------------------------------------------------------


def _shape(a: Arrival) -> Verdict | None:  # row 1
    if not a.envelope.rcpt_to:
        return Verdict("refused", reason("no_recipient"))
    if len(a.message.received) > a.policy.max_received:
        return Verdict("refused", reason("mail_loop", limit=a.policy.max_received))
    return None


def _bounce(a: Arrival) -> Verdict | None:  # row 2
    if not all(bounced_ticket(a.policy.secret, rcpt) for rcpt in a.envelope.rcpt_to):
        return None
    if a.envelope.mail_from and not _returned_with_a_sender(a):
        return None
    if (
        a.envelope.mail_from
        and a.findings.match.kind != "bounce"
        and (unknown := _unknown_now(a)) is not None
    ):
        return unknown  # its proof will tell a buyer's words from a machine's
    if a.known.bounces >= a.policy.max_bounces and not a.known.stored:
        return Verdict("refused", reason("bounce_capped", limit=a.policy.max_bounces))
    return Verdict("accepted", reason("bounce_of_answer"), kind="bounce")


def _recipients(a: Arrival) -> Verdict | None:  # rows 3 and 4, for a peer without a role
    drift = a.auth.spf.domain if spf_drift(a.auth, a.policy) else ""
    for rcpt in a.envelope.rcpt_to:
        admission = admit(a.origin, a.envelope.mail_from, rcpt, a.policy, drift_domain=drift)
        if admission.reason is not None:
            return Verdict(admission.outcome, admission.reason)
    return None


def _origin(a: Arrival) -> Verdict | None:  # row 4, when the origin is known only after DATA
    if not a.origin.known or a.origin.allowlisted:
        return None
    if spf_drift(a.auth, a.policy):
        outcome: Literal["deferred", "refused"] = "deferred" if a.policy.on_drift == "defer" else "refused"
        return Verdict(outcome, reason("drift", domain=a.auth.spf.domain, ip=a.origin.ip))
    return Verdict("refused", reason("origin_not_listed", ip=a.origin.ip))


def _one_from(a: Arrival) -> Verdict | None:  # row 5
    if len(a.message.from_) != 1:
        return _held(a, reason("not_one_from", count=len(a.message.from_)))
    if a.message.duplicated:
        return _held(a, reason("duplicate_headers", names=", ".join(a.message.duplicated)))
    return None


def _unknown_now(a: Arrival) -> Verdict | None:  # row 6
    detail = undecided(a.auth, a.from_domain, a.policy.allowlist.dkim_map, spf_counts=_spf_counts(a))
    if not detail:
        return None
    first = a.known.first_seen or a.envelope.received_at
    if a.known.stored or a.now - first >= a.policy.outage_after:
        return Verdict("accepted", reason("auth_outage", age=_age(a.now - first)))
    return Verdict("deferred", reason("auth_unknown", detail=detail))


def _genuine(a: Arrival) -> Verdict | None:  # row 7
    voucher = vouched(a)
    if voucher is None or not a.policy.allowlist.is_sender(a.from_domain):
        return None
    return Verdict("accepted", voucher, genuine=True, kind=a.findings.match.kind)


def _forged(a: Arrival) -> Verdict | None:  # row 8
    if not a.claims_listed or vouched(a) is not None or not a.origin.known:
        return None
    # DMARC that passes says nothing against the message, even where its SPF does not count for us; and one
    # that could not be settled might have passed.
    if a.auth.dmarc.policy != "reject" or a.auth.dmarc.result in ("pass", "temperror"):
        return None
    if _may_be_broken_by_relay(a):
        return None
    return Verdict("refused", reason("forged", from_domain=a.from_domain))


def _unverified(a: Arrival) -> Verdict | None:  # row 9
    if not a.claims_listed or vouched(a) is not None:
        return None
    return Verdict("accepted", reason("unverified", from_domain=a.from_domain, detail=_lack(a)))


def _not_listed(a: Arrival) -> Verdict | None:  # row 10
    if vouched(a) is None:
        return None
    outcome: Outcome = "refused" if a.policy.unlisted_sender == "refuse" else "accepted"
    return Verdict(outcome, reason("not_listed_sender", from_domain=a.from_domain))


def _stranger(a: Arrival) -> Verdict:  # row 11
    return _held(a, reason("unauthenticated", from_domain=a.from_domain))


ROWS: tuple[Callable[[Arrival], Verdict | None], ...] = (
    _shape,
    _bounce,
    _recipients,
    _origin,
    _one_from,
    _unknown_now,
    _genuine,
    _forged,
    _unverified,
    _not_listed,
    _stranger,
)


def refused_unproven(a: Arrival, spf_domain: str) -> Verdict | None:
    """What :data:`ROWS` come to without a proof, None where they look at one.

    Rows 1, 3 and 4 do for ``spf_domain`` alone, and row 2 concerns nothing but our bounce addresses.
    """
    senders = a.policy.allowlist
    if senders.is_sender(spf_domain) or senders.below_sender(spf_domain):
        return None
    if any(bounced_ticket(a.policy.secret, rcpt) is not None for rcpt in a.envelope.rcpt_to):
        return None
    return _shape(a) or _recipients(a) or _origin(a)


# --- what the rows ask ------------------------------------------------------------------------------


def _has_role(origin: Origin) -> bool:
    return origin.role in ("origin", "relay")


def _returned_with_a_sender(a: Arrival) -> bool:
    """Whether mail to our bounce address with a MAIL FROM, from a listed peer, counts as a bounce.

    Meta's own notices and careless automatic replies come so. Proven mail other than a notice is sorted as
    any other, wherever it was sent to: a buyer's words must not be taken for a machine's.
    """
    return _has_role(a.origin) and (vouched(a) is None or a.findings.match.kind == "bounce")


def _held(a: Arrival, why: Reason) -> Verdict:
    return Verdict("refused" if a.direct else "accepted", why)


def vouched(a: Arrival) -> Reason | None:
    proof = vouches(a.auth, a.from_domain, a.policy.allowlist.dkim_map, spf_counts=_spf_counts(a))
    return reason(proof[0], **proof[1]) if proof is not None else None


def _spf_counts(a: Arrival) -> bool:
    return a.origin.known and not a.origin.shared


def _may_be_broken_by_relay(a: Arrival) -> bool:
    # A signature whose key could not be looked up may be one that the relay broke.
    return a.origin.role == "relay" and any(result.result in ("fail", "temperror") for result in a.auth.dkim)


def _lack(a: Arrival) -> str:
    signatures = ", ".join(
        f"DKIM {signature.domain or 'unsigned'} {signature.result}" for signature in a.auth.dkim
    )
    return f"SPF {a.auth.spf.result}, {signatures or 'no DKIM signature'}, DMARC {a.auth.dmarc.result}"


def _age(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f} hours"


def spf_drift(auth: AuthResults, policy: Policy) -> bool:
    """SPF passes for a listed sender domain; from an unlisted network that means the list is out of date."""
    domain = auth.spf.domain
    listed = policy.allowlist.is_sender(domain) or policy.allowlist.below_sender(domain)
    return auth.spf.result == "pass" and listed


def voucher(auth: AuthResults, from_domain: str, policy: Policy) -> DkimResult | None:
    """The signature that vouches for From, aligned or by the list's map; None when only SPF does."""
    if auth.aligned_dkim:
        return auth.dkim[auth.aligned_dkim[0]]
    extra = policy.allowlist.dkim_map.get(from_domain, ())
    return next(
        (signature for signature in auth.dkim if signature.result == "pass" and signature.domain in extra),
        None,
    )


def replay_key(auth: AuthResults, from_domain: str, policy: Policy) -> str:
    """Hash of (d=, s=, b=) of the signature that vouches; "" when none does."""
    signature = voucher(auth, from_domain, policy)
    if signature is None or not signature.b:
        return ""
    return hashlib.sha256(f"{signature.domain}\0{signature.selector}\0{signature.b}".encode()).hexdigest()
