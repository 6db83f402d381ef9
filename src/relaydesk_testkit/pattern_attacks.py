"""The standard library's patterns in our source, and texts on which each would take more than linear time.

Attacks are made of the pattern itself: of its tree (``re._parser``) the shortest texts that lead to each of
its places, behind them each character that it tells apart, over and over, and an end that nothing matches. A
search is tried at every start, so that ``\\s+$`` or an unclosed ``<!--.*?-->`` is found as well as nested
repetitions.
"""

from __future__ import annotations

import ast
import pkgutil
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import relaydesk

# The standard library's own reader of patterns, which it does not document.
kinds, parser = import_module("re._constants"), import_module("re._parser")

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(relaydesk.__file__).parent
SCANS = frozenset({"search", "sub", "subn", "finditer", "findall", "split"})
ANCHORED = frozenset({"match", "fullmatch"})
_ORDER = "a0 \t\n-.:;,<>()\"'=/@&#%\\[]{}|_?!*+~A\r\u00e9\u4e00"
_CLASSES = {
    kinds.CATEGORY_DIGIT: r"\d", kinds.CATEGORY_NOT_DIGIT: r"\D", kinds.CATEGORY_SPACE: r"\s",
    kinds.CATEGORY_NOT_SPACE: r"\S", kinds.CATEGORY_WORD: r"\w", kinds.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT)
_NAMED = (kinds.LITERAL, kinds.RANGE)
MOST_CHARACTERS, MOST_PREFIXES = 7, 10


@dataclass(frozen=True, slots=True)
class SourcePattern:
    """A compiled pattern, its place in the source, and whether it is searched for in a text."""

    name: str
    pattern: re.Pattern[Any]
    scans: bool

    def run(self, text: str) -> None:
        """Uses it as the source does, on all of the text."""
        subject: Any = text.encode("latin-1", "replace") if isinstance(self.pattern.pattern, bytes) else text
        if self.scans:
            for _ in self.pattern.finditer(subject):
                pass
        else:
            self.pattern.match(subject)
            self.pattern.fullmatch(subject)


