"""Words as they are compared: without case, accents, directions and the accidents of line breaks.

A table of phrases is searched as plain substrings in a bounded text: linear, whatever the text is.
"""

from __future__ import annotations

import re
import unicodedata

_MARKS = ("Mn", "Me", "Cf", "Cc")  # accents, enclosing marks, direction and zero width characters, controls
_AS_PLAIN = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "ı": "i", "–": "-", "—": "-", "\xad": ""})  # noqa: RUF001
_BETWEEN_IDEOGRAPHS = re.compile("(?<=[\u3000-\u9fff\uac00-\ud7a3]) (?=[\u3000-\u9fff\uac00-\ud7a3])")


def folded(text: str) -> str:
    """The text with each run of white space as one blank, no accents, no case, no blanks between ideographs.

    Marks go before the decomposition, which would sort long runs of them in quadratic time.
    """
    plain = " ".join(text.translate(_AS_PLAIN).split())
    base = "".join(char for char in plain if unicodedata.category(char) not in _MARKS)
    parts = unicodedata.normalize("NFKD", base)[: 3 * len(base)]  # three of a Hangul syllable; some have 18
    letters = "".join(char for char in parts if not unicodedata.combining(char))
    composed = unicodedata.normalize("NFC", letters)  # Hangul back into syllables
    return _BETWEEN_IDEOGRAPHS.sub("", composed.casefold().translate(_AS_PLAIN))


def phrases(table: str) -> tuple[str, ...]:
    """The phrases of a table, folded: parted by ``|`` or line ends; a line that begins with # is a remark."""
    lines = (line for line in table.splitlines() if not line.startswith("#"))
    cells = (cell.strip() for cell in folded(" | ".join(lines)).split("|"))
    return tuple(dict.fromkeys(cell for cell in cells if cell))


def holds(text: str, table: tuple[str, ...]) -> bool:
    """Whether a folded text holds one of the phrases."""
    return any(phrase in text for phrase in table)


def one_line(text: str, limit: int) -> str:
    """Foreign text for a sentence of ours: one line, no controls or direction marks, cut at ``limit``."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())[:limit]
