"""The message as DKIM sees it: header fields and body at the exact CRLFs, canonical bodies in linear time."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

Canonical = Literal["simple", "relaxed"]

NO_FIELD = b""
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_BLANKS = re.compile(rb"[ \t]+")


def split_message(raw: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """(header fields as (name, value with its folds and final CRLF), body), cut at CRLF only.

    A line that ends in a bare LF is no line here: what was signed are the bytes that came. A line that is
    neither a field nor its continuation is kept under the name ``NO_FIELD``.
    """
    head, gap, body = (b"", b"", raw[2:]) if raw.startswith(b"\r\n") else raw.partition(b"\r\n\r\n")
    fields: list[tuple[bytes, bytes]] = []
    for line in (head.removesuffix(b"\r\n") if not gap else head).split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, value + line + b"\r\n")
        elif match := _FIELD.match(line):
            fields.append((match[1], line[match.end() :] + b"\r\n"))
        elif line and (fields or not line.startswith(b"From ")):  # a leading mbox line is no part of the mail
            fields.append((NO_FIELD, line + b"\r\n"))
    return fields, body


def body_hash(body: bytes, how: Canonical) -> bytes:
    """SHA-256 of the canonical body (RFC 6376 §3.4.3 and §3.4.4)."""
    return hashlib.sha256(canonical_body(body, how)).digest()


def canonical_body(body: bytes, how: Canonical) -> bytes:
    """The body in canonical form, in time linear in its length."""
    if how == "relaxed":
        # Every run is one blank after the first step, so one blank is all a line can end in.
        body = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    body = _without_empty_end(body)
    if body.endswith(b"\r\n") or (how == "relaxed" and not body):
        return body
    return body + b"\r\n"


def _without_empty_end(body: bytes) -> bytes:
    """The body with all but the CRLF that ends its last line removed from its end."""
    end = len(body)
    for lines in (1 << 16, 1 << 8, 1):
        block = b"\r\n" * lines
        while body.endswith(block, 0, end):
            end -= len(block)
    return body[: min(end + 2, len(body))] if end else b""
