"""The content of an opaque S/MIME signature (RFC 8551 §3.5.2), taken out of its wrapping.

A small reader of the outer tags of CMS (RFC 5652 §3, §5.1) in BER (X.690 §8), bounded by its depth and by the
bytes there are. It verifies nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_SEQUENCE, _SET, _OBJECT, _OCTETS, _EXPLICIT = 0x30, 0x31, 0x06, 0x04, 0xA0
_CONSTRUCTED, _LONG, _INDEFINITE, _HIGH_TAG = 0x20, 0x80, 0x80, 0x1F
_MAX_PIECES, _MAX_MEMBERS, _MAX_DEPTH = 200_000, 8, 4


@dataclass(frozen=True, slots=True)
class _Element:
    """One tag with its content. ``end`` is that of the data where the length is indefinite (``open``)."""

    tag: int
    start: int
    end: int
    open: bool = False


class _NotThere(Exception):  # noqa: N818 - a finding about the bytes
    """The bytes hold no such element."""


def signed_content(data: bytes) -> bytes | None:
    """The content that a SignedData encloses, None where ``data`` is none or encloses nothing."""
    try:
        wrapping = _expect(data, 0, _SEQUENCE)
        kind = _expect(data, wrapping.start, _OBJECT)
        if data[kind.start : kind.end] != _SIGNED_DATA:
            return None
        signed = _expect(data, _expect(data, kind.end, _EXPLICIT).start, _SEQUENCE)
        version = _element(data, signed.start)
        digests = _expect(data, version.end, _SET)
        enclosed = _expect(data, _behind(data, digests), _SEQUENCE)
        inner_kind = _expect(data, enclosed.start, _OBJECT)
        return _octets(data, _expect(data, inner_kind.end, _EXPLICIT).start) or None
    except _NotThere:
        return None


def _element(data: bytes, at: int) -> _Element:
    if at + 2 > len(data) or data[at] & _HIGH_TAG == _HIGH_TAG:
        raise _NotThere
    length, start = data[at + 1], at + 2
    if length == _INDEFINITE:
        return _Element(data[at], start, len(data), open=True)
    if length & _LONG:
        size = length & ~_LONG
        if size > 4:  # noqa: PLR2004 - octets: no mail has 4 GB
            raise _NotThere
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    return _Element(data[at], start, min(start + length, len(data)))


def _expect(data: bytes, at: int, tag: int) -> _Element:
    element = _element(data, at)
    if element.tag != tag:
        raise _NotThere
    return element


def _behind(data: bytes, element: _Element, depth: int = 0) -> int:
    """The offset behind an element; where its length is indefinite its members are passed over."""
    if not element.open:
        return element.end
    at = element.start
    for _ in range(_MAX_MEMBERS if depth < _MAX_DEPTH else 0):
        if data[at : at + 2] == b"\0\0":
            return at + 2
        at = _behind(data, _element(data, at), depth + 1)
    raise _NotThere


def _octets(data: bytes, at: int) -> bytes:
    """An OCTET STRING, in one piece or in many (X.690 §8.7.3). A truncated one is read as far as it goes."""
    first = _element(data, at)
    if first.tag == _OCTETS:
        return data[first.start : first.end]
    if first.tag != _OCTETS | _CONSTRUCTED:
        raise _NotThere
    pieces: list[bytes] = []
    at = first.start
    while at < first.end and len(pieces) < _MAX_PIECES and data[at : at + 1] == bytes([_OCTETS]):
        piece = _element(data, at)
        pieces.append(data[piece.start : piece.end])
        at = piece.end
    return b"".join(pieces)
