"""The transfer encodings of parts (RFC 2045 §6) undone, for any bytes; linear.

Mail programs cut padding off, put pieces one behind the other, add footers and label plain text as encoded.
Each reader gives the bytes and what was wrong ("" for nothing).
"""

from __future__ import annotations

import binascii
import re
from io import BytesIO

_NAME = re.compile(r"[^a-z0-9]+")
_FIRST = re.compile(r"[;,(]")
_BLANKS = b" \t\r\n"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_ALPHABET = bytes(byte for byte in range(256) if byte not in _ALPHABET)
_NO_BASE64 = bytes(byte for byte in _NO_ALPHABET if byte != ord("="))
_PADDING = re.compile(rb"=+")
# Programs write lines and pieces of 45 bytes and more; many shorter ones are there to cost time.
_MIN_PIECE = 16
_FREE_PIECES = 1_000
_END = re.compile(rb"(?:=|(?<=\n))[ \t]*+\r?\n|=[ \t]++(?=[^ \t\r\n])")
_FOOTER = 4_096
_SAMPLE = 16_384
_LONG_WORD = 40
_QUANTUM = 4
_SLICE = 1 << 16
_FEW = 5
_TEXT = bytes(byte for byte in range(256) if byte >= ord(" ") or byte in b"\t\r\n\x0c\x1b\x0e\x0f")

# A soft break may carry blanks, which relays add (RFC 2045 §6.7, rule 3); behind the last the delimiter has
# taken the line end.
_SOFT_BREAK = re.compile(rb"=[ \t]*+(?:\r?\n|\Z)")
_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})?")
# No encoder escapes a letter or a digit, but for the F of "From ", which some mailboxes would alter.
_NEVER_ESCAPED = re.compile(rb"(?:3[0-9]|4[1-57-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA])")

