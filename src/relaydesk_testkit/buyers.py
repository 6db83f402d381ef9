"""Mail as Instagram relays it from buyers, each one new and signed, and the zone that vouches for it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from relaydesk.mailauth.signing import sign_dkim
from relaydesk_testkit.signing import SELECTOR, key, key_zone

DOMAIN = "support.instagram.com"
BOUNCES = "msgr-bounce@support.instagram.com"
MAILBOX = "help@shop.example"
KEY_BITS = 1024  # as Instagram's selectors were measured

ZONE: dict[str, list[object]] = {
    **key_zone(DOMAIN, KEY_BITS),
    DOMAIN: [{"TXT": "v=spf1 ip4:127.0.0.0/8 -all"}],
    f"_dmarc.{DOMAIN}": [{"TXT": "v=DMARC1; p=reject"}],
    "instagram.com": [{"A": "192.0.2.1"}],
    "_dmarc.instagram.com": [{"TXT": "v=DMARC1; p=reject"}],
}

_HEADERS = """\
Received: from mx-out.facebook.com (66.220.144.130) by mx.shop.example; Sat, 21 Nov 2026 10:00:00 +0000\r
Date: Sat, 21 Nov 2026 02:00:00 -0800\r
To: {mailbox}\r
Subject: Message from buyer{number}\r
From: Instagram Support <case++{thread}@{domain}>\r
Reply-To: case++{thread}@{domain}\r
Message-ID: <buyer-{number}@{domain}>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="=_outer"\r
\r
--=_outer\r
Content-Type: multipart/alternative; boundary="=_inner"\r
\r
--=_inner\r
Content-Type: text/plain; charset="utf-8"\r
\r
{text}\r
--=_inner\r
Content-Type: text/html; charset="utf-8"\r
\r
<html><body><table><tr><td>{html}</td></tr></table></body></html>\r
--=_inner--\r
"""
_TEXT = (
    "Username: buyer{number}",
    "Reason for contact: Where is my order",
    "Facebook order number: {order}",
    "",
    "Hello, I ordered a jacket two weeks ago and it has not come yet.",
    "Could you please tell me where the parcel is? I need it for a birthday.",
    "",
)
_LETTERS = str.maketrans("0123456789", "abcdefghij")
_FILLER = "The tracking page has said 'in transit' since Monday, and the carrier knows nothing of it."


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail ready to be sent; ``number`` tells it from all others."""

    number: int
    raw: bytes
    mail_from: str = BOUNCES
    rcpt: str = MAILBOX

    @property
    def message_id(self) -> str:
        return f"<buyer-{self.number}@{DOMAIN}>"


def mail(number: int, *, thread: int | None = None, size: int = 0, photo: bytes = b"") -> Mail:
    """A signed case mail of about ``size`` bytes (but at least 2 KB), with a photo behind it.

    Mails of one ``thread`` (default: the number itself) come from one relay address.
    """
    plain = _compose(number, thread, 0, photo)
    # The words stand in the mail twice, as text and as HTML; the signature adds about 400 bytes.
    fillers = max(0, size - len(plain) - 400) // (2 * len(_FILLER) + 8)
    return Mail(number, _signed(_compose(number, thread, fillers, photo), key(KEY_BITS)))


def forged(number: int) -> Mail:
    """The same, signed with a key that the domain does not publish, for somebody else's reverse-path."""
    raw = _signed(_compose(number, None, 0, b""), key(KEY_BITS + 1024))
    return Mail(number, raw, mail_from="somebody@example.org")


def _signed(raw: bytes, private_key: bytes) -> bytes:
    return sign_dkim(raw, DOMAIN, SELECTOR, private_key)


def _compose(number: int, thread: int | None, fillers: int, photo: bytes) -> bytes:
    lines = [line.format(number=number, order=360_000_000_000_000 + number) for line in _TEXT]
    lines += [_FILLER] * fillers
    token = f"{number if thread is None else thread:010d}".translate(_LETTERS)
    head = _HEADERS.format(
        mailbox=MAILBOX,
        number=number,
        thread=f"aaz{token}",
        domain=DOMAIN,
        text="\r\n".join(lines),
        html="<br>\r\n".join(lines),
    ).encode()
    if photo:
        head += (
            b"--=_outer\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="photo.jpg"\r\n\r\n'
            + base64.encodebytes(photo).replace(b"\n", b"\r\n")
        )
    return head + b"--=_outer--\r\n"
