"""What only we can have made: the bounce addresses and Message-IDs of our answers, under a seal.

Both name a ticket and an answer. The seal is the first 80 bits of HMAC-SHA-256 (RFC 2104) over what it is
for, both numbers and the domain, in base 32, which survives case folding. The same arguments always give the
same address and the same Message-ID.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from relaydesk.message import domain_name, normal_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SealPurpose = Literal["bounce", "answer"]

_NUMBER, _SEAL, _DOMAIN = r"[1-9][0-9]{0,17}", r"[a-z2-7]{16}", r"[a-z0-9._-]+"
_ADDRESS = re.compile(rf"bounces\+({_NUMBER})\.(0|{_NUMBER})-({_SEAL})@({_DOMAIN})")
_MESSAGE_ID = re.compile(rf"<answer\.({_NUMBER})\.({_NUMBER})\.({_SEAL})@({_DOMAIN})>")


class Sealed(NamedTuple):
    """What a seal names; ``answer`` is the answer's number in the outbox, 0 where there is none."""

    ticket: int
    answer: int


def bounce_address(secret: bytes, ticket: int, domain: str, answer: int = 0) -> str:
    """The envelope sender of ``answer`` on ``ticket``, where its bounces come back to. ``domain`` is ours.

    ``bounces+<ticket>.<answer>-<seal>@<domain>``
    """
    domain = domain_name(domain) or domain.lower()
    return f"bounces+{ticket}.{answer}-{_seal(secret, 'bounce', ticket, answer, domain)}@{domain}"


def sealed_by_us(secret: bytes, rcpt: str) -> Sealed | None:
    """What a bounce address names; None when it is no bounce address, or its seal is not ours."""
    match = _ADDRESS.fullmatch(normal_address(rcpt))
    return next(_opened(secret, "bounce", [match] if match else []), None)


def bounced_ticket(secret: bytes, rcpt: str) -> int | None:
    """The ticket that one of our bounce addresses names."""
    sealed = sealed_by_us(secret, rcpt)
    return sealed.ticket if sealed is not None else None


def answer_message_id(secret: bytes, ticket: int, answer: int, domain: str) -> str:
    """The Message-ID of ``answer`` on ``ticket``: ``<answer.<ticket>.<answer>.<seal>@<domain>>``."""
    domain = domain_name(domain) or domain.lower()
    return f"<answer.{ticket}.{answer}.{_seal(secret, 'answer', ticket, answer, domain)}@{domain}>"


def answer_of_message_id(secret: bytes, text: str) -> Sealed | None:
    """What the first Message-ID in ``text`` under our seal names; None where there is none."""
    return next(_opened(secret, "answer", _MESSAGE_ID.finditer(text.lower())), None)


def _opened(secret: bytes, purpose: SealPurpose, matches: Iterable[re.Match[str]]) -> Iterator[Sealed]:
    """Those of the matches whose seal is right. An empty secret seals nothing."""
    for match in matches if secret else ():
        ticket, answer = int(match[1]), int(match[2])
        if hmac.compare_digest(match[3], _seal(secret, purpose, ticket, answer, match[4])):
            yield Sealed(ticket, answer)


def _seal(secret: bytes, purpose: SealPurpose, ticket: int, answer: int, domain: str) -> str:
    digest = hmac.new(secret, f"{purpose}:{ticket}.{answer}@{domain}".encode(), hashlib.sha256)
    return base64.b32encode(digest.digest()[:10]).decode().lower()
