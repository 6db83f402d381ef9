"""The envelope of one message: everything the wire told us, frozen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Role = Literal["origin", "relay", "proxy", "none"]
How = Literal["peer", "proxy", "xclient", "received", "unknown"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The host that handed the message to the first hop we trust, and how we know it.

    ``role`` is the role our list grants the peer (after PROXY or XCLIENT); ``ip`` is the origin's
    address in canonical text (v4-mapped IPv6 is written as IPv4) or None when it is not known;
    ``allowlisted`` says whether ``ip`` lies in one of the list's ``networks``; ``shared`` whether a
    provider on the way also relays strangers, so that SPF does not count.
    """

    ip: str | None
    role: Role
    allowlisted: bool
    how: How
    shared: bool = False
    network: str | None = None
    note: str = ""

    @property
    def known(self) -> bool:
        return self.ip is not None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One SMTP transaction: peer, origin, HELO, reverse-path, recipients, raw bytes, moment of receipt.

    ``mail_from`` is the bare address, ``""`` for the null sender. ``received_at`` is aware UTC.
    ``raw`` is exactly what came between DATA and its dot, dot-unstuffed (RFC 5321 §4.5.2).
    ``protocol`` is the ``with`` of our Received line (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3).
    ``client`` is the name by which the peer authenticated (RFC 4954), "" when it did not.
    ``remarks`` are sentences about what was mended before the decision (``explain`` on LF-only files).
    """

    peer: str
    origin: Origin
    helo: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    raw: bytes
    received_at: datetime
    tls: bool = False
    protocol: str = "ESMTP"
    remarks: tuple[str, ...] = ()
    client: str = ""

    @property
    def delivery_key(self) -> str:
        """Hash of reverse-path, recipients and bytes: equal for a resend of the same transaction."""
        digest = hashlib.sha256()
        for part in (self.mail_from, *sorted(self.rcpt_to)):
            data = part.encode("utf-8", "surrogateescape")
            digest.update(len(data).to_bytes(4, "big") + data)
        digest.update(b"\0")
        digest.update(self.raw)
        return digest.hexdigest()
