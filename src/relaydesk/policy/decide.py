"""The decision on one message: the policy's rows, and for an accepted message where it goes and until when.

Pure: the same values give the same decision.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.classify import Findings, Match
from relaydesk.message import UNASKED, UNREAD
from relaydesk.policy.checks import ROWS, Arrival, Verdict, refused_unproven, replay_key, voucher
from relaydesk.policy.decision import Decision, Gathered, Known, Unread
from relaydesk.policy.threading import place
from relaydesk.reasons import Reason, reason

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.bounces import Dsn
    from relaydesk.events import Kind
    from relaydesk.message import AuthResults, Envelope, Message
    from relaydesk.policy.decision import KnownTicket, Placement, Planned
    from relaydesk.policy.policy import Policy


def decide(envelope: Envelope, gathered: Gathered, known: Known, policy: Policy, now: datetime) -> Decision:
    """Refuse, defer or accept one message, and say where it goes. ``now`` is aware UTC."""
    arrival = Arrival(envelope, gathered, known, policy, now)
    verdict = _verdict(arrival)
    remarks = _remarks(arrival, verdict)
    if verdict.outcome != "accepted":
        return Decision(verdict.outcome, (verdict.reason, *remarks), gathered.findings)
    return _accepted(arrival, verdict, remarks)


def decide_unproven(
    envelope: Envelope, headed: Message, spf_domain: str, policy: Policy, now: datetime
) -> Decision | None:
    """The refusal that no proof changes, so that none is asked for; None where one may.

    ``spf_domain`` is the one that SPF would be asked of: where it is a listed sender's, SPF may tell that
    the list of networks is out of date.
    """
    unsorted = Findings(Match("unsorted"))
    arrival = Arrival(envelope, Gathered(headed, unsorted, UNASKED), Known(), policy, now)
    verdict = refused_unproven(arrival, spf_domain)
    if verdict is None:
        return None
    return Decision("refused", (verdict.reason, *_remarks(arrival, verdict)), unsorted)


def decide_unread(
    envelope: Envelope, headed: Message, auth: AuthResults, policy: Policy, now: datetime
) -> Unread:
    """What is certain of a message before its content is read: ``headed`` holds its header alone.

    Of the content the rows ask one thing, whether it is a notice of an answer that came back; and of the
    store nothing that would have them refuse the less. So what is refused either way stays refused.
    """
    vouched = False
    kinds: tuple[Kind, ...] = ("unsorted", "bounce")
    for kind in kinds:
        arrival = Arrival(envelope, Gathered(headed, Findings(Match(kind)), auth), Known(), policy, now)
        verdict = _verdict(arrival)
        vouched = vouched or verdict.genuine
        if verdict.outcome != "refused":
            break
    else:
        remarks = _remarks(arrival, verdict)
        return Unread(Decision("refused", (verdict.reason, *remarks), arrival.findings), vouched=False)
    return Unread(None, vouched=vouched)


def _verdict(a: Arrival) -> Verdict:
    """What the first row that matches says."""
    return next(verdict for row in ROWS if (verdict := row(a)) is not None)


def _accepted(a: Arrival, verdict: Verdict, remarks: tuple[Reason, ...]) -> Decision:
    kind, why = _kind(a, verdict)
    sender = a.message.from_[0].addr.lower() if a.message.from_ else ""
    bounced = _bounced(a, verdict) if kind == "bounce" else None
    placement, placed = place(kind, sender, a.findings, a.known, vouched=verdict.genuine, bounced=bounced)
    if placement.action == "bounce":
        placement = replace(placement, answer=a.known.bounced_answer)
        placed = (*placed, *_came_back(a.gathered.dsn))
        if a.known.bounces + 1 == a.policy.max_bounces:
            placed = (*placed, reason("bounces_full", limit=a.policy.max_bounces))
    joined = next((t for t in a.known.tickets if t.id == placement.ticket), None)
    queue = joined.queue if joined is not None else kind
    return Decision(
        "accepted",
        (verdict.reason, *remarks, *why, *_orders(a), *placed),
        a.findings,
        kind=kind,
        queue=queue,
        vouched=verdict.genuine,
        replay_key=replay_key(a.auth, a.from_domain, a.policy) if verdict.genuine else "",
        placement=placement,
        clocks=_clocks(a, kind, queue, placement, joined),
        dsn=a.gathered.dsn if placement.action == "bounce" else None,
    )


def _kind(a: Arrival, verdict: Verdict) -> tuple[Kind, tuple[Reason, ...]]:
    match = a.findings.match
    wanted = (reason("return_request"),) if a.findings.contact_reason == "return_request" else ()
    if verdict.genuine and not match.rule:
        if order := _order_of_relay_address(a):
            return "case", (reason("directory_address", order=order), *wanted)
        return "unsorted", (reason("no_rule"), *wanted)
    if verdict.kind == "bounce" and _bounced(a, verdict) is None:
        return "unsorted", (reason("bounce_unmatched"),)
    if not verdict.genuine:
        return verdict.kind, ()
    return verdict.kind, (reason("rule", rule=match.rule, why=match.why), *wanted)


def _order_of_relay_address(a: Arrival) -> str:
    """The order whose buyer the directory knows by the From address, "" for none: a buyer's own mail is a
    case, whatever it says."""
    address = a.findings.relay_address.lower()
    return next((o.id for o in a.known.orders if address and o.relay_address.lower() == address), "")


def _bounced(a: Arrival, verdict: Verdict) -> int | None:
    """The ticket whose answer bounced: the one that our sealed address or Message-ID names, else the one
    whose relay address a notice of Meta's says could not be reached."""
    if a.known.bounced_ticket is not None or not verdict.genuine:
        return a.known.bounced_ticket
    key = a.findings.failed_recipient.lower()
    return next((t.id for t in a.known.tickets if key and t.thread_key.lower() == key), None)


