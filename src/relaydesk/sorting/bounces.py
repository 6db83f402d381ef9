"""Our bounce addresses: the ticket's number in the local part, under a seal (HMAC) that only we can make.

``bounces+<ticket>-<seal>@<domain>`` is the envelope sender of our answers. The seal is the first 80 bits
of HMAC-SHA-256 (RFC 2104) over ticket and domain in base 32, which survives case folding on the way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_ADDRESS = re.compile(r"bounces\+([1-9][0-9]{0,17})-([a-z2-7]{16})@([a-z0-9.-]+)")


def _seal(secret: bytes, ticket: int, domain: str) -> str:
    digest = hmac.new(secret, f"bounce:{ticket}@{domain}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def bounce_address(secret: bytes, ticket: int, domain: str) -> str:
    """The address that bounces of answers on ``ticket`` come back to. ``domain`` is one of ours."""
    return f"bounces+{ticket}-{_seal(secret, ticket, domain.lower())}@{domain.lower()}"


def bounced_ticket(secret: bytes, rcpt: str) -> int | None:
    """The ticket a bounce address names, or None when it is none of ours or its seal is wrong."""
    found = _ADDRESS.fullmatch(rcpt.lower())
    if found is None or not secret:
        return None
    ticket = int(found[1])
    return ticket if hmac.compare_digest(found[2], _seal(secret, ticket, found[3])) else None
