"""What a person sees of HTML: visible text in lines, and which of it a mail program quotes."""

from __future__ import annotations

import pytest

from relaydesk.message import parse_message
from relaydesk.message.html import Rendering, read
from relaydesk.message.markup import MAX_DEPTH, MAX_TAGS
from tests.support.growth import LINEAR, growth

OWN = "It came broken."
NUMBER = "222222222222222"
LABEL = f"Order number: {NUMBER}"

# %% stands for the label.
HIDDEN = [
    # display, visibility, attributes
    '<div style="display:none">%%</div>',
    '<div style="DISPLAY : None !important">%%</div>',
    "<div style=display:none>%%</div>",
    '<div style="display&#58;none">%%</div>',
    r'<div style="display:\6eone">%%</div>',
    '<div style="/**/display:/* */none">%%</div>',
    '<div title="a>b" style="display:none">%%</div>',
    '<p style="display:none">x<br>%%</p>',
    '<b style="display:none">%%</b>',
    '<center style="display:none">%%</center>',
    '<o:p style="display:none">%%</o:p>',
    '<a href="https://x.example" style="display:none">%%</a>',
    '<table><tr style="display:none"><td>%%</td></tr></table>',
    '<table><tr><td style="display:none">%%</td></tr></table>',
    f'<table style="display:none"><tr><td>Order number:</td><td>{NUMBER}</td></tr></table>',
    '<ul style="display:none"><li>%%</li></ul>',
    "<p hidden>%%</p>",
    '<section hidden=""><p>%%</p></section>',
    "<x-y hidden>%%</x-y>",
    '<span style="visibility:hidden">%%</span>',
    '<div style="visibility:hidden"><p><i>%%</i></p></div>',
    '<span style="visibility:collapse">%%</span>',
    '<div style="mso-hide:all">%%</div>',
    '<div style="content-visibility:hidden">%%</div>',
    "<dialog>%%</dialog>",
    "<template>%%</template>",
    "<!-- %% -->",
    "<title>%%</title>",
    '<input type="hidden" value="%%">',
    # no size
    '<div style="font-size:0">%%</div>',
    '<div style="font-size:0px;line-height:0">%%</div>',
    '<div style="font-size:0pt"><b>%%</b></div>',
    '<div style="font-size:1px">%%</div>',
    '<div style="font-size:.01em">%%</div>',
    '<div style="font-size:0"><span style="font-size:100%">%%</span></div>',
    '<div style="font:0/0 a">%%</div>',
    '<font size="0">%%</font>',
    '<font style="font-size:0"><p>%%</p></font>',
    # no colour of its own
    '<div style="color:white">%%</div>',
    '<div style="color:#fff">%%</div>',
    '<div style="color:#fefefe">%%</div>',
    '<div style="color:#FFFFFF;background:#ffffff">%%</div>',
    '<div style="color:rgb(255,255,255)">%%</div>',
    '<div style="color:rgb(100% 100% 100%)">%%</div>',
    '<div style="color:rgba(0, 0, 0, 0)">%%</div>',
    '<div style="color:#00000000">%%</div>',
    '<div style="color:hsl(0, 0%, 100%)">%%</div>',
    '<div style="color:transparent">%%</div>',
    '<div style="-webkit-text-fill-color:transparent">%%</div>',
    '<font color="white">%%</font>',
    "<font color=ffffff><span>%%</span></font>",
    '<div style="background-color:#eee"><span style="color:#eee">%%</span></div>',
    '<div style="background:#000;color:#000">%%</div>',
    '<table bgcolor="#1877f2"><tr><td><font color="#1877F2">%%</font></td></tr></table>',
    '<table><tr><td bgcolor=black style="color:#000">%%</td></tr></table>',
    '<div style="color:ivory">%%</div>',
    "<video>%%</video>",
    "<audio controls>%%</audio>",
    "<canvas>%%</canvas>",
    "<rp>%%</rp>",
    # no room
    '<div style="opacity:0">%%</div>',
    '<div style="opacity:0%">%%</div>',
    '<div style="filter:alpha(opacity=0);opacity:.01">%%</div>',
    '<div style="max-height:0;overflow:hidden">%%</div>',
    '<div style="height:0px; overflow:hidden;">%%</div>',
    '<div style="overflow:hidden;width:1px">%%</div>',
    '<div style="text-indent:-9999px">%%</div>',
    '<div style="position:absolute;left:-9999px">%%</div>',
    '<div style="position:fixed; top:-1000em">%%</div>',
    '<div style="margin-left:-9999px">%%</div>',
    '<div style="transform:scale(0)">%%</div>',
    '<div style="transform:translateX(-9999px)">%%</div>',
    '<div style="position:absolute;clip:rect(0,0,0,0)">%%</div>',
    '<div style="clip-path:inset(50%)">%%</div>',
    # by a style sheet
    '<style>.x{display:none}</style><div class="x">%%</div>',
    '<style>.x , .y { color : red; display:none !important }</style><div class="a y">%%</div>',
    '<style>#x{visibility:hidden}</style><div id="x">%%</div>',
    '<style>p.x{font-size:0}</style><p class="x">%%</p>',
    '<style>.a.b{display:none}</style><p class="b a">%%</p>',
    "<style><!-- body .x{display:none} --></style><div class=x>%%</div>",
    "<style>@media screen{.x{display:none}}</style><div class=x>%%</div>",
    '<style>@import "x.css"; @font-face{font-family:x}.x{display:none}</style><div class=x>%%</div>',
    '<style type="text/css">/* a */ .x{/* b */display:none}</style><div class=x>%%</div>',
    "<style>u{display:none}</style><u>%%</u>",
]
VISIBLE = [
    '<div aria-hidden="true">%%</div>',
    '<div style="font-size:0"><span style="font-size:14px">%%</span></div>',
    '<table><tr><td style="font-size:0"><div style="font-size:medium">%%</div></td></tr></table>',
    '<div style="visibility:hidden"><span style="visibility:visible">%%</span></div>',
    '<div style="color:#fff"><div style="background:#000">%%</div></div>',
    '<div style="background:#1877f2;color:#fff">%%</div>',
    '<div style="background:url(x.png);color:#fff">%%</div>',
    '<div style="background-image:linear-gradient(red,blue);color:#fff">%%</div>',
    '<div style="background:var(--x);color:#fff">%%</div>',
    '<div style="color:var(--x)">%%</div>',
    '<table background="x.png"><tr><td style="color:#fff">%%</td></tr></table>',
    '<table><tr><td bgcolor="#000"><font color="#fff">%%</font></td></tr></table>',
    '<div style="color:#fff"><a href="https://x.example">%%</a></div>',
    '<a href="https://x.example" style="color:#fff;background:#000">%%</a>',
    "<style>.btn{background:#000}</style><div class=btn style='color:#fff'>%%</div>",
    "<style>td .btn{background:#000}</style><div class=btn style='color:#fff'>%%</div>",
    "<style>@media (max-width:600px){.x{display:none}}</style><div class=x>%%</div>",
    "<style>.x{display:none}</style><div class=x style='display:block'>%%</div>",
    "<style>.x{display:none}.x{display:block}</style><div class=x>%%</div>",
    "<style>.preheader{display:none}</style><div class=body>%%</div>",
    "<style>td .x{display:none}</style><div class=x>%%</div>",
    '<div style="color:#333;opacity:.5">%%</div>',
    '<div style="overflow:hidden;height:20px;width:100%">%%</div>',
    '<div style="text-indent:-18pt;margin-left:36pt">%%</div>',
    "<font size=1>%%</font>",
    "<dialog open>%%</dialog>",
    "<p don't>%%</p>",
    "<svg width=1/><p>%%</p>",
    "<![if !mso]><p>%%</p><![endif]>",
    "<!--[if mso]>x<![endif]--><p>%%</p>",
    "<!--><p>%%</p>",
]
QUOTED = [
    "<blockquote>%%</blockquote>",
    "<BLOCKQUOTE TYPE=cite><div>%%</div></BLOCKQUOTE>",
    # Gmail
    '<div class="gmail_quote">On Mon, Apr 2, 2012 at 6:26 PM, <a href="mailto:s@y.example">s@y.example</a>'
    ' wrote:<br><blockquote class="gmail_quote">%%</blockquote></div>',
    '<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">x:<br></div>'
    '<blockquote class="gmail_quote">%%</blockquote></div>',
    '<div class="gmail_quote">---------- Forwarded message ---------<br>From: Shop<br>%%</div>',
    '<div class="gmail_extra"><br><div class="gmail_quote">words of a language<br>%%</div></div>',
    # Yahoo, AOL
    '<div id="yahoo_quoted_123" class="yahoo_quoted"><div>On Monday, Shop wrote:</div><div>%%</div></div>',
    '<div id="AOLMsgPart_1">%%</div>',
    '<div class="aolReplacedBody">%%</div>',
    # Outlook on the web, mobile, 2007, 2013, Mac, Express, Hotmail
    '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Shop</div><div>%%</div>',
    '<div id="x_divRplyFwdMsg"><b>Xyz:</b> Shop<br></div><div>%%</div>',
    '<div id="mail-editor-reference-message-container"><div>%%</div></div>',
    '<div class="ms-outlook-mobile-reference-message">%%</div>',
    "<div style='border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm'><p>Xyz: Shop</p></div>%%",
    '<div><div style="border:none; border-top:solid #E1E1E1 1.0pt"><p>Xyz: Shop</p></div></div><p>%%</p>',
    '<div style="border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt"><p>%%</p></div>',
    '<div id="OLK_SRC_BODY_SECTION"><div>%%</div></div>',
    "<div class=OutlookMessageHeader>Xyz: Shop</div><div>%%</div>",
    '<hr id="stopSpelling">Date: Thu<br>%%',
    # Apple, Thunderbird
    '<div><blockquote type="cite"><div>Shop wrote:</div><div>%%</div></blockquote></div>',
    '<div class="AppleOriginalContents">%%</div>',
    '<div class="moz-cite-prefix">Am 12.05.2025 um 14:03 schrieb Shop:<br></div>'
    '<blockquote cite="mid:1" type="cite">%%</blockquote>',
    '<div class="moz-forward-container">-------- Forwarded Message --------%%</div>',
    # Proton, Tutanota, Zimbra, Zoho, GMX, QQ, 163, mail.ru, Yandex
    '<div class="protonmail_quote">%%</div>',
    '<div class="tutanota_quote">%%</div>',
    '<hr id="zwchr"><b>From: </b>Shop<br>%%',
    '<div class="zmail_extra"><blockquote>%%</blockquote></div>',
    '<div name="quote" style="margin:10px">%%</div>',
    '<div name="quoted-content">%%</div>',
    '<div name="messageReplySection">%%</div>',
    '<blockquote id="isReplyContent">%%</blockquote>',
    '<div id="isReplyContent">%%</div>',
    '<div class="ntes-mailmaster-quote">%%</div>',
    "<div>------------------&nbsp;原始邮件&nbsp;------------------</div><div>%%</div>",
    "<p>Пн, 12 мая 2025, 14:03 +03:00 от Shop &lt;s@x.example&gt;:</p><blockquote>%%</blockquote>",
    '<p>12.05.2025, 14:03, "Shop" &lt;s@x.example&gt;:</p><blockquote>%%</blockquote>',
    # by the text alone
    "<p>On 12 May 2025 at 14:03, Shop wrote:</p><div style='border-left:1px solid #ccc'>%%</div>",
    "<p>On 12 May 2025 at 14:03, Shop wrote:</p><p>%%</p>",
    "<span>Le 12 mai 2025 à 14:03, <a href='mailto:s@x.example'>s@x.example</a> a écrit&nbsp;:</span>"
    "<br><div>%%</div>",
    "<p>-----Original Message-----<br>From: Shop<br>Sent: Monday</p><p>%%</p>",
    "<p><b>From:</b> Shop<br><b>Sent:</b> Monday<br><b>To:</b> a<br><b>Subject:</b> x</p><p>%%</p>",
    "<p><b>Von:</b> Shop</p><p><b>Gesendet:</b> Montag</p><p><b>An:</b> a</p><p>%%</p>",
    "<table><tr><td>From:</td><td>Shop</td></tr><tr><td>Sent:</td><td>Mon</td></tr><tr><td>To:</td><td>a</td></tr>"
    "</table><p>%%</p>",
    "<p>&gt; a<br>&gt; %%</p>",
]
NOT_QUOTED = [
    '<div style="border-left:4px solid #1877f2;padding:8px">%%</div>',
    '<blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>%%</div></blockquote>',
    '<div class="gmail_default">%%</div>',
    '<div class="quote-total" id="quotes">%%</div>',
    '<div style="border-top:1px solid #e1e1e1">%%</div>',
    "<hr><p>%%</p>",
    "<blockquote>q</blockquote><p>%%</p>",
    '<div class="gmail_quote"><div class="gmail_attr">On 1 May Shop wrote:</div><blockquote>q</blockquote>'
    "<div>%%</div><blockquote>r</blockquote></div>",
    "<p><b>From:</b> alice<br><b>Reason:</b> late<br>%%</p>",
]


