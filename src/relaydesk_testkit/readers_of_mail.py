"""What reads a message as a whole, and what vouches for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from relaydesk.bounces import answer_of_message_id, from_daemon, read_bounce
from relaydesk.classify import classify, excerpt_of
from relaydesk.config.parts import shipped_rules
from relaydesk.mailauth import asked_domains, authenticate, read_signed
from relaydesk.mailauth.body_hash import body_hash, canonical_body
from relaydesk.mailauth.dkim_key import parse_key
from relaydesk.mailauth.dkim_signature import read_signature
from relaydesk.mailauth.dmarc import parse_record as parse_dmarc
from relaydesk.mailauth.signed_header import header_digest, header_fields, split_message
from relaydesk.mailauth.spf import check_spf
from relaydesk.mailauth.spf_record import parse_record
from relaydesk.message import (
    Envelope,
    Origin,
    authentication_results,
    mail_page,
    parse_header,
    parse_message,
    safe_name,
    searchable_header,
    searchable_words,
)
from relaydesk.policy import find_origin, parse_allowlist
from relaydesk_testkit import shapes as of
from relaydesk_testkit.reader import MESSAGE, Reader, each
from relaydesk_testkit.signing import DOMAIN, key_zone, over
from relaydesk_testkit.signing import MESSAGE as GENUINE
from relaydesk_testkit.signing import signed as sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.classify import Rules
    from relaydesk.policy import Allowlist


SECRET = b"s" * 32
SENDERS = frozenset({"support.instagram.com"})
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RELAYED = "From: case++a@support.instagram.com\r\nSubject: Message from a\r\n"


@cache
def _rules() -> Rules:
    return shipped_rules()


def _whole(raw: bytes) -> None:
    """All that is read of a message before it is decided on."""
    message = parse_message(raw)
    findings = classify(message, _rules(), SENDERS)
    read_bounce(message, notice=findings.match.kind == "bounce", failed_recipient=findings.failed_recipient)
    from_daemon(message)
    answer_of_message_id(SECRET, message.header("in-reply-to") or "")
    searchable_words(raw)
    searchable_header(raw)
    excerpt_of(message, "case", findings.username or "alice")
    mail_page(raw, "/{place}")


def _message(head: str, tail: str = "") -> Callable[[bytes], None]:
    """The whole reader, of messages that begin so."""
    start, end = head.replace("\n", "\r\n").encode(), tail.replace("\n", "\r\n").encode()
    return lambda raw: _whole(start + raw + end)


def _header_alone(raw: bytes) -> None:
    """What is read of a message on the event loop, and whom its authentication will ask."""
    envelope = Envelope("192.0.2.1", _ORIGIN, "a.example", "a@b.example", (), RELAYED.encode() + raw, NOON)
    signed = read_signed(envelope.raw, envelope.received_at)
    asked_domains(envelope, parse_header(envelope.raw), signed)


def _received(line: str) -> None:
    for hop in ("postfix", "exim", "google", "m365"):
        find_origin("192.0.2.1", "peer", [line] * 3, _relays(hop))


@cache
def _relays(hop: str) -> Allowlist:
    return parse_allowlist(f"relays: [{{network: 192.0.2.0/24, format: {hop}}}]")


def _signed(raw: bytes) -> None:
    section, body = split_message(b"DKIM-Signature: " + raw + b"\r\nFrom: a@b.example\r\n\r\n")
    fields = header_fields(section)
    signature = read_signature(fields[0], Counter(field.name for field in fields), 1)
    header_digest(fields, fields[0], signature.names or (b"from",), "relaxed")
    body_hash(body, "relaxed")


def _fields_signed(raw: bytes) -> None:
    fields = header_fields(split_message(raw)[0])
    names = [field.name for field in fields]
    for signature in fields[:1]:
        if b":" in signature.raw:
            header_digest(fields[1:], signature, names, "simple")
            header_digest(fields[1:], signature, names, "relaxed")


def _bodies(raw: bytes) -> None:
    body_hash(raw, "simple")
    canonical_body(raw, "relaxed")


def _spf(text: str) -> None:
    parse_record.cache_clear()
    parse_record(f"v=spf1 {text}").text_for(IPv4Address("192.0.2.1"))


def _spf_zone(text: str) -> None:
    """An evaluation in which every record that it can reach is this one."""
    parse_record.cache_clear()
    names: dict[str, list[object]] = {
        f"{name}.example": [{"TXT": f"v=spf1 {text}"}, {"A": "192.0.2.9"}] for name in "abcdefghij"
    }
    asyncio.run(check_spf("192.0.2.1", "a-b-c-d@a.example", "h.example", over(names)))


@cache
def _genuine() -> bytes:
    return sign(GENUINE)


_ORIGIN = Origin("192.0.2.1", "origin", True, "peer")


def _authenticated(text: str) -> None:
    """SPF, DKIM and DMARC of a signed message, where every record that anybody asks for is this one."""
    records: list[object] = [{"TXT": record} for record in (f"v=spf1 {text}", f"v=DMARC1; p=none; {text}")]
    zone = key_zone() | dict.fromkeys((f"_dmarc.{DOMAIN}", DOMAIN, "a.example", "_dmarc.a.example"), records)
    envelope = Envelope("192.0.2.1", _ORIGIN, "a.example", f"a@{DOMAIN}", (), _genuine(), NOON)
    report = asyncio.run(authenticate(envelope, parse_message(envelope.raw), over(zone)))
    authentication_results(report, "mx.b.example")


HTML = "Content-Type: text/html; charset=utf-8\n\n"
_REPORT = "From: a@b.example\nContent-Type: multipart/report; boundary=b\n\n--b\n"
MIXED = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"


def _part(kind: str, encoding: str = "8bit") -> str:
    return f"{RELAYED}Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n"


READERS: dict[str, Reader] = {
    # A message as a whole, sorted and read as a bounce, by where the hostile text stands.
    "a message": Reader(
        _message(RELAYED), (*of.HEADER, "Content-Type: ", "X: y\r\n"), MESSAGE, 8_192, whole=True
    ),
    "a message's header alone": Reader(
        _header_alone,
        (*of.HEADER, "From: ", "Subject: ", "DKIM-Signature: ", "Received: a\r\n"),
        MESSAGE,
        8_192,
    ),
    "a message's Subject": Reader(
        _message("From: case++a@support.instagram.com\nSubject: ", "\n\nx"),
        (*of.HEADER, "re: ", "Message from "),
        8_192,
        8_192,
        whole=True,
    ),
    "a message's From": Reader(_message("Subject: a\nFrom: ", "\n\nx"), of.HEADER, 8_192, 8_192, whole=True),
    "a message's other fields": Reader(
        _message("From: a@b.example\nReceived: ", "\nReferences: <a@b>\n\nx"),
        (*of.HEADER, "\r\nReceived: ", "\r\nReferences: <a@b>", "\r\nX-Failed-Recipients: "),
        65_536,
        8_192,
        whole=True,
    ),
    "a message's text": Reader(_message(RELAYED + "\n"), of.LINES, MESSAGE, 8_192, whole=True),
    "a message's HTML": Reader(
        _message(RELAYED + HTML), (*of.TAGS, *of.LINES[:8]), MESSAGE, 8_192, whole=True
    ),
    "a message's parts": Reader(
        _message(RELAYED + MIXED), (*of.MIME, *of.TAGS[:4]), MESSAGE, 8_192, whole=True
    ),
    "a message's rich text": Reader(_message(_part("text/rtf")), of.FORMS, MESSAGE, 8_192, whole=True),
    "a message's base64": Reader(
        _message(_part("text/plain", "base64")), of.ENCODED, MESSAGE, 8_192, whole=True
    ),
    "a message's quoted-printable": Reader(
        _message(_part("text/html", "quoted-printable")), of.ENCODED, MESSAGE, 8_192, whole=True
    ),
    "a bounce": Reader(
        _message("From: MAILER-DAEMON@b.example\nSubject: failure notice\n\n"),
        of.REPORT,
        MESSAGE,
        8_192,
        whole=True,
    ),
    "a person's mail of a bounce": Reader(
        _message("From: a@b.example\nSubject: undeliverable mail\n\n"), of.REPORT, MESSAGE, 8_192, whole=True
    ),
    "a bounce of Meta's": Reader(
        _message("From: notification@support.instagram.com\nSubject: message could not be delivered\n\n"),
        of.REPORT,
        MESSAGE,
        8_192,
        whole=True,
    ),
    "a bounce's report": Reader(
        _message(f"{_REPORT}Content-Type: message/delivery-status\n\n"),
        of.REPORT,
        MESSAGE,
        8_192,
        whole=True,
    ),
    "a bounce's returned message": Reader(
        _message(f"{_REPORT}Content-Type: message/rfc822\n\n"),
        (*of.REPORT, *of.HEADER[:9]),
        MESSAGE,
        8_192,
        whole=True,
    ),
    "a message's file names": Reader(
        lambda text: safe_name(text, 1),
        ("a", "/", "\\", ".", "con", " ", ":", "\u202e", "\u00e9"),
        8_192,
        text=True,
    ),
    # Who vouches for it.
    "mailauth.dkim": Reader(_signed, of.DKIM, 1 << 18, 16_384),
    "mailauth.dkim of the fields": Reader(
        _fields_signed, (*of.DKIM, "a: b\r\n", "from:\r\n"), 1 << 18, 16_384
    ),
    "mailauth.dkim of the body": Reader(_bodies, of.DKIM, MESSAGE, 1 << 18),
    "mailauth.dkim_key": Reader(
        each(lambda raw: parse_key(raw, "rsa"), lambda raw: parse_key(b"v=DKIM1; p=" + raw, "rsa")),
        of.DKIM,
        65_536,
        16_384,
    ),
    "mailauth.spf_record": Reader(_spf, of.SPF, 65_536, 4_000, text=True),
    "mailauth.spf": Reader(_spf_zone, of.SPF, 65_536, 4_000, text=True),
    "mailauth.dmarc": Reader(
        each(parse_dmarc, lambda raw: parse_dmarc(b"v=DMARC1;" + raw)), of.SPF, 65_536, 65_536
    ),
    "mailauth": Reader(_authenticated, of.SPF, 65_536, 1_000, text=True),
    "policy.origin": Reader(_received, of.RECEIVED, 65_536, 16_384, text=True),
}
