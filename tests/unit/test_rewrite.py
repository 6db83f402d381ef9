"""A help desk's answer, cleaned and bound: Zendesk, Freshdesk and Zammad in the shape they really have."""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from relaydesk.gateway import rules as cleaning
from relaydesk.gateway.rewrite import rewritten
from relaydesk.gateway.submission import submitted
from relaydesk.outbound.answer import AnswerRefused, Binding, NamedOrder, Question, Shop
from relaydesk.outbound.attachments import attach_files
from relaydesk.outbound.check import check_outgoing

FILE = Path(cleaning.__file__).with_name("desks.yaml")
SHIPPED = cleaning.load_gateway_rules(
    YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8")), FILE.name
)
RELAY = "case++aazr5wey3juyyq@support.instagram.com"
ID = "64000841784004"
ORDER = NamedOrder(ID, "A-1007")
SHOP = Shop("Shop", "help@shop.example", "shop.example")
QUESTION = Question(7, 9, RELAY, "Message from alice", "<q1@facebook.com>", ("<q0@facebook.com>",))
BOUND = Binding(RELAY, ORDER, SHOP.contact, frozenset({"support.instagram.com"}))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
OURS = {
    "Content-Type",
    "Content-Transfer-Encoding",
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
}


def desk_mail(
    text: str | None = "Hello Alice", html: str | None = None, subject: str = "Re: hi", **headers: str
) -> bytes:
    message = EmailMessage()
    message["From"] = "Shop Support <support+id4711@shop.zendesk.example>"
    message["To"] = RELAY
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    return message.as_bytes(policy=policy.SMTP)


def sent(raw: bytes, order: NamedOrder = ORDER, rules: cleaning.GatewayRules = SHIPPED) -> EmailMessage:
    """The repaired message as its reader parses it; it has passed the final check."""
    made = rewritten(
        QUESTION,
        submitted(raw, rules),
        order,
        SHOP,
        message_id="<a.1@shop.example>",
        date=NOON,
        enclose=attach_files,
    )
    check_outgoing(made, Binding(RELAY, order, SHOP.contact, BOUND.sender_domains))
    return BytesParser(policy=policy.default).parsebytes(made)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_it_takes_over_nothing_of_the_desks_header_but_the_subject() -> None:
    raw = desk_mail(
        Cc="boss@shop.example",
        Bcc="archive@shop.example",
        Reply_To="support+id4711@shop.zendesk.example",
        Sender="support@zendesk.example",
        X_Zendesk_Ticket="4711",
        List_Unsubscribe="<https://desk.example/u>",
        Disposition_Notification_To="spy@shop.example",
        Return_Path="<x@desk.example>",
        DKIM_Signature="v=1; d=zendesk.example",
    )
    message = sent(raw)
    assert set(message.keys()) == OURS
    assert message["To"] == RELAY
    assert message["From"] == "Shop <help@shop.example>"
    assert message["In-Reply-To"] == "<q1@facebook.com>"
    assert message["References"].split() == ["<q0@facebook.com>", "<q1@facebook.com>"]


def test_it_puts_the_order_into_subject_text_and_html_where_it_is_missing() -> None:
    message = sent(desk_mail("Hello", "<html><body bgcolor=white><p>Hello</p></body></html>"))
    assert message["Subject"] == f"Re: hi (order {ID})"
    assert body(message, "plain").startswith(f"Order {ID} (our number A-1007)\n\nHello")
    html = body(message, "html")
    assert f"<body>\n<p>Order {ID} (our number A-1007)</p>\n<div" in html and "<p>Hello</p>" in html


def test_it_adds_nothing_where_the_order_is_named() -> None:
    text = f"Your order {ID}, our A-1007, is on its way."
    message = sent(desk_mail(text, f"<p>{text}</p>", subject=f"Re: Order {ID}"))
    assert message["Subject"] == f"Re: Order {ID}"
    assert body(message, "plain").strip() == text
    assert f"<body>\n<p>{text}</p>\n</body>" in body(message, "html")