def _came_back(dsn: Dsn | None) -> tuple[Reason, ...]:
    """What a bounce says of the answer, and what follows from it."""
    if dsn is None:
        return ()
    facts = {"recipient": dsn.final_recipient or "its recipient"}
    facts["detail"] = " ".join(filter(None, (dsn.status, dsn.diagnostic))) or "no status is given"
    if dsn.of_bounce:
        return (reason("bounce_of_bounce"),)
    if dsn.is_auto_reply:
        return (reason("auto_reply"),)
    code = {True: "bounce_hard", False: "bounce_soft", None: "bounce_unclear"}[dsn.hard]
    return (reason(code, **facts),)


def _clocks(
    a: Arrival, kind: Kind, queue: str, placement: Placement, joined: KnownTicket | None
) -> tuple[Planned, ...]:
    if placement.action not in ("open", "join"):
        return ()
    start = a.known.first_seen or a.envelope.received_at
    relay, contact_reason = bool(a.findings.relay_address), a.findings.contact_reason
    # Somebody may have moved the ticket to a queue without a clock: mail that wants an answer has one there.
    planned = a.policy.plan(queue, start, relay=relay, contact_reason=contact_reason) or a.policy.plan(
        kind, start, relay=relay, contact_reason=contact_reason
    )
    running = joined.running if joined is not None else ()
    return tuple(clock for clock in planned if clock.clock not in running)


def _orders(a: Arrival) -> tuple[Reason, ...]:
    exist = {order.id for order in a.known.orders}
    reasons = []
    for candidate in a.findings.candidates:
        if candidate.what != "order":
            continue
        if candidate.sure == "mentioned":
            reasons.append(reason("order_mentioned", order=candidate.value, where=candidate.where))
        else:
            code = "order_confirmed" if candidate.value in exist else "order_not_found"
            reasons.append(reason(code, order=candidate.value, label=candidate.label or candidate.where))
    if not a.findings.candidates and a.findings.match.kind in ("case", "claim", "chargeback"):
        reasons.append(reason("no_order"))
    return tuple(dict.fromkeys(reasons))


def _remarks(a: Arrival, verdict: Verdict) -> tuple[Reason, ...]:
    remarks = [Reason("lf_read_as_crlf", remark) for remark in a.envelope.remarks]
    if UNREAD in a.message.defects:
        remarks.append(reason("content_unread"))
    elif a.message.defects:
        remarks.append(reason("unreadable", detail="; ".join(a.message.defects[:3])))
    if a.findings.foreign_reply_to:
        remarks.append(reason("reply_to_ignored", domain=a.findings.foreign_reply_to))
    if verdict.genuine and (age := _signature_age(a)) is not None and age > a.policy.old_signature:
        remarks.append(reason("old_signature", days=age.days))
    return tuple(remarks)


def _signature_age(a: Arrival) -> timedelta | None:
    """Age by ``t=``, else by a signed Date; great age alone only marks, never refuses."""
    signature = voucher(a.auth, a.from_domain, a.policy)
    if signature is None:
        return None
    if signature.signed_at is not None:
        # By seconds: t= may lie past the last year that a datetime can hold.
        return timedelta(seconds=a.now.timestamp() - signature.signed_at)
    signed = "date" in (name.lower() for name in signature.signed_headers)
    return a.now - a.message.date if signed and a.message.date is not None else None
