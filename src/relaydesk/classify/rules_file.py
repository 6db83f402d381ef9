"""Rule files: YAML text to :class:`Rules`, with every problem at its file and line.

The shape of a file is described on top of ``facebook.yaml``.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from relaydesk.classify.findings import KINDS
from relaydesk.classify.links import OrderLinks
from relaydesk.classify.packs_file import LABELS, load_pack
from relaydesk.classify.patterns import Pattern, PatternError, compile_pattern
from relaydesk.classify.roles import Roles
from relaydesk.classify.rules import Hint, Rule, Rules, Signs
from relaydesk.classify.yaml_reader import RulesError, YamlReader, item_line, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaydesk.events import Kind

_TOP = ("rules", "roles", "topics", "username", "reasons", "labels", "values", "links", "brands")
_RULE = (
    *("name", "kind", "why", "sample", "from", "unless_from", "role", "relay"),
    *("subject", "phrases", "unless", "unless_phrases", "unless_text", "hint"),
)
_SHAPES = ("order", "merchant_ref", "case", "mentioned")


def load_rules(text: str, source: str, packs: Iterable[tuple[str, str]] = ()) -> Rules:
    """The rules of one file. A shop's file may leave out any section: see :meth:`Rules.extended`.

    ``source`` is the file's name for messages; ``packs`` are language packs, each its text and name. What
    two packs claim goes by the first. Raises :class:`RulesError` with every problem found.
    """
    reader = _RulesReader(source)
    rules = reader.rules(reader.parse(text, _TOP))
    for pack in reversed([load_pack(*pack) for pack in packs]):
        rules = rules.with_lists(pack)
    if problems := reader.problems or rules.problems():
        raise RulesError(problems)
    return rules


class _RulesReader(YamlReader):
    """One pass over one rule file."""

    def pattern(self, text: Any, line: int, place: str) -> Pattern | None:
        if not isinstance(text, str) or not text:
            self.problem(line, f"{place} must be a pattern in quotes.")
            return None
        try:
            return compile_pattern(text)
        except PatternError as error:
            self.problem(line, f"{place}: the pattern {text!r} does not compile: {error}.")
            return None

    def patterns(self, node: Any, line: int, place: str) -> tuple[Pattern, ...]:
        patterns = (self.pattern(text, where, place) for text, where in self.texts(node, line, place))
        return tuple(pattern for pattern in patterns if pattern is not None)

    def by_locale(self, owner: dict[str, Any], key: str, place: str) -> tuple[Pattern, ...]:
        """The patterns of every locale, in order."""
        if key not in owner:
            return ()
        locales = self.mapping(owner[key], line_of(owner, key), f"{place} (locale: list of patterns)")
        return tuple(
            pattern
            for locale, node in locales.items()
            for pattern in self.patterns(node, line_of(locales, locale), f"{place} in {locale}")
        )

    def rules(self, top: dict[str, Any]) -> Rules:
        values = self.section(top, "values", _SHAPES)
        for shape, text in values.items():
            self.pattern(text, line_of(values, shape), f"values.{shape}")
        links = self.section(top, "links", ("hosts", "order", "wrapped_in", "wrapping"))
        reasons = self.section(top, "reasons")
        labels = self.section(top, "labels", LABELS)
        return Rules(
            rules=self.every_rule(top),
            roles=Roles(self.words(top, "roles"), self.words(top, "topics")),
            username=self.by_locale(top, "username", "username"),
            reasons=tuple((code, self.by_locale(reasons, code, f"reasons.{code}")) for code in reasons),
            labels={kind: self.label_words(labels, kind) for kind in labels},
            values={shape: str(text) for shape, text in values.items()},
            links=OrderLinks(
                hosts=tuple(host.lower() for host in self.words(links, "hosts")),
                order=self.order_links(links),
                wrapped_in=tuple(name.lower() for name in self.words(links, "wrapped_in")),
                wrapping=self.words(links, "wrapping"),
            ),
            brands=self.words(top, "brands"),
        )

    def section(self, top: dict[str, Any], key: str, keys: tuple[str, ...] | None = None) -> dict[str, Any]:
        return self.mapping(top[key], line_of(top, key), key, keys) if key in top else {}

    def words(self, owner: dict[str, Any], key: str) -> tuple[str, ...]:
        return (
            tuple(text for text, _ in self.texts(owner[key], line_of(owner, key), key))
            if key in owner
            else ()
        )

    def label_words(self, labels: dict[str, Any], kind: str) -> tuple[str, ...]:
        """The labels of one kind in every locale, without the mark that ends them."""
        place = f"labels.{kind}"
        locales = self.mapping(labels[kind], line_of(labels, kind), f"{place} (locale: list of words)")
        words = []
        for locale in locales:
            for text, line in self.texts(locales[locale], line_of(locales, locale), place):
                if not (word := text.rstrip(":#№ ").strip()):
                    self.problem(line, f"{place}: {text!r} has no word.")
                    continue
                words.append(word)
        return tuple(words)

    def order_links(self, links: dict[str, Any]) -> tuple[Pattern, ...]:
        patterns = (
            self.patterns(links["order"], line_of(links, "order"), "links.order") if "order" in links else ()
        )
        for pattern in patterns:
            if "(?P<order>" not in pattern.pattern:
                self.problem(
                    line_of(links, "order"), f"links.order: {pattern.pattern!r} lacks the group (?P<order>…)."
                )
        return patterns

    def every_rule(self, top: dict[str, Any]) -> tuple[Rule, ...]:
        node = top.get("rules", [])
        if not isinstance(node, list):
            self.problem(line_of(top, "rules"), "rules must be a list.")
            return ()
        rules: dict[str, Rule] = {}
        for number, item in enumerate(node):
            line = item_line(node, number)
            rule = self.rule(self.mapping(item, line, "a rule", _RULE), line)
            if rule is None:
                continue
            if rule.name in rules:
                self.problem(
                    line, f"rule {rule.name!r} is defined twice; the first is at {rules[rule.name].at}."
                )
            rules[rule.name] = rule
        return tuple(rules.values())

    def rule(self, item: dict[str, Any], line: int) -> Rule | None:
        before = len(self.problems)
        for key in ("name", "kind", "why", "sample"):
            if key not in item:
                self.problem(line, f"the rule lacks {key!r}.")
        if not item.keys() & {"from", "subject", "phrases", "role", "relay"}:
            self.problem(line, "the rule asks for neither 'from' nor 'subject'; it would match everything.")
        kind = next((kind for kind in KINDS if kind == item.get("kind", "case")), None)
        if kind is None:
            self.problem(line_of(item, "kind"), f"kind is {item['kind']!r}; use one of {', '.join(KINDS)}.")
        for key in ("relay", "role"):
            if not isinstance(item.get(key, False), bool):
                self.problem(line_of(item, key), f"{key} must be true or false.")
        rule = self.built(item, line, kind or "unsorted")
        return rule if len(self.problems) == before else None

    def built(self, item: dict[str, Any], line: int, kind: Kind) -> Rule:
        return Rule(
            name=str(item.get("name", "")),
            kind=kind,
            why=str(item.get("why", "")),
            sample=self.sample(item),
            sender=self.address(item, "from"),
            not_sender=self.address(item, "unless_from"),
            role=bool(item.get("role", False)),
            subject=self.by_locale(item, "subject", "subject"),
            phrases=self.meaning(item, "phrases"),
            unless=self.by_locale(item, "unless", "unless"),
            unless_phrases=self.words(item, "unless_phrases"),
            unless_text=self.words(item, "unless_text"),
            hint=self.hint(item),
            relay=bool(item.get("relay", False)),
            at=f"{self.source}:{line}",
        )

    def address(self, item: dict[str, Any], key: str) -> Pattern | None:
        return self.pattern(item[key], line_of(item, key), key) if key in item else None

    def sample(self, item: dict[str, Any]) -> Signs:
        if "sample" not in item:
            return Signs("", "")
        shown = self.mapping(item["sample"], line_of(item, "sample"), "sample", ("from", "subject", "text"))
        _, sender = parseaddr(str(shown.get("from", "")))
        if "@" not in sender:
            self.problem(line_of(item, "sample"), "sample needs a 'from' with an address.")
        return Signs(sender, str(shown.get("subject", "")), str(shown.get("text", "")))

    def hint(self, item: dict[str, Any]) -> Hint | None:
        if "hint" not in item:
            return None
        line = line_of(item, "hint")
        asked = self.mapping(item["hint"], line, "hint", ("order", "body", "link", "phrases"))
        if not asked:
            self.problem(line, "hint is empty; give at least one of order, body, link, phrases.")
        if not isinstance(asked.get("order", False), bool):
            self.problem(line_of(asked, "order"), "hint.order must be true or false.")
        link = self.patterns(asked["link"], line_of(asked, "link"), "hint.link") if "link" in asked else ()
        body = self.by_locale(asked, "body", "hint.body")
        return Hint(asked.get("order") is True, body, link, self.meaning(asked, "phrases"))

    def meaning(self, owner: dict[str, Any], key: str) -> str:
        """The name of a list of phrases in the language packs, "" for none."""
        name = owner.get(key, "")
        if not isinstance(name, str):
            self.problem(line_of(owner, key), f"{key} must be the name of a list of the language packs.")
            return ""
        return name
