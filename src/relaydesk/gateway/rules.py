"""The rules by which a help desk's answer is cleaned: data from ``desks.yaml`` and the shop's own file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from relaydesk.classify import Pattern, PatternError, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINES = ("lines", "top", "bottom", "subject")
_LISTS = (*_LINES, "pixels")
_LINK = ("match", "parameter")
_HEADER_SIGN = ("header", "matches", "unless")
_SIGN = (*_HEADER_SIGN, "automatic")
_DESK = ("name", "signs", *_LINES)


class GatewayRulesError(ValueError):
    """A rule file that cannot be used; each line names the file, the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose address matches leads where its query ``parameter`` says."""

    match: Pattern
    parameter: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A header field that says which help desk wrote, or whether it wrote by itself."""

    header: str
    matches: Pattern | None = None
    unless: Pattern | None = None
    automatic: bool = True

    def fits(self, fields: Sequence[tuple[str, str]]) -> bool:
        """Whether one of these (name in lower case, value) is it."""
        return any(name == self.header and self._fits(value) for name, value in fields)

    def _fits(self, value: str) -> bool:
        if self.matches is not None and not self.matches.search(value):
            return False
        return self.unless is None or not self.unless.search(value)


@dataclass(frozen=True, slots=True)
class DeskRules:
    """What one help desk adds to an answer, and the signs of its mail; without signs, of any mail."""

    name: str
    signs: tuple[Sign, ...] = ()
    sign_lines: tuple[Pattern, ...] = ()
    lines: tuple[Pattern, ...] = ()
    top: tuple[Pattern, ...] = ()
    bottom: tuple[Pattern, ...] = ()
    subject: tuple[Pattern, ...] = ()

    def fits(self, fields: Sequence[tuple[str, str]], outer: Sequence[str]) -> bool:
        """Whether mail with these header fields, and these first and last lines, is the desk's."""
        if not self.signs and not self.sign_lines:
            return True
        return any(sign.fits(fields) for sign in self.signs) or any(
            pattern.fullmatch(line) for pattern in self.sign_lines for line in outer
        )


@dataclass(frozen=True, slots=True)
class GatewayRules:
    """All rules, the shop's before the shipped ones."""

    desks: tuple[DeskRules, ...] = ()
    pixels: tuple[Pattern, ...] = ()
    links: tuple[Link, ...] = ()
    automatic: tuple[Sign, ...] = ()

    def over(self, shipped: GatewayRules) -> GatewayRules:
        """These rules first, then the ``shipped`` ones."""
        return GatewayRules(
            self.desks + shipped.desks,
            self.pixels + shipped.pixels,
            self.links + shipped.links,
            self.automatic + shipped.automatic,
        )

    def is_automatic(self, fields: Sequence[tuple[str, str]]) -> bool:
        """Whether the desk wrote by itself: the first rule that fits a header field decides."""
        return next((sign.automatic for sign in self.automatic if sign.fits(fields)), False)


def load_gateway_rules(tree: Any, source: str) -> GatewayRules:
    """The rules of one file, read from its YAML ``tree``. GatewayRulesError names every bad entry."""
    reader = _GatewayRulesReader(source)
    rules = reader.rules({} if tree is None else tree)
    if reader.problems:
        raise GatewayRulesError("\n".join(reader.problems))
    return rules


