"""Bytes to text: charsets as mail names them, and the encoded words of headers (RFC 2047)."""

from __future__ import annotations

import binascii
import re
from encodings.aliases import aliases

_WORD = re.compile(rb"=\?([!-<>@-~]{1,60})\?([bBqQ])\?([^?\r\n]*+)\?=")
_GAP = re.compile(rb"[ \t\r\n]*")
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]+")

# codecs.lookup() remembers every unknown name for ever and knows codecs that are no charsets (some of
# them quadratic), so a name from the wire is looked up in this closed list first.
_NO_CHARSETS = {
    "base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec",
    "mbcs",
}  # fmt: skip
_MORE = {"koi8_u": "koi8_u", "windows_874": "cp874", "iso_8859_8_i": "iso8859_8", "x_sjis": "cp932",
         "x_gbk": "gbk", "gb2312": "gb18030", "cp874": "cp874", "utf_8_sig": "utf_8_sig"}  # fmt: skip
_CHARSETS = (
    {name: codec for name, codec in aliases.items() if codec not in _NO_CHARSETS}
    | {codec: codec for codec in aliases.values() if codec not in _NO_CHARSETS}
    | _MORE
)


def codec(charset: str) -> str | None:
    """Python's name of a charset, None when it is unknown or no charset of text."""
    return _CHARSETS.get(re.sub(r"[^a-z0-9]+", "_", charset[:60].lower()).strip("_"))


def to_text(data: bytes, charset: str = "") -> tuple[str, str]:
    """Bytes as text, and what went wrong ("" for nothing). Never raises.

    Without a charset, or with one that does not fit, UTF-8 is tried, then the declared charset with
    replacement characters, then Latin-1. NUL and lone surrogates, which no database takes, are replaced.
    """
    declared = codec(charset or "utf-8")
    defect = "" if declared else f"The charset {charset[:40]!a} is unknown."
    for name, errors in ((declared, "strict"), ("utf-8", "strict"), (declared or "latin-1", "replace")):
        if name is None:
            continue
        try:
            text = data.decode(name, errors)
        except (UnicodeError, ValueError, LookupError):
            defect = defect or f"The bytes do not fit the charset {(charset or 'utf-8')[:40]!a}."
            continue
        return (_UNSAFE.sub("\ufffd", text) if _UNSAFE.search(text) else text), defect
    return data.decode("latin-1").replace("\0", "\ufffd"), defect


def _raw_text(data: bytes) -> str:
    """Header bytes outside of encoded words: UTF-8 (RFC 6532), else Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _word_bytes(encoding: bytes, data: bytes) -> bytes:
    if encoding in b"qQ":
        return binascii.a2b_qp(data, header=True)
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")


def one_line(text: str) -> str:
    """Text for one line: control characters, also decoded ones, become a space."""
    return _CONTROL.sub(" ", text) if _CONTROL.search(text) else text


def decode(value: bytes) -> tuple[str, str]:
    """A header value as text, and what went wrong. Never raises; linear in the length of the value.

    Neighbouring words of one charset are joined as *bytes* before they are decoded, since senders cut
    UTF-8 characters in two (RFC 2047 §5 forbids it; Meta's localised subjects do it).
    """
    if b"=?" not in value:
        return one_line(_raw_text(value)), ""
    out: list[str] = []
    defect, at, charset, joined = "", 0, b"", b""
    pieces: list[bytes] = []
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        adjacent = bool(pieces) and _GAP.fullmatch(between) is not None
        spelled = word[1].split(b"*")[0].lower()  # RFC 2231 §5: charset*language
        if pieces and not (adjacent and spelled == charset):
            joined, pieces = b"".join(pieces), []
            text, wrong = to_text(joined, charset.decode("ascii"))
            out.append(text)
            defect = defect or wrong
        if not adjacent:
            out.append(_raw_text(between))
        pieces.append(_word_bytes(word[2], word[3]))
        charset, at = spelled, word.end()
    if pieces:
        text, wrong = to_text(b"".join(pieces), charset.decode("ascii"))
        out.append(text)
        defect = defect or wrong
    out.append(_raw_text(value[at:]))
    return one_line("".join(out)), defect


def printable(text: str, limit: int = 200) -> str:
    """Foreign text for a sentence of ours: one line of printable ASCII, cut at ``limit`` characters."""
    if text.isascii() and text.isprintable():
        return text[:limit].strip()
    return "".join(char if " " <= char <= "~" else " " for char in text[:limit]).strip()
