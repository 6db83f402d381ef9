"""Bytes to text by the Encoding Standard (https://encoding.spec.whatwg.org), for any bytes; linear.

Python's own codecs do the work. What they lack is added: vendor rows, the bytes that Windows code pages
leave open, and a reading that goes on behind an odd character. U+FFFD stands for each thing that could not
be read.
"""

from __future__ import annotations

import codecs
import re
from functools import cache, partial
from typing import TYPE_CHECKING

from relaydesk.message.big5_additions import ADDITIONS, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Callable

ODD = "\ufffd"
_C1 = range(0x80, 0xA0)
_ASCII_TRAIL = 0x80
# Shift_JIS holds two rows of 94 a lead, half of them below 0xA0, none at DEL.
_ROW, _LOW_ROWS, _DELETE = 94, 62, 63

# Python's name of each encoding that is a table of 256 characters.
_SINGLE = {
    "ibm866": "cp866", "koi8-r": "koi8_r", "koi8-u": "koi8_u", "macintosh": "mac_roman",
    "windows-874": "cp874", "x-mac-cyrillic": "mac_cyrillic",
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"windows-125{part}": f"cp125{part}" for part in range(9)},
}  # fmt: skip
# Where the standard's table is another than Python's: Belarusian's short u, and a Hebrew point.
_OTHERWISE = {"koi8-u": {0xAE: "\u045e", 0xBE: "\u040e"}, "windows-1255": {0xCA: "\u05ba"}}

# EUC-JP and ISO-2022-JP hold the same rows as Shift_JIS, so Microsoft's reading of them is one for all three.
_AS_MICROSOFT = str.maketrans("\u301c\u2016\u2212\xa2\xa3\xac", "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2")
_GB_2005 = str.maketrans({"\ue5e5": "\u3000", "\ue7c7": "\u1e3f"})


def decoded(data: bytes, encoding: str) -> str:
    """The text of ``data``; ``encoding`` as :func:`.charset_labels.encoding_of` names it."""
    if is_single_byte(encoding):
        return codecs.charmap_decode(data, "strict", _table(encoding))[0]
    reader = _READERS.get(encoding)
    return reader(data) if reader else data.decode(encoding.replace("-", "_"), "replace")


def is_single_byte(encoding: str) -> bool:
    """Whether every byte under this encoding is a character."""
    return encoding in _SINGLE or encoding == "x-user-defined"


@cache
def _table(encoding: str) -> str:
    if encoding == "x-user-defined":
        return "".join(chr(byte if byte < _ASCII_TRAIL else 0xF700 + byte) for byte in range(256))
    table = [bytes([byte]).decode(_SINGLE[encoding], "replace") for byte in range(256)]
    if encoding.startswith("windows"):
        # The standard gives an open byte its C1 control, which is then taken out as every control is.
        table = [chr(byte) if char == ODD and byte in _C1 else char for byte, char in enumerate(table)]
    otherwise = _OTHERWISE.get(encoding, {})
    return "".join(otherwise.get(byte, char) for byte, char in enumerate(table))


def _euc_jp_row(pair: bytes) -> str | None:
    """One of the rows that NEC and IBM added, read where Shift_JIS holds it (JIS X 0208, annex 1)."""
    lead, trail = pair[0] - 0xA1, pair[-1] - 0xA1
    if len(pair) == 1 or not (0 <= lead < _ROW and 0 <= trail < _ROW):
        return None
    second = trail + (_ROW if lead % 2 else 0)
    first = lead // 2 + (0x81 if lead < _LOW_ROWS else 0xC1)
    return _pair("cp932", bytes((first, second + (0x40 if second < _DELETE else 0x41))))


@cache
def _pair(codec: str, pair: bytes) -> str | None:
    try:
        return pair.decode(codec)
    except UnicodeDecodeError:
        return None


def _go_on(more: Callable[[bytes], str | None], failure: UnicodeError) -> tuple[str, int]:
    """A character that the codec lacks, or U+FFFD; an ASCII byte behind an odd one is never swallowed."""
    if not isinstance(failure, UnicodeDecodeError):
        raise failure
    at = failure.start
    lead, pair = failure.object[at : at + 1], failure.object[at : at + 2]
    for taken in (lead, pair):
        if (char := more(taken)) is not None:
            return char, at + len(taken)
    return ODD, at + (len(pair) if lead > b"\x80" and pair[-1] > _ASCII_TRAIL else 1)


def _no_more(_: bytes) -> None:
    return None


