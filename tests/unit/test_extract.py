"""What a message says about its order and its buyer."""

import time
import unicodedata
from urllib.parse import quote

import pytest

from relaydesk.classify.classifier import classify
from relaydesk.message.parse import parse_message
from tests.support.mails import DOMAINS, RULES, sorted_mail

CASE = "Instagram Support <case++Aazr5wey3juyyq@support.instagram.com>"
ORDER = "64000841784004"
OTHER = "368508827392800"


WRAPPED = quote(f"https://www.facebook.com/shipping_orders/{ORDER}/?listing_id={OTHER}", "")


def nested(times: int) -> str:
    """A link in so many wrappers."""
    link = f"https://www.facebook.com/shipping_orders/{ORDER}/"
    for _ in range(times):
        link = f"https://l.facebook.com/l.php?u={quote(link, '')}"
    return link


def found_in(text: str, subject: str = "Message from alice"):
    return sorted_mail(CASE, subject, text)


def labelled(text: str) -> list[tuple[str, str]]:
    return [(number.what, number.value) for number in found_in(text).candidates if number.sure == "labelled"]


def html(body: str, text: str | None = None):
    part = f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n" if text is not None else ""
    raw = (
        f"From: {CASE}\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n{part}"
        f"--b\r\nContent-Type: text/html\r\n\r\n{body}\r\n--b--\r\n"
    )
    return classify(parse_message(raw.encode()), RULES, DOMAINS)


def test_it_reads_who_writes():
    found = sorted_mail(CASE, "Message from  Älice B.", "Case number: 12345678901234567")
    assert found.case_token == "Aazr5wey3juyyq"
    assert found.relay_address == "case++Aazr5wey3juyyq@support.instagram.com"
    assert found.username == "Älice B."
    assert found.case_number == "12345678901234567"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Case #12345678901234567", "12345678901234567"),
        ("Your case number is 12345678901234567.", "12345678901234567"),
        ("Case ID\n12345678901234567", "12345678901234567"),
        ("Case number: 1234567890123456", ""),
        ("Order number: 12345678901234567", ""),
    ],
)
def test_it_reads_the_visible_case_number(text, number):
    assert found_in(text).case_number == number


def test_it_knows_a_relay_address_only_inside_the_sender_domains():
    raw = parse_message(f"From: {CASE}\r\n\r\nx".encode())
    found = classify(raw, RULES, frozenset({"support.facebook.com"}))
    assert (found.relay_address, found.case_token) == ("", "")


