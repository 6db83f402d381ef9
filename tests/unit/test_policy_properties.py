"""What holds for the policy whatever arrives: promises, tried on generated mail, evidence and stores.

The oracles here are written from the promises, not from the policy's code.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relaydesk.bounces import Dsn
from relaydesk.classify import Candidate, Findings, Match
from relaydesk.policy import Known, KnownOrder, KnownTicket, admit
from relaydesk.reasons import SENTENCES
from tests.support.evidence import (
    ALICE,
    BELOW,
    BOUNCE,
    DIRECT,
    LISTED,
    MAILBOX,
    MAPPED,
    MAPPED_TO,
    NOON,
    ORDER,
    ORGANIZATION,
    OTHER,
    POLICY,
    RELAYED,
    RELAYED_UNKNOWN,
    RELAYED_UNLISTED,
    SHARED,
    SILENT_PROXY,
    STRANGER,
    Arriving,
    Proof,
    organization,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.policy import Decision, Policy

# --- what may arrive --------------------------------------------------------------------------------
# Pools to draw from, not nested strategies: drawing from a list is what keeps all this in milliseconds.

BOB = "case++bob@support.facebook.com"
OTHER_ORDER = "368509000000002"
DOMAINS = (LISTED, BELOW, MAPPED, ORGANIZATION, MAPPED_TO, OTHER)
RESULTS = ("pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror")
CHECKED: list[Any] = list(product(RESULTS, DOMAINS))
SIGNATURES: list[Any] = [(), *((one,) for one in CHECKED), *product(CHECKED, CHECKED)]
CANDIDATES = [
    Candidate(value, what, where, "Order #", sure)  # type: ignore[arg-type]
    for value, what, where, sure in product(
        (ORDER, OTHER_ORDER), ("order", "merchant_ref"), ("text", "subject"), ("labelled", "mentioned")
    )
]
MATCHES = [Match("unsorted")] + [
    Match(kind, "rule", "it says so")  # type: ignore[arg-type]
    for kind in ("case", "claim", "chargeback", "notice", "bounce")
]
TICKETS = [
    KnownTicket(number, kind, queue, is_open, sender, thread_key, orders, running)  # type: ignore[arg-type]
    for number, kind, queue, is_open, sender, thread_key, orders, running in product(
        (1, 2),
        ("case", "claim"),
        ("case", "unsorted"),
        (True, False),
        (BOB, f"case++alice@{LISTED}"),
        (ALICE, ""),
        ((), (ORDER,), (OTHER_ORDER, ORDER)),
        ((), ("response",), ("handling",), ("response", "evidence")),
    )
]
DIRECTORIES = [
    (),
    (KnownOrder(ORDER),),
    (KnownOrder(OTHER_ORDER, ORDER), KnownOrder(ORDER, "", ALICE)),
]
ORIGINS = (
    *(DIRECT, RELAYED, RELAYED_UNLISTED, RELAYED_UNKNOWN, SHARED, SILENT_PROXY, STRANGER),
    replace(RELAYED_UNKNOWN, shared=True),
)
RCPTS = (
    *(MAILBOX, MAILBOX.upper(), "postmaster@shop.example", BOUNCE),
    *("x@shop.example", "x@other.example", BOUNCE.replace("bounces+7.", "bounces+8.")),
)
NOTICES = (None, Dsn(), Dsn("undelivered"), Dsn("delayed"), Dsn("auto_reply"))
HOURS = st.integers(0, 9).map(lambda hours: timedelta(hours=hours))


def some(*choices: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(choices)


PROOFS = st.builds(Proof, some(*CHECKED), some(*SIGNATURES), some("reject", "quarantine", "none", None, "?"))
FINDINGS = st.builds(
    Findings,
    some(*MATCHES),
    relay_address=some(ALICE, BOB, ""),
    contact_reason=some("", "return_request"),
    candidates=some((), *((one,) for one in CANDIDATES), *product(CANDIDATES, CANDIDATES)),
    failed_recipient=some("", ALICE),
)
KNOWN = st.builds(
    Known,
    first_seen=some(None, NOON - timedelta(hours=1), NOON - timedelta(hours=5)),
    replay_of=some(None, None, 4),
    bounced_ticket=some(None, 7),
    bounces=some(0, 1, 30),
    tickets=some((), *((one,) for one in TICKETS), *zip(TICKETS, TICKETS[::-1], strict=True)),
    orders=some(*DIRECTORIES),
)
SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "mail_from": some("", "somebody@support.facebook.com"),
    "proof": PROOFS,
    "findings": FINDINGS,
    "known": KNOWN,
    "dsn": some(*NOTICES),
    "after": HOURS,
}
ARRIVING = st.builds(
    Arriving,
    origin=some(*ORIGINS),
    rcpt_to=some((), *((one,) for one in RCPTS), *product(RCPTS, RCPTS)),
    from_domains=some((), *((one,) for one in DOMAINS * 2), (LISTED, OTHER), (LISTED, LISTED)),
    duplicated=some((), (), ("subject",)),
    received=some(0, 3, 3, 4),
    **SHAPES,
)
#: Mail of a listed sender in good shape, for us, from a peer that may hand it in: proof decides.
WELL_FORMED = st.builds(
    Arriving,
    origin=some(DIRECT, RELAYED, RELAYED_UNKNOWN, SHARED),
    from_domains=some((LISTED,), (MAPPED,)),
    **SHAPES,
)
#: And what proves it.
PROVEN = st.builds(
    Arriving,
    origin=some(DIRECT, RELAYED, RELAYED_UNKNOWN, SHARED),
    from_domains=some((LISTED,)),
    **SHAPES
    | {
        "proof": st.builds(
            lambda proof, first, signed: replace(
                proof, dkim=(*proof.dkim[:first], ("pass", signed), *proof.dkim[first:])
            ),
            PROOFS,
            some(0, 1, 2),
            some(LISTED),
        )
    },
)
BOUNCING = st.builds(
    Arriving,
    origin=some(DIRECT, RELAYED, STRANGER),
    rcpt_to=some((BOUNCE,), (BOUNCE, BOUNCE), (MAILBOX,)),
    from_domains=some((), (LISTED,), (OTHER,)),
    **SHAPES,
)
#: Mail whose proof hangs on a look-up that fails for now.
UNSETTLED = st.builds(
    Arriving,
    origin=some(DIRECT, RELAYED),
    **SHAPES
    | {
        "proof": some(
            Proof(("temperror", LISTED), ()),
            Proof(("fail", OTHER), (("temperror", ORGANIZATION),)),
            Proof(("temperror", LISTED), (("temperror", LISTED), ("fail", LISTED))),
            Proof(("fail", OTHER), (), "?"),
        ),
        "known": some(Known(), Known(first_seen=NOON - timedelta(hours=5))),
    },
)
ANYTHING = ARRIVING | WELL_FORMED | PROVEN | BOUNCING
POLICIES = st.sampled_from(
    [
        replace(POLICY, on_drift=on_drift, unlisted_sender=unlisted, outage_after=timedelta(hours=hours))  # type: ignore[arg-type]
        for on_drift, unlisted, hours in product(("refuse", "defer"), ("unsorted", "refuse"), (0, 4))
    ]
)
thorough = settings(max_examples=200, deadline=None)


# --- oracles ----------------------------------------------------------------------------------------


def proven(arriving: Arriving) -> bool:
    """From is one listed address and an aligned pass vouches for it."""
    if len(arriving.from_domains) != 1 or arriving.from_domain not in (LISTED, MAPPED):
        return False
    mine = organization(arriving.from_domain)
    for result, domain in arriving.proof.dkim:
        mapped = (arriving.from_domain, domain) == (MAPPED, MAPPED_TO)
        if result == "pass" and (mapped or is_aligned(arriving, domain, mine)):
            return True
    result, domain = arriving.proof.spf
    counts = arriving.origin.known and not arriving.origin.shared
    return counts and result == "pass" and is_aligned(arriving, domain, mine)


def is_aligned(arriving: Arriving, domain: str, mine: str) -> bool:
    """Relaxed alignment. Where organizations come from records that are not to be had, only the same name."""
    if arriving.proof.policy in ("?", None):
        return domain == arriving.from_domain
    return organization(domain) == mine


def is_ours(rcpt: str) -> bool:
    return rcpt.lower() in (MAILBOX, "postmaster@shop.example", BOUNCE)


def settled(proof: Proof) -> Iterator[Proof]:
    """Everything that the look-ups that failed for now may have said."""
    spf, *dkim = (
        ["pass", "fail"] if result == "temperror" else [result] for result, _ in (proof.spf, *proof.dkim)
    )
    policies = ["reject", "none", None] if proof.policy == "?" else [proof.policy]
    for results in product(spf, policies, *dkim):
        signatures = zip(results[2:], proof.dkim, strict=True)
        yield Proof(
            (results[0], proof.spf[1]),  # type: ignore[arg-type]
            tuple((result, domain) for result, (_, domain) in signatures),  # type: ignore[misc]
            results[1],
        )


def action(decision: Decision) -> str:
    return decision.placement.action if decision.placement is not None else ""


# --- what is certain before anything is read --------------------------------------------------------


@settings(max_examples=1000, deadline=None)
@given(ANYTHING, POLICIES)
def test_what_is_refused_unread_is_refused_whatever_it_says_and_the_store_holds(
    arriving: Arriving, policy: Policy
) -> None:
    """``arriving`` brings content, which may be a notice, and what the store knows: none changes a word."""
    refusal = arriving.unread(policy).refusal
    decision = arriving.decide(policy)
    if refusal is not None:
        assert (decision.outcome, decision.code) == ("refused", refusal.code)
        assert decision.reasons[0] == refusal.reasons[0]


@thorough
@given(ANYTHING, POLICIES)
def test_what_is_refused_unproven_is_refused_whatever_dns_says(arriving: Arriving, policy: Policy) -> None:
    """``arriving`` brings proofs of all sorts, and what the store knows: none changes a word."""
    refusal, decision = arriving.unproven(policy), arriving.decide(policy)
    if refusal is not None:
        assert (decision.outcome, decision.reasons[0]) == ("refused", refusal.reasons[0])


@thorough
@given(ANYTHING, POLICIES)
def test_a_stranger_from_no_listed_origin_needs_no_proof(arriving: Arriving, policy: Policy) -> None:
    """Only a bounce address and a listed sender's SPF have name servers asked."""
    origin, senders, domain = arriving.origin, policy.allowlist, arriving.proof.spf[1]
    listed = senders.is_sender(domain) or senders.below_sender(domain)
    bounce = BOUNCE in map(str.lower, arriving.rcpt_to)
    if origin.known and not origin.allowlisted and not listed and not bounce:
        assert arriving.unproven(policy) is not None


