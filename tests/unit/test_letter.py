"""A desk's HTML as a letter: attacks, and ordinary mail that looks the same."""

from __future__ import annotations

import base64
import re
from email import policy
from email.message import EmailMessage

import pytest

from relaydesk.gateway.html import read_html
from relaydesk.gateway.submission import submitted
from relaydesk.message import letter_text
from relaydesk.outbound import AnswerRefused
from relaydesk_testkit.campaign.letters import Section, html_attacks, wrong_in
from tests.support.gateway import RULES
from tests.unit.test_rewrite import PNG, body, desk_mail, sent

OWN = frozenset({"photo@x"})


def cleaned(html: str) -> str:
    return read_html(html, RULES, OWN).without(())


def test_there_are_many_attacks() -> None:
    assert len(html_attacks("runs")) + len(html_attacks("loads")) >= 220
    assert len(html_attacks("hidden")) >= 60


def test_the_look_at_letters_sees_what_is_wrong() -> None:
    for section in ("runs", "loads"):
        unseen = [html for html in html_attacks(section) if not list(wrong_in(html)) and "EVIL" in html]
        assert len(unseen) < len(html_attacks(section)) // 10, unseen


@pytest.mark.parametrize("section", ["runs", "loads", "hidden", "shown"])
def test_nothing_outside_the_lists_is_let_through(section: Section) -> None:
    for html in html_attacks(section):
        for source in (
            html,
            f"<p>Hi</p>{html}<p>Bye</p>",
            f"<div><table><tr><td>{html}",
            f"</p></div>{html}",
        ):
            letter = cleaned(source)
            assert list(wrong_in(letter, OWN)) == [], (source, letter)
            assert letter_text(cleaned(letter)) == letter_text(letter), (source, letter)


@pytest.mark.parametrize("html", html_attacks("hidden"))
def test_what_its_author_hid_is_in_neither_part(html: str) -> None:
    letter = cleaned(f"<div>Hi</div>{html}")
    assert "EVIL" not in letter
    assert "EVIL" not in letter_text(letter)
    assert "Hi" in letter


@pytest.mark.parametrize("html", html_attacks("shown"))
def test_what_its_author_showed_is_in_both_parts(html: str) -> None:
    letter = cleaned(f"<div>Hi</div>{html}")
    assert "GOOD" in letter
    assert "GOOD" in letter_text(letter)


@pytest.mark.parametrize("section", ["runs", "loads", "hidden"])
def test_the_finished_message_holds_none_of_it(section: Section) -> None:
    """All at once, and each after the other: what one leaves open another may not use."""
    html = "<p>Hello</p>" + "\n".join(html for html in html_attacks(section) if not html.startswith("<style"))
    message = sent(desk_mail("Hello", html))
    shown = body(message, "html")
    inner = shown.removeprefix('<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n')
    assert list(wrong_in(inner.replace("\n</body></html>", ""))) == []
    assert not re.search(r"<[^>]*EVIL", shown)
    assert "Hello" in shown and "Hello" in body(message, "plain")


LOOKS = [
    ("<p>a <b>b</b> <i>c</i> <u>d</u></p>", "<p>a <b>b</b> <i>c</i> <u>d</u></p>"),
    ('<p><b style="color:red">a</b></p>', '<p><span style="font-weight:bold;color:#ff0000">a</span></p>'),
    ('<font face="Arial, sans-serif" size=4 color=navy>a</font>',
     '<span style="color:#000080;font-family:arial, sans-serif;font-size:18px">a</span>'),
    ("<center>a</center>", '<div style="text-align:center">a</div>'),
    ('<div dir="ltr">a<br></div>', '<div dir="ltr">a<br></div>'),
    ('<a href="https://x.example/a?b=1&amp;c=%20d#e" target=_blank>a</a>',
     '<a href="https://x.example/a?b=1&amp;c=%20d#e">a</a>'),
    ('<a href="mailto:a@shop.example?subject=x">a</a>', '<a href="mailto:a@shop.example?subject=x">a</a>'),
    ('<a href="tel:+4930123">a</a>', '<a href="tel:+4930123">a</a>'),
    ("<a href='HTTPS://X.example/ a{b}\u202e'>a</a>", '<a href="HTTPS://X.example/%20a%7Bb%7D%E2%80%AE">a</a>'),
    ('<img src="cid:photo@x" alt="the label" width=300 style="max-width:100%;height:auto">',
     '<img width="300" src="cid:photo@x" alt="the label" style="max-width:100%;height:auto">'),
    ('<img src="CID:photo%40x">', '<img src="cid:photo@x">'),
    ('<img src="https://shop.example/logo.png" alt="Our shop">', "<span>[Our shop]</span>"),
    ('<table border=0 cellpadding=4 width="100%"><tr><td bgcolor=#eeeeee valign=top>a</td></tr></table>',
     '<table width="100%" border="0" cellpadding="4"><tbody><tr><td valign="top" '
     'style="background-color:#eeeeee">a</td></tr></tbody></table>'),
    ('<blockquote type="cite" class="gmail_quote x" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;'
     'padding-left:1ex">a</blockquote>',
     '<blockquote type="cite" class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #cccccc solid;'
     'padding-left:1ex">a</blockquote>'),
    ("<style>p.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif;"
     " mso-fareast-language:EN-US}</style><p class=MsoNormal>a<o:p></o:p></p>",
     '<p style="margin:0cm;font-size:11.0pt;font-family:calibri, sans-serif">a</p>'),
    ('<p style="font:italic bold 14px/1.5 \'Segoe UI\', Arial">a</p>',
     '<p style="font-size:14px;font-family:segoe ui, arial;line-height:1.5;font-style:italic;'
     'font-weight:bold">a</p>'),
    ('<a style="display:inline-block;padding:12px 24px;background:linear-gradient(#06c,#048);color:#fff;'
     'border-radius:4px;text-decoration:none" href="https://x.example">a</a>',
     '<a href="https://x.example" style="display:inline-block;padding:12px 24px;background-color:#0066cc;'
     'color:#ffffff;border-radius:4px;text-decoration:none">a</a>'),
    ("<ol start=3 type=a><li>a<li>b</ol>", '<ol start="3" type="a"><li>a</li><li>b</li></ol>'),
    ("<p>H<sub>2</sub>O, <del>a</del> <ins>b</ins></p>",
     '<p>H<sub>2</sub>O, <span style="text-decoration:line-through">a</span> '
     '<span style="text-decoration:underline">b</span></p>'),
    ("&lt;b&gt; &amp; 5 &euro;\u00a0x", "&lt;b&gt; &amp; 5 \u20ac&nbsp;x"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "letter"), LOOKS)