def test_an_order_in_a_hidden_place_does_not_count() -> None:
    html = f"<style>p::after{{content:'{ID}'}}</style><!-- {ID} --><p title='{ID}'>Hello {ID}1</p>"
    assert f"<p>Order {ID} (our number A-1007)</p>" in body(sent(desk_mail(None, html)), "html")


def test_an_order_in_a_block_that_nobody_sees_does_not_count() -> None:
    html = f"<div style='display:none'>Order {ID}</div><p hidden>{ID}</p><p>Hello, it is about A-1007</p>"
    assert f"<p>Order {ID} (our number A-1007)</p>" in body(sent(desk_mail(None, html)), "html")


@pytest.mark.parametrize(
    "foreign",
    [
        "<script>document.write('x.example')</script>",
        '<script src="https://x.example/a.js"></script>',
        '<link rel="stylesheet" href="https://x.example/a.css">',
        '<iframe src="https://x.example/"></iframe>',
        '<object data="https://x.example/a"></object><embed src="https://x.example/a">',
        '<base href="https://x.example/">',
    ],
)
def test_it_takes_out_what_fetches_or_runs_something_from_elsewhere(foreign: str) -> None:
    html = body(sent(desk_mail(None, f"<p>Hello</p>{foreign}<p>Bye</p>")), "html")
    assert "x.example" not in html
    assert "Hello" in html and "<p>Bye</p>" in html


def test_it_writes_plain_text_only_when_the_desk_did() -> None:
    message = sent(desk_mail("Hello"))
    assert message.get_content_type() == "text/plain"


PIXELS = [
    '<img src="https://desk.example/a" width="1" height="1">',
    "<img src=https://desk.example/a width=0>",
    '<IMG SRC="https://desk.example/a" STYLE="width:1px;height:1px">',
    '<img src="https://desk.example/a" style="display: none !important"/>',
    '<img src="https://u1.ct.sendgrid.net/wf/open?upn=abc" alt="">',
    '<img src="https://mandrillapp.com/track/open.php?u=1">',
    '<img src="https://desk.example/a/open.gif?x=1">',
]


@pytest.mark.parametrize("pixel", PIXELS)
def test_it_takes_out_what_only_reports_that_the_mail_was_opened(pixel: str) -> None:
    html = body(sent(desk_mail(None, f"<p>Hello</p>{pixel}<p>Bye</p>")), "html")
    assert "<img" not in html and "Hello" in html and "Bye" in html
    assert "desk.example" not in html and "open" not in html


ZENDESK = {"X-Mailer": "Zendesk Mailer"}
FRESHDESK = {"X-Mailer": "Freshdesk"}
ZAMMAD = {"X-Mailer": "Zammad Mail Service"}
OTRS = {"X-Powered-By": "OTRS (https://otrs.com/)"}
OSTICKET = {"X-Mailer": "osTicket Mailer"}
FREESCOUT = {"X-FreeScout-Mail-Type": "customer.message"}
HELP_SCOUT = {"Message-ID": "<reply-1-2-abc@helpscout.net>"}
RT = {"X-RT-Ticket": "shop.example #4711"}
JIRA = {"X-JIRA-FingerPrint": "ba86a44d"}
KAYAKO = {"Message-ID": "<1@mail.kayako.com>"}
ZOHO = {"X-Mailer": "Zoho Desk"}
MARKER = "##- Please type your reply above this line -##"
FOOTER = "This email is a service from Shop. Delivered by Zendesk"


