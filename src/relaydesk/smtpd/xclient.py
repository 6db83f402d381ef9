"""The XCLIENT command (Postfix's XCLIENT_README): a trusted front end says for whom it speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from relaydesk.message import canonical_ip
from relaydesk.smtpd.paths import PathError

ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO")
"""What EHLO offers. LOGIN, DESTADDR and DESTPORT of the original are not taken."""

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")
_PORTS = range(1, 65536)
_UNKNOWN = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")


@dataclass(frozen=True, slots=True)
class XclientClaim:
    """What one XCLIENT said of address and HELO. None: not given; "": the front end does not know it.

    NAME, PORT and PROTO are checked and dropped: nothing here is decided by them.
    """

    addr: str | None = None
    helo: str | None = None


def read(argument: str) -> XclientClaim:
    """Parse the arguments. PathError("syntax") for anything malformed or unknown.

    Values are xtext (RFC 3461 §4). IPv6 addresses need the prefix ``IPV6:``; v4-mapped ones become IPv4.
    """
    attributes: dict[str, str] = {}
    for word in argument.split():
        key, equals, value = word.partition("=")
        key = key.upper()
        if not equals or key not in ATTRIBUTES or key in attributes:
            raise PathError("syntax")
        attributes[key] = "" if value.upper() in _UNKNOWN else _decode(value)
    if not attributes:
        raise PathError("syntax")
    port = attributes.get("PORT")
    if port and not (port.isdigit() and int(port) in _PORTS):
        raise PathError("syntax")
    if attributes.get("PROTO", "").upper() not in ("", "SMTP", "ESMTP"):
        raise PathError("syntax")
    addr = _address(attributes["ADDR"]) if attributes.get("ADDR") else attributes.get("ADDR")
    return XclientClaim(addr, attributes.get("HELO"))


def _decode(value: str) -> str:
    if not _XTEXT.fullmatch(value):
        raise PathError("syntax")
    text = re.sub(r"\+([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), value)
    if not (text.isascii() and text.isprintable()):
        raise PathError("syntax")
    return text


def _address(text: str) -> str:
    prefixed = text.upper().startswith("IPV6:")
    bare = text[len("IPV6:") :] if prefixed else text
    address = canonical_ip(bare)
    if address is None or prefixed != (":" in bare):
        raise PathError("syntax")
    return str(address)
