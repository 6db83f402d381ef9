"""The words of a text as a search index holds them, and as a query asks for them.

A word is a run of letters and digits, without case and without accents. Scripts that are written without
blanks (Chinese, Japanese, Thai…), and Korean, whose words carry their particles, are cut into overlapping
pairs of characters, so that any piece of two or more is found wherever it stands.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 64  # characters of a word; what is longer is no word of anybody's
MOST = 20_000  # words of one text

_RUN = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def index_words(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct words of these texts, in order of appearance, at most :data:`MOST`."""
    words: dict[str, None] = {}
    for text in texts:
        for word in _words(text):
            words[word] = None
            if len(words) >= MOST:
                return tuple(words)
    return tuple(words)


def query_words(text: str) -> tuple[str, ...]:
    """The words that a ticket must have; the last may be the beginning of one (it is still being typed)."""
    return tuple(dict.fromkeys(_words(text, query=True)))


def _words(text: str, *, query: bool = False) -> Iterator[str]:
    for match in _RUN.finditer(_folded(text)):
        run, at = match[0], 0
        for unspaced in _UNSPACED.finditer(run):
            yield from _spaced(run[at : unspaced.start()])
            yield from _pairs(unspaced[0], query=query)
            at = unspaced.end()
        yield from _spaced(run[at:])


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", plain).replace("\u0131", "i")  # the Turkish i without its dot


def _spaced(word: str) -> Iterator[str]:
    if word:
        yield word[:LONGEST]


def _pairs(run: str, *, query: bool) -> Iterator[str]:
    """Overlapping pairs. The last character stands alone too, so that a single one can be asked for."""
    yield from (run[at : at + 2] for at in range(len(run) - 1))
    if not query or len(run) == 1:
        yield run[-1]
