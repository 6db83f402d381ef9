"""The header as DKIM hashes it: fields exactly as received, their canonical forms, and which are signed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.mailauth.body_hash import collapse_blanks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from relaydesk.mailauth.body_hash import Canonical

NO_FIELD = b""
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One header field: its name in lower case, and all its octets with the final CRLF.

    The name is ``NO_FIELD`` for a line that is neither a field nor the continuation of one.
    """

    name: bytes
    raw: bytes

    @property
    def value(self) -> bytes:
        """What stands behind the colon, with its folds and without the final CRLF."""
        return self.raw.partition(b":")[2].removesuffix(b"\r\n")


def split_message(raw: bytes) -> tuple[bytes, memoryview]:
    """The header section and the body, cut at the first empty line, by CRLF only. The body is not copied."""
    start = 0 if raw.startswith(b"\r\n") else raw.find(b"\r\n\r\n") + 2
    if start == 1:  # no empty line: no body
        return raw, memoryview(b"")
    return raw[:start], memoryview(raw)[start + 2 :]


def header_fields(section: bytes) -> list[Field]:
    """The fields of a header section, cut at CRLF only.

    A line that ends in a bare LF is no line here: what was signed are the bytes that came.
    """
    lines: list[list[bytes]] = []
    for line in section.removesuffix(b"\r\n").split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1].append(line)
        elif lines or not line.startswith(b"From "):  # a leading mbox line is no part of the mail
            lines.append([line])
    return [_field(b"".join(line + b"\r\n" for line in folded)) for folded in lines if folded != [b""]]


def _field(raw: bytes) -> Field:
    match = _NAME.match(raw)
    return Field(match[1].lower() if match else NO_FIELD, raw)


def canonical_field(raw: bytes, how: Canonical) -> bytes:
    """A field in canonical form (RFC 6376 §3.4.1 and §3.4.2)."""
    if how == "simple":
        return raw
    name, _, value = raw.partition(b":")
    unfolded = collapse_blanks(value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + unfolded + b"\r\n"


def header_digest(fields: Iterable[Field], signature: Field, names: Iterable[bytes], how: Canonical) -> bytes:
    """The SHA-256 that a signature signs: of the fields it names, and of itself (RFC 6376 §3.7)."""
    digest = hashlib.sha256()
    for field in signed_fields((field for field in fields if field is not signature), names):
        digest.update(canonical_field(field.raw, how))
    own = canonical_field(_without_signature(signature.raw), how)
    digest.update(own.removesuffix(b"\r\n"))
    return digest.digest()


def signed_fields(fields: Iterable[Field], names: Iterable[bytes]) -> Iterator[Field]:
    """The fields that ``h=`` names: each name takes the lowest one left, or nothing (RFC 6376 §5.4.2).

    ``fields`` are without the signature itself, which is never among them (§3.5), though others may be.
    """
    left: dict[bytes, list[Field]] = {}
    for field in fields:
        left.setdefault(field.name, []).append(field)
    for name in names:
        if name and left.get(name):
            yield left[name].pop()


def _without_signature(raw: bytes) -> bytes:
    """The signature field with the value of ``b=`` and all white space around it deleted (RFC 6376 §3.7)."""
    start = raw.index(b":") + 1
    for spec in raw[start:].removesuffix(b"\r\n").split(b";"):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip() == b"b":
            return raw[: start + len(name) + 1] + raw[start + len(spec) :]
        start += len(spec) + 1
    return raw
