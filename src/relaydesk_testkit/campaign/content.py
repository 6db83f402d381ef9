"""Hostile content of strangers behind a relay and of buyers: HTML, MIME and signatures dear to read."""

from __future__ import annotations

import base64
import time
from itertools import cycle
from typing import TYPE_CHECKING

from relaydesk.mailauth.signing import sign_dkim
from relaydesk_testkit.buyers import DOMAIN, KEY_BITS
from relaydesk_testkit.campaign.floods import together
from relaydesk_testkit.campaign.target import LISTED_TOO, RELAY, over
from relaydesk_testkit.signing import SELECTOR, key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target

SIZE = 240_000  # bytes
LONGEST = 30.0  # seconds from the dot to the reply, beside other attacks


def _filled(unit: bytes, size: int = SIZE) -> bytes:
    return unit * (size // len(unit))


def _lines(data: bytes) -> bytes:
    """Broken into lines that SMTP takes."""
    return b"\r\n".join(data[at : at + 60_000] for at in range(0, len(data), 60_000))


HTML: Mapping[str, bytes] = {
    "an unclosed tag name": b"<" + _filled(b"a"),
    "open tags that never close": _filled(b"<a "),
    "open comments": _filled(b"<!--"),
    "bogus declarations": _filled(b"<!["),
    "end tags without an end": _filled(b"</"),
    "nested blocks": _filled(b"<div>"),
    "nested tables": _filled(b"<table><tr><td>"),
    "nested formatting": _filled(b"<b><i>"),
    "misnested formatting": _filled(b"<b><p>"),
    "ampersands": _filled(b"&"),
    "character references": _filled(b"&#x"),
    "one tag of many attributes": b"<p " + _filled(b"a=b "),
    "open quotation marks": _filled(b"<a title='"),
    "styles": _filled(b"<p style='color:red;display:none'>x"),
    "a sheet of many rules": b"<style>" + _filled(b".a,.b{display:none}") + b"</style>",
    "open conditional comments": _filled(b"<!--[if mso]>"),
    "open CDATA": _filled(b"<![CDATA["),
    "quotations": _filled(b"<blockquote>x"),
    "selects": _filled(b"<select><option>"),
    "svg and math": _filled(b"<svg><math>"),
}

TEXT: Mapping[str, bytes] = {
    "marks of quotation": _lines(_filled(b">")),
    "lines that attribute": _filled(b"On Mon, Alice wrote:\r\n"),
    "blanks": _lines(_filled(b" ")),
    "digits": _lines(_filled(b"1")),
    "links": _lines(_filled(b"https://l.facebook.com/?u=")),
    "brackets": _lines(_filled(b"(((")),
    "order labels": _filled(b"Facebook order number: 36\r\n"),
}

_BOUNDARIES = b"".join(
    b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
    for number in range(5_000)
)
MIME: Mapping[str, bytes] = {
    "nested parts": _BOUNDARIES,
    "many parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + _filled(b"--b\r\n\r\nx\r\n"),
    "many empty parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + _filled(b"--b\r\n"),
    "enclosed messages": _filled(b"Content-Type: message/rfc822\r\n\r\n"),
    "encoded words": b"Subject: " + b"\r\n ".join([b"=?utf-8?q?=41?="] * 3_000) + b"\r\n\r\nx\r\n",
    "open encoded words": b"Subject: " + _lines(_filled(b"=?utf-8?b?", 60_000)) + b"\r\n\r\nx\r\n",
    "addresses": b"Cc: " + b",\r\n ".join([b"a@b.example"] * 4_000) + b"\r\n\r\nx\r\n",
    "comments in addresses": b"Reply-To: " + b"(" * 60_000 + b"\r\n\r\nx\r\n",
    "parameters": b"Content-Type: text/plain"
    + b"".join(b";\r\n a*%d=b" % n for n in range(4_000))
    + b"\r\n\r\nx\r\n",
    "fields": b"".join(b"X-%d: x\r\n" % number for number in range(4_000)) + b"\r\nx\r\n",
    "Received lines": b"Received: from a (b [192.0.2.1]) by c; d\r\n" * 45 + b"\r\nx\r\n",
    "soft line breaks": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + _filled(b"=\r\n"),
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + _lines(_filled(b"=A")) + b"\r\n",
    "a uuencoded part": b"\r\n" + _filled(b"begin 644 a\r\n"),
}

_HEAD = (
    b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"From: Instagram Support <case++hostile%d@" + DOMAIN.encode() + b">\r\n"
)


def _html(body: bytes) -> bytes:
    return b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + _lines(body) + b"\r\n"


def _text(body: bytes) -> bytes:
    return b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body + b"\r\n"


def hostile_html(target: Target, outcome: Outcome) -> None:
    """HTML that freezes bad parsers, four mails at a time."""
    _send(target, outcome, {name: _html(body) for name, body in HTML.items()})


def hostile_text(target: Target, outcome: Outcome) -> None:
    """Text that freezes bad patterns, four mails at a time."""
    _send(target, outcome, {name: _text(body) for name, body in TEXT.items()})


def hostile_mime(target: Target, outcome: Outcome) -> None:
    """Structures that cost bad readers dear, four mails at a time."""
    _send(target, outcome, MIME)


def _send(target: Target, outcome: Outcome, shapes: Mapping[str, bytes]) -> None:
    waiting = enumerate(cycle(shapes.items()))
    until = time.monotonic() + target.seconds
    slowest = [(0.0, "")]

    def work(_: int) -> None:
        while (place := next(waiting))[0] < len(shapes) or time.monotonic() < until:
            number, (name, rest) = place
            raw = _HEAD % number + rest
            signed = sign_dkim(raw, DOMAIN, SELECTOR, key(KEY_BITS))
            for source, content in ((RELAY, raw), (LISTED_TOO, signed)):
                started = time.monotonic()
                reply = over(target, content, source)
                seconds = time.monotonic() - started
                slowest.append((seconds, name))
                holds = reply[:3] in ("250", "550", "554", "552") and seconds < LONGEST
                outcome.count(holds, f"{name} from {source}: {reply!r} after {seconds:.1f} s")

    together(4, work)
    seconds, name = max(slowest)
    outcome.note(f"slowest: {name}, {seconds:.1f} s")


def signatures(target: Target, outcome: Outcome) -> None:
    """Signatures that are dear to verify: many, of many tags, over much, with keys that are none."""
    body = _filled(b"word \t", 4_000_000)
    body = b"\r\n".join(body[at : at + 60_000] for at in range(0, len(body), 60_000)) + b"\r\n"
    many_tags = b"DKIM-Signature: v=1; a=rsa-sha256; " + b"".join(b"t%d=x;\r\n " % n for n in range(5_000))
    forged = (
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%b; s=%b; h=from;\r\n bh=%b; b=%b\r\n"
        % (DOMAIN.encode(), SELECTOR.encode(), base64.b64encode(bytes(32)), base64.b64encode(bytes(128)))
    )
    shapes = {
        "many signatures": forged * 100 + b"\r\n" + body,
        "five true hashes": forged * 5 + b"\r\n" + body,
        "many tags": many_tags + b"d=x\r\n\r\nx\r\n",
        "a signed body": b"Subject: x\r\n\r\n" + body,
    }
    _send(target, outcome, shapes)