def test_what_a_desk_writes_looks_the_same(written: str, letter: str) -> None:
    assert cleaned(written) == letter


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello,</p><p>your parcel<br>left.</p>", "Hello,\n\nyour parcel\nleft."),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ('<a href="https://x.example/a">the label</a>', "the label <https://x.example/a>"),
        ('<a href="https://x.example/">x.example</a>', "x.example"),
        ('<a href="mailto:help@shop.example">help@shop.example</a>', "help@shop.example"),
        ("<ul><li>a<li>b<ol><li>c<li>d</ol></ul>e", "- a\n- b\n  1. c\n  2. d\n\ne"),
        ("a<blockquote>b<blockquote>c</blockquote></blockquote>d", "a\n\n> b\n>\n> > c\n\nd"),
        ("<table><tr><th>Order</th><td>1 &euro;</td></tr><tr><td>x<td>y</table>", "Order\t1 \u20ac\nx\ty"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<p>see <img src="cid:photo@x" alt="the label"></p>', "see [the label]"),
        ("&lt;b&gt; &amp; x", "<b> & x"),
    ],
)
def test_the_text_is_that_of_the_letter(html: str, text: str) -> None:
    assert letter_text(cleaned(html)) == text


def test_both_parts_say_what_the_html_says() -> None:
    message = sent(desk_mail("Another thing altogether", "<p>Hello Alice<span hidden>EVIL</span></p>"))
    assert "Hello Alice" in body(message, "plain") and "Hello Alice" in body(message, "html")
    assert "Another" not in str(message) and "EVIL" not in str(message)


def test_the_ticket_is_told_what_a_person_may_miss() -> None:
    html = (
        '<p style="zoom:2" class=x>Hi</p><img src="https://shop.example/logo.png"><form action="/pay"></form>'
        '<svg></svg><a href="javascript:x()">y</a><a href="#top">z</a><p hidden>preview text</p>'
    )
    assert submitted(desk_mail(None, html), RULES).taken == (
        "image from outside: https://shop.example/logo.png",
        "foreign content: <form> /pay",
        "foreign content: <svg>",
        "link: javascript:x()",
        "hidden text: preview text",
    )


def test_an_image_within_the_html_becomes_a_part() -> None:
    png = base64.b64encode(PNG).decode()
    answer = submitted(
        desk_mail("See", f'<p>See <img src="data:image/png;base64,{png}" width=300></p>'), RULES
    )
    [(content_id, name, content)] = answer.inline
    assert (name, content) == ("picture-1.png", PNG)
    assert f'src="cid:{content_id[1:-1]}"' in answer.html
    assert answer.taken == ()
    broken = submitted(desk_mail("See", '<p>See <img src="data:image/png;base64,AAA"></p>'), RULES)
    assert broken.inline == () and broken.taken == ("image from outside: data:image/png",)


def test_an_image_that_the_letter_does_not_show_is_a_file() -> None:
    message = EmailMessage()
    message.set_content("<p>x</p><div style='display:none'><img src='cid:a@x'></div>", subtype="html")
    message.add_related(PNG, "image", "png", cid="<a@x>", filename="a.png")
    answer = submitted(message.as_bytes(policy=policy.SMTP), RULES)
    assert answer.inline == () and answer.files == (("a.png", PNG),)


def test_too_much_html_is_refused_with_the_remedy() -> None:
    for html in ("<p>" + "x" * 1_048_576, "<p>" * 50_001):
        with pytest.raises(AnswerRefused, match="quote less of the thread"):
            read_html(html, RULES)