def test_it_never_takes_the_reply_to_instead_of_the_sender():
    outside = sorted_mail(CASE, extra="Reply-To: thief@evil.example\r\n")
    assert outside.relay_address.startswith("case++")
    assert outside.foreign_reply_to == "evil.example"
    inside = sorted_mail(
        "no-reply@shopping.instagram.com", extra="Reply-To: case++other@support.instagram.com\r\n"
    )
    assert (inside.relay_address, inside.foreign_reply_to) == ("", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Facebook order number: {ORDER}", [("order", ORDER)]),
        (f"  * order NUMBER : #{ORDER} ", [("order", ORDER)]),
        (f"Order #{ORDER}", [("order", ORDER)]),
        (f"Order # {ORDER}.", [("order", ORDER)]),
        (f"*Order number:* {ORDER}", [("order", ORDER)]),
        (f"**Order number**: {ORDER}", [("order", ORDER)]),
        (f"__Order number:__ **{ORDER}**", [("order", ORDER)]),
        (f"*Order number: {ORDER}*", [("order", ORDER)]),
        (f"【Order number】{ORDER}", [("order", ORDER)]),
        (f"[Order number] {ORDER}", [("order", ORDER)]),
        (f"\u25a0Order number: {ORDER}", [("order", ORDER)]),
        (f"\U0001f4e6 Order number: {ORDER}", [("order", ORDER)]),
        (f"Order number: ({ORDER})", [("order", ORDER)]),
        (f'Order number: "{ORDER}"', [("order", ORDER)]),
        (f"Order number: <{ORDER}>", [("order", ORDER)]),
        (f"Order number - {ORDER}", [("order", ORDER)]),
        (f"Order number \u2013 #{ORDER}", [("order", ORDER)]),
        ("*Merchant order number:* *SHOP-1001*", [("merchant_ref", "SHOP-1001")]),
        (f"Order-{ORDER}", []),
        (f"Order - my last one {ORDER}", []),
        (f"Order (the second) {ORDER}", []),
        (f"* > Order number: {ORDER}", []),
        (f"Order number\n\n{ORDER}\n", [("order", ORDER)]),
        (f"Order number:\r\n{ORDER}", [("order", ORDER)]),
        ("Order ID: 1234567890", [("order", "1234567890")]),
        ("Merchant order number: SHOP-1001/a", [("merchant_ref", "SHOP-1001/a")]),
        ("Merchant order reference: #1001", [("merchant_ref", "1001")]),
        (f"Merchant order number:\nFacebook order number: {ORDER}", [("order", ORDER)]),
        ("Merchant order number:\nOrder details:\n", []),
        (f"Order {ORDER}", []),
        (f"Order #{ORDER} never came", []),
        (f"my Order number: {ORDER}", []),
        (f"> Order number: {ORDER}", []),
        (f"Orders: {ORDER}", []),
        (f"Listing ID: {ORDER}", []),
        (f"Order number: {ORDER}123456789", []),
        ("Order number: 123456789", []),
    ],
)
def test_it_takes_as_labelled_only_lines_of_the_form(text, expected):
    assert labelled(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"hi, order {ORDER} is late",
        f"my number is {ORDER}",
        f"Order #{ORDER} never came",
        f"> Order number: {ORDER}",
        f"I return it. The order number was {ORDER}!",
    ],
)
def test_it_takes_numbers_in_prose_as_mentioned(text):
    found = found_in(text).candidates
    assert [(number.value, number.sure, number.where) for number in found] == [(ORDER, "mentioned", "text")]


@pytest.mark.parametrize(
    "text",
    [
        f"Listing ID: {ORDER}",
        f"Item number\n{ORDER}",
        f"the listing {ORDER} is nice",
        f"tracking number is {ORDER}",
        f"order, but my refund id: {ORDER}",
        f"call +{ORDER}",
        f"Case number {ORDER}",
        f"see x-{ORDER} or {ORDER}@mail.example",
        f"https://shop.example/?listing_id={ORDER}",
        "1234567890123",
        f"{ORDER}12345",
        f"Item: {ORDER}\nwhat about {ORDER}?",
    ],
)
def test_it_leaves_look_alikes_out(text):
    assert found_in(text).candidates == ()


def test_it_keeps_an_order_that_also_stands_as_something_else():
    found = found_in(f"Order number: {ORDER}\nItem number: {ORDER}")
    assert [(number.value, number.sure) for number in found.candidates] == [(ORDER, "labelled")]


def test_it_reads_tables():
    row = html(
        f"<table><tr><td>Facebook order number</td><td>{ORDER}</td></tr>"
        f"<tr><td>Item</td><td>{OTHER}</td></tr></table>"
    )
    assert [(n.value, n.where, n.label, n.sure) for n in row.candidates] == [
        (ORDER, "html", "Facebook order number", "labelled")
    ]
    grid = html(
        "<table><tr><th>Item number</th><th>Order number</th><th>Merchant order number</th></tr>"
        f"<tr><td>{OTHER}</td><td>{ORDER}</td><td>A-7</td></tr></table>"
    )
    assert [(n.what, n.value) for n in grid.candidates] == [("order", ORDER), ("merchant_ref", "A-7")]


