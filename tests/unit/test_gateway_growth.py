"""What a desk hands in takes time in proportion to its length, and is taken or refused, whatever it holds."""

from __future__ import annotations

import random
import time
from email import policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from relaydesk.gateway.html import page, read_html
from relaydesk.message import letter_text, visible_text
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.check import check_outgoing
from relaydesk_testkit.campaign.letters import html_attacks
from tests.support.gateway import RULES
from tests.unit.test_rewrite import BOUND, PNG, body, desk_mail, sent

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = 8_000  # characters
MOST = 2.5
NOISE = 0.03  # seconds

REPEATED = [
    "<a ", "<", "<a>", "<b>", "<div>", "<b><i><u><s>", "<blockquote>", "<table>", "<table><tr><td>", "<p>",
    "<ul><li>", "</p>", "</div>", "<!--", "<![", "<!", "<?", "<!DOCTYPE ", "<script>", "<style>", "<style>a{",
    "<title>", "<svg ", "<svg/>", "<math>", "<![CDATA[", "&", "&#x", "&#1", "&lt", "\x80",
    '<a "', "<a =", "x=y ",
    "<img src=cid:a>", "<img src=data:image/png;base64,AAAA>", '<a href="https://x.example/">x</a>',
    '<p style="color:red">x', '<p style="display:none">x', '<div style="display:none">', "<font size=1>",
    "<span style=color:red>", "<small>", "<sub>", "a < b ", "&nbsp;", "<br>", "<pre>\n", "<form>", "<select>",
    "<p style=color:#fff>x", '<div style="background:url(x);color:#fff">x', "<p class=gmail_quote>x", "x\n",
    "   ", "\u200b", "&#x202e;", "#no-order\n", "##- x -##<br>", "[ABC123-XYZ45]<br>", "{{", "{% ",
]  # fmt: skip
LED = [
    ("<a ", "x"), ("<", "a"), ("</", "p"), ("<!--", "-"), ("<!--", "--!"), ("<script>", "</scrip"),
    ("<textarea>", "</textarea "), ("<a b='", '"'), ("&", "a"), ("&#", "1"), ('<p style="', "a:b;"),
    ('<p style="', "\\41 "), ('<p style="', "/*"), ('<p style="', " "), ('<p style="color:rgb(', "1,"),
    ('<p style="transform:scale(', "0"), ('<p style="transform:translate(', "1-"), ('<p style="font:', "0 "),
    ('<p style="font:', "bold "), ('<p style="font-family:', "a,"), ('<p style="border:', "1px "),
    ('<p style="background:', "rgb("), ('<p style="opacity:', "0"), ('<p style="clip-path:', "rect( "),
    ('<p style="color:red', " !important"), ('<a href="', "a "), ('<a href="https://x/', "\u202e"),
    ('<p class="', "a "), ('<p id="', "x_"), ('<img src="', " "), ('<img src="data:image/png', ";a"),
    ('<img alt="', "a "), ('<img width="', " "), ('<img style="opacity:', "0"), ('<img style="', "width:"),
    ("<style>", "a{b:c}"), ("<style>", ".a,"), ("<style>", "@media{"), ("<style>", "}"), ("<style>", "/*"),
    ("<style>p{color:red;margin:1px}</style>", "<p>x"),
]  # fmt: skip
SHAPES = {unit: (lambda size, unit=unit: unit * (size // len(unit))) for unit in REPEATED} | {
    f"{start}…{unit}": (lambda size, start=start, unit=unit: start + unit * (size // len(unit)))
    for start, unit in LED
}


def through(html: str) -> None:
    try:
        answer = read_html(html, RULES, frozenset({"a"}))
        letter = page(answer.without(()), "Order 1")
    except AnswerRefused:
        return
    assert isinstance(answer.texts, list)
    letter_text(letter)
    visible_text(letter)
    visible_text(html)


def growth(work: Callable[[int], object], size: int = SMALL) -> tuple[float, float]:
    """The least seconds for a size and for twice that; asked again where the second looks too long."""
    least = [float("inf"), float("inf")]
    for _ in range(4):
        for place, wanted in enumerate((size, 2 * size)):
            begun = time.process_time()
            work(wanted)
            least[place] = min(least[place], time.process_time() - begun)
        if least[1] < MOST * least[0] + NOISE:
            break
    return least[0], least[1]


@pytest.mark.parametrize("shape", SHAPES)
def test_html_takes_time_in_proportion(shape: str) -> None:
    once, twice = growth(lambda size: through(SHAPES[shape](size)))
    assert twice < MOST * once + NOISE


@pytest.mark.parametrize("unit", ["&", "\u00a0", "&nbsp;", "&lt;", "\x80", "<!---->&"])
def test_a_long_text_takes_time_in_proportion(unit: str) -> None:
    """html5ever takes the square of one text's pieces, which shows in long texts only."""
    once, twice = growth(lambda size: through(unit * (size // len(unit))), 100_000)
    assert twice < MOST * once + NOISE


SUBMISSIONS: dict[str, Callable[[int], bytes]] = {
    "tags": lambda size: desk_mail(None, "<a " * (size // 3)),
    "Subject of tags": lambda size: b"Subject: " + b"[#1] " * (size // 5) + b"\r\n\r\nHello",
    "Subject of Re": lambda size: b"Subject: " + b"Re: " * (size // 4) + b"\r\n\r\nHello",
    "Subject of words": lambda size: b"Subject: " + b"=?utf-8?q?a?= " * (size // 14) + b"\r\n\r\nHello",
    "References": lambda size: b"References: " + b"<" * size + b"\r\n\r\nHello",
    "In-Reply-To": lambda size: b"In-Reply-To: " + b"<a@b> " * (size // 6) + b"\r\n\r\nHello",
    "parameters": lambda size: b"Content-Type: text/plain; " + b"a*0=b;" * (size // 6) + b"\r\n\r\nHello",
    "blank lines": lambda size: b"Subject: x\r\n\r\nHello" + b" \r\n" * (size // 3) + b"x",
    "quotations": lambda size: b"Subject: x\r\n\r\nHello\r\n" + b"> " * (size // 2),
    "lines": lambda size: desk_mail("##- x -##\n" * (size // 10) + "x", X_Mailer="Zendesk Mailer"),
    "blanks of a template": lambda size: desk_mail("{{" * (size // 2)),
}


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_submission_takes_time_in_proportion(name: str) -> None:
    def hand_in(size: int) -> None:
        try:
            sent(SUBMISSIONS[name](size))
        except AnswerRefused:
            return

    once, twice = growth(hand_in, 30_000)
    assert twice < MOST * once + NOISE


FIELDS = {
    "To": ["(", '"', "a ", "<", "a,", "=?utf-8?q?a?= ", ":", "@", "\\", "[", "a;"],
    "Subject": ["=?utf-8?q?a?= ", "=?", "a "],
    "Content-Type": ["a=b;", "(", ";", '"\\', "a*0=x;"],
    "Content-Disposition": ["a=b;", "filename=x;"],
    "Content-ID": ["<", "a."],
    "X-Any": ["(", "=?utf-8?q?a?= "],
}


@pytest.mark.parametrize(
    ("field", "unit"), [(field, unit) for field, units in FIELDS.items() for unit in units]
)
def test_a_field_of_a_finished_message_takes_bounded_time(field: str, unit: str) -> None:
    """The standard parser takes the square of it, so what is long is refused before."""

    def check(size: int) -> None:
        value = unit * (size // len(unit))
        folded = "\r\n ".join(value[at : at + 900] for at in range(0, len(value), 900))
        raw = f"{field}: text/plain; {folded}\r\nX: y\r\n\r\nHello\r\n".encode()
        with pytest.raises(AnswerRefused):
            check_outgoing(raw, BOUND)

    once, twice = growth(check, 16_000)
    assert twice < MOST * once + NOISE


SEED = 20_261_128
PIECES = [
    b"<", b">", b'"', b"'", b"<![", b"<![CDATA[", b"<!--", b"-->", b"&#", b"&#xD800;", b"=", b"\r\n",
    b"\r\n\r\n",
    b"--", b"=?utf-8?q?", b"?=", b"\0", b"\xff", b"\xed\xa0\x80", b"(", b")", b";", b":", b"Content-Type: ",
    b"Content-ID: <", b"multipart/alternative; boundary=", b"charset=", b"cid:", b"data:image/png;base64,",
    b"utf-16",
    b'style="', b"\\", b"[", b"]", b"filename*=utf-8''%", b"base64", b"http://[", b"url(",
]  # fmt: skip


def mutated(raw: bytes, dice: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(dice.randint(1, 12)):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(5):
            case 0:
                del changed[at : at + dice.randint(1, 30)]
            case 1:
                changed[at:at] = dice.choice(PIECES) * dice.choice((1, 1, 1, 3))
            case 2:
                changed[at:at] = dice.randbytes(dice.randint(1, 4))
            case 3:
                start = dice.randrange(len(changed) + 1)
                changed[at:at] = changed[start : start + dice.randint(1, 200)]
            case _:
                changed[at : at + 1] = bytes(
                    [(changed[at] if at < len(changed) else 0) ^ 1 << dice.randrange(8)]
                )
    return bytes(changed)


def desk_mails() -> list[bytes]:
    message = EmailMessage()
    message["Subject"] = "Re: hi"
    message.set_content("See the label")
    message.add_alternative('<p>See <img src="cid:photo@x" width="300"> the label</p>', subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(PNG, "image", "png", cid="<photo@x>", filename="photo.png")
    message.add_attachment(b"%PDF-1.7\n%x", maintype="application", subtype="pdf", filename="label.pdf")
    dice = random.Random(SEED)
    hostile = [*html_attacks("runs"), *html_attacks("loads"), *html_attacks("hidden")]
    return [
        message.as_bytes(policy=policy.SMTP),
        desk_mail(
            "Hi\n> q", "<style>p{color:red}</style><p class=MsoNormal>Hi<blockquote>q", X_Mailer="Zendesk"
        ),
        *(desk_mail("Hi", "".join(dice.sample(hostile, 12))) for _ in range(4)),
    ]


def test_whatever_is_handed_in_is_taken_or_refused_with_a_sentence() -> None:
    dice, mails, taken = random.Random(SEED), desk_mails(), 0
    for _ in range(250):
        try:
            sent(mutated(dice.choice(mails), dice))
        except AnswerRefused as refusal:
            assert len(str(refusal)) > 10
        else:
            taken += 1
    assert taken > 50


@pytest.mark.parametrize(
    "odd", ["<![", "<![foo", "<![foo[x]]>", "<!foo", "<![if !mso]>", "<![endif]-->", "<!"]
)
def test_an_unknown_declaration_is_read_as_browsers_read_it(odd: str) -> None:
    message = sent(desk_mail(None, f"<p>Hello</p>{odd}<p>Bye</p>"))
    html = body(message, "html").removeprefix("<!DOCTYPE html>")
    assert "Hello" in html and "<!" not in html


def test_a_finished_message_that_was_tampered_with_is_refused_with_a_sentence() -> None:
    made, dice = sent(desk_mail("Hello", "<p>Hello</p>")).as_bytes(policy=policy.SMTP), random.Random(SEED)
    refused = 0
    for _ in range(250):
        try:
            check_outgoing(mutated(made, dice), BOUND)
        except AnswerRefused:
            refused += 1
    assert refused > 100
