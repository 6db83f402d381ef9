"""The envelope of one message: everything the wire told us, frozen; and our Received line made of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.utils import format_datetime
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Literal

from relaydesk.message.addresses import canonical_ip

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
    ``remarks`` are sentences about what was changed before the decision (``explain`` on LF-only files).
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


def with_protocol(*, extended: bool, tls: bool, utf8: bool = False, auth: bool = False) -> str:
    """The ``with`` protocol: SMTP, ESMTP, ESMTPS, ESMTPSA (RFC 3848), UTF8SMTP… (RFC 6531 §4.3)."""
    if not extended:
        return "SMTP"
    return ("UTF8SMTP" if utf8 else "ESMTP") + ("S" if tls else "") + ("A" if auth else "")


def literal(ip: str) -> str:
    """An address as RFC 5321 §4.1.3 writes it between brackets."""
    address = canonical_ip(ip)
    if address is None:
        return "[unknown]"
    return f"[IPv6:{address}]" if isinstance(address, IPv6Address) else f"[{address}]"


def received_line(envelope: Envelope, hostname: str, message_id: str = "") -> str:
    """Our Received field on one line (RFC 5321 §4.4), kept beside the raw bytes, never mixed into them.

    It names the recipient only when there is just one. ``message_id`` is our own id of the message. The
    time is the moment of receipt, in UTC.
    """
    parts = [f"Received: from {_plain(envelope.helo) or 'unknown'} ({literal(envelope.peer)})"]
    parts.append(f"by {_plain(hostname)} with {envelope.protocol}")
    if message_id:
        parts.append(f"id {_plain(message_id)}")
    if len(envelope.rcpt_to) == 1:
        parts.append(f"for <{_plain(envelope.rcpt_to[0])}>")
    return f"{' '.join(parts)}; {format_datetime(envelope.received_at)}"


def _plain(text: str) -> str:
    """Without blanks, controls and what would open a comment or end the field's clause."""
    return "".join(
        "?" if char in "()<>;\\" or char.isspace() or not char.isprintable() else char for char in text
    )