def own(page: Rendering) -> str:
    return "\n".join(passage.text for passage in page.passages if not passage.quoted).strip()


def shown(markup: str) -> Rendering:
    return read(f"<p>{OWN}</p>{markup.replace('%%', LABEL)}")


@pytest.mark.parametrize("markup", HIDDEN)
def test_hidden_text_is_neither_text_nor_markup(markup: str) -> None:
    page = shown(f"{markup}<p>Thanks</p>")
    assert page.text == f"{OWN}\n\nThanks"
    assert NUMBER not in page.html
    assert "x.example" not in page.html
    assert page.anchors == ()


@pytest.mark.parametrize("markup", VISIBLE)
def test_visible_text_is_never_taken_for_hidden(markup: str) -> None:
    page = shown(markup)
    assert LABEL in own(page)
    assert LABEL in page.html


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        ("<body text=#ffffff bgcolor=white><p>%%", False),
        ('<body style="background:#000;color:#fff">%%', True),
        ("<style>body{color:#fff}</style><body><p>%%", False),
        ("<html><body bgcolor=#000000><font color=white>%%</font>", True),
        ("<html><body bgcolor=#000000><font color=black>%%</font>", False),
    ],
)
def test_the_body_gives_the_colours(markup: str, seen: bool) -> None:
    page = read(markup.replace("%%", LABEL))
    assert (LABEL in page.text) is seen
    assert page.hides is not seen


