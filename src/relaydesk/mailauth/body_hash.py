"""The body as DKIM hashes it: canonical slice by slice, in linear time and in little memory.

A slice keeps the interpreter for about a millisecond, so that a hash computed in a thread stops nobody.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Canonical = Literal["simple", "relaxed"]

_SLICE = 1 << 16  # octets
_WIDTHS = (256, 16, 4, 2)  # of runs of blanks; the longest run of a slice is one blank after two rounds


def body_hash(body: bytes | memoryview, how: Canonical) -> bytes:
    """SHA-256 of the canonical body (RFC 6376 §3.4.3 and §3.4.4)."""
    digest = hashlib.sha256()
    for piece in canonical_pieces(body, how):
        digest.update(piece)
    return digest.digest()


def canonical_body(body: bytes | memoryview, how: Canonical) -> bytes:
    """The body in canonical form."""
    return b"".join(canonical_pieces(body, how))


def canonical_pieces(body: bytes | memoryview, how: Canonical) -> Iterator[bytes]:
    """The canonical body in pieces of at most a slice and a few octets.

    What a later slice may change is held back: the start of a line's end, and all line ends until text
    follows, for those at the end of the body count as one (RFC 6376 §3.4.3).
    """
    relaxed, held, line_ends, empty = how == "relaxed", b"", 0, True
    for start in range(0, len(body), _SLICE):
        piece = held + bytes(body[start : start + _SLICE])
        if relaxed:
            piece = collapse_blanks(piece).replace(b" \r\n", b"\r\n")
        piece, held = _hold_back(piece, relaxed=relaxed)
        text = _without_line_ends(piece)
        if text:
            yield from _line_ends(line_ends)
            yield text
            line_ends, empty = 0, False
        line_ends += (len(piece) - len(text)) // 2
    if relaxed and held == b" ":
        held = b""
    if held:
        yield from _line_ends(line_ends)
        yield held
    if not (relaxed and empty and not held):
        yield b"\r\n"


def collapse_blanks(text: bytes) -> bytes:
    """Every run of blanks as one space (RFC 6376 §2.8: WSP is SP and HTAB, nothing else)."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        for width in _WIDTHS:
            text = text.replace(b" " * width, b" ")
    return text


def _hold_back(piece: bytes, *, relaxed: bool) -> tuple[bytes, bytes]:
    """The piece without the beginning of a line's end (blank, CR), and that beginning."""
    end = len(piece) - piece.endswith(b"\r")
    if relaxed and piece.endswith(b" ", 0, end):
        end -= 1
    return piece[:end], piece[end:]


def _without_line_ends(piece: bytes) -> bytes:
    """The piece without the CRLFs that it ends in; other CRs and LFs are text."""
    marks = piece[len(piece.rstrip(b"\r\n")) :]
    alternating = marks[max(marks.rfind(b"\r\r"), marks.rfind(b"\n\n")) + 1 :]
    if not alternating.endswith(b"\n"):
        return piece
    return piece[: len(piece) - len(alternating) // 2 * 2]


def _line_ends(count: int) -> Iterator[bytes]:
    for done in range(0, count, _SLICE):
        yield b"\r\n" * min(_SLICE, count - done)