@thorough
@given(ANYTHING, POLICIES)
def test_nearly_all_refusals_need_no_content(arriving: Arriving, policy: Policy) -> None:
    """Only what is addressed to our bounce addresses may have to be read first."""
    if arriving.decide(policy).outcome == "refused" and BOUNCE not in map(str.lower, arriving.rcpt_to):
        assert arriving.unread(policy).refusal is not None


@thorough
@given(ANYTHING, POLICIES)
def test_what_counts_as_proven_unread_is_proven(arriving: Arriving, policy: Policy) -> None:
    """It is taken for no stranger's; and no genuine mail is taken for one."""
    vouched = arriving.unread(policy).vouched
    assert not vouched or proven(arriving)
    assert vouched or not arriving.decide(policy).vouched


# --- what is genuine --------------------------------------------------------------------------------


@thorough
@given(ANYTHING, POLICIES)
def test_only_proven_mail_counts_as_genuine(arriving: Arriving, policy: Policy) -> None:
    decision = arriving.decide(policy)
    assert not decision.vouched or proven(arriving)
    assert decision.vouched or not decision.replay_key


@thorough
@given(PROVEN | WELL_FORMED, POLICIES)
def test_proven_mail_for_us_is_never_refused_or_put_off(arriving: Arriving, policy: Policy) -> None:
    if proven(arriving):
        assert arriving.decide(policy).outcome == "accepted"


