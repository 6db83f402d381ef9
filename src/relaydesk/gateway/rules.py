"""The rules by which a help desk's answer is cleaned: data from ``desks.yaml`` and the shop's own file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relaydesk.classify import Pattern, PatternError, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS = ("lines", "subject", "pixels")
_LINK = ("match", "parameter")
_SIGN = ("header", "matches", "unless", "automatic")


class GatewayRulesError(ValueError):
    """A rule file that cannot be used; each line names the file, the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose address matches leads where its query ``parameter`` says."""

    match: Pattern
    parameter: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A header that tells whether the desk wrote by itself."""

    header: str
    matches: Pattern | None = None
    unless: Pattern | None = None
    automatic: bool = True

    def fits(self, value: str) -> bool:
        if self.matches is not None and not self.matches.search(value):
            return False
        return self.unless is None or not self.unless.search(value)


@dataclass(frozen=True, slots=True)
class GatewayRules:
    """All rules, the shop's before the shipped ones."""

    lines: tuple[Pattern, ...] = ()
    subject: tuple[Pattern, ...] = ()
    pixels: tuple[Pattern, ...] = ()
    links: tuple[Link, ...] = ()
    automatic: tuple[Sign, ...] = ()

    def over(self, shipped: GatewayRules) -> GatewayRules:
        """These rules first, then the ``shipped`` ones."""
        return GatewayRules(
            self.lines + shipped.lines,
            self.subject + shipped.subject,
            self.pixels + shipped.pixels,
            self.links + shipped.links,
            self.automatic + shipped.automatic,
        )


def load_gateway_rules(tree: Any, source: str) -> GatewayRules:
    """The rules of one file, read from its YAML ``tree``. GatewayRulesError names every bad entry."""
    reader = _GatewayRulesReader(source)
    found = reader.cleaning({} if tree is None else tree)
    if reader.problems:
        raise GatewayRulesError("\n".join(reader.problems))
    return found


class _GatewayRulesReader:
    """One pass over one file; problems are gathered, not raised."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def bad(self, where: str, text: str) -> None:
        self.problems.append(f"{self.source}, {where}: {text}.")

    def cleaning(self, tree: Any) -> GatewayRules:
        known = (*_LISTS, "links", "automatic")
        if not isinstance(tree, dict):
            self.bad("top", f"the file must hold the lists {', '.join(known)}")
            return GatewayRules()
        for key in tree:
            if key not in known:
                self.bad(str(key), f"there is no such list; there are {', '.join(known)}")
        links = tuple(self.link(item, f"links[{at}]") for at, item in self.items(tree, "links"))
        signs = tuple(self.sign(item, f"automatic[{at}]") for at, item in self.items(tree, "automatic"))
        return GatewayRules(
            self.patterns(tree, "lines"),
            self.patterns(tree, "subject"),
            self.patterns(tree, "pixels"),
            tuple(link for link in links if link),
            tuple(sign for sign in signs if sign),
        )

    def items(self, tree: Mapping[str, Any], name: str) -> list[tuple[int, Any]]:
        found = tree.get(name)
        if found is not None and not isinstance(found, list):
            self.bad(name, "this must be a list; start each entry with '- '")
            return []
        return list(enumerate(found or (), 1))

    def patterns(self, tree: Mapping[str, Any], name: str) -> tuple[Pattern, ...]:
        found = (self.pattern(item, f"{name}[{at}]") for at, item in self.items(tree, name))
        return tuple(one for one in found if one is not None)

    def pattern(self, text: Any, where: str) -> Pattern | None:
        if not isinstance(text, str) or not text:
            self.bad(where, f"a pattern is text, not {text!r}")
            return None
        try:
            found = compile_pattern(text)
        except PatternError as error:
            self.bad(where, f"RE2 does not take {text!r}: {error}")
            return None
        if found.search("") is not None:
            self.bad(where, f"{text!r} matches nothing at all, so everything; be more exact")
        return found

    def fields(self, item: Any, where: str, main: str, known: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(item, dict) or not isinstance(item.get(main), str):
            self.bad(where, f"an entry has {', '.join(known)}, and needs {main} as text")
            return {}
        for key in item:
            if key not in known:
                self.bad(where, f"unknown key {key!r}; an entry has {', '.join(known)}")
        return item

    def link(self, item: Any, where: str) -> Link | None:
        given = self.fields(item, where, "parameter", _LINK)
        match = self.pattern(given.get("match"), where) if given else None
        return Link(match, given["parameter"]) if match is not None else None

    def sign(self, item: Any, where: str) -> Sign | None:
        given = self.fields(item, where, "header", _SIGN)
        if not given:
            return None
        automatic = given.get("automatic", True)
        if not isinstance(automatic, bool):
            self.bad(where, f"automatic must be true or false, not {automatic!r}")
        matches, unless = (
            self.pattern(given[key], where) if key in given else None for key in ("matches", "unless")
        )
        return Sign(given["header"].lower(), matches, unless, bool(automatic))
