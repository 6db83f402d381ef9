"""Mailboxes and dates of header fields, read by mail-parser's structural scanners.

They never search a display name or a comment for something that looks like an address, so a name such
as ``"case++x@support.instagram.com" <evil@evil.example>`` stays a name.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

import idna
from mailparser.dates import parse_mail_date
from mailparser.utils import get_addresses

from relaydesk.message import charsets
from relaydesk.message.message import Address
from relaydesk.message.unreadable import hostile_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

IpAddress = IPv4Address | IPv6Address

MAX_ADDRESSES = 100
_ID = re.compile(r"<[^<>\s]{1,990}>")


def a_label(domain: str) -> str:
    """A domain in lower-case A-labels (RFC 5890); one that IDNA forbids stays as written.

    Only ASCII is lowered and nothing is mapped: ``str.lower`` turns U+212A into ``k``, and a mapping
    profile would turn full-width letters into somebody else's domain.
    """
    lowered = domain.encode("utf-8", "replace").lower().decode("utf-8")
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return lowered


def mailboxes(values: Iterable[bytes], defects: list[str]) -> tuple[Address, ...]:
    """Every mailbox of these fields (RFC 5322 §3.4, groups opened), at most ``MAX_ADDRESSES``.

    :class:`Unreadable`.
    """
    found: list[Address] = []
    for value in values:
        text = charsets.one_line(value.decode("utf-8", "replace"))
        unclear: list[dict[str, object]] = []
        with hostile_bytes():
            pairs = get_addresses(text, defects=unclear)
        for name, addr in pairs[: MAX_ADDRESSES + 1]:
            local, at, domain = addr.rpartition("@")
            if at:
                shown, _ = charsets.decode(name.encode("utf-8", "replace"))
                found.append(Address(shown, local, a_label(domain)))
        defects.extend(
            f"An address could not be read: {entry['reason']}."
            for entry in unclear[:3]
            if not entry["recovered"]
        )
    if len(found) > MAX_ADDRESSES:
        defects.append(f"More than {MAX_ADDRESSES} addresses; the rest is left out.")
    return tuple(found[:MAX_ADDRESSES])


def date(value: bytes) -> datetime | None:
    """The moment of a Date field, aware UTC, or None when it names none. :class:`Unreadable`."""
    with hostile_bytes():
        moment: datetime | None = parse_mail_date(value.decode("latin-1")).value
    return moment


def message_ids(values: Iterable[bytes], limit: int = 100) -> tuple[str, ...]:
    """The message identifiers of these fields with their angle brackets, at most ``limit``."""
    text = " ".join(value.decode("utf-8", "replace") for value in values)
    return tuple(_ID.findall(text)[:limit])


def canonical_ip(text: str) -> IpAddress | None:
    """The address a text means, or None. v4-mapped IPv6 becomes IPv4; a zone (``%eth0``) is dropped."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