@thorough
@given(ANYTHING, POLICIES)
def test_unproven_mail_never_joins_a_ticket(arriving: Arriving, policy: Policy) -> None:
    """Nor is it taken for a copy, bound to an order, or linked to what another buyer wrote."""
    decision = arriving.decide(policy)
    if decision.placement is None or proven(arriving):
        return
    assert action(decision) in ("open", "bounce")
    if action(decision) == "bounce":  # under our seal
        assert decision.placement.ticket == arriving.known.bounced_ticket
        assert set(arriving.rcpt_to) == {BOUNCE}
    placement = decision.placement
    assert not (placement.thread_key or placement.bind_orders or placement.escalates or placement.links)


@thorough
@given(PROVEN)
def test_no_words_pull_a_mail_into_another_buyers_ticket(arriving: Arriving) -> None:
    decision = arriving.decide()
    if decision.placement is None or action(decision) != "join":
        return
    ticket, *_ = (known for known in arriving.known.tickets if known.id == decision.placement.ticket)
    if arriving.findings.relay_address:
        assert ticket.thread_key == arriving.findings.relay_address
    else:
        labelled = set(arriving.findings.values("order", sure="labelled"))
        by_ref = {
            order.id
            for order in arriving.known.orders
            if order.merchant_ref in arriving.findings.values("merchant_ref", sure="labelled")
        }
        assert ticket.sender == f"case++alice@{arriving.from_domain}"
        assert set(ticket.orders) & (labelled | by_ref)