@pytest.mark.parametrize("markup", QUOTED)
def test_what_a_program_quotes_is_quoted_and_stays_visible(markup: str) -> None:
    page = shown(markup)
    assert own(page) == OWN
    assert LABEL in page.text
    assert LABEL in page.html


@pytest.mark.parametrize("markup", NOT_QUOTED)
def test_other_elements_quote_nothing(markup: str) -> None:
    assert LABEL in own(shown(markup))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<div>a<br></div><div><br></div><div><br></div><div>b</div>", "a\n\nb"),
        ("a<br>b<br><br><br><br>c", "a\nb\n\nc"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>d", "a\nb\n\nc\n\nd"),
        (
            "<table><tr><th>Order</th><td>1&nbsp;€</td></tr><tr><td></td><td>x</td></tr></table>",
            "Order\t1 €\nx",
        ),
        ("<table><tr><td><p>a</p></td><td><div>b</div></td></tr></table>", "a\n\nb"),
        ("<pre>a\n  b\n\nc</pre>d", "a\nb\n\nc\n\nd"),
        ("<div style='white-space:pre-wrap'>a\nb</div>", "a\nb"),
        ("a\n b\tc", "a b c"),
        ("<b>Order</b> <i>num</i>ber: <a href='https://x.example'>1</a>", "Order number: 1"),
        ("<p>a<img src=x alt='Our shop'>b</p>", "a[Our shop]b"),
        ("<p>a<img src=x alt='' width=1><img alt=x width=1 height=1>b</p>", "ab"),
        ("&lt;b&gt; &amp; &euro; &#x41; &hellip;", "<b> & € A …"),
        ("<h1>a</h1>b<hr>c", "a\n\nb\nc"),
        ("<section>a</section><center>b</center><font>c</font>d", "a\nb\ncd"),
        ("a <b", "a"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("", ""),
    ],
)
def test_html_is_written_as_lines_and_cells(markup: str, text: str) -> None:
    assert read(markup).text == text


