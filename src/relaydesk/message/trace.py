"""Our Received line (RFC 5321 §4.4), kept as text beside the raw bytes and never mixed into them."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from relaydesk.message.addresses import canonical_ip

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.message.envelope import Envelope


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
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"  # noqa: PLR2004 (IP version)


def received_line(envelope: Envelope, hostname: str, message_id: str = "") -> str:
    """The whole header field on one line. The recipient stands in it only when there is just one.

    ``message_id`` is our own id of the message. The time is the moment of receipt, in UTC.
    """
    parts = [f"Received: from {_plain(envelope.helo) or 'unknown'} ({literal(envelope.peer)})"]
    parts.append(f"by {_plain(hostname)} with {envelope.protocol}")
    if message_id:
        parts.append(f"id {_plain(message_id)}")
    if len(envelope.rcpt_to) == 1:
        parts.append(f"for <{_plain(envelope.rcpt_to[0])}>")
    return f"{' '.join(parts)}; {_date(envelope.received_at)}"


def _plain(text: str) -> str:
    """Without blanks, controls and what would open a comment or end the field's clause."""
    return "".join(
        "?" if char in "()<>;\\" or char.isspace() or not char.isprintable() else char for char in text
    )


def _date(moment: datetime) -> str:
    return format_datetime(moment)
