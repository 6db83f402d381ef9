"""Phrases of language packs: plain words that are looked for in a text, blind to case and punctuation.

Both are folded to words with one blank between them, so a phrase is whole words; in scripts that write
without blanks it may stand anywhere. ``…`` stands for a few words, ``^`` for the beginning. All phrases that
one text is searched for make one RE2 set of plain strings: a further language costs no further pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from relaydesk.classify.patterns import Pattern, PatternSet, compile_pattern, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable

# Scripts that write without blanks, or glue particles to words: kana, Han, Hangul.
_UNSPACED = re.compile(r"[\u1100-\u11ff\u3005-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")
_I = "[iI\u0130\u0131]"
_PARTING = re.compile(r"[\W_]+")
_ASCII_PARTING = {code: " " for code in range(128) if not chr(code).isalnum()}
_ANY, _FIRST = "…", "^"
_FEW_WORDS = "(?:[^ ]+ ){0,12}"
_BRAND = "{brand}"
_NAME = "{username}"


Place = Literal["subject", "text", "reason", "wording"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase: what it ``means``, its words and language, whether a real mail has shown it, and where it
    counts: in the Subject, in the text, in the form's line with the reason for contact, or as a wording of
    such a reason in running text."""

    means: str
    text: str
    language: str
    place: Place = "subject"
    seen: bool = False


class Phrases:
    """Phrases compiled into one set."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = tuple(phrases)
        self._set = PatternSet([_pattern(phrase.text) for phrase in self._phrases])

    def among(self, text: str) -> tuple[Phrase, ...]:
        """The phrases that a neutral text holds, in their order."""
        return tuple(self._phrases[number] for number in self._set.matches(f" {_folded(text)} "))


@lru_cache(maxsize=8)
def phrases_of(phrases: tuple[Phrase, ...]) -> Phrases:
    """These phrases compiled, once for all rules that have the same: a shop's own extend the shipped ones."""
    return Phrases(phrases)


def words(text: str) -> str:
    """A pattern piece for these words with any white space between them, without a boundary."""
    gap = r"\s*" if _UNSPACED.search(text) else r"\s+"
    return gap.join(_letters(word) for word in text.split())


def bounded(pieces: str) -> str:
    """A pattern piece in which ``pieces`` neither starts nor ends inside a word or number."""
    return rf"(?:^|[^\p{{L}}\p{{N}}]){pieces}(?:$|[^\p{{L}}\p{{N}}])"


def is_unspaced(text: str) -> bool:
    """Whether a text is in a script whose words stand without blanks between them."""
    return _UNSPACED.search(text) is not None


def plain(text: str) -> str:
    """The form in which two spellings of one label are equal."""
    folded = _caseless(text)
    return "".join(folded.split()) if is_unspaced(folded) else " ".join(folded.split())


def expanded(text: str, brands: Iterable[str]) -> tuple[str, ...]:
    """A label for each brand, where ``{brand}`` stands in it."""
    if _BRAND not in text:
        return (text,)
    # Scripts without blanks may part a Latin name from their own letters by one.
    gap = " " if is_unspaced(text) else ""
    return tuple(text.replace(_BRAND, f"{brand}{gap}") for brand in brands)


def username_pattern(text: str) -> Pattern:
    """The pattern of a Subject in which ``{username}`` is the buyer's name: the whole of the Subject.

    Without "Re:" and its sisters: RE2 takes milliseconds for that prefix, and there are many patterns.
    """
    before, _, after = text.partition(_NAME)
    before = words(before) + ("" if is_unspaced(before) else r"\s+") if before.strip() else ""
    after = ("" if is_unspaced(after) else r"\s+") + words(after) if after.strip() else ""
    return compile_pattern(rf"^\s*{before}\s*(?P<username>\S.*?)\s*{after}\s*$")


def _pattern(phrase: str) -> str:
    first = _FIRST if phrase.startswith(_FIRST) else ""
    parts = [escaped(_folded(part)) for part in phrase.split(_ANY)]
    if is_unspaced(phrase):
        return first + ".{0,40}".join(part.replace(r"\ ", " ?") for part in parts)
    return first + " " + f" {_FEW_WORDS}".join(parts) + " "


def _folded(text: str) -> str:
    folded = _caseless(text)
    parted = folded.translate(_ASCII_PARTING) if folded.isascii() else _PARTING.sub(" ", folded)
    return " ".join(parted.split())


def _caseless(text: str) -> str:
    # Dotted and dotless i are one letter: case folding parts them, Turkish or not.
    return text.casefold().replace("\u0307", "").replace("\u0131", "i")


def _letters(word: str) -> str:
    return "".join(_I if letter in _I[1:-1] else escaped(letter) for letter in word)
