"""Which kind of mail a message is."""

import pytest

from tests.support.mails import sorted_mail


@pytest.mark.parametrize(
    ("sender", "subject", "kind", "rule"),
    [
        ("case++aazr5wey3juyyq@support.instagram.com", "Message from alice", "case", "instagram-case"),
        ("CASE++Aazr5@SUPPORT.Instagram.COM", "Nachricht von alice", "case", "instagram-case"),
        ("case++x@support.instagram.com", "Message from chargeback queen", "case", "instagram-case"),
        ("case+x@support.instagram.com", "Message from alice", "unsorted", ""),
        ("case++x@support.instagram.com.evil.example", "Message from alice", "unsorted", ""),
        ("x-case++x@support.instagram.com", "Message from alice", "unsorted", ""),
        (
            "no-reply@shopping.instagram.com",
            "A claim has been opened for order #368508827392800",
            "claim",
            "claim-opened",
        ),
        ("no-reply@shopping.instagram.com", "Your order has shipped", "notice", "order-notice"),
        ("commerce-no-reply@support.facebook.com", "You received an order", "notice", "order-notice"),
        ("noreply@marketplace.facebook.com", "New Marketplace order for a lamp", "notice", "order-notice"),
        ("no-reply@shopping.instagram.com", "Your package was delivered", "notice", "order-notice"),
        ("no-reply@shopping.instagram.com", "A claim was updated for order #368508827392800", "unsorted", ""),
        ("no-reply@shopping.instagram.com", "A dispute about your order was opened", "unsorted", ""),
        ("no-reply@shopping.instagram.com", "Return requested for order 368508827392800", "unsorted", ""),
        ("commerce-no-reply@support.facebook.com", "Action required: your order", "unsorted", ""),
        ("commerce-no-reply@support.facebook.com", "Ein Fall wurde eröffnet", "unsorted", ""),
        ("commerce-no-reply@support.facebook.com", "", "unsorted", ""),
        ("someone@support.facebook.com", "Chargeback for order 64000841784004", "chargeback", "chargeback"),
        ("no-reply@shopping.instagram.com", "CHARGEBACK opened", "chargeback", "chargeback"),
        ("someone@support.facebook.com", "About chargebacks", "unsorted", ""),
        ("mailer-daemon@mx.facebook.com", "Sorry, your message could not be delivered", "bounce", "bounce"),
        ("mailer-daemon@mx.facebook.com", "Something else", "unsorted", ""),
        ("5oguv2ft0e@shopping.instagram.com", "Re: lamp", "case", "relay-address"),
        ("n8miblde3i@marketplace.facebook.com", "Re: lamp", "case", "relay-address"),
        ("7dvra5wfy2@commerce.facebook.com", "Re: lamp", "case", "relay-address"),
        ("postmaster@shopping.instagram.com", "Re: lamp", "unsorted", ""),
        ("5oguv2ft0@shopping.instagram.com", "Re: lamp", "unsorted", ""),
    ],
)
def test_it_sorts(sender, subject, kind, rule):
    found = sorted_mail(sender, subject).match
    assert (found.kind, found.rule) == (kind, rule)
    assert bool(found.why) == bool(rule)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Your ad account was restricted.", "unsorted"),
        ("In order to appeal, reply to this mail.", "unsorted"),
        ("Case number: 12345678901234567", "unsorted"),
        ("Facebook order number: 64000841784004", "case"),
        ("it is about order 64000841784004", "case"),
        ("Where is my order?", "case"),
        ("https://www.facebook.com/shipping_orders/64000841784004/", "case"),
    ],
)
def test_it_takes_facebooks_case_address_only_with_an_order_or_shop_wording(text, kind):
    found = sorted_mail("case++x@support.facebook.com", "Hello", text)
    assert found.match.kind == kind
    assert found.relay_address == "case++x@support.facebook.com"
    if kind == "unsorted":
        assert found.match.near == (("facebook-case", "none of its hints is in the body or the links"),)


def test_it_tells_which_rules_nearly_matched():
    near = sorted_mail("no-reply@shopping.instagram.com", "Claim closed").match.near
    assert ("claim-opened", "the Subject matches none of its patterns") in near
    near = sorted_mail(
        "other@support.instagram.com", "A claim has been opened for order #368508827392800"
    ).match.near
    assert near == (("claim-opened", "From is another address"),)


def test_it_sorts_nothing_without_exactly_one_sender():
    two = "case++x@support.instagram.com, evil@evil.example"
    found = sorted_mail(two, "Chargeback for order 64000841784004")
    assert (found.match.kind, found.relay_address, found.case_token) == ("unsorted", "", "")


def test_it_goes_by_the_address_and_not_by_the_display_name():
    found = sorted_mail('"case++x@support.instagram.com" <evil@evil.example>', "Message from alice")
    assert (found.match.kind, found.relay_address) == ("unsorted", "")