def test_a_mail_all_in_a_box_of_gmails_is_own() -> None:
    assert own(read(f'<div class="gmail_quote"><div class="gmail_quote">{OWN}<br>{LABEL}</div></div>'))
    text = f'<div class="gmail_quote"><div>x wrote:</div><blockquote>{LABEL}</blockquote>{OWN}</div>'
    assert own(read(text)) == OWN


def test_an_alternative_text_is_no_label() -> None:
    assert own(shown(f'<p><img src=x alt="{LABEL}"></p>')) == f"{OWN}\n\n[{LABEL}]"


def test_links_are_the_senders_own() -> None:
    page = shown(
        '<p><a href="https://x.example/own?a=1&amp;b=2">own</a><a href="javascript:x()">x</a></p>'
        '<blockquote><a href="https://x.example/quoted"><img src=x></a></blockquote>'
        '<p style="display:none"><a href="https://x.example/hidden">x</a></p>'
        '<p style="visibility:hidden"><a href="https://x.example/unseen">x</a></p>'
        '<a href="https://x.example/white" style="color:#fff">x</a>'
        '<p>On Mon, May 12, 2025 at 2:03 PM Shop wrote:</p><p><a href="https://x.example/below">x</a></p>'
    )
    assert page.anchors == (
        ("https://x.example/own?a=1&b=2", False),
        ("javascript:x()", False),
        ("https://x.example/quoted", True),
        ("https://x.example/below", True),
    )
    assert "hidden" not in page.html
    assert "javascript" not in page.html


def mail(plain: str, hyper: str) -> bytes:
    return (
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"{plain}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{hyper}\r\n--b--\r\n"
    ).encode()


