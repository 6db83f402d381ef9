"""The MIME structure (RFC 2045, 2046): from one body to its leaves, in bounded work.

The standard parser recurses for each level and costs seconds on hostile structures; this one cuts the
bytes at delimiter lines and stops at a number of parts and a depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.message import headers as header
from relaydesk.message.charsets import decode
from relaydesk.message.content_type import Description, described, file_name
from relaydesk.message.signed import signed_content
from relaydesk.message.transfer_encoding import large_base64, undone, uu_name

if TYPE_CHECKING:
    from collections.abc import Iterator

UNCLOSED = "A multipart has no closing delimiter."
MAX_PARTS = 200
MAX_DEPTH = 16
MAX_DELIMITERS = 10_000
_LARGE = 1 << 20  # octets from which a part is decoded without a copy of it
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\r?\Z)")
_LF = 0x0A
# The first line that looks like a delimiter: the fields of a part, or an empty line, must follow.
_LIKE_DELIMITER = re.compile(
    rb"^--([!-~][^\r\n]{0,200}+)\r?\n(?=content-[a-z-]{1,40}:|\r?\n)", re.MULTILINE | re.IGNORECASE
)
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a leaf stands in a multipart/alternative: in which of them, and in which branch."""

    alternative: int
    number: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of a message, which may be large: nothing of it is copied until it is asked for."""

    source: bytes = field(repr=False)
    start: int
    end: int

    def copied(self) -> bytes:
        return self.source[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf: what its fields say of it, its encoded bytes, and its place in the outermost alternative."""

    type: str
    description: Description
    span: Extent
    branch: Branch | None = None

    @property
    def body(self) -> bytes:
        return self.span.copied()

    @property
    def charset(self) -> str:
        return self.description.charset

    @property
    def disposition(self) -> str:
        return self.description.disposition

    @property
    def name(self) -> str:
        """The decoded file name, "" for none."""
        if self.description.name or self.encoding != "uuencode":
            return self.description.name
        return file_name(decode(uu_name(self.body), self.charset)[0])

    @property
    def content_id(self) -> str:
        return self.description.content_id

    @property
    def encoding(self) -> str:
        """The transfer encoding, as :func:`.transfer_encoding.encoding_name` writes it."""
        return self.description.encoding

    def content(self, defects: list[str]) -> bytes:
        """The bytes with the transfer encoding undone (RFC 2045 §6); what cannot be decoded is left out."""
        span = self.span
        if self.encoding == "base64" and span.end - span.start > _LARGE:
            with memoryview(span.source)[span.start : span.end] as encoded:
                content = large_base64(encoded)
            if content is not None:
                return content
        content, defect = undone(self.body, self.encoding, is_text=self.type.startswith("text/"))
        if defect:
            defects.append(defect)
        return content


@dataclass(frozen=True, slots=True)
class _Entity:
    """A message or part still to be taken apart."""

    fields: list[tuple[str, bytes]]
    body: Extent
    depth: int
    default: str
    branch: Branch | None = None


def _cut(body: Extent, boundary: bytes, room: int) -> tuple[list[Extent], bool]:
    """The parts between delimiter lines (RFC 2046 §5.1.1), at most ``room``; and whether the last ended."""
    dashed, source = b"--" + boundary, body.source
    bodies: list[Extent] = []
    start = at = -1
    for _ in range(MAX_DELIMITERS):
        at = source.find(dashed, at + len(dashed) if at >= 0 else body.start, body.end)
        if at < 0:
            break
        line = _REST_OF_DELIMITER.match(source, at + len(dashed), body.end)
        if line is None or (at > body.start and source[at - 1] != _LF):
            continue
        if start >= 0:
            end = at - source.endswith(b"\n", start, at)
            bodies.append(Extent(source, start, end - source.endswith(b"\r", start, end)))
        if line[1] or len(bodies) >= room:
            return bodies, True
        start = line.end()
    if start >= 0:
        bodies.append(Extent(source, start, body.end))
    return bodies, False