def modules() -> Iterator[Any]:
    """Every module of relaydesk but its migrations."""
    for found in pkgutil.walk_packages([str(SOURCE)], "relaydesk."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield import_module(found.name)


def patterns() -> Iterator[SourcePattern]:
    """The patterns of every module and class, each once, where it is made."""
    used = _uses()
    seen: set[int] = set()
    for module in modules():
        owners = [("", module)] + [
            (f"{name}.", kind)
            for name, kind in vars(module).items()
            if isinstance(kind, type) and kind.__module__ == module.__name__
        ]
        for prefix, owner in owners:
            named = [
                (name, pattern) for name, value in vars(owner).items() for pattern in _patterns_in(value)
            ]
            for name, pattern in named:
                if id(pattern) not in seen:
                    seen.add(id(pattern))
                    methods = used.get((module.__name__, name), set()) | used.get(("", name), set())
                    yield SourcePattern(
                        f"{module.__name__}.{prefix}{name}", pattern, not methods or bool(methods & SCANS)
                    )

    for place, method, written in unnamed():
        if written is not None:
            yield SourcePattern(place, re.compile(written), method in SCANS)


def _patterns_in(value: Any) -> Iterator[re.Pattern[Any]]:
    """The pattern that a name stands for, or those of a table."""
    if isinstance(value, (dict, list, tuple)):
        value = value.values() if isinstance(value, dict) else value
        yield from (below for below in value if isinstance(below, re.Pattern))
    elif isinstance(value, re.Pattern):
        yield value


def _uses() -> dict[tuple[str, str], set[str]]:
    """The methods by which patterns are used: by module and name; by name alone for one that is public, or
    is handed on as a value and may be used in any way."""
    used: dict[tuple[str, str], set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        module = ".".join(("relaydesk", *path.relative_to(SOURCE).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or node.attr not in SCANS | ANCHORED:
                continue
            name = str(getattr(node.value, "id", getattr(node.value, "attr", "")))
            used.setdefault((module if name.startswith("_") else "", name), set()).add(node.attr)
    return used


def unnamed() -> Iterator[tuple[str, str, str | bytes | None]]:
    """Where a pattern is used that has no name (``re.sub("…", …)``): the place, the method, and the pattern;
    None for one that is put together there, which no attack reaches."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(called := node.func, ast.Attribute):
                continue
            if getattr(called.value, "id", "") == "re" and called.attr in SCANS | ANCHORED:
                pattern = getattr(node.args[0], "value", None)
                module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
                written = pattern if isinstance(pattern, (str, bytes)) else None
                yield f"relaydesk.{module}.{node.lineno}", called.attr, written


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """(start, unit, end): the unit is to be repeated."""
    written = pattern.pattern
    text = written.decode("latin-1") if isinstance(written, bytes) else written
    tree = parser.parse(text, pattern.flags & ~re.UNICODE)
    told_apart = sorted(_characters(tree), key=lambda char: (char.isalnum(), char))[:MOST_CHARACTERS]
    characters = [*told_apart, *(char for char in "a0 \n-" if char not in told_apart)]
    starts = sorted(filter(None, set(_starts(tree))), key=len)[:MOST_PREFIXES]
    units = dict.fromkeys(characters) | dict.fromkeys(starts)
    units |= dict.fromkeys(first + second for first in told_apart for second in told_apart if first != second)
    units |= dict.fromkeys(start + char for start in starts for char in characters[:8])
    yield from (("", unit, "") for unit in units)
    for start in starts:
        yield from ((start, unit, "\0") for unit in (*characters, *starts[:4]))


def _inside(kind: Any, value: Any) -> list[Any]:
    """The trees below a node."""
    if kind is kinds.BRANCH:
        return list(value[1])
    if kind is kinds.SUBPATTERN:
        return [value[3]]
    if kind is kinds.ATOMIC_GROUP:
        return [value]
    if kind in _REPEATS:
        return [value[2]]
    return [value[1]] if kind in (kinds.ASSERT, kinds.ASSERT_NOT) else []


def _characters(tree: Any) -> set[str]:
    characters: set[str] = set()
    for kind, value in tree:
        if kind in (kinds.LITERAL, kinds.NOT_LITERAL):
            characters.add(chr(value))
        elif kind is kinds.IN:
            characters |= {chr(item) for what, item in value if what is kinds.LITERAL}
            characters |= {chr(item[0]) for what, item in value if what is kinds.RANGE}
            characters.add(_one_of(value))
        for below in _inside(kind, value):
            characters |= _characters(below)
    return characters


def _fits(char: str, items: Any) -> bool:
    fits = negated = False
    for kind, value in items:
        negated |= kind is kinds.NEGATE
        fits |= kind is kinds.LITERAL and value == ord(char)
        fits |= kind is kinds.RANGE and value[0] <= ord(char) <= value[1]
        fits |= kind is kinds.CATEGORY and re.match(_CLASSES[value], char) is not None
    return fits != negated


def _one_of(items: Any) -> str:
    for char in _ORDER:
        if _fits(char, items):
            return char
    named = (value[0] if kind is kinds.RANGE else value for kind, value in items if kind in _NAMED)
    return chr(next(named, ord("a")))


def _shortest(kind: Any, value: Any) -> str:
    """A short text that a node matches; what may lack is there once."""
    if kind is kinds.LITERAL:
        return chr(value)
    if kind is kinds.NOT_LITERAL:
        return next(char for char in _ORDER if ord(char) != value)
    if kind is kinds.ANY:
        return "a"
    if kind is kinds.IN:
        return _one_of(value)
    if kind in (kinds.ASSERT, kinds.ASSERT_NOT):
        return ""
    below = _inside(kind, value)
    text = "".join(_shortest(*node) for node in below[0]) if below else ""
    return text * max(value[0], 1) if kind in _REPEATS and value[0] < 100 else text


def _starts(tree: Any, before: str = "") -> Iterator[str]:
    """The shortest texts that lead to each place of a tree."""
    for kind, value in tree:
        yield before
        for below in _inside(kind, value)[:40]:
            yield from _starts(below, before)
        before += _shortest(kind, value)
    yield before