LINK = "https://www.facebook.com/shipping_orders/222222222222222/"


@pytest.mark.parametrize(
    ("plain", "hyper"),
    [
        (
            f"{OWN}\n\nOn Mon Shop wrote:\n> {LABEL}\n> {LINK}",
            f"<p>{OWN}</p><p>{LABEL}</p><a href='{LINK}'>x</a>",
        ),
        (
            f"{OWN}\n\n{LABEL}\n{LINK}",
            f"<p>{OWN}</p><blockquote>{LABEL}<br><a href='{LINK}'>x</a></blockquote>",
        ),
        (f"{OWN}\n> {LABEL}", f"<div>{OWN}</div><blockquote class=gmail_quote>{LABEL} {LINK}</blockquote>"),
    ],
)
def test_neither_body_overrules_the_quotation_of_the_other(plain: str, hyper: str) -> None:
    message = parse_message(mail(plain, hyper))
    assert [body.source for body in message.bodies] == ["text", "html"]
    assert all(NUMBER not in body.own.replace(LINK, "") for body in message.bodies)
    assert all(NUMBER in body.quoted for body in message.bodies)
    assert message.own.startswith(OWN)
    assert message.links == ()


def test_a_page_that_hides_all_its_text_is_a_defect() -> None:
    message = parse_message(b"Content-Type: text/html\r\n\r\n<p hidden>a</p>")
    assert (message.text, message.defects) == ("", ("The HTML shows no text: its style hides all of it.",))


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * (MAX_DEPTH + 5) + f"<div hidden>{LABEL}</div>",
        "<b><i>" * 200 + f"<b style='display:none'>{LABEL}</b>",
        "<div>" * (MAX_DEPTH + 5) + f"<blockquote>{LABEL}</blockquote>",
        "<i></i>" * MAX_TAGS + f"<div hidden>{LABEL}</div>",
    ],
    ids=["deep", "formatting", "deep quotation", "many"],
)
def test_what_lies_beyond_a_bound_is_never_own(markup: str) -> None:
    assert LABEL not in own(read(f"<p>{OWN}</p>{markup}"))


def test_a_tag_lost_to_a_bound_closes_no_other() -> None:
    deep = "<div>" * (MAX_DEPTH + 5) + "</div>" * (MAX_DEPTH + 5)
    assert read(f"<blockquote>q{deep}{LABEL}</blockquote>own").passages[0].text.endswith(LABEL)
    assert own(read(f"<blockquote>q{deep}{LABEL}</blockquote>own")) == "own"


@pytest.mark.parametrize(
    "piece",
    [
        "<a ", "<aaaa", '<a b="', "<a x=1 ", "<div>", "<blockquote>", "<div hidden>x", "<b x=1>", "<p>x",
        "<table><td>",
        "<style>", "<style></style ", "<style>.a{color:red}</style>", "<!--", "<!", "</", "<", ">", "</p>",
        "<font color=#fff>x</font>", "<p>From: a</p>", "<p>On Mon 12 May 2025 at 14:03 you wrote:</p>",
        "<div class=gmail_quote><br>", "<img alt=x>", "<pre>x\n", "<svg ", "x:\n<br>",
    ],
)  # fmt: skip
def test_its_work_grows_with_the_markup(piece: str) -> None:
    assert growth(read, lambda size: piece * (size // len(piece)), 30_000) < LINEAR


@pytest.mark.parametrize("piece", ["&", "\xad"])
def test_its_work_grows_with_what_one_text_is_put_together_of(piece: str) -> None:
    """The cleaner copies a text for each entity in it, and for each character of some."""
    assert growth(read, lambda size: piece * size, 100_000) < LINEAR


def test_a_long_text_is_parted_amid_no_entity() -> None:
    text = read("x" * 1_990 + "&copy;" * 1_000).text
    assert text == "x" * 1_990 + "©" * 1_000


@pytest.mark.parametrize(
    ("rule", "element"),
    [
        (".c{}{{display:none}}", "<i class=c{}>x</i>"),
        ("@media all{{a{}", "<i>x</i>"),
        (".x .y:hover[a]>c{}{{color:red}}", "<i class=x>x</i>"),
        ("{{", "<i style='color:red;a:{}'>x</i>"),
    ],
)
def test_its_work_grows_with_the_style_sheet(rule: str, element: str) -> None:
    def page(size: int) -> str:
        rows = range(size // (len(rule) + len(element)))
        rules = "".join(rule.format(row) for row in rows)
        return f"<style>{rules}</style>" + "".join(element.format(row) for row in rows)

    assert growth(read, page, 30_000) < LINEAR
