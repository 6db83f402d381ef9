"""Text as labels and patterns see it: without what a reader cannot see, and without widths.

RE2's ``\\s`` and ``\\b`` know ASCII only, and mail in the wild has no-break blanks before colons, zero-width
blanks before numbers, soft hyphens inside them, full-width digits. All steps are linear, whatever is sent.
"""

from __future__ import annotations

import re
from unicodedata import decimal, normalize

_BLANKS = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
# What has no width of its own (Unicode's Default_Ignorable_Code_Point), and the fillers of Hangul.
_UNSEEN = dict.fromkeys([
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x200B, 0x200E, 0x200F),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC)),
    *range(0xE0000, 0xE0080),
])  # fmt: skip
# Joiners and variation selectors have no width either, but they shape the letters and pictures beside them.
_SHAPING = dict.fromkeys([0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SIGNS = str.maketrans(
    "\u2018\u2019\u02bc\u00b4\u2010\u2011\u2212\u00ba\u02d0\u2236\ua789\ufe13\ufe30\ufe55\ufe5f",
    "''''---\u00b0::::::#",
)

_VISIBLE = {**_BLANKS, **_UNSEEN}
_ASCII = {**_UNSEEN, **_SHAPING, **_WIDE, **_SIGNS}
# Narrow blanks between digits group them, as French typography does; they part no two numbers.
_GROUPING = re.compile(r"(?<=[0-9])[\u00a0\u2007\u2008\u2009\u200a\u202f](?=[0-9])")
# Letters with their accents apart, Hangul in pieces, kana of half width. Each run is short or has one
# combining class, so that composing it is linear; the whole text might not be (sorting of accents).
_APART = re.compile(
    r"[A-Za-z\u00c0-\u024f][\u0300-\u036f]{1,3}|[\u3041-\u30fe][\u3099\u309a]|[\u1100-\u11ff]+|[\uff61-\uffdc]+"
)
_DIGITS = re.compile(r"(?:(?![0-9])\d)+")


def visible(text: str) -> str:
    """The text with every blank as a plain one and without invisible characters; its letters stay as sent."""
    return text if text.isascii() else text.translate(_VISIBLE)


def neutral(text: str) -> str:
    """The text for matching: :func:`visible`, digits of every script and full-width signs in ASCII, composed.

    What separates lines and table cells stays.
    """
    if text.isascii():
        return text
    text = _APART.sub(lambda run: normalize("NFKC", run[0]), text.translate(_ASCII))
    text = _DIGITS.sub(lambda run: "".join(str(decimal(digit)) for digit in run[0]), text)
    return _GROUPING.sub("", text).translate(_BLANKS)
