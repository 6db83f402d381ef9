"""Our bounce addresses: ticket and answer in the local part, under a seal (HMAC) that only we can make.

``bounces+<ticket>.<answer>-<seal>@<domain>`` is the envelope sender of our answers. The seal is the first
80 bits of HMAC-SHA-256 (RFC 2104) over both numbers and the domain, in base 32, which survives case folding.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import NamedTuple

_ADDRESS = re.compile(r"bounces\+([1-9][0-9]{0,17})\.([0-9]{1,18})-([a-z2-7]{16})@([a-z0-9.-]+)")


class Sealed(NamedTuple):
    """What a bounce address names; ``answer`` is its number in the outbox, 0 where there is none."""

    ticket: int
    answer: int


def _seal(secret: bytes, sealed: Sealed, domain: str) -> str:
    digest = hmac.new(secret, f"bounce:{sealed.ticket}.{sealed.answer}@{domain}".encode(), hashlib.sha256)
    return base64.b32encode(digest.digest()[:10]).decode().lower()


def bounce_address(secret: bytes, ticket: int, domain: str, answer: int = 0) -> str:
    """The address that bounces of ``answer`` on ``ticket`` come back to. ``domain`` is one of ours."""
    sealed, domain = Sealed(ticket, answer), domain.lower()
    return f"bounces+{ticket}.{answer}-{_seal(secret, sealed, domain)}@{domain}"


def sealed_by_us(secret: bytes, rcpt: str) -> Sealed | None:
    """What a bounce address names, or None when it is none of ours or its seal is wrong."""
    found = _ADDRESS.fullmatch(rcpt.lower())
    if found is None or not secret:
        return None
    sealed = Sealed(int(found[1]), int(found[2]))
    return sealed if hmac.compare_digest(found[3], _seal(secret, sealed, found[4])) else None


def bounced_ticket(secret: bytes, rcpt: str) -> int | None:
    """The ticket that a bounce address of ours names."""
    sealed = sealed_by_us(secret, rcpt)
    return sealed.ticket if sealed is not None else None
