"""Which kind of mail a message is."""

import pytest

from tests.support.mails import sorted_mail


@pytest.mark.parametrize(
    ("sender", "subject", "kind", "rule"),
    [
        ("case++aazr5wey3juyyq@support.instagram.com", "Message from alice", "case", "instagram-case"),
        ("CASE++Aazr5@SUPPORT.Instagram.COM", "Nachricht von alice", "case", "instagram-case"),
        ("case++x@support.instagram.com", "Message from chargeback queen", "case", "instagram-case"),
        ("case+x@support.instagram.com", "Message from alice", "case", "relay-address"),
        ("case++x@support.instagram.com.evil.example", "Message from alice", "unsorted", ""),
        ("x-case++x@support.instagram.com", "Message from alice", "case", "relay-address"),
        ("case++x@commerce.facebook.com", "Message from alice", "case", "relay-address"),
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
        ("someone@support.facebook.com", "About chargebacks", "case", "relay-address"),
        ("mailer-daemon@mx.facebook.com", "Sorry, your message could not be delivered", "bounce", "bounce"),
        ("mailer-daemon@mx.facebook.com", "Something else", "unsorted", ""),
        ("5oguv2ft0e@shopping.instagram.com", "Re: lamp", "case", "relay-address"),
        ("n8miblde3i@marketplace.facebook.com", "Re: lamp", "case", "relay-address"),
        ("7dvra5wfy2@commerce.facebook.com", "Re: lamp", "case", "relay-address"),
        ("postmaster@shopping.instagram.com", "Re: lamp", "unsorted", ""),
        ("5oguv2ft0@shopping.instagram.com", "Re: lamp", "case", "relay-address"),
        ("5oguv2ft0@elsewhere.instagram.com", "Re: lamp", "unsorted", ""),
        ("shop-updates@marketplace.facebook.com", "Your order has shipped", "notice", "order-notice"),
        ("shop-updates@elsewhere.facebook.com", "Your order has shipped", "unsorted", ""),
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


NO_REPLY = "Instagram <no-reply@shopping.instagram.com>"


@pytest.mark.parametrize(
    "subject",
    [
        "We need more information about order #368508827392800",
        "Problem with your order",
        # A good word, and a clause that takes it back or asks for something.
        "Was your order delivered on time?",
        "Please confirm your order has been delivered",
        "Buyer says the order was delivered empty",
        "Your order was delivered, but the buyer disagrees",
        "Add tracking: your order has shipped",
        "Order confirmed - ship within 3 days",
        "Your payout has been sent back",
        "Your payout has been sent to review",
        "Case closed: your order was refunded",
        "Customer message: your order has shipped",
        "Low rating: your order was delivered",
        "Order delivered to sender",
        "Upload proof that the order has shipped",
        "Customs duties to pay: your order is on its way",
        "Your order is on its way back",
        "Address change: your order has shipped",
        "Ihre Bestellung wurde zugestellt, aber der Käufer widerspricht",
        "La commande a été livrée mais l'acheteur conteste",
        "¿Se ha entregado tu pedido?",
        "Confirma que el pedido ha sido enviado",
        "O pedido foi entregue, mas o comprador contestou",
        "Conferma che l'ordine è stato spedito",
        "De bestelling is bezorgd maar de koper klaagt",
        "Bekräfta att beställningen har skickats",
        "Bekræft at ordren er sendt",
        "Bekreft at bestillingen er sendt",
        "Vahvista, että tilaus on lähetetty",
        "Czy zamówienie zostało dostarczone",
        "Potvrďte, že objednávka byla odeslána",
        "Siparişiniz teslim edildi mi?",
        "ご注文は発送されましたか",
        "商品は配達されましたが購入者から連絡がありました",
        "주문이 배송되었지만 구매자가 문의했습니다",
        "请确认订单已发货",
        "您的訂單已送達嗎",
        "Is order 368508827392800 shipped?",
        "Order 368508827392800 shipped to the wrong address",
        "Order 368508827392800 to be shipped by Friday",
        "Order 368508827392800 shipped?",
        "A buyer reported an issue",
        "Your payout is on hold",
        "Refund request for order 368508827392800",
        "Your order #368508827392800 was not delivered",
        "A decision was made on the claim",
        "Your appeal",
        "Your account has been restricted",
        "Buyer has opened a dispute",
        "Your buyer reported a problem with order #368508827392800",
        "A case has been opened for order #368508827392800",
        "The buyer wants to return order #368508827392800",
        "Er is een geschil geopend voor order #368508827392800",
        "Order #368508827392800: delivery failed",
        "Payment failed for your order",
        "Your payout was returned by your bank",
        "Refund requested",
        "The buyer says the package was delivered but never received",
        "Your shipped order was returned to sender",
        "Delivery attempted",
        "Reminder: ship your order",
        "Please confirm shipment",
        "Order #368508827392800 is late",
        "You received negative feedback",
        "A buyer left a question about your order",
        "Your payment was reversed",
        "Cancel request for order 368508827392800",
        "Order cancelled by buyer",
        "Action needed: your order was delivered late",
        "Respond to your buyer",
        "Your listing was removed",
        "Case update",
        "Update on your order",
        "Your order",
        "New message about order",
        "Payout failed",
        "Bank reversal",
        "Buyer protection case",
        "Order #368508827392800 - item not as described",
        "Your refund could not be processed",
        "Delivery delayed",
        "Package lost in transit",
        "Verify your identity to receive your payout",
        "Purchase protection: claim opened",
        "Evidence requested",
        "Dispute won",
        "Return shipped: order 368508827392800",
        "Return delivered",
        "Deine Bestellung wurde nicht zugestellt",
        "Problem mit deiner Bestellung",
        "Votre commande n'a pas été livrée",
        "Un litige a été ouvert",
        "Se ha abierto una disputa",
        "Uma disputa foi aberta",
        "Un problema con il tuo ordine",
        "Din ordre er ikke leveret",
        "Beställningen har inte levererats",
        "Tilaustasi ei ole toimitettu",
        "Spór dotyczący zamówienia",
        "Siparişiniz teslim edilemedi",
        "注文に問題があります",
        "주문이 배송되지 않았습니다",
        "您的订单未送达",
        "您的訂單有爭議",
        "Заказ не доставлен",
        "Заказ доставлен",
    ],
)
def test_it_takes_nothing_for_a_notice_that_may_want_an_answer(subject):
    found = sorted_mail(NO_REPLY, subject, "See Commerce Manager.")
    assert (found.match.kind, found.relay_address) == ("unsorted", "")


@pytest.mark.parametrize(
    "subject",
    [
        "Your order has shipped",
        "Your package was delivered",
        "You received an order",
        "New Marketplace order for a lamp",
        "Shipping label for your Marketplace order",
        "Out for delivery: your order",
        "Order #368508827392800 is on its way",
        "Your order is arriving today",
        "Refund issued for order 368508827392800",
        "Your refund has been processed",
        "Your payout has been sent",
        "You've been paid",
        "Order confirmation",
        "Thanks for your order!",
        "Your receipt from Shop",
        "Payment received for order 368508827392800",
        "Delivered: your order",
        "Shipped: Blue mug",
        "Order #368508827392800 shipped",
        "Your order no. 368508827392800 delivered!",
        "You've been refunded for order #368508827392800",
        "You received a payout",
        "Votre remboursement a été effectué",
        "You sold Blue mug",
        "Order placed",
        "Your order was refunded",
        "Your items have been shipped",
        "Deine Bestellung wurde versandt",
        "Votre commande a été expédiée",
        "Tu pedido se ha enviado",
        "Seu pedido foi entregue",
        "Il tuo ordine è stato spedito",
        "Je bestelling is onderweg",
        "Din beställning har skickats",
        "Din ordre er afsendt",
        "Bestillingen din er sendt",
        "Tilauksesi on lähetetty",
        "Twoje zamówienie zostało wysłane",
        "Vaše objednávka byla odeslána",
        "Siparişiniz kargoya verildi",
        "ご注文の商品が発送されました",
        "주문하신 상품이 발송되었습니다",
        "您的订单已发货",
        "您的訂單已出貨",
        "ＹＯＵＲ\u3000ＯＲＤＥＲ\u3000ＨＡＳ\u3000ＳＨＩＰＰＥＤ",
        "Your order has shipped",
        "Your payout of $59.80 was sent",
        "Shipped: Men's running shoes",
        "Shipped: Phone case",
        "Order confirmed: Mark Twain poster",
        "Ma commande a été expédiée",
        "Mi pedido ha sido enviado",
        "Votre paiement a été envoyé",
        "Deine Rückerstattung wurde ausgestellt",
        "Tu reembolso ha sido procesado",
        "Terugbetaling voltooid",
        "您的包裹正在派送",
    ],
)
def test_it_takes_for_a_notice_what_says_that_nothing_is_wanted(subject):
    assert sorted_mail(NO_REPLY, subject, "See Commerce Manager.").match.rule == "order-notice"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please respond within 2 business days.", "unsorted"),
        ("Bitte antworten Sie innerhalb von zwei Tagen.", "unsorted"),
        ("Veuillez répondre avant vendredi.", "unsorted"),
        ("Action required: confirm the address.", "unsorted"),
        ("> Please respond within 2 business days.", "notice"),
        ("The buyer says that the item is broken.", "unsorted"),
        ("You have 2 days to respond.", "unsorted"),
        ("If you do not respond, we will refund the buyer.", "unsorted"),
        ("Please provide the tracking number.", "unsorted"),
        ("Please do not reply to this email.", "notice"),
        ("Please do not respond to this email.", "notice"),
        ("If there is a problem with your order, contact us.", "notice"),
    ],
)
def test_it_reads_in_the_text_whether_a_notice_asks_for_something(text, kind):
    assert sorted_mail(NO_REPLY, "Your order has shipped", text).match.kind == kind


