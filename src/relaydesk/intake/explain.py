"""``explain``: what relaydesk would do with a message, and why. The same pipeline; nothing is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from relaydesk.intake.bounced import read_notification
from relaydesk.intake.gather import gather
from relaydesk.intake.known import read_known
from relaydesk.message import Envelope, header_values, parse_message
from relaydesk.policy import Decision, Known, decide, find_origin

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.bounces import Dsn
    from relaydesk.classify import Rules
    from relaydesk.dns import Resolver
    from relaydesk.message import AuthResults, Message
    from relaydesk.policy import Gathered, Placement, Planned, Policy
    from relaydesk.process_pool import ProcessPool
    from relaydesk.reasons import Reason
    from relaydesk.store import Store

_BARE_LF = re.compile(rb"(?<!\r)\n")


def envelope_of_file(  # noqa: PLR0913 - an envelope has that many facts
    raw: bytes,
    *,
    peer: str,
    helo: str | None,
    mail_from: str | None,
    rcpt: tuple[str, ...],
    policy: Policy,
    now: datetime,
) -> Envelope:
    """The envelope a file would have had on the wire.

    A file saved with bare line feeds is read as CR LF and says so in ``remarks``. A reverse-path that is
    not given is taken from Return-Path, else from From; a HELO that is not given is the peer's literal.
    """
    remarks: tuple[str, ...] = ()
    if _BARE_LF.search(raw):
        raw = _BARE_LF.sub(b"\r\n", raw)
        remarks = ("The file has bare line feeds; it was read as if sent with CR LF.",)
    mail_from = _reverse_path(raw) if mail_from is None else _bare(mail_from)
    rcpt = tuple(_bare(path) for path in rcpt)
    origin = find_origin(peer, "peer", header_values(raw, "Received"), policy.allowlist)
    literal = f"[IPv6:{peer}]" if ":" in peer else f"[{peer}]"
    return Envelope(peer, origin, helo or literal, mail_from, rcpt, raw, now, remarks=remarks)


def _reverse_path(raw: bytes) -> str:
    path = next(iter(header_values(raw, "Return-Path")), None)
    if path is not None:
        return _bare(path)
    senders = parse_message(raw).from_
    return senders[0].addr if senders else ""


def _bare(path: str) -> str:
    """An address as an Envelope has it, without the angle brackets of the wire."""
    return path.strip().removeprefix("<").removesuffix(">")


async def explain(  # noqa: PLR0913 - the message, the means to judge it, and what is known of it
    envelope: Envelope,
    resolver: Resolver,
    policy: Policy,
    rules: Rules,
    flaw: Reason | None,
    *,
    store: Store | None = None,
    pool: ProcessPool | None = None,
) -> tuple[Gathered, Decision]:
    """Parse, authenticate and decide, by the orders and tickets of ``store``; None stands for an empty one.

    ``flaw`` is what row 1 of the policy has against the bytes: the SMTP edge reads them as off the wire.
    ``pool`` reads what is large in a process of its own, within limits; without, it is read in this one.
    """
    gathered = await gather(envelope, resolver, policy, rules, pool=pool)
    if flaw is not None:
        return gathered, Decision("refused", (flaw,), gathered.findings)
    facts = Known()
    if store is not None:
        with store.reading() as session:
            facts = read_known(session, envelope, gathered, policy)
    return gathered, decide(envelope, gathered, facts, policy, envelope.received_at)


def explanation(envelope: Envelope, gathered: Gathered, decision: Decision, reply: str) -> dict[str, Any]:
    """The answer as the command-line contract prints it: absent values are None or empty lists."""
    findings, accepted = gathered.findings, decision.outcome == "accepted"
    return {
        "outcome": decision.outcome,
        "reply": reply,
        "origin": {
            "ip": envelope.origin.ip,
            "role": envelope.origin.role,
            "allowlisted": envelope.origin.allowlisted,
            "how": envelope.origin.how,
        },
        "auth": _auth(gathered.auth),
        "message": _message(gathered.message),
        "kind": decision.kind if accepted else None,
        "queue": decision.queue if accepted else None,
        "placement": _placement(decision.placement),
        "relay_address": findings.relay_address or None,
        "case_token": findings.case_token or None,
        "username": findings.username or None,
        "case_number": findings.case_number or None,
        "contact_reason": findings.contact_reason or None,
        "order_ids": list(findings.values("order")),
        "merchant_refs": list(findings.values("merchant_ref")),
        "candidates": [
            {"value": c.value, "what": c.what, "where": c.where, "label": c.label, "sure": c.sure}
            for c in findings.candidates
        ],
        "bounce": _bounce(gathered.dsn or read_notification(envelope, gathered.message)),
        "attachments": [
            {
                "name": a.name,
                "type": a.sniffed_type or a.declared_type,
                "size": a.size,
                "sha256": a.sha256,
            }
            for a in gathered.message.attachments
        ],
        "rule": {
            "matched": findings.match.rule or None,
            "near": [{"rule": rule, "lacked": lacked} for rule, lacked in findings.match.near],
        },
        "deadlines": [_deadline(clock) for clock in decision.clocks],
        "reasons": [{"code": why.code, "text": why.text} for why in decision.reasons],
    }


def _deadline(clock: Planned) -> dict[str, Any]:
    return {
        "clock": clock.clock,
        "due": clock.due.isoformat(),
        "reading": clock.reading,
        "target": clock.target,
        "explanation": list(clock.explanation),
    }


def _message(message: Message) -> dict[str, Any]:
    sender = message.from_[0] if message.from_ else None
    return {
        "subject": message.subject,
        "from_name": sender.name if sender else None,
        "from_address": sender.addr if sender else None,
        "text": message.own,
        "quoted": message.quoted,
        "defects": list(message.defects),
    }


def _placement(placement: Placement | None) -> dict[str, Any] | None:
    if placement is None:
        return None
    return {
        "action": placement.action,
        "ticket": placement.ticket,
        "reopens": placement.reopen,
        "binds": list(placement.bind_orders),
        "escalates": list(placement.escalates),
        "links": list(placement.links),
    }


def _bounce(dsn: Dsn | None) -> dict[str, Any] | None:
    if dsn is None:
        return None
    return {"about": dsn.about, "hard": dsn.hard, "status": dsn.status or None}


def _auth(auth: AuthResults) -> dict[str, Any]:
    return {
        "spf": {
            "result": auth.spf.result,
            "domain": auth.spf.domain or None,
            "identity": auth.spf.identity or None,
            "reason": auth.spf.reason,
            "record": auth.spf.record or None,
        },
        "dkim": [
            {
                "result": signature.result,
                "domain": signature.domain or None,
                "selector": signature.selector or None,
                "reason": signature.reason,
                "algorithm": signature.algorithm or None,
                "key_bits": signature.key_bits or None,
                "signed_headers": list(signature.signed_headers),
                "record": signature.record or None,
            }
            for signature in auth.dkim
        ],
        "dmarc": {
            "result": auth.dmarc.result,
            "policy": auth.dmarc.policy or None,
            "domain": auth.dmarc.domain or None,
            "aligned_by": list(auth.dmarc.aligned_by),
            "reason": auth.dmarc.reason,
            "record": auth.dmarc.record or None,
        },
    }