def test_it_reads_html_beside_plain_text():
    found = html(f"<p>Merchant order number: A-7</p><p>Order number: {ORDER}</p>", f"Order number: {ORDER}")
    assert [(n.value, n.where) for n in found.candidates] == [(ORDER, "text"), ("A-7", "html")]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (f"https://www.facebook.com/shipping_orders/{ORDER}/?listing_id={OTHER}", [ORDER]),
        (f"https://business.facebook.com/commerce/orders/{ORDER}", [ORDER]),
        (f"https://www.instagram.com/x?order_id={ORDER}&item={OTHER}", [ORDER]),
        (f"https://www.facebook.com/x?listing_id={ORDER}", []),
        (f"https://evil.example/shipping_orders/{ORDER}/", []),
        (f"https://www.facebook.com@evil.example/shipping_orders/{ORDER}/", []),
        (f"https://evilfacebook.com/shipping_orders/{ORDER}/", []),
        (f"https://[broken/shipping_orders/{ORDER}/", []),
        (f"https://www.facebook.com/share?x=https://evil.example/orders/{ORDER}", []),
        (f"https://l.facebook.com/l.php?u={WRAPPED}&h=AT0x", [ORDER]),
        (f"https://lm.facebook.com/l.php?u={WRAPPED}&h=AT0x", [ORDER]),
        (f"https://l.instagram.com/?u={WRAPPED}&e=AT0x", [ORDER]),
        (f"https://www.facebook.com/flx/warn/?u={WRAPPED}", [ORDER]),
        (f"https://www.facebook.com/login.php?next={WRAPPED}", [ORDER]),
        (nested(3), [ORDER]),
        (f"https://www.facebook.com/n/?commerce%2Forders%2F{ORDER}&aref=1&medium=email", [ORDER]),
        (f"https://www.facebook.com/n/?shipping_orders/{ORDER}/&aref={OTHER}", [ORDER]),
        (f"https://www.facebook.com/nd/?shipping_orders%2F{ORDER}%2F%3Flisting_id%3D{OTHER}&aref=1", [ORDER]),
        (f"https://l.facebook.com/l.php?u={quote(f'https://evil.example/shipping_orders/{ORDER}/', '')}", []),
        (f"https://l.facebook.com/l.php?u=https://evil.example/shipping_orders/{ORDER}/", []),
        (f"https://evil.example/l.php?u={WRAPPED}", []),
        (nested(4), []),
    ],
)
def test_it_reads_links_of_metas_hosts_only(link, expected):
    found = html(f'<a href="{link.replace("&", "&amp;")}">See it</a>').candidates
    assert [number.value for number in found] == expected
    assert all((number.where, number.sure) == ("link", "labelled") for number in found)


def test_it_takes_the_number_of_a_claims_subject_as_labelled():
    found = sorted_mail("no-reply@shopping.instagram.com", f"A claim has been opened for order #{ORDER}")
    assert [(n.value, n.where, n.sure) for n in found.candidates] == [(ORDER, "subject", "labelled")]
    other = sorted_mail(CASE, f"A claim has been opened for order #{ORDER}")
    assert [(n.value, n.sure) for n in other.candidates] == [(ORDER, "mentioned")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Reason for contact: Order late or missing", "late_or_missing"),
        ("Reason: Item damaged or not as described", "damaged_or_not_as_described"),
        ("Reason for contact\nReturn request\n\nIt never arrived", "return_request"),
        ("Reason for contact: Cancellation request", "cancellation_request"),
        ("Reason for contact: Another question", "other_question"),
        ("My package never arrived", "late_or_missing"),
        ("Hello there", ""),
    ],
)
def test_it_reads_the_reason_for_contact(text, code):
    assert found_in(text).contact_reason == code


def test_it_reads_whom_a_bounce_could_not_reach():
    notice = "We could not deliver to <Case++Abc@support.instagram.com>. Contact postmaster@mx.facebook.com."
    found = sorted_mail("mailer-daemon@mx.facebook.com", "Sorry, your message could not be delivered", notice)
    assert found.failed_recipient == "Case++Abc@support.instagram.com"
    assert found.relay_address == ""
    assert sorted_mail(CASE, "x", notice).failed_recipient == ""