def _divided(described: Description, body: Extent, room: int, defects: list[str]) -> list[Extent]:
    """The parts of a multipart, by its first delimiter where the one that it names never stands."""
    parts, ended = _cut(body, described.boundary, room) if described.boundary else ([], False)
    if not parts and (like := _LIKE_DELIMITER.search(body.source, body.start, body.end)):
        parts, ended = _cut(body, like[1].rstrip(), room)
        defects.append("A multipart's delimiter is not the one it names.")
    if not parts and described.encoding in ("base64", "quotedprintable"):
        decoded, _ = undone(body.copied(), described.encoding, is_text=True)
        parts, ended = _cut(_whole(decoded), described.boundary, room) if described.boundary else ([], False)
    if parts and not ended:
        defects.append(UNCLOSED)
    return parts


def message_parts(raw: bytes, defects: list[str]) -> list[Part]:
    """The leaves of a whole message; ``defects`` gets sentences on what its structure lacks."""
    return list(leaves(*_split(_whole(raw)), defects))


def leaves(
    fields: list[tuple[str, bytes]], body: Extent, defects: list[str], *, default: str = "text/plain"
) -> Iterator[Part]:
    """The leaves of a message or part, in order. message/rfc822 is a leaf: it is not descended into.

    What an opaque signature holds (RFC 8551 §3.5.2) is read too.
    """
    pending = [_Entity(fields, body, 0, default)]
    count = alternatives = 0
    charset = ""
    while pending:
        entity = pending.pop()
        about = described(entity.fields, entity.default, charset)
        kind = about.type
        inner: list[_Entity] = []
        if kind.startswith("multipart/") and entity.depth < MAX_DEPTH:
            count += 1
            bodies = _divided(about, entity.body, MAX_PARTS - count, defects)
            count += len(bodies)
            if count >= MAX_PARTS:
                defects.append(f"More than {MAX_PARTS} parts; the rest is left out.")
            alternatives += 1
            inner = _inside(entity, kind, bodies, alternatives)
        if inner:
            pending.extend(reversed(inner))
            continue
        if kind.startswith("multipart/"):
            kind = _undivided(entity, about, defects)
        part = _leaf(kind, about, entity)
        if kind.startswith("text/"):
            charset = charset or part.charset
        elif kind in _SMIME and entity.depth < MAX_DEPTH and (signed := signed_content(part.content([]))):
            pending.append(_Entity(*_split(_whole(signed)), entity.depth + 1, "text/plain", entity.branch))
        yield part


def _whole(source: bytes) -> Extent:
    return Extent(source, 0, len(source))


def _split(entity: Extent) -> tuple[list[tuple[str, bytes]], Extent]:
    fields, start = header.split(entity.source, at=entity.start, end=entity.end)
    return fields, Extent(entity.source, start, entity.end)


def _inside(entity: _Entity, kind: str, bodies: list[Extent], alternative: int) -> list[_Entity]:
    below = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    chosen = kind == "multipart/alternative" and entity.branch is None
    return [
        _Entity(
            *_split(body), entity.depth + 1, below, Branch(alternative, number) if chosen else entity.branch
        )
        for number, body in enumerate(bodies)
    ]


def _undivided(entity: _Entity, about: Description, defects: list[str]) -> str:
    """The type by which a multipart is read that has no parts, or lies too deep."""
    if entity.depth >= MAX_DEPTH:
        defects.append("A multipart is nested too deeply.")
        return "application/octet-stream"
    defects.append(
        "A multipart holds no delimiter; it is read as text."
        if about.boundary
        else "A multipart names no boundary."
    )
    return "text/plain"


def _leaf(kind: str, about: Description, entity: _Entity) -> Part:
    return Part(type=kind, description=about, span=entity.body, branch=entity.branch)