@pytest.mark.parametrize(
    ("desk", "top", "bottom"),
    [
        (ZENDESK, [MARKER], []),
        (ZENDESK, ["##- Bitte antworten Sie oberhalb dieser Zeile -##"], [FOOTER, "[XYZ123-4ABC]"]),
        (
            ZENDESK,
            ["Your request (4711) has been updated. To add additional comments, reply to this email."],
            [],
        ),
        ({"Message-ID": "<XYZ1234ABC_5f@zendesk.com>"}, [MARKER], ["[1G7EOR-0Q2J]"]),
        ({}, [MARKER], ["[1G7EOR-0Q2J]"]),
        ({}, [], [FOOTER, "[1G7EOR-0Q2J]"]),
        (FRESHDESK, [], ["Ticket: https://shop.freshdesk.com/helpdesk/tickets/4711"]),
        (FRESHDESK, [], ["Ticket #: 4711", "Powered by Freshdesk"]),
        ({"Message-ID": "<a@emailfreshdesk.com>"}, [], ["Powered by Freshworks."]),
        (ZAMMAD, [], ["Powered by Zammad"]),
        (OTRS, [], ["Powered by OTRS"]),
        (
            OSTICKET,
            ["-- reply above this line --"],
            ["Ref-Mid: AbC-123-x@shop.example", "Powered by osTicket"],
        ),
        (OSTICKET, ["-- do not edit -- reply above this line --"], ["Your ticket number: 4711"]),
        (FREESCOUT, ["-- Please reply above this line --"], ["{#FS:4711-abc#}"]),
        (HELP_SCOUT, ["---- Reply above this line ----"], ["{#HS:4711-99#}"]),
        (RT, [], ["Ticket <URL: https://rt.shop.example/Ticket/Display.html?id=4711 >"]),
        (JIRA, ["Reply above this line."], ["View request", "Powered by Jira Service Management"]),
        (JIRA, ["\u2014-\u2014-\u2014-\u2014", "Reply above this line."], []),
        (KAYAKO, [], ["Ticket Details", "Ticket ID: ABC-123-45678"]),
        (ZOHO, [], ["[## 4711 ##]"]),
    ],
)
def test_it_takes_out_what_the_desk_put_there_and_says_so(
    desk: dict[str, str], top: list[str], bottom: list[str]
) -> None:
    lines = [*top, "Hello,", "all is well.", *bottom]
    text = "\r\n".join(lines)
    html = "".join(f"<div>{escape(line, quote=False)}</div>" for line in lines)
    answer = submitted(desk_mail(text, html, **desk), SHIPPED)
    assert answer.text == "Hello,\nall is well."
    assert answer.html.replace("<div></div>", "").strip() == "<div>Hello,</div><div>all is well.</div>"
    assert sorted(note.partition(": ")[2] for note in answer.taken) == sorted([*top, *bottom])


PERSONS = [
    "[SAVE20-2026X]", "[ABC123-XYZ45]", "Request #: 5512", "Ticket #7", "Ticket #7 of the raffle",
    "[Ticket#: 4711]", "Case number: 31415926535897932", "Case number 12345", "Request ID: #4711",
    "RMA-2026-17", "Ref: [#4711]", "[#4711]", "Ticket ID: 99",
    "Your request (5512) has been received by our warehouse; send it to 1 Main St.",
    "Powered by coffee", "View request", "Ticket Details", "-- reply above this line --",
    f"> {MARKER}", "> [XYZ123-4ABC]", "The label says ##- fragile -## on top", "#no-order needed, sorry",
]  # fmt: skip


@pytest.mark.parametrize("line", PERSONS)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_it_leaves_every_line_of_a_person_who_writes_by_hand(line: str, place: str) -> None:
    lines = ["Hello,", "bye"]
    lines.insert({"first": 0, "middle": 1, "last": 2}[place], line)
    answer = submitted(desk_mail("\n".join(lines), f"<p>{'<br>'.join(lines)}</p>"), SHIPPED)
    assert answer.text == "\n".join(lines)
    assert all(line in unescape(answer.html) for line in lines)
    assert answer.taken == ()


@pytest.mark.parametrize("desk", [ZENDESK, FRESHDESK, OSTICKET, JIRA, KAYAKO, ZOHO], ids=str)
@pytest.mark.parametrize("line", PERSONS[:15])
def test_it_leaves_the_lines_of_a_person_within_a_desks_mail(desk: dict[str, str], line: str) -> None:
    text = f"Here it is:\n{line}\nBest wishes"
    answer = submitted(desk_mail(text, f"<p>{text.replace(chr(10), '<br>')}</p>", **desk), SHIPPED)
    assert answer.text == text
    assert line in unescape(answer.html)
    assert answer.taken == ()