IMITATED = "Facebook order number: 64000841784004\n\nhello\n\nFacebook order number: 368508827392800\n"


def test_it_is_sure_of_no_line_where_one_imitates_another() -> None:
    found = sorted_mail("case++a1b2c3d4e5f6g7@support.instagram.com", "Message from anna", IMITATED)
    assert found.values("order", sure="labelled") == ()
    assert set(found.values("order")) == {"64000841784004", "368508827392800"}


def test_it_takes_a_claims_subject_before_a_line_and_a_line_before_a_link() -> None:
    claim = "A claim has been opened for order #2247696628885631"
    found = sorted_mail("no-reply@shopping.instagram.com", claim, IMITATED)
    assert found.values("order", sure="labelled") == ("2247696628885631",)
    text = "Order number: 64000841784004\nhttps://www.facebook.com/shipping_orders/368508827392800/\n"
    found = sorted_mail("case++a1b2c3d4e5f6g7@support.instagram.com", "Message from anna", text)
    assert found.values("order", sure="labelled") == ("64000841784004",)
    assert found.values("order") == ("64000841784004", "368508827392800")


INVISIBLE = [
    *(
        "\u200b",
        "\u200c",
        "\u200d",
        "\u200e",
        "\u200f",
        "\u2060",
        "\u2061",
        "\u2064",
        "\u2066",
        "\u2069",
        "\u202a",
    ),
    *("\u202e", "\u00ad", "\ufeff", "\u180e", "\u034f", "\ufe0f", "\u061c", "\U000e0041"),
]


@pytest.mark.parametrize(
    "text",
    [
        f"Order number\u00a0: {ORDER}",
        f"Order\u00a0number:\u00a0{ORDER}\u00a0",
        f"Order number:\u202f{ORDER}",
        f"Order\u2007number\u3000:\u2009{ORDER}",
        f"\u3000Order\u205fnumber\u2002\uff1a\u2003{ORDER}",
        *(f"Order number: {char}{ORDER}" for char in INVISIBLE),
        *(f"Or{char}der num{char}ber{char}: {ORDER[:6]}{char}{ORDER[6:]}{char}" for char in INVISIBLE),
        f"Order number: {ORDER[:5]}\u00a0{ORDER[5:]}",
        f"Order number: {ORDER[:5]}\u202f{ORDER[5:8]}\u202f{ORDER[8:]}",
        f"Order number: {ORDER[:4]} {ORDER[4:8]} {ORDER[8:12]} {ORDER[12:]}",
        f"Order number: {ORDER[:4]}-{ORDER[4:8]}-{ORDER[8:12]}-{ORDER[12:]}",
        "Order number: " + "".join(chr(0xFF10 + int(digit)) for digit in ORDER),
        "Ｏｒｄｅｒ　ｎｕｍｂｅｒ：" + "".join(chr(0xFF10 + int(digit)) for digit in ORDER),
        f"Order ＃{ORDER}",
        f"Order №{ORDER}",
        "Order number: " + "".join(chr(0x660 + int(digit)) for digit in ORDER),
        "Order number: " + "".join(chr(0x6F0 + int(digit)) for digit in ORDER),
        "Order number: " + "".join(chr(0x966 + int(digit)) for digit in ORDER),
        "Order number: " + "".join(chr(0x1D7CE + int(digit)) for digit in ORDER),
        f"Order number\n\u200b{ORDER}",
        *(f"Or{char}der number{char}: {char}{ORDER}" for char in "\u115f\u1160\u3164\uffa0"),
        *(f"Order number{char} {ORDER}" for char in "\u2236\u02d0\ua789\ufe13\ufe30\ufe55\ufe5f"),
    ],
)
def test_it_reads_a_number_through_blanks_widths_and_invisible_characters(text):
    assert found_in(text).values("order", sure="labelled") == (ORDER,)


