"""Messages signed at test time, and the zones that hold their keys."""

from __future__ import annotations

from functools import cache

from relaydesk.dns.cache import CacheLimits
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.mailauth.signing import dkim_key_record, new_dkim_key, sign_dkim

SELECTOR = "s1024-2013-q3"
DOMAIN = "support.instagram.com"
MESSAGE = (
    b"Received: from mx-out.facebook.com (66.220.144.130)\r\n"
    b"\tby mx.shop.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"Date: Sat, 21 Nov 2026 02:00:00 -0800\r\n"
    b"To: help@shop.example\r\n"
    b"Subject: Message from\r\n  alice\r\n"
    b"From: Instagram Support <case++aazr5wey3juyyq@support.instagram.com>\r\n"
    b"Reply-To: case++aazr5wey3juyyq@support.instagram.com\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: text/plain; charset="utf-8"\r\n'
    b"\r\n"
    b"Where is my parcel?\r\n\r\nAlice  \r\n\r\n\r\n"
)


def key(bits: int = 1024) -> bytes:
    """One key of each size for the whole run; 0 is Ed25519."""
    return _keys(bits)


_keys = cache(new_dkim_key)


def signed(raw: bytes = MESSAGE, *, domain: str = DOMAIN, bits: int = 1024, **how: object) -> bytes:
    """``raw`` with a signature in the shape of real Instagram mail."""
    return sign_dkim(raw, domain, SELECTOR, key(bits), **how)  # type: ignore[arg-type]


def key_zone(domain: str = DOMAIN, bits: int = 1024, **how: str) -> dict[str, list[object]]:
    return {f"{SELECTOR}._domainkey.{domain}": [{"TXT": dkim_key_record(key(bits), **how)}]}


def over(zone: dict[str, list[object]]) -> Resolver:
    """A resolver over a zone, without the network."""
    return Resolver(ZoneSource(parse_zone(zone)), CacheLimits())
