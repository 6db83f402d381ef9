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
    """A header that says whether the help desk wrote by itself."""

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
        names = (*_LISTS, "links", "automatic")
        if not isinstance(tree, dict):
            self.bad("top", f"the file must hold the lists {', '.join(names)}")
            return GatewayRules()
        for key in tree:
            if key not in names:
                self.bad(str(key), f"unknown list; there are {', '.join(names)}")
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
        entries = tree.get(name)
        if entries is not None and not isinstance(entries, list):
            self.bad(name, "this must be a list; start each entry with '- '")
            return []
        return list(enumerate(entries or (), 1))

    def patterns(self, tree: Mapping[str, Any], name: str) -> tuple[Pattern, ...]:
        patterns = (self.pattern(item, f"{name}[{at}]") for at, item in self.items(tree, name))
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

    def sign(self, item: Any, where: str) -> Sign | None:
        fields = self.fields(item, where, "header", _SIGN)
        if not fields:
            return None
        automatic = fields.get("automatic", True)
        if not isinstance(automatic, bool):
            self.bad(where, f"automatic must be true or false, not {automatic!r}")
        matches, unless = (
            self.pattern(fields[key], where) if key in fields else None for key in ("matches", "unless")
        )
        return Sign(fields["header"].lower(), matches, unless, bool(automatic))