@pytest.mark.parametrize(
    "text",
    [
        f"Order number: {ORDER} {OTHER}",
        f"Order number: {ORDER} 2",
        "Order number: 555 123 4567",
        "Order number: 12 3456 7890 1234 5678 9012",
        f"Order number: {ORDER[:7]} - {ORDER[7:]}",
    ],
)
def test_it_joins_no_two_numbers(text):
    assert found_in(text).values("order", sure="labelled") == ()


@pytest.mark.parametrize(
    "subject",
    [
        f"A claim has been opened for order\u00a0#{ORDER}",
        f"A\u202fclaim has been opened for order\u2007#\u200b{ORDER}",
        f"A claim has been opened for order ＃{ORDER}",
        f"A claim has been opened for or\u00adder #{ORDER[:6]}\u00ad{ORDER[6:]}",
        "Ａ ｃｌａｉｍ has been opened for order #" + "".join(chr(0xFF10 + int(digit)) for digit in ORDER),
    ],
)
def test_it_reads_a_subject_through_them_too(subject):
    found = sorted_mail("no-reply@shopping.instagram.com", subject)
    assert (found.match.kind, found.values("order", sure="labelled")) == ("claim", (ORDER,))


def test_it_reads_letters_whose_accents_stand_apart():
    apart = unicodedata.normalize("NFD", f"Numéro de commande : {ORDER}\nMotif du contact : Échange")
    found = found_in(apart)
    assert (found.values("order", sure="labelled"), found.contact_reason) == ((ORDER,), "return_request")
    korean = unicodedata.normalize("NFD", f"주문 번호: {ORDER}")
    assert found_in(korean).values("order", sure="labelled") == (ORDER,)


@pytest.mark.parametrize(
    ("text", "code", "case"),
    [
        ("hello\n> Reason for contact: Return request\n> Case number: 12345678901234567", "", ""),
        ("hello\n> I want to return this", "", ""),
        ("I want to return this\n> Where is my order?", "return_request", ""),
        ("Case number: 12345678901234567\n> hello", "", "12345678901234567"),
    ],
)
def test_it_reads_reason_and_case_number_in_the_senders_own_text_only(text, code, case):
    found = found_in(text, "Hello")
    assert (found.contact_reason, found.case_number) == (code, case)


def test_it_lets_a_quoted_line_neither_bind_nor_unsettle():
    both = found_in(f"Order number: {ORDER}\n\n> Order number: {OTHER}")
    assert both.values("order", sure="labelled") == (ORDER,)
    assert both.values("order") == (ORDER, OTHER)
    quoted = found_in(f"thanks\n\n> Order number: {OTHER}")
    assert (quoted.values("order", sure="labelled"), quoted.values("order")) == ((), (OTHER,))


def test_it_takes_no_hint_from_a_quotation():
    found = sorted_mail("case++x@support.facebook.com", "Hello", "thanks\n> Where is my order?")
    assert found.match.kind == "unsorted"


@pytest.mark.parametrize(
    "piece",
    [
        *("\u0301\u0323", "1\u00a0", "\uff11", "\u0661", "a\u0301", "\uff8a\uff9f", "\u1112\u1161"),
        *(
            "Order number ",
            "退货 ",
            "möchte ",
            "Order\n",
            "1 ",
            "*_【",
            "Order - ",
            "Order number:*_)",
            '"([',
        ),
    ],
)
def test_it_reads_hostile_text_in_linear_time(piece):
    def seconds(size: int) -> float:
        message = parse_message(f"From: {CASE}\r\nSubject: x\r\n\r\n{piece * (size // len(piece))}".encode())
        started = time.process_time()
        classify(message, RULES, DOMAINS)
        return time.process_time() - started

    seconds(1_000)
    short = min(seconds(16_000) for _ in range(3))
    assert min(seconds(64_000) for _ in range(3)) < 12 * short + 0.05