def test_a_rule_of_another_desk_does_not_count() -> None:
    text = "Hello\nPowered by Freshdesk"
    assert submitted(desk_mail(text, **ZAMMAD), SHIPPED).text == text


def test_each_entry_takes_one_line_so_that_a_voucher_above_the_desks_code_stays() -> None:
    text = f"Your voucher:\n[SAVE20-2026X]\n\n{FOOTER}\n[XYZ123-4ABC]"
    assert submitted(desk_mail(text, **ZENDESK), SHIPPED).text == "Your voucher:\n[SAVE20-2026X]"


def test_it_leaves_a_quotation_in_html() -> None:
    html = f"<p>Hello</p><blockquote><div>{MARKER}</div><div>[XYZ123-4ABC]</div></blockquote>"
    assert submitted(desk_mail(None, html, **ZENDESK), SHIPPED).html.strip() == html


def test_the_line_no_order_is_taken_out_of_any_mail() -> None:
    answer = submitted(desk_mail("Hello\n#no-order", "<p>Hello</p><p>#no-order</p>"), SHIPPED)
    assert answer.no_order
    assert answer.text == "Hello" and "#no-order" not in answer.html
    assert answer.taken == ("desks.yaml: #no-order",)


def test_it_tells_of_pixels_and_foreign_content_and_cuts_what_is_long() -> None:
    html = (
        '<p>Hello</p><img src="https://desk.example/open.gif?u=1"><iframe src="https://x.example/"></iframe>'
        f"<p>##- {'y' * 110} -##</p>"
    )
    taken = submitted(desk_mail(None, html, **ZENDESK), SHIPPED).taken
    assert taken == (
        "tracking pixel: https://desk.example/open.gif?u=1",
        "foreign content: <iframe> https://x.example/",
        f"Zendesk: ##- {'y' * 110} -##",
    )
    link = "https://x.example/" + "z" * 500
    [foreign] = submitted(desk_mail(None, f'<p>Hi</p><embed src="{link}">'), SHIPPED).taken
    assert len(foreign) < 300 and foreign.endswith("…")


def test_it_sees_a_footer_that_is_cut_up_by_tags() -> None:
    html = "<p>Hi</p><p>This email is a service from Shop. Delivered by <a href='https://z.example'>Zendesk</a></p>"
    assert "Zendesk" not in body(sent(desk_mail(None, html)), "html")


@pytest.mark.parametrize(
    ("desk", "subject", "kept"),
    [
        (ZAMMAD, "[Ticket#202611234711] Re: Where is it?", "Where is it?"),
        (OTRS, "Re: [Ticket#202611234711] Where is it?", "Where is it?"),
        (FRESHDESK, "Re: [#4711] Where is it?", "Where is it?"),
        (OSTICKET, "Re: Where is it? [#4711]", "Where is it?"),
        (ZENDESK, "AW: [Request #4711] Where is it?", "Where is it?"),
        (RT, "[shop.example #4711] Where is it?", "Where is it?"),
        (JIRA, "[JIRA] (HELP-12) Where is it?", "Where is it?"),
        (ZOHO, "Re:[## 4711 ##] Where is it?", "Where is it?"),
        (KAYAKO, "[#ABC-123-45678]: Where is it?", "Where is it?"),
    ],
)
def test_it_takes_that_desks_number_out_of_the_subject(desk: dict[str, str], subject: str, kept: str) -> None:
    assert sent(desk_mail(subject=subject, **desk))["Subject"] == f"Re: {kept} (order {ID})"
    assert submitted(desk_mail(subject=subject, **desk), SHIPPED).taken != ()
    answer = submitted(desk_mail(subject=subject), SHIPPED)
    assert (answer.subject, answer.taken) == (subject, ())