ROLES = """
no-reply noreply no_reply no.reply NoReply No-Reply donotreply do-not-reply do_not_reply noreply2
no-reply-de notification notifications notify notification+abc123 noreply+kr4xwmge business-updates
updates news newsletter info support help security mailer-daemon postmaster bounce bounces
bounces+1234-abcd commerce-no-reply advertise-noreply ads-noreply account-security-noreply
commerce_updates commerceupdates order-updates shopsupport support-emea facebook-security
instagram-updates meta-business page-notifications groupupdates ads.updates shop.no-reply marketing
billing payments privacy legal service services team hello contact feedback survey alerts admin
account accounts orders shop abuse root webmaster seller-support marketplace-notifications payouts
disputes chargebacks claims case xyz-no-reply noreply123 reply replies user tips tax-documents checkout
"""
RELAYS = """
5oguv2ft0e n8miblde3ixy 7dvra5wfy2 a1 abcdefghij kqwzrtplmn aB3dE5gH case++aazr5wey3juyyq case++x
a.b.c1d2 x7f.9q2 buyer-7dvra5wfy2 alice.smith 1234567890 12345678901234567890 order-7dvra5wfy2
support7f3k9x2q reply+7dvra5wfy2 q_1_z-9 shop+7dvra5wfy2 abcdefghijklmnopqrstuvwxyz0123 newsxy123 infox9
"""


@pytest.mark.parametrize("local", ROLES.split())
def test_it_never_takes_a_role_name_for_a_buyer(local):
    found = sorted_mail(f"Meta <{local}@support.instagram.com>", "Hello")
    assert (found.match.kind, found.relay_address) == ("unsorted", "")


@pytest.mark.parametrize("local", RELAYS.split())
def test_it_takes_every_other_name_for_a_buyers_relay_address(local):
    address = f"{local}@marketplace.facebook.com"
    found = sorted_mail(f"Alice <{address}>", "Question about my lamp", "Hi, is it coming?")
    assert (found.match.kind, found.match.rule, found.relay_address) == ("case", "relay-address", address)


def test_it_answers_only_to_a_plain_address():
    assert sorted_mail('"a b"@shopping.instagram.com', "Hello").relay_address == ""