# --- refusals ---------------------------------------------------------------------------------------


@thorough
@given(ANYTHING | UNSETTLED, POLICIES)
def test_a_temporary_failure_never_refuses(arriving: Arriving, policy: Policy) -> None:
    """Refused mail would have been refused whatever the look-ups had said that failed."""
    decision = arriving.decide(policy)
    if decision.outcome != "refused":
        return
    for proof in settled(arriving.proof):
        assert replace(arriving, proof=proof).decide(policy).outcome != "accepted"


def test_a_failure_of_spf_that_does_not_count_refuses_nothing() -> None:
    failed, passed = (
        Arriving(SHARED, proof=Proof((result, LISTED), ())).decide()  # type: ignore[arg-type]
        for result in ("temperror", "pass")
    )
    assert passed.outcome == "accepted"
    assert failed.outcome != "refused"


def test_a_signature_that_could_not_be_looked_up_refuses_no_more_than_a_broken_one() -> None:
    failed, broken = (
        Arriving(RELAYED, proof=Proof(("fail", OTHER), ((result, OTHER),))).decide()  # type: ignore[arg-type]
        for result in ("temperror", "fail")
    )
    assert broken.outcome == "accepted"
    assert failed.outcome != "refused"


def test_a_buyers_mail_to_our_bounce_address_waits_for_the_name_server() -> None:
    arriving = Arriving(rcpt_to=(BOUNCE,), known=Known(bounced_ticket=7))
    assert arriving.decide().kind == "case"
    assert replace(arriving, proof=Proof(("fail", OTHER), (("temperror", LISTED),))).decide().kind != "bounce"


@thorough
@given(ANYTHING, POLICIES)
def test_what_is_put_off_is_unsettled_and_only_for_so_long(arriving: Arriving, policy: Policy) -> None:
    decision = arriving.decide(policy)
    if decision.outcome != "deferred":
        return
    if decision.code == "drift":
        assert policy.on_drift == "defer"
        assert not arriving.origin.allowlisted
    else:
        results = [arriving.proof.spf[0], *(result for result, _ in arriving.proof.dkim)]
        assert "temperror" in results or arriving.proof.policy == "?"
        later = replace(arriving, after=policy.outage_after)
        assert later.decide(policy).outcome == "accepted"


@thorough
@given(ANYTHING, POLICIES)
def test_refused_mail_came_from_no_listed_network_or_is_disproven(arriving: Arriving, policy: Policy) -> None:
    """Or it is malformed, or not for us."""
    decision = arriving.decide(policy)
    if decision.outcome != "refused":
        return
    malformed = len(arriving.from_domains) != 1 or bool(arriving.duplicated) or arriving.received > 3
    not_for_us = not arriving.rcpt_to or not all(map(is_ours, arriving.rcpt_to))
    capped = decision.code == "bounce_capped" and BOUNCE in arriving.rcpt_to
    assert malformed or not_for_us or capped or not arriving.origin.allowlisted or not proven(arriving)
    if decision.code in ("no_role", "origin_not_listed", "proxy_without_header", "drift"):
        assert not arriving.origin.allowlisted
    if decision.code == "forged":
        assert arriving.proof.policy == "reject"
        assert arriving.origin.known
    if decision.code == "not_listed_sender":
        assert policy.unlisted_sender == "refuse"
        assert arriving.from_domain not in (LISTED, MAPPED)


