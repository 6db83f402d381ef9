"""Macro strings of SPF (RFC 7208 §7): their grammar, and their expansion in time linear in what comes out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_NAME = 253  # octets of an expanded domain (§7.3)
_IN_NAMES, _IN_TEXTS = "slodiphv", "slodiphvcrt"  # §7.2: c, r and t are for explanations only
# §7.1: digits, where they stand, name a number above zero.
_PIECE = re.compile(
    r"%(?P<sign>[%_-])"
    r"|%\{(?P<letter>[a-z])(?P<digits>(?:0*+[1-9][0-9]*+)?+)(?P<reverse>r?+)(?P<delimiters>[-.+,/_=]*+)\}"
    r"|(?P<literal>[^%]++)",
    re.IGNORECASE | re.ASCII,
)
_SIGNS = {"%": "%", "_": " ", "-": "%20"}
_TOP_LABEL = re.compile(r"[0-9]*+[a-z][0-9a-z]*+|[0-9a-z]++-(?:[0-9a-z-]*[0-9a-z])", re.IGNORECASE | re.ASCII)
_VISIBLE = re.compile(r"[!-~]*+")


class MacroError(ValueError):
    """A text that breaks the grammar of macros, as a sentence."""


def check_domain_spec(text: str) -> None:
    """Whether ``text`` is a domain-spec: it ends in a top label or in a macro (§7.1).

    :raises MacroError: when it is not.
    """
    pieces = list(_pieces(text, _IN_NAMES))
    if not _VISIBLE.fullmatch(text) or not pieces or not _ends_a_name(pieces[-1]):
        raise MacroError(f"{text or 'nothing'} is no domain")


def check_macro_string(text: str) -> None:
    """Whether ``text`` can be the value of a modifier that nobody knows (§6).

    :raises MacroError: when it cannot.
    """
    for _ in _pieces(text, _IN_TEXTS):
        pass
    if not _VISIBLE.fullmatch(text):
        raise MacroError(f"{text} holds a character that is not allowed")


def expand_name(text: str, value: Callable[[str], str]) -> str:
    """The domain that a domain-spec means; labels are dropped from the left until it fits (§7.3).

    ``value`` gives what a macro letter in lower case stands for.
    """
    name = _expand(text, value, _IN_NAMES).removesuffix(".")
    if len(name) <= MAX_NAME:
        return name
    return name[-MAX_NAME - 1 :].partition(".")[2] or name


def expand_text(text: str, value: Callable[[str], str]) -> str:
    """An explanation with its macros expanded (§6.2).

    :raises MacroError: when it breaks their grammar.
    """
    return _expand(text, value, _IN_TEXTS)


def _expand(text: str, value: Callable[[str], str], letters: str) -> str:
    return "".join(_expansion(piece, value) for piece in _pieces(text, letters))


def _pieces(text: str, letters: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None or (piece["letter"] or letters[0]).lower() not in letters:
            raise MacroError(f"{text[at : at + 16]} is no macro")
        yield piece
        at = piece.end()


def _ends_a_name(piece: re.Match[str]) -> bool:
    """§7.1: domain-end = ( "." toplabel [ "." ] ) / macro-expand."""
    if piece["literal"] is None:
        return True
    _, dot, label = piece["literal"].removesuffix(".").rpartition(".")
    return bool(dot) and _TOP_LABEL.fullmatch(label) is not None


def _expansion(piece: re.Match[str], value: Callable[[str], str]) -> str:
    if piece["literal"] is not None:
        return piece["literal"]
    if piece["sign"]:
        return _SIGNS[piece["sign"]]
    letter = piece["letter"]
    text = value(letter.lower())
    if piece["digits"] or piece["reverse"] or piece["delimiters"]:
        text = _transformed(text, piece)
    return quote(text, safe="~") if letter.isupper() else text


def _transformed(text: str, piece: re.Match[str]) -> str:
    """§7.3: split at the delimiters, turned round, the right-most parts of them, joined by dots."""
    parts = re.split(f"[{re.escape(piece['delimiters'] or '.')}]", text)
    if piece["reverse"]:
        parts.reverse()
    if len(piece["digits"]) < len("1000"):  # a domain has no more labels than 127
        parts = parts[-int(piece["digits"] or 0) :]
    return ".".join(parts)
