"""The last check: it passes what was composed, and refuses it after any single change that matters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relaydesk.message import visible_text
from relaydesk.outbound.answer import AnswerRefused, AttachedFile, NamedOrder
from relaydesk.outbound.check import MAX_BYTES, check_outgoing, names_order
from tests.support.answers import ORDER, RELAY, bound, composed, draft, question

ASKED = question(references=("<0@support.instagram.com>",))
WRITTEN = draft(merchant_ref="A-1", enclosures=(AttachedFile("label.pdf", "application/pdf", b"%PDF-1.4"),))
RAW = composed(ASKED, WRITTEN)
BOUND = bound(ASKED, WRITTEN)
TO = f"To: {RELAY}\r\n".encode()
BODY_ORDER = f"Order {ORDER} (our number A-1)".encode()
HTML_ORDER = b"<p>" + BODY_ORDER + b"</p>"


def refusal(raw: bytes, **changed) -> str:
    with pytest.raises(AnswerRefused) as caught:
        check_outgoing(raw, replace(BOUND, **changed))
    return str(caught.value)


def changed(old: bytes, new: bytes, count: int = 1) -> bytes:
    assert old in RAW
    return RAW.replace(old, new, count)


def added(line: bytes) -> bytes:
    return line + b"\r\n" + RAW


def test_it_passes_what_was_composed():
    check_outgoing(RAW, BOUND)
    check_outgoing(
        composed(question(), draft(order_id=None, no_order=True)),
        replace(BOUND, order=NamedOrder()),
    )


def test_it_knows_no_case_in_domains_but_in_local_parts():
    check_outgoing(changed(b"@support.instagram.com\r\nSub", b"@Support.Instagram.COM\r\nSub"), BOUND)
    assert "instead of" in refusal(changed(b"case++", b"CASE++"))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (changed(TO, b"To: case++other@support.instagram.com\r\n"), "instead of"),
        (changed(TO, TO[:-2] + b", eve@evil.example\r\n"), "one recipient"),
        (changed(TO, b"To: friends: " + RELAY.encode() + b";\r\n"), "one recipient"),
        (changed(TO, b"To: undisclosed-recipients:;\r\n"), "one recipient"),
        (changed(TO, b"To:\r\n"), "one recipient"),
        (changed(TO, b""), "missing: to"),
        (added(TO[:-2]), "only once: to"),
        (added(b"Comments: =?utf-8?q?=E2=80=AEx?="), "Comments holds a line break or control character"),
        (added(b"Comments: =?utf-8?q?=C2=9Bx?="), "Comments holds a line break or control character"),
        (added(b"Comments: =?utf-8?q?=E2=81=A6x?="), "Comments holds a line break or control character"),
        (added(b"Cc: eve@evil.example"), "not allowed: Cc"),
        (added(b"Cc: " + RELAY.encode()), "not allowed: Cc"),
        (added(b"bcc: eve@evil.example"), "not allowed: bcc"),
        (added(b"Resent-To: eve@evil.example"), "not allowed: Resent-To"),
        (added(b"Disposition-Notification-To: spy@shop.example"), "not allowed"),
        (added(b"Subject: " + ORDER.encode()), "only once: subject"),
        (added(b"Reply-To: other@shop.example"), "Reply-To must be the support contact"),
        (added(b"Sender: ticket17@desk.example"), "Sender must be the support contact"),
        (changed(b"<help@shop.example>", b"<ticket17@desk.example>"), "From must be the support contact"),
        (changed(b"<help@shop.example>", b"<help@shop.example>, eve@evil.example"), "From must be"),
        (changed(f" (order {ORDER})".encode(), b""), f"{ORDER} is missing from the Subject"),
        (changed(f" (order {ORDER})".encode(), f" (order {ORDER}1)".encode()), "missing from the Subject"),
        (changed(BODY_ORDER, b"Bye (our number A-1)"), f"{ORDER} is missing from the text"),
        (changed(HTML_ORDER, b"<p>Bye (our number A-1)</p>"), f"{ORDER} is missing from the HTML"),
        (changed(HTML_ORDER, b"<!--" + BODY_ORDER + b"-->"), "missing from the HTML"),
        (changed(HTML_ORDER, b"<p title=3D'" + BODY_ORDER + b"'>x</p>"), "missing from the HTML"),
        (changed(HTML_ORDER, b"<style>" + BODY_ORDER + b"</style>"), "missing from the HTML"),
        (changed(BODY_ORDER, f"Order {ORDER}".encode()), "A-1 is missing from the text"),
        (changed(b"It is on", b"It is {{ carrier }} on"), "text still holds {{ carrier }}"),
        (changed(b"<p>It is on", b"<p>It is {% x %} on"), "HTML still holds {% x %}"),
        (changed(b"Subject: Re: ", b"Subject: Re: {{ x }} "), "Subject still holds"),
        (
            changed(b"Subject: Re: ", b"Subject: =?utf-8?q?a=0D=0ABcc:_eve=40evil.example?= Re: "),
            "Subject holds a line break",
        ),
        (changed(b"Subject: Re: ", b"Subject: \x01Re: "), "control or non-ASCII"),
        (changed(b"Subject: Re: ", "Subject: Ä Re: ".encode()), "control or non-ASCII"),
        (changed(b"Subject: Re: ", b"Subject: Re:\nBcc: eve@evil.example\r\n "), "bare CR, LF"),
        (changed(b"Subject: Re: ", b"Subject: Re:\rBcc: eve@evil.example\r\n "), "bare CR, LF"),
        (changed(b"It is on", b"It is\x00 on"), "bare CR, LF or NUL"),
        (changed(b"It is on", b"It is on\n.\n"), "bare CR, LF or NUL"),
        (changed(b"It is on", b"x" * 999), "over 998 bytes"),
        (added(b"X-Long: " + b"x\r\n " * 30_000 + b"x"), "header section is larger"),
        (changed(b"Message-ID: <", b"Message-ID: "), "Message-ID is malformed"),
        (changed(b"Message-ID: ", b"X-ID: "), "missing: message-id"),
        (changed(b"Date: ", b"X-Date: "), "missing: date"),
        (changed(b"From: ", b"From "), "malformed"),
        (changed(b'm"\r\n', b'x"\r\n'), "malformed"),
        (changed(b"charset=utf-8", b"charset=utf-99"), "cannot be parsed"),
        (
            changed(
                b"text/plain; charset=utf-8\r\n", b"text/plain; charset=utf-8\r\nContent-Type: text/html\r\n"
            ),
            "only once: content-type",
        ),
        (changed(b'filename="label.pdf"', b'filename="../label.pdf"'), "name of an attachment is unsafe"),
        (
            changed(b'filename="label.pdf"', b"filename*=utf-8''a%0D%0AX%3A.pdf"),
            "Disposition holds a line break",
        ),
        (b"", "missing"),
        (RAW + b"x" * 100 + b"\r\n" + b"y\r\n" * (MAX_BYTES // 3), "larger than"),
    ],
)
def test_it_refuses_a_single_change(raw, told):
    assert told in refusal(raw)


def test_it_holds_the_recipient_against_the_sender_domains():
    assert "not in a listed sender domain" in refusal(RAW, sender_domains=frozenset({"instagram.com"}))


@pytest.mark.parametrize(
    "local", ["no-reply", "noreply", "commerce-no-reply", "mailer-daemon", "NoReply+x", "postmaster"]
)
def test_it_sends_nothing_to_an_address_that_nobody_reads(local):
    address = f"{local}@support.instagram.com"
    assert "accepts no answers" in refusal(changed(RELAY.encode(), address.encode()), recipient=address)


def test_it_reads_only_what_is_shown():
    # the order stands in an enclosed text, not in the answer's own
    disposed = changed(
        b"text/plain; charset=utf-8\r\n", b"text/plain; charset=utf-8\r\nContent-Disposition: attachment\r\n"
    )
    only_html = disposed.replace(HTML_ORDER, b"<p>Bye, A-1</p>")
    assert "missing from the HTML" in refusal(only_html)
    neither = only_html.replace(
        b"text/html; charset=utf-8\r\n", b"text/html; charset=utf-8\r\nContent-Disposition: attachment\r\n"
    )
    assert "has no text" in refusal(neither)


def test_it_reads_a_number_only_as_a_word_of_its_own():
    assert names_order("123", "order 123.")
    assert names_order("123", "#123")
    assert names_order("12-3", "(12-3)")
    for text in ("1234", "0123", "x123", "123x", "123-4", "4-123", ""):
        assert not names_order("123", text)


def test_it_sees_html_as_a_reader_does():
    assert visible_text("<p>a<b>b</b></p><script>x</script>c&amp;<br>d").split() == ["ab", "c&", "d"]
    assert visible_text("12<span>34</span>") == "1234"
    assert visible_text("<table><tr><td>12<td>34") == "12\t34"
    assert visible_text("a<div style='Display : none'>b<p>c</p><br>d</div>e") == "ae"
    assert visible_text("a<span hidden>b<span>c</span>d</span>e") == "ae"
    assert visible_text("<p style='visibility:hidden'>a</p><p>b</p>").split() == ["b"]