@thorough
@given(ANYTHING, POLICIES)
def test_mail_for_none_of_our_mailboxes_is_never_accepted(arriving: Arriving, policy: Policy) -> None:
    if not arriving.rcpt_to or not all(map(is_ours, arriving.rcpt_to)):
        assert arriving.decide(policy).outcome != "accepted"


@thorough
@given(ANYTHING, POLICIES)
def test_a_recipient_refused_at_rcpt_is_refused_after_data(arriving: Arriving, policy: Policy) -> None:
    refusals = [
        admission.outcome
        for rcpt in arriving.rcpt_to
        if (admission := admit(arriving.origin, arriving.mail_from, rcpt, policy)).outcome != "accepted"
    ]
    if refusals:
        assert arriving.decide(policy).outcome != "accepted"


# --- what an accepted message does ------------------------------------------------------------------


@thorough
@given(ANYTHING, POLICIES)
def test_every_decision_has_a_reason_and_a_sentence(arriving: Arriving, policy: Policy) -> None:
    decision = arriving.decide(policy)
    assert decision.reasons
    for reason in decision.reasons:
        assert reason.code in SENTENCES
        assert reason.text
        assert "{" not in reason.text
    assert (decision.outcome == "accepted") == (decision.placement is not None)
    assert decision.outcome == "accepted" or not decision.clocks


@thorough
@given(BOUNCING, POLICIES)
def test_bounces_open_nothing(arriving: Arriving, policy: Policy) -> None:
    decision = arriving.decide(policy)
    if decision.kind == "bounce":
        assert action(decision) in ("bounce", "duplicate")
        assert decision.clocks == ()


@thorough
@given(ANYTHING, POLICIES, st.integers(0, 100), HOURS)
def test_a_resend_changes_nothing_and_is_acknowledged(
    arriving: Arriving, policy: Policy, bounces: int, later: timedelta
) -> None:
    """Whatever was stored meanwhile, and also where the look-ups fail by now."""
    decision = arriving.decide(policy)
    if decision.outcome != "accepted":
        return
    stored = replace(arriving.known, stored=True, stored_ticket=3, bounces=arriving.known.bounces + bounces)
    for proof in (arriving.proof, unsettled(arriving.proof)):
        resent = replace(arriving, known=stored, after=arriving.after + later, proof=proof)
        again = resent.decide(policy)
        assert again.outcome == "accepted"
        assert again.placement is not None
        assert (action(again), again.placement.ticket, again.clocks) == ("stored", 3, ())


def unsettled(proof: Proof) -> Proof:
    """The same mail while the name server is away."""
    return Proof(
        ("temperror", proof.spf[1]), tuple(("temperror", domain) for _, domain in proof.dkim), proof.policy
    )


@thorough
@given(ANYTHING, POLICIES)
def test_what_wants_an_answer_has_a_clock(arriving: Arriving, policy: Policy) -> None:
    decision = arriving.decide(policy)
    if decision.placement is None or action(decision) not in ("open", "join"):
        return
    running: set[str] = {planned.clock for planned in decision.clocks}
    for ticket in arriving.known.tickets:
        if ticket.id == decision.placement.ticket:
            running |= set(ticket.running)
            assert decision.queue == ticket.queue
    if decision.queue in ("case", "claim", "chargeback", "unsorted"):
        assert running & {"response", "handling"}
    if decision.queue == "chargeback":
        assert "evidence" in running
    first = arriving.known.first_seen or NOON
    assert all(planned.start == first < planned.due for planned in decision.clocks)


@thorough
@given(ANYTHING)
def test_what_was_not_proven_waits_for_a_person(arriving: Arriving) -> None:
    """In the queue where everything is looked at; a bounce lies with its answer."""
    decision = arriving.decide()
    if decision.outcome != "accepted" or decision.vouched:
        return
    assert decision.kind in ("unsorted", "bounce")
    assert decision.kind == "bounce" or (action(decision), decision.queue) == ("open", "unsorted")
