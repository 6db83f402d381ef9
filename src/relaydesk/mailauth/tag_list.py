"""Tag lists (RFC 6376 §3.2) by dkimpy, and the two encodings of their values."""

from __future__ import annotations

import base64
import binascii
import re

from dkim.util import InvalidTagValueList, parse_tag_value

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]++={0,2}")
_OCTET = re.compile(rb"=([0-9A-Fa-f]{2})")


class TagListError(ValueError):
    """What is wrong with a tag list, in words that end no sentence."""


def parse_tags(text: bytes) -> dict[bytes, bytes]:
    """The tags of a signature or a key record, their values without the white space around them.

    :raises TagListError: for a list that RFC 6376 calls invalid; a tag that comes twice makes it so.
    """
    try:
        tags: dict[bytes, bytes] = parse_tag_value(text)
    except InvalidTagValueList as broken:
        raise TagListError(str(broken)) from None
    for name in tags:  # dkimpy looks at the first letter only
        if not _NAME.fullmatch(name):
            raise TagListError(str(name))
    return tags


def base64_octets(value: bytes) -> bytes | None:
    """The octets of a base64 value, None for none. White space is nothing; padding may lack (§2.10)."""
    encoded = b"".join(value.split())
    if not _BASE64.fullmatch(encoded):
        return None
    digits = encoded.rstrip(b"=")
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:  # one digit too many
        return None


def quoted_printable(value: bytes) -> bytes:
    """The octets of dkim-quoted-printable (§2.11): white space counts for nothing.

    An equals sign that begins no octet stands for itself: rewritten senders hold it bare.
    """
    return _OCTET.sub(lambda octet: bytes.fromhex(octet[1].decode("ascii")), b"".join(value.split()))
