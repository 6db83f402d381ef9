"""Threads: relay address first, then order within one sender; nothing typed pulls a mail elsewhere."""

from __future__ import annotations

from relaydesk.classify.findings import Candidate, Findings, Match
from relaydesk.policy.decision import Known, KnownOrder, KnownTicket
from relaydesk.policy.threading import owned_orders, place

ALICE = "case++alice00000000@support.instagram.com"
NO_REPLY = "no-reply@shopping.instagram.com"
ORDER = "64000841784004"


def labelled(value: str = ORDER) -> Candidate:
    return Candidate(value, "order", "text", "Facebook order number", "labelled")


def mentioned(value: str = ORDER) -> Candidate:
    return Candidate(value, "order", "text", "", "mentioned")


def case(*numbers: Candidate, relay: str = ALICE) -> Findings:
    return Findings(Match("case", "instagram-case"), relay_address=relay, candidates=numbers)


def claim(*numbers: Candidate) -> Findings:
    return Findings(Match("claim", "claim-opened"), candidates=numbers)


def ticket(
    number: int, kind: str = "case", *, is_open: bool = True, sender: str = ALICE, **more: object
) -> KnownTicket:
    return KnownTicket(number, kind, kind, is_open, sender, **more)  # type: ignore[arg-type]


def test_it_opens_a_ticket_bound_to_the_relay_address() -> None:
    placement, why = place("case", ALICE, case(labelled()), Known(orders=(KnownOrder(ORDER),)), vouched=True)
    assert (placement.action, placement.thread_key, placement.bind_orders) == ("open", ALICE, (ORDER,))
    assert [reason.code for reason in why] == ["opens"]


def test_it_joins_the_open_ticket_of_the_relay_address_before_a_closed_one() -> None:
    known = Known(tickets=(ticket(9, is_open=False, thread_key=ALICE), ticket(3, thread_key=ALICE)))
    placement, _ = place("case", ALICE, case(relay=ALICE.upper()), known, vouched=True)
    assert (placement.action, placement.ticket, placement.reopen) == ("join", 3, False)


def test_it_reopens_a_closed_ticket() -> None:
    known = Known(tickets=(ticket(9, is_open=False, thread_key=ALICE),))
    placement, why = place("case", ALICE, case(), known, vouched=True)
    assert (placement.ticket, placement.reopen) == (9, True)
    assert [reason.code for reason in why] == ["joins_relay_address", "reopens"]


def test_it_never_joins_an_unproven_message() -> None:
    known = Known(tickets=(ticket(3, thread_key=ALICE, orders=(ORDER,)),), replay_of=3)
    placement, _ = place("unsorted", ALICE, case(labelled()), known, vouched=False)
    assert (placement.action, placement.thread_key, placement.bind_orders) == ("open", "", ())


def test_it_never_joins_another_customers_case_by_order_number() -> None:
    bob = ticket(
        5,
        sender="case++bob@support.instagram.com",
        thread_key="case++bob@support.instagram.com",
        orders=(ORDER,),
    )
    placement, _ = place("case", ALICE, case(labelled()), Known(tickets=(bob,)), vouched=True)
    assert (placement.action, placement.links, placement.escalates) == ("open", (5,), ())


def test_it_escalates_the_open_case_of_a_claims_order() -> None:
    known = Known(tickets=(ticket(3, thread_key=ALICE, orders=(ORDER,)),))
    placement, why = place("claim", NO_REPLY, claim(labelled()), known, vouched=True)
    assert (placement.action, placement.escalates, placement.links) == ("open", (3,), ())
    assert "escalates" in [reason.code for reason in why]


def test_it_does_not_escalate_a_closed_case_or_for_a_number_only_mentioned() -> None:
    closed = Known(tickets=(ticket(3, is_open=False, orders=(ORDER,)),))
    assert place("claim", NO_REPLY, claim(labelled()), closed, vouched=True)[0].escalates == ()
    open_case = Known(tickets=(ticket(3, orders=(ORDER,)),))
    assert place("claim", NO_REPLY, claim(mentioned()), open_case, vouched=True)[0].escalates == ()


def test_it_joins_claim_mails_of_one_order_and_keeps_kinds_apart() -> None:
    known = Known(tickets=(ticket(4, "claim", sender=NO_REPLY, orders=(ORDER,)),))
    assert place("claim", NO_REPLY, claim(labelled()), known, vouched=True)[0].ticket == 4
    other, _ = place("chargeback", NO_REPLY, claim(labelled()), known, vouched=True)
    assert (other.action, other.links) == ("open", (4,))
    assert place("claim", NO_REPLY, claim(labelled("999")), known, vouched=True)[0].action == "open"


def test_it_notes_a_replay_and_acknowledges_a_resend() -> None:
    assert place("case", ALICE, case(), Known(replay_of=8), vouched=True)[0].action == "duplicate"
    placement, _ = place("case", ALICE, case(), Known(stored=True, stored_ticket=8), vouched=True)
    assert (placement.action, placement.ticket) == ("stored", 8)


def test_it_binds_only_orders_that_exist_and_are_this_buyers() -> None:
    numbers = case(mentioned("111"), labelled("222"))
    assert owned_orders(numbers, (KnownOrder("111"), KnownOrder("222"))) == ("222",)
    by_relay = KnownOrder("333", relay_address=ALICE.upper())
    by_ref = KnownOrder("444", merchant_ref="A-1")
    ref = Candidate("A-1", "merchant_ref", "text", "Merchant order number", "labelled")
    assert owned_orders(case(ref), (by_relay, by_ref)) == ("333", "444")
    typed = Candidate("A-1", "merchant_ref", "text", "", "mentioned")
    assert owned_orders(case(typed), (by_ref,)) == ()


def test_it_notes_a_bounce_on_its_ticket_and_a_repeated_one_as_a_duplicate() -> None:
    notice = Findings(Match("bounce", "bounce"), failed_recipient=ALICE)
    placement, _ = place("bounce", "mailer-daemon@mx.facebook.com", notice, Known(), vouched=True, bounced=6)
    assert (placement.action, placement.ticket) == ("bounce", 6)
    again, _ = place("bounce", "", notice, Known(replay_of=6), vouched=True, bounced=6)
    assert again.action == "duplicate"