class _GatewayRulesReader:
    """One pass over one file; problems are gathered, not raised."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def bad(self, where: str, text: str) -> None:
        self.problems.append(f"{self.source}, {where}: {text}.")

    def rules(self, tree: Any) -> GatewayRules:
        names = (*_LISTS, "desks", "links", "automatic")
        if not isinstance(tree, dict):
            self.bad("top", f"the file must hold the lists {', '.join(names)}")
            return GatewayRules()
        for key in tree:
            if key not in names:
                self.bad(str(key), f"unknown list; there are {', '.join(names)}")
        own = self.desk_lines(tree, self.source.replace("\\", "/").rpartition("/")[2], "")
        desks = tuple(self.desk(item, f"desks[{at}]") for at, item in self.items(tree, "desks"))
        links = tuple(self.link(item, f"links[{at}]") for at, item in self.items(tree, "links"))
        signs = tuple(
            self.sign(item, f"automatic[{at}]", _SIGN) for at, item in self.items(tree, "automatic")
        )
        return GatewayRules(
            ((own,) if own != DeskRules(own.name) else ()) + tuple(desk for desk in desks if desk),
            self.patterns(tree, "pixels"),
            tuple(link for link in links if link),
            tuple(sign for sign in signs if sign),
        )

    def desk_lines(self, tree: Mapping[str, Any], name: str, where: str) -> DeskRules:
        lines, top, bottom, subject = (self.patterns(tree, key, where) for key in _LINES)
        return DeskRules(name, lines=lines, top=top, bottom=bottom, subject=subject)

    def desk(self, item: Any, where: str) -> DeskRules | None:
        fields = self.fields(item, where, "name", _DESK)
        if not fields:
            return None
        signs: list[Sign | None] = []
        lines: list[Pattern | None] = []
        for at, entry in self.items(fields, "signs"):
            place = f"{where}.signs[{at}]"
            if isinstance(entry, dict) and list(entry) == ["line"]:
                lines.append(self.pattern(entry["line"], place))
            else:
                signs.append(self.sign(entry, place, _HEADER_SIGN))
        if not signs and not lines:
            self.bad(where, "a desk needs signs by which its mail is known")
        return replace(
            self.desk_lines(fields, fields["name"], f"{where}."),
            signs=tuple(sign for sign in signs if sign),
            sign_lines=tuple(line for line in lines if line is not None),
        )

    def items(self, tree: Mapping[str, Any], name: str) -> list[tuple[int, Any]]:
        entries = tree.get(name)
        if entries is not None and not isinstance(entries, list):
            self.bad(name, "this must be a list; start each entry with '- '")
            return []
        return list(enumerate(entries or (), 1))

    def patterns(self, tree: Mapping[str, Any], name: str, where: str = "") -> tuple[Pattern, ...]:
        patterns = (self.pattern(item, f"{where}{name}[{at}]") for at, item in self.items(tree, name))
        return tuple(pattern for pattern in patterns if pattern is not None)

    def pattern(self, text: Any, where: str) -> Pattern | None:
        if not isinstance(text, str) or not text:
            self.bad(where, f"a pattern must be text, not {text!r}")
            return None
        try:
            pattern = compile_pattern(text)
        except PatternError as error:
            self.bad(where, f"the pattern {text!r} does not compile: {error}")
            return None
        if pattern.search("") is not None:
            self.bad(where, f"the pattern {text!r} matches every text; make it more specific")
        return pattern

    def fields(self, item: Any, where: str, main: str, keys: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(item, dict) or not isinstance(item.get(main), str):
            self.bad(where, f"an entry may have {', '.join(keys)} and must have {main} as text")
            return {}
        for key in item:
            if key not in keys:
                self.bad(where, f"unknown key {key!r}; an entry may have {', '.join(keys)}")
        return item

    def link(self, item: Any, where: str) -> Link | None:
        fields = self.fields(item, where, "parameter", _LINK)
        match = self.pattern(fields.get("match"), where) if fields else None
        return Link(match, fields["parameter"]) if match is not None else None

    def sign(self, item: Any, where: str, keys: tuple[str, ...]) -> Sign | None:
        fields = self.fields(item, where, "header", keys)
        if not fields:
            return None
        automatic = fields.get("automatic", True)
        if not isinstance(automatic, bool):
            self.bad(where, f"automatic must be true or false, not {automatic!r}")
        matches, unless = (
            self.pattern(fields[key], where) if key in fields else None for key in ("matches", "unless")
        )
        return Sign(fields["header"].lower(), matches, unless, bool(automatic))