_MORE: dict[str, Callable[[bytes], str | None]] = {
    "cp932": _no_more,
    "cp949": _no_more,
    "euc_jp": _euc_jp_row,
    "gb18030": {b"\x80": "\u20ac"}.get,
    "big5hkscs": ADDITIONS.get,
}


@cache
def _handler(codec: str) -> str:
    """The registered error handler that goes on behind what ``codec`` cannot read."""
    name = f"relaydesk.{codec}"
    codecs.register_error(name, partial(_go_on, _MORE[codec]))
    return name


def _double(codec: str, data: bytes) -> str:
    return data.decode(codec, _handler(codec))


# Bytes that no character has, A0 and FD to FF, are private ones for the codec.
_NO_SHIFT_JIS = dict.fromkeys(range(0xF8F0, 0xF8F4), ODD)


def _shift_jis(data: bytes) -> str:
    return _double("cp932", data).translate(_NO_SHIFT_JIS)


def _euc_jp(data: bytes) -> str:
    return _double("euc_jp", data).translate(_AS_MICROSOFT)


def _gb18030(data: bytes) -> str:
    return _double("gb18030", data).translate(_GB_2005)


def _big5(data: bytes) -> str:
    return _double("big5hkscs", data).translate(SYMBOLS)


# ASCII but for what a frequent ideograph or the wide blank is in the other byte order.
_LATIN = dict.fromkeys(set(range(0x80)) - set(map(ord, "N_g0")))


def _utf_16(data: bytes) -> str:
    """UTF-16 without a byte order mark: the order in which more of it is Latin, else little endian."""
    orders = [data.decode(codec, "replace") for codec in ("utf-16-le", "utf-16-be")]
    return max(orders, key=lambda text: len(text) - len(text.translate(_LATIN)))


# ISO 2022 (RFC 1468, 1554, 1557, 1922): an escape sequence says which set the bytes that follow belong to.
_SWITCH = re.compile(rb"(\x1b(?:\$[()]?[@-F]|\([A-Z]|\.[A-F]|&@|[NO])|[\x0e\x0f\n])")
_HIGH = bytes(byte + 0x80 if byte in range(0x21, 0x7F) else byte for byte in range(256))
_ROMAN = str.maketrans("\\~", "\xa5\u203e")
_KANA = str.maketrans({0x21 + offset: 0xFF61 + offset for offset in range(63)})
_TWO = re.compile(rb"([\xa1-\xfe][\xa1-\xfe])")


def _ascii(data: bytes) -> str:
    # Half-width kana are written as 8-bit bytes too (JIS X 0201); other such bytes are odd.
    return data.decode("ascii") if data.isascii() else _shift_jis(data)


def _jis_x_0212(data: bytes) -> str:
    return _euc_jp(_TWO.sub(b"\x8f\\1", data.translate(_HIGH)))


_SETS: dict[bytes, Callable[[bytes], str]] = {
    b"(B": _ascii,
    b"(J": lambda data: _ascii(data).translate(_ROMAN),
    b"(I": lambda data: _ascii(data).translate(_KANA),
    b"$@": lambda data: _euc_jp(data.translate(_HIGH)),
    b"$B": lambda data: _euc_jp(data.translate(_HIGH)),
    b"$A": lambda data: _gb18030(data.translate(_HIGH)),
    b"$C": lambda data: _double("cp949", data.translate(_HIGH)),
    b"$D": _jis_x_0212,
}


def _iso_2022(shifted_out: bytes, data: bytes) -> str:
    """Segment by segment, so that an odd character spoils no other; each line begins in ASCII.

    ``shifted_out`` is the set of shift out where no designation names one.
    """
    shown, shifted = b"(B", False
    text = []
    for number, piece in enumerate(_SWITCH.split(data)):
        if number % 2 == 0:
            chosen = shifted_out if shifted else shown
            text.append(_SETS.get(chosen, _ascii)(piece))
        elif piece == b"\n":
            shown, shifted = b"(B", False
            text.append("\n")
        elif piece in b"\x0e\x0f":
            shifted = piece == b"\x0e"
        elif piece[1:3] == b"$)":
            shifted_out = b"$" + piece[3:]
        else:
            shown = piece[1:].replace(b"$(", b"$")
    return "".join(text)


_READERS: dict[str, Callable[[bytes], str]] = {
    "shift_jis": _shift_jis,
    "euc-kr": partial(_double, "cp949"),
    "euc-jp": _euc_jp,
    "gb18030": _gb18030,
    "big5": _big5,
    "iso-2022": partial(_iso_2022, b"(I"),  # JIS X 0202
    "iso-2022-kr": partial(_iso_2022, b"$C"),
    "utf-16": _utf_16,
}