_UU_BEGIN = re.compile(rb"^begin(-base64)? [0-7]{3,4}(?: ([^\r\n]{0,200}+))?\r?\n", re.MULTILINE)
_UU_END = re.compile(rb"^(?:end|====)[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_UU_ALPHABET = bytes(range(0x20, 0x61))
_UU_LINE = 45
_UU_TRIES = 20


def encoding_name(written: str) -> str:
    """The normal form of a Content-Transfer-Encoding: lower-case letters and digits of its first word."""
    name = _NAME.sub("", _FIRST.split(written, 1)[0].lower()).removeprefix("x")
    return "uuencode" if name in ("uue", "uu") else name


def undone(body: bytes, encoding: str, *, is_text: bool) -> tuple[bytes, str]:
    """The bytes behind a transfer encoding that :func:`encoding_name` names, and what was wrong with it."""
    if encoding == "base64":
        return _base64(body, is_text=is_text)
    if encoding == "quotedprintable":
        return _quoted_printable(body)
    if encoding == "uuencode":
        return _uuencode(body)
    known = encoding in ("", "7bit", "8bit", "binary", "none", "plain", "8bits", "7bits", "plaintext")
    return body, "" if known else f"The transfer encoding {encoding[:40]!a} is unknown."


def _base64(body: bytes, *, is_text: bool) -> tuple[bytes, str]:
    trimmed = body.strip(_BLANKS)
    clean = trimmed.translate(None, _NO_ALPHABET)
    rest = trimmed.translate(None, _ALPHABET + b"\r\n")
    whole = not rest.strip(b"=") and trimmed.endswith(rest) and len(clean) % _QUANTUM != 1
    if whole and (len(trimmed) >= _LONG_WORD or len(clean + rest) % _QUANTUM == 0):
        return _decoded(clean), ""
    encoded = trimmed if whole else _without_footer(trimmed)
    content, lost = _pieces(encoded)
    if _is_plain(encoded[:_SAMPLE]) or (is_text and len(encoded) < _SAMPLE and _is_better(encoded, content)):
        return body, "A part is labelled base64 but is plain text."
    return content, "A part's base64 is damaged." if lost or encoded != trimmed else ""


def large_base64(encoded: memoryview) -> bytes | None:
    """Flawless base64 undone slice by slice, so that nothing but the result is large; None for any other."""
    content, carried, start = BytesIO(), b"", 0
    while start < len(encoded):
        last = len(encoded) - start < 2 * _SLICE
        piece = bytes(encoded[start:] if last else encoded[start : start + _SLICE])
        start += len(piece)
        if last:
            piece = piece.rstrip(_BLANKS)
            unpadded = piece.rstrip(b"=")
            piece = unpadded if len(piece) - len(unpadded) < _QUANTUM else piece
        clean = piece.translate(None, b"\r\n")
        if clean.translate(None, _ALPHABET):
            return None
        clean = carried + clean
        whole = len(clean) - len(clean) % _QUANTUM
        content.write(binascii.a2b_base64(clean[:whole]))
        carried = clean[whole:]
    if len(carried) == 1:
        return None
    content.write(binascii.a2b_base64(carried + b"=="))
    return content.getvalue()


def _decoded(clean: bytes) -> bytes:
    """Base64 of alphabet characters alone, padded or not; a last character without bits enough is nothing."""
    return binascii.a2b_base64(clean[: len(clean) - (len(clean) % _QUANTUM == 1)] + b"==")


def _has_long_word(sample: bytes) -> bool:
    return any(len(word) >= _LONG_WORD and _is_base64(word) for word in sample.split())


def _is_plain(sample: bytes) -> bool:
    """Whether text or other bytes were only labelled base64.

    Too many are outside of the alphabet, or its words have other lengths than pieces of base64 have.
    """
    words = sample.split()
    outside = len(sample.translate(None, _ALPHABET + b"=" + _BLANKS))
    if outside * _FEW > sum(map(len, words)):
        return True
    lengths = {len(word) % _QUANTUM for word in words[:-1]}
    return bool(lengths - {0}) and b" " in sample and not _has_long_word(sample)


def _is_better(body: bytes, content: bytes) -> bool:
    """Whether what is no flawless base64 is text as it stands, while its decoding is none."""
    decoded_well = is_text(content) and not (body.isalpha() and not content.isascii())
    return not decoded_well and is_text(body) and not _has_long_word(body)


def is_text(content: bytes) -> bool:
    """Whether these bytes hold no control character that text does not have."""
    return not content.translate(None, _TEXT)


def _most_pieces(encoded: bytes) -> int:
    return _FREE_PIECES + len(encoded) // _MIN_PIECE


def _pieces(encoded: bytes) -> tuple[bytes, bool]:
    """Pieces of base64, each with its own padding or none, and whether anything else stood between them."""
    clean = encoded.translate(None, _NO_BASE64)
    pieces = _PADDING.split(clean, _most_pieces(clean))
    lost = bool(encoded.translate(None, _ALPHABET + b"=" + _BLANKS))
    return b"".join(map(_decoded, pieces)), lost or any(len(piece) % _QUANTUM == 1 for piece in pieces)


def _without_footer(encoded: bytes) -> bytes:
    """Base64 without the words that a list or a scanner put behind it, after a padding or empty line."""
    start = at = max(len(encoded) - _FOOTER, 0)
    length, goes_on = 0, start + len(encoded[start:].rstrip().rstrip(_ALPHABET + b"=\r\n"))
    for end in _END.finditer(encoded, start):
        words = encoded[at : end.end()].split()
        at, length = end.end(), length + sum(map(len, words))
        if not all(map(_is_base64, words)) or (not start and length % _QUANTUM):
            return encoded
        on_its_line = not end[0].endswith(b"\n")
        behind = len(encoded) - at
        if encoded[at:goes_on].strip() or (on_its_line and behind % _QUANTUM):
            return encoded[:at]
    return encoded


def _is_base64(line: bytes) -> bool:
    return not line.strip().translate(None, _ALPHABET + b"=")


def _quoted_printable(body: bytes) -> tuple[bytes, str]:
    if b"=" not in body:
        return body, ""
    joined = _SOFT_BREAK.sub(b"", body)
    if joined == body and not _was_encoded(body):
        return body, "A part is labelled quoted-printable but is plain text."
    # The codec takes two of its signs for one, and one before a carriage return for a soft break.
    joined = joined.replace(b"==", b"=3D=").replace(b"==", b"=3D=").replace(b"=\r", b"=3D\r")
    return binascii.a2b_qp(joined), ""


def _was_encoded(body: bytes) -> bool:
    """Whether there is one escape that an encoder would write, or none that it would not."""
    escapes = [escape[1] for escape in _ESCAPE.finditer(body[:_SAMPLE])]
    plausible = [code for code in escapes if code and not _NEVER_ESCAPED.fullmatch(code)]
    return bool(plausible) or not escapes


def _uuencode(body: bytes) -> tuple[bytes, str]:
    begin = _UU_BEGIN.search(body)
    if begin is None:
        return body, "A part is labelled uuencode but has no begin line."
    return _uu_content(body, begin), ""


def uu_name(body: bytes) -> bytes:
    """The file name that the first begin line of uuencoded bytes states."""
    begin = _UU_BEGIN.search(body)
    return _stated_name(begin) if begin else b""


def _stated_name(begin: re.Match[bytes]) -> bytes:
    return (begin[2] or b"").strip()


def _uu_content(body: bytes, begin: re.Match[bytes]) -> bytes:
    """The content between a begin line and its end line, or as far as it goes."""
    end = _UU_END.search(body, begin.end())
    encoded = body[begin.end() : end.start() if end else len(body)]
    return (
        _pieces(encoded)[0]
        if begin[1]
        else b"".join(map(_uu_line, encoded.split(b"\n", _most_pieces(encoded))))
    )


def _uu_line(line: bytes) -> bytes:
    """One line: its first character counts its bytes. Blanks at its end may be lost, and more may follow."""
    line = line.rstrip(b"\r")
    length = (line[0] - 0x20) & 0x3F if line else 0
    if not 0 < length <= _UU_LINE:
        return b""
    groups = (length + 2) // 3 * 4
    try:
        return binascii.a2b_uu(line[: groups + 1].ljust(groups + 1))
    except binascii.Error:
        return b""


def without_uuencoded(text: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A text without the uuencoded files that old programs put into it, and those (name, content)."""
    files: list[tuple[bytes, bytes]] = []
    kept, at, after = [], 0, 0
    for _ in range(_UU_TRIES if b"begin" in text else 0):
        begin = _UU_BEGIN.search(text, after)
        end = begin and _UU_END.search(text, begin.end())
        if not (begin and end):
            break
        after = begin.end()
        if begin[1] or _is_uuencoded(text[after : end.start()]):
            files.append((_stated_name(begin), _uu_content(text, begin)))
            kept.append(text[at : begin.start()])
            at = after = end.end()
    return (b"".join([*kept, text[at:]]), files) if files else (text, [])


def _is_uuencoded(encoded: bytes) -> bool:
    """Whether these are lines of such a file: of its alphabet, and most as long as their first byte says."""
    lines = [line.rstrip(b"\r") for line in encoded.split(b"\n", _most_pieces(encoded))]
    full = [line for line in lines if line.strip(b" `")]
    exact = [line for line in full if 0 <= len(line) - 1 - (line[0] - 0x20 + 2) // 3 * 4 <= 1]
    return len(exact) * 2 > len(full) and not b"".join(full).translate(None, _UU_ALPHABET)
