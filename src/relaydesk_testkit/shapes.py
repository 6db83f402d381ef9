"""Hostile shapes: texts that can be made as long as one likes, of the syntax of mail, HTML, styles and rules.

A shape is a beginning, a unit that is repeated, and an end. Bytes that are no UTF-8 are written as Python's
surrogates (``\\udcff`` for FF).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOUP = 400  # tokens of a soup before it repeats


@dataclass(frozen=True, slots=True)
class Shape:
    """``start``, as much of ``unit`` as fits, ``end``."""

    unit: str
    start: str = ""
    end: str = ""
    name: str = ""

    def text(self, size: int) -> str:
        """This shape in about ``size`` characters."""
        room = max(size - len(self.start) - len(self.end), len(self.unit))
        return self.start + self.unit * (room // len(self.unit)) + self.end

    def __str__(self) -> str:
        if self.name:
            return self.name
        around = [ascii(piece)[1:-1] for piece in (self.start, self.end) if piece]
        return f"{ascii(self.unit)[1:-1]} …" + (f" with {' and '.join(around)}" if around else "")


PUNCTUATION = " \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
# One of each kind of character that readers tell apart.
CHARACTERS = (
    *PUNCTUATION, "\r\n", "\n", "\r", "\r\n ", "\n\n", "\0", "a", "0", "\x1b", "\x0b", "\u0300", "\u202e",
    "\u200b", "\u00ad", "\u0130", "\ufb03", "\u4e00", "\u3042", "\uac00", "\u1100", "\uff76\uff9e",
    "\u0e01", "\u00e9", "\U0001f600", "\udc80", "\udced\udca0\udc80", "\udcff", "a\u0301\u0323",
)  # fmt: skip

HEADER = (
    "=?utf-8?q?", "=?utf-8?b?", "=?", "?=", "=?utf-8?q?a?= ", "=?utf-8?b?YQ==?=", "(", ")", '"', "\\", "<",
    ">", ",", ";", ":", "@", ".", "\r\n ", "a@b.example, ", "<a@b.example>", "g:a@b.example;", "a", " ",
    "<a@", "[", "]", "\\\\", "()", '""', "'", "=", "%", "*0*=", "a=b; ", "mailto:",
)  # fmt: skip
PARAMETERS = (
    "; a=b", ";", "=", "*", "*0=", "*1*=", "'", "%41", '"', "\\", "utf-8''", "boundary=", "charset=",
    "name*0*=utf-8''a", "=?utf-8?q?a?=", " ", "/", "text", ",",
)  # fmt: skip
LINES = (
    "\r\n", "\n", "> ", ">", ">> a\r\n", "On ", " wrote:\r\n",
    "On Monday 12 May 2025 at 14:03 a wrote:\r\n", "-----Original Message-----\r\n", "From: a\r\n",
    "Subject: b\r\n", "Sent: c\r\n", "To: d\r\n", "a@b.example ", "_"*12+"\r\n", "a", " ", "a \r\n",
    "-- \r\n", ":", "|", "Am 1.2.25 schrieb a@b.example:\r\n", "\t", "12345678901234 ", "order ",
    "Order number: ", "#", "https://l.example/?u=", "https://", "\u5beb\u9053",
)  # fmt: skip
TAGS = (
    "<a ", "<a href=", "<", ">", "</", "/>", "<!", "<!--", "-->", "--!>", "<![", "<![CDATA[", "]]>", "<?",
    "&", "&#", "&#x41", "&amp", "&lt;", "&notit;", "=", '"', "'", "<div>", "</div>", "<p>", "<b>", "</b>",
    "<i a>", "<table>", "<td>", "<tr>", "<li>", "<select>", "<svg>", "<math>", "<style>", "</style>",
    "<script>", "<script", "</script>", "<textarea>", "<title>", "<template>", "<font color=red>",
    "<blockquote>", "<br>", "<a href=https://x.example/>y</a>", "<div style='display:none'>",
    '<p class="a b">', "<img alt=x>", "<nobr>", "<form>", "<a>", "x", " ", "<x-y>", "<span style=", "<h1>",
    "<button>", "<frameset>", "<plaintext>", "<body>", "<html>", "<caption>", "<col>", "<option>", "<mi>",
    "<desc>", "<foreignObject>",
)  # fmt: skip
STYLES = (
    "{", "}", ":", ";", "/*", "*/", "<!--", "-->", "\\", "\\41 ", ".a", "#b", ",", " ", "@media all{", "@",
    "a{b:c}", "color:red;", "scale(", "0", "translate(", "-", "rect(", "rgb(", ")", "font: 0px",
    "!important", "a", "inset(", "html ", "1px", ".", "%",
)  # fmt: skip
MIME = (
    "--b", "\r\n", "--b\r\n", "--b\r\n\r\n", "--b--\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "Content-Type: text/html\r\n\r\n",
    "Content-Type: message/rfc822\r\n\r\n", "x", "--b\r\nA: b\r\n\r\nx\r\n",
    "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n", "--", "-", "--b \r\n",
    "--c\r\nContent-Type: a\r\n", "--b\r\nContent-Type: text/plain; name=a\r\n\r\nx\r\n",
    "--b\r\nContent-Type: application/rtf\r\n\r\n{\\rtf",
)  # fmt: skip
ENCODED = (
    "=", "=\r\n", "==", "=4", "=41", "= \r\n", "YQ==", "YQ==\r\n", "A", "A ", "AAAA", "\r\n",
    "begin 644 a\r\n", "begin 644 ", "begin-base64 644 a\n", "M", "#86)C\n", "end\r\n", "====\r\n", "`\n",
    " ", "!", "=ybegin ", "~",
)  # fmt: skip
FORMS = (
    "<", "<<", "<bold>", "</bold>", "<param>", "</param>", "<nofill>", "\n", "{", "}", "\\", "\\'41",
    "\\u100 ", "\\u55296?", "\\par ", "{\\*", "{\\fonttbl", "\\*", "BEGIN:VEVENT\n", "END:VEVENT\n",
    "DTSTART", ";", "=", '"', ":", "\n ", "SUMMARY:a\n", "DTSTART;A=\"", "\\n", ";TZID=",
)  # fmt: skip
CHARSETS = (
    "\x1b$B", "\x1b(B", "\x1b", "\x0e", "\x0f", "!!", "\x1b$)C", "~{", "~}", "~", "+", "+AGE-", "&AGE-",
    "\0a", "a\0", "\udcfe\udcff", "\udc81", "\udc8f", "\udca1", "\udcff", "\udcf0\udc9f",
    "\udced\udca0\udcbd\udced\udcb0\udc80", "\udc80a", "\u00e9", "\u0431", "a", "\r\n", "\udc810\udc810",
    "\udce3",
)  # fmt: skip
DKIM = (
    "v=1; ", "a=rsa-sha256; ", "b=", "bh=AAAA; ", "h=from:", "d=a.example; ", "s=b; ", ";", "=", " ", "\t",
    "\r\n ", "from:", "z=", "=41", "AAAA", "A ", "i=@a.example; ", "t=1; ", "l=1; ", ":", "\r\n", "\r",
    "\n", "a=b;", "x",
)  # fmt: skip
SPF = (
    "v=spf1 ", "include:", "a:", "mx ", "exists:%{l}.", "%{l}", "%{d2r-.}", "%{", "%", "%%", "/32", "//128",
    "ip4:", "ip6:", "10.0.0.1 ", "::", "redirect=", "exp=", "a.", "-", "~all ", "ptr ", ":", "0", "x=y ",
    "v=DMARC1; ", "p=reject;", "rua=mailto:a@b.example,", ";", "=", "_dmarc.",
)  # fmt: skip
PATHS = (
    "FROM:<", "TO:<", "<", ">", '"', '\\"', "\\", "@", "a@b.example", ".", "a", " SIZE=1", " BODY=8BITMIME",
    " ", ",:", "[", "]", "IPv6:", "1.", "::", "ADDR=", "NAME=", "+41", "+", "=", "\u00e9", "xn--", "-", "_",
)  # fmt: skip
RECEIVED = (
    "from a ", "(a [192.0.2.1]) ", "(", ")", "[", "]", "([192.0.2.1]:25 helo=x) ",
    "by mx.google.com with ESMTPS id ", "by a with SMTP id ", "by a.outlook.com (",
    ") with Microsoft SMTP Server ", " by ", "with mapi ", "a.", "a", " ", "1:", "IPv6:", ":25", "%1",
    "helo=", ";",
)  # fmt: skip
REPORT = (
    "Final-Recipient: rfc822; a@b.example\r\n", "Action: failed\r\n", "Status: 5.1.1\r\n", "\r\n", " a\r\n",
    "Diagnostic-Code: smtp; 550 5.1.1 no\r\n", "a: b\r\n", ">", ";", "5.1.1 ", "550 ", "550-5.1.1 ", "#4.",
    "4", ".", "could not be delivered to ", "<a@b.example>\r\n", "a@", "a", "if ", "Subject: ",
    "Received: a\r\n", "Message-ID: <a@b>\r\n", "original message\r\n", "?\r\n", "recipient: ", "- ",
    "\u672a",
)  # fmt: skip
TEMPLATE = (
    "{{", "}}", "{%", "%}", "{{ a }}", "{% if a %}", "{#", "#}", "<!--", "<div>",
    "<div style=display:none>", "</div>", "#no-order\n", "re: ", "order 1 ", "<a@b>", "\r\n", " ", "x",
    "no-reply", "-", "<script>", "&", "<img src=",
)  # fmt: skip
ORDERS = (
    "order_id,", "1,", '"', '""', ",", ";", "\t", "\r\n", "[", "{", "]", "}", ":", '{"order_id":"1"},',
    '{"data":[', '{"', "\\", "\\u0041", "1e9", "0", ".", "a x 1 @ 2", " x ", " @ ", " ", '="', "=", "-",
    "2026-01-01", "null,",
)  # fmt: skip


def shapes(
    tokens: Sequence[str], seed: int = 1, *, characters: bool = True, wide: bool = False
) -> Iterator[Shape]:
    """The shapes of a grammar: each token repeated, and each kind of character, and soups of them.

    ``wide`` adds each pair of tokens and of punctuation, and characters behind each token.
    """
    units = dict.fromkeys((*tokens, *(CHARACTERS if characters else ())))
    if wide:
        units |= dict.fromkeys(first + second for first, second in product(tokens, repeat=2))
        units |= dict.fromkeys(first + second for first, second in product(PUNCTUATION, repeat=2))
    yield from (Shape(unit) for unit in units)
    for start in tokens if wide else tokens[:4] if characters else ():
        yield from (Shape(unit, start, "x") for unit in (" ", "a", "0", "\r\n", start[-1], "\\"))
    yield from soups(tokens, seed, 24 if wide else 4)


def soups(tokens: Sequence[str], seed: int, count: int) -> Iterator[Shape]:
    """Random sentences of the tokens, the same for the same seed: some of all, some of a few of them."""
    chance = random.Random(seed)
    for number in range(count):
        few = list(tokens) if number % 2 == 0 else chance.sample(list(tokens), min(len(tokens), 4))
        yield Shape("".join(chance.choices(few, k=SOUP)), name=f"soup {number} of seed {seed}")
