"""The MIME structure (RFC 2045, 2046): from one body to its leaves, in bounded work.

The standard parser recurses for each level and costs seconds on hostile structures; this one cuts the
bytes at delimiter lines and stops at a number of parts and a depth.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING

from relaydesk.message import charsets
from relaydesk.message import headers as header
from relaydesk.message.unreadable import hostile_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS = 200
MAX_DEPTH = 16
MAX_DELIMITERS = 10_000
MAX_PARAMETERS = 40
MAX_FIELD = 4_096
UNCLOSED = "A multipart has no closing delimiter."
_DESCRIBES = ("content-type", "content-disposition", "content-transfer-encoding", "content-id")
_NO_ALPHABET = re.compile(rb"[^A-Za-z0-9+/]+")
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\r?\Z)")
_LF = 0x0A
_PATH = re.compile(r".*[/\\]", re.DOTALL)
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf: its lower-case type, charset, disposition and decoded file name, and its encoded bytes."""

    type: str
    charset: str
    disposition: str
    name: str
    encoding: str
    body: bytes = field(repr=False)
    content_id: str = ""

    def content(self, defects: list[str]) -> bytes:
        """The bytes with the transfer encoding undone (RFC 2045 §6); what cannot be decoded is left out."""
        if self.encoding == "base64":
            return _base64(self.body, defects)
        if self.encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        if self.encoding not in ("", "7bit", "8bit", "binary"):
            defects.append(f"The transfer encoding {self.encoding[:40]!a} is unknown.")
        return self.body


def _base64(body: bytes, defects: list[str]) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        defects.append("A part's base64 is damaged.")
        clean = _NO_ALPHABET.sub(b"", body)
        return binascii.a2b_base64(clean[: len(clean) // 4 * 4])


@dataclass(frozen=True, slots=True)
class _Description:
    """What the header fields of a part say of it; ``boundary`` is "" for what is no multipart."""

    type: str
    boundary: str
    charset: str
    disposition: str
    name: str
    encoding: str
    content_id: str


def _described(fields: list[tuple[str, bytes]], default: str) -> _Description:
    """Read by a standard Message, which knows the parameter syntax; ``default`` is the type of no type.

    Only the first field of each name counts, and both its length and its number of parameters are cut:
    reading RFC 2231 continuations is quadratic. :class:`Unreadable`.
    """
    written: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        if key in _DESCRIBES and key not in written:
            cut = b";".join(value[:MAX_FIELD].split(b";")[: MAX_PARAMETERS + 1])
            written[key] = charsets.one_line(cut.decode("utf-8", "replace"))
    with hostile_bytes():
        message = Message()
        for key, text in written.items():
            message[key] = text
        message.set_default_type(default)
        kind = message.get_content_type()
        boundary = message.get_param("boundary", None) if kind.startswith("multipart/") else None
        charset = message.get_param("charset", None)
        disposition = message.get_content_disposition() or ""
        named = message.get_param("filename", None, "content-disposition") or message.get_param("name", None)
    return _Description(
        type=kind,
        boundary=boundary.rstrip() if isinstance(boundary, str) else "",
        charset=charset.strip() if isinstance(charset, str) else "",
        disposition=disposition.lower(),
        name=_name(named),
        encoding=written.get("content-transfer-encoding", "").split(";")[0].strip().lower(),
        content_id=written.get("content-id", "").strip(),
    )


def _name(named: str | tuple[str | None, str | None, str] | None) -> str:
    """The file name, RFC 2231 or (wrongly, but often) RFC 2047 decoded, without path and direction marks."""
    if isinstance(named, tuple):
        charset, _, value = named
        name, _ = charsets.to_text(value.encode("latin-1", "replace"), charset or "")
    else:
        name, _ = charsets.decode((named or "").encode("utf-8", "replace"))
    return _BIDI.sub("", _PATH.sub("", charsets.one_line(name))).strip()[:200]


def _cut(body: bytes, boundary: bytes, room: int) -> tuple[list[bytes], bool]:
    """The parts between delimiter lines (RFC 2046 §5.1.1), at most ``room``; and whether the last ended."""
    dashed = b"--" + boundary
    bodies: list[bytes] = []
    start = at = -1
    for _ in range(MAX_DELIMITERS):
        at = body.find(dashed, at + len(dashed) if at >= 0 else 0)
        if at < 0:
            break
        line = _REST_OF_DELIMITER.match(body, at + len(dashed))
        if line is None or (at > 0 and body[at - 1] != _LF):
            continue
        if start >= 0:
            bodies.append(body[start:at].removesuffix(b"\n").removesuffix(b"\r"))
        if line[1] or len(bodies) >= room:
            return bodies, True
        start = line.end()
    if start >= 0:
        bodies.append(body[start:])
    return bodies, False


def message_parts(raw: bytes, defects: list[str]) -> Iterator[Part]:
    """The leaves of a whole message; ``defects`` gets sentences on what its structure lacks."""
    fields, start = header.split(raw)
    return leaves(fields, raw[start:], defects)


def leaves(
    fields: list[tuple[str, bytes]], body: bytes, defects: list[str], *, default: str = "text/plain"
) -> Iterator[Part]:
    """The leaves of a message or part, in order. message/rfc822 is a leaf: it is not descended into."""
    pending = [(fields, body, 0, default)]
    count = 0
    while pending:
        header_section, content, depth, fallback = pending.pop()
        described = _described(header_section, fallback)
        kind = described.type
        if described.boundary and depth < MAX_DEPTH:
            count += 1
            parts, ended = _cut(content, described.boundary.encode("utf-8", "replace"), MAX_PARTS - count)
            if parts:
                if not ended:
                    defects.append(UNCLOSED)
                count += len(parts)
                if count >= MAX_PARTS:
                    defects.append(f"More than {MAX_PARTS} parts; the rest is left out.")
                below = "message/rfc822" if kind == "multipart/digest" else "text/plain"
                for part in reversed(parts):
                    inner, start = header.split(part)
                    pending.append((inner, part[start:], depth + 1, below))
                continue
            defects.append("A multipart holds no delimiter; it is read as text.")
            kind = "text/plain"
        elif kind.startswith("multipart/"):
            defects.append(
                "A multipart is nested too deeply."
                if depth >= MAX_DEPTH
                else "A multipart names no boundary."
            )
            kind = "text/plain" if depth < MAX_DEPTH else "application/octet-stream"
        yield _leaf(kind, described, content)


def _leaf(kind: str, described: _Description, content: bytes) -> Part:
    return Part(
        type=kind[:100],
        charset=described.charset,
        disposition=described.disposition,
        name=described.name,
        encoding=described.encoding,
        body=content,
        content_id=described.content_id,
    )