def test_links_stay_unless_a_rule_names_them() -> None:
    link = "https://click.desk.example/l?to=https%3A%2F%2Fshop.example%2Flabel%3Fa%3D1%26b&amp;u=9"
    html = f'<p>Your <a class="b" href="{link}">label</a>, <a href="https://shop.example/x">x</a></p>'
    assert link in body(sent(desk_mail(None, html)), "html")
    own = cleaning.load_gateway_rules(
        {"links": [{"match": r"//click\.desk\.example/", "parameter": "to"}]}, "own.yaml"
    )
    unwrapped = body(sent(desk_mail(None, html), rules=own.over(SHIPPED)), "html")
    assert '<a href="https://shop.example/label?a=1&amp;b">label</a>' in unwrapped
    assert '<a href="https://shop.example/x">' in unwrapped


def test_a_link_is_never_unwrapped_to_a_script() -> None:
    own = cleaning.load_gateway_rules({"links": [{"match": "click", "parameter": "to"}]}, "own.yaml")
    html = '<p>x <a href="https://click.example/?to=javascript:alert(1)">y</a></p>'
    assert "https://click.example/" in body(sent(desk_mail(None, html), rules=own), "html")


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ({"Auto_Submitted": "auto-replied"}, True),
        ({"Auto_Submitted": "auto-generated; x=1"}, True),
        ({"Auto_Submitted": "no"}, False),
        ({"Precedence": "bulk"}, True),
        ({"Precedence": "first-class"}, False),
        ({"X_Auto_Response_Suppress": "All"}, True),
        ({"X_Auto_Response_Suppress": "None"}, False),
        ({}, False),
    ],
)
def test_it_knows_what_the_desk_wrote_by_itself(header: dict[str, str], automatic: bool) -> None:
    assert submitted(desk_mail(**header), SHIPPED).automatic is automatic


def test_the_shops_own_rule_about_automatic_mail_comes_first() -> None:
    rules = {"automatic": [{"header": "X-Mailer", "matches": "^Zendesk", "automatic": False}]}
    own = cleaning.load_gateway_rules(rules, "own.yaml").over(SHIPPED)
    marked = {"Auto_Submitted": "auto-generated", "X_Mailer": "Zendesk Mailer"}
    assert submitted(desk_mail(**marked), own).automatic is False
    assert submitted(desk_mail(Auto_Submitted="auto-generated"), own).automatic is True


def test_it_carries_files_and_the_images_that_the_html_shows() -> None:
    message = EmailMessage()
    message["Subject"] = "Re: hi"
    message.set_content("See the label")
    message.add_alternative('<p>See <img src="cid:photo@x" width="300"> the label</p>', subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(PNG, "image", "png", cid="<photo@x>", filename="photo.png")
    html.add_related(PNG, "image", "png", cid="<logo@x>", filename="unseen.png")
    message.add_attachment(
        b"%PDF-1.7\n%x", maintype="application", subtype="octet-stream", filename="../label.pdf"
    )
    made = sent(message.as_bytes(policy=policy.SMTP))
    assert [one.get_filename() for one in made.iter_attachments()] == ["unseen.png", "label.pdf"]
    [photo] = [part for part in made.walk() if part["Content-ID"]]
    assert photo["Content-ID"] == "<photo@x>"
    assert photo.get_content_disposition() == "inline"
    assert photo.get_payload(decode=True) == PNG


def test_it_refuses_a_file_that_may_not_go_out() -> None:
    message = EmailMessage()
    message.set_content("Run this")
    message.add_attachment(b"MZ\x90\0" + b"\0" * 600, maintype="image", subtype="png", filename="label.png")
    with pytest.raises(AnswerRefused, match=r"label\.png"):
        sent(message.as_bytes(policy=policy.SMTP))


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\n\r\n",
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n<img width=1 height=1 src=x>",
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n",
        b"Subject: x\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe",
    ],
)
def test_it_refuses_what_has_no_text_or_cannot_be_read(raw: bytes) -> None:
    with pytest.raises(AnswerRefused):
        sent(raw, NamedOrder())


