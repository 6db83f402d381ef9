"""Patterns of the rule files, run by RE2: linear in the text, whatever an admin writes.

A shop's rule with a nested repetition would hang the standard library's engine for hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class PatternMatch(Protocol):
    """A match: the text of a group, and where it is."""

    def group(self, group: int | str = 0, /) -> str | None: ...
    def start(self, group: int = 0, /) -> int: ...
    def end(self, group: int = 0, /) -> int: ...
    def groupdict(self) -> dict[str, str | None]: ...


class Pattern(Protocol):
    """A compiled pattern."""

    pattern: str

    def search(self, text: str) -> PatternMatch | None: ...
    def fullmatch(self, text: str) -> PatternMatch | None: ...
    def finditer(self, text: str) -> Iterator[PatternMatch]: ...


SET_MEMORY = 32 << 20  # bytes that a set's automaton may take; it is built as texts need it


class PatternError(ValueError):
    """A pattern that RE2 does not take; the text says why."""


def compile_pattern(pattern: str) -> Pattern:
    """The pattern, blind to case. Raises :class:`PatternError`."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0] if error.args else error
        text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise PatternError(text) from error
    return compiled


class PatternSet:
    """Patterns that are searched for in one pass (``RE2::Set``). They heed case."""

    def __init__(self, patterns: Iterable[str]) -> None:
        options = re2.Options()
        options.log_errors = False
        options.max_mem = SET_MEMORY
        self._set = re2.Set.SearchSet(options)
        self._size = len([self._set.Add(pattern) for pattern in patterns])
        if self._size:
            self._set.Compile()

    def matches(self, text: str) -> list[int]:
        """The numbers, in order, of the patterns that the text holds."""
        return sorted(self._set.Match(text) or ()) if self._size else []


def escaped(text: str) -> str:
    """A pattern piece that is this very text."""
    piece: str = re2.escape(text)
    return piece


def first(patterns: Iterable[Pattern], text: str) -> PatternMatch | None:
    """The first pattern's match that is one."""
    return next((match for pattern in patterns if (match := pattern.search(text))), None)