def test_it_refuses_deep_nesting_and_too_many_parts() -> None:
    deep = b"Subject: x\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(20)
    )
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200 + b"--b--\r\n"
    for raw, problem in ((deep, "nested too deeply"), (many, "more than 100 parts")):
        with pytest.raises(AnswerRefused, match=problem):
            submitted(raw, SHIPPED)


def test_it_drops_a_signature_that_would_no_longer_fit() -> None:
    inner = b"Content-Type: text/plain\r\n\r\nHello\r\n"
    raw = (
        b"Subject: x\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" + inner
        + b"--b\r\nContent-Type: application/pgp-signature\r\n\r\nxyz\r\n--b--\r\n"
    )  # fmt: skip
    assert sent(raw).get_content_type() == "text/plain"


def test_it_cannot_be_talked_into_a_second_header() -> None:
    raw = desk_mail().replace(b"Subject: Re: hi", b"Subject: =?utf-8?q?hi=0D=0ABcc:_evil=40x.example?=")
    message = sent(raw)
    assert set(message.keys()) == OURS
    assert message["Bcc"] is None


texts = st.text(max_size=200)


@given(text=texts, html=texts, subject=texts, order=st.sampled_from([ORDER, NamedOrder(ID), NamedOrder()]))
def test_whatever_a_desk_writes_goes_to_one_recipient_and_names_the_order(
    text: str, html: str, subject: str, order: NamedOrder
) -> None:
    encoded = "".join(f"={byte:02X}" for byte in subject.encode("utf-8", "replace"))
    raw = (
        f"To: evil@x.example\r\nSubject: =?utf-8?q?{encoded}?=\r\n"
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + _base64(text) + (
        b"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ) + _base64(html) + b"\r\n--b--\r\n"  # fmt: skip
    try:
        message = sent(raw, order)
    except AnswerRefused as refusal:
        assert "no text" in str(refusal) or "still holds" in str(refusal)
    else:
        assert message["To"] == RELAY


def _base64(text: str) -> bytes:
    import base64

    return base64.encodebytes(text.encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ([], "must hold the lists"),
        ({"lines": "x"}, "must be a list"),
        ({"line": ["x"]}, "unknown list"),
        ({"lines": ["("]}, r"lines\[1\]: the pattern '\(' does not compile"),
        ({"lines": ["x*"]}, "more specific"),
        ({"lines": [3]}, "a pattern must be text"),
        ({"links": [{"match": "x"}]}, "must have parameter"),
        ({"links": [{"parameter": "x"}]}, r"links\[1\]"),
        ({"automatic": [{"header": "X", "when": "y"}]}, "unknown key 'when'"),
        ({"automatic": [{"header": "X", "automatic": "no"}]}, "true or false"),
        ({"desks": [{"lines": ["x"]}]}, "must have name"),
        ({"desks": [{"name": "A", "lines": ["x"]}]}, "needs signs"),
        ({"desks": [{"name": "A", "signs": [{"header": "X"}], "line": ["x"]}]}, "unknown key 'line'"),
        ({"desks": [{"name": "A", "signs": [{"line": "("}]}]}, r"desks\[1\].signs\[1\]: the pattern"),
        (
            {"desks": [{"name": "A", "signs": [{"header": "X", "automatic": True}]}]},
            "unknown key 'automatic'",
        ),
        ({"desks": [{"name": "A", "signs": [{"header": "X"}], "top": ["x*"]}]}, r"desks\[1\].top\[1\]"),
    ],
)
def test_a_bad_rule_file_is_told_with_its_entry(tree: Any, told: str) -> None:
    with pytest.raises(cleaning.GatewayRulesError, match=told):
        cleaning.load_gateway_rules(tree, "own.yaml")


def test_an_empty_rule_file_changes_nothing() -> None:
    assert cleaning.load_gateway_rules(None, "own.yaml").over(SHIPPED) == SHIPPED
