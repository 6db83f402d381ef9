"""Rule files: YAML text to :class:`Rules`, with every problem at its file and line.

The shape of a file is described on top of ``facebook.yaml``.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from relaydesk.classify.findings import KINDS
from relaydesk.classify.patterns import Pattern, PatternError, compile_pattern
from relaydesk.classify.rules import Hint, Rule, Rules, RulesError, Signs

if TYPE_CHECKING:
    from relaydesk.events import Kind

_TOP = ("rules", "roles", "username", "reasons", "labels", "values", "links")
_RULE = ("name", "kind", "from", "subject", "unless", "hint", "relay", "why", "sample")
_SHAPES = ("order", "merchant_ref", "case", "mentioned")
_LABELS = ("order", "merchant_ref", "case", "reason", "other")


__all__ = ["Rules", "RulesError", "load_rules"]


def load_rules(text: str, source: str) -> Rules:
    """The rules of one file. A shop's file may leave out any section: see :meth:`Rules.extended`.

    ``source`` is the file's name for messages. Raises :class:`RulesError` with every problem found.
    """
    reader = _RulesReader(source)
    rules = reader.rules(reader.parse(text))
    if problems := reader.problems or rules.problems():
        raise RulesError(problems)
    return rules


class _RulesReader:
    """One pass over one file; problems are gathered, not raised."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def problem(self, line: int, text: str) -> None:
        self.problems.append(f"{self.source}:{line}: {text}")

    def parse(self, text: str) -> dict[str, Any]:
        try:
            document = YAML(typ="rt").load(text)
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            problem = (error.problem or "not YAML").splitlines()[0]
            raise RulesError([f"{self.source}:{line}: {problem}."]) from error
        except (YAMLError, ValueError, RecursionError) as error:
            raise RulesError([f"{self.source}:1: not YAML: {str(error).splitlines()[0]}."]) from error
        if document is None:
            return {}
        return self.mapping(document, 1, "the file", _TOP)

    def mapping(
        self, node: Any, line: int, place: str, keys: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """A mapping with text keys; unknown keys are a problem and left out."""
        if not isinstance(node, dict):
            self.problem(line, f"{place} must be a mapping of names to values.")
            return {}
        for key in list(node):
            if not isinstance(key, str) or (keys is not None and key not in keys):
                expected = f"; use one of {', '.join(keys)}" if keys else ""
                self.problem(_line(node, key), f"unknown key {key!r} in {place}{expected}.")
                del node[key]
        return node

    def texts(self, node: Any, line: int, place: str) -> list[tuple[str, int]]:
        """A list of texts, each with its line."""
        if not isinstance(node, list):
            self.problem(line, f"{place} must be a list of texts.")
            return []
        texts = []
        for number, item in enumerate(node):
            where = _item_line(node, number)
            if isinstance(item, str) and item.strip():
                texts.append((item, where))
            else:
                self.problem(where, f"{place}: {item!r} is not text; put it in quotes.")
        return texts

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
        locales = self.mapping(owner[key], _line(owner, key), f"{place} (locale: list of patterns)")
        return tuple(
            pattern
            for locale, node in locales.items()
            for pattern in self.patterns(node, _line(locales, locale), f"{place} in {locale}")
        )

    def rules(self, top: dict[str, Any]) -> Rules:
        values = self.section(top, "values", _SHAPES)
        for shape, text in values.items():
            self.pattern(text, _line(values, shape), f"values.{shape}")
        links = self.section(top, "links", ("hosts", "order"))
        reasons = self.section(top, "reasons")
        labels = self.section(top, "labels", _LABELS)
        return Rules(
            rules=self.every_rule(top),
            roles=frozenset(text.lower() for text in self.words(top, "roles")),
            username=self.by_locale(top, "username", "username"),
            reasons=tuple((code, self.by_locale(reasons, code, f"reasons.{code}")) for code in reasons),
            labels={kind: self.label_words(labels, kind) for kind in labels},
            values={shape: str(text) for shape, text in values.items()},
            hosts=tuple(host.lower() for host in self.words(links, "hosts")),
            order_links=self.order_links(links),
        )

    def section(self, top: dict[str, Any], key: str, keys: tuple[str, ...] | None = None) -> dict[str, Any]:
        return self.mapping(top[key], _line(top, key), key, keys) if key in top else {}

    def words(self, owner: dict[str, Any], key: str) -> tuple[str, ...]:
        return (
            tuple(text for text, _ in self.texts(owner[key], _line(owner, key), key)) if key in owner else ()
        )

    def label_words(self, labels: dict[str, Any], kind: str) -> tuple[str, ...]:
        """The labels of one kind in every locale, without the mark that ends them."""
        place = f"labels.{kind}"
        locales = self.mapping(labels[kind], _line(labels, kind), f"{place} (locale: list of words)")
        words = []
        for locale in locales:
            for text, line in self.texts(locales[locale], _line(locales, locale), place):
                if not (word := text.rstrip(":#№ ").strip()):
                    self.problem(line, f"{place}: {text!r} has no word.")
                    continue
                words.append(word)
        return tuple(words)

    def order_links(self, links: dict[str, Any]) -> tuple[Pattern, ...]:
        patterns = (
            self.patterns(links["order"], _line(links, "order"), "links.order") if "order" in links else ()
        )
        for pattern in patterns:
            if "(?P<order>" not in pattern.pattern:
                self.problem(
                    _line(links, "order"), f"links.order: {pattern.pattern!r} lacks the group (?P<order>…)."
                )
        return patterns

    def every_rule(self, top: dict[str, Any]) -> tuple[Rule, ...]:
        node = top.get("rules", [])
        if not isinstance(node, list):
            self.problem(_line(top, "rules"), "rules must be a list.")
            return ()
        rules: dict[str, Rule] = {}
        for number, item in enumerate(node):
            line = _item_line(node, number)
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
        if not ("from" in item or "subject" in item):
            self.problem(line, "the rule asks for neither 'from' nor 'subject'; it would match everything.")
        kind = next((kind for kind in KINDS if kind == item.get("kind", "case")), None)
        if kind is None:
            self.problem(_line(item, "kind"), f"kind is {item['kind']!r}; use one of {', '.join(KINDS)}.")
        if not isinstance(item.get("relay", False), bool):
            self.problem(_line(item, "relay"), "relay must be true or false.")
        rule = self.built(item, line, kind or "unsorted")
        return rule if len(self.problems) == before else None

    def built(self, item: dict[str, Any], line: int, kind: Kind) -> Rule:
        return Rule(
            name=str(item.get("name", "")),
            kind=kind,
            why=str(item.get("why", "")),
            sample=self.sample(item),
            sender=self.pattern(item["from"], _line(item, "from"), "from") if "from" in item else None,
            subject=self.by_locale(item, "subject", "subject"),
            unless=self.by_locale(item, "unless", "unless"),
            hint=self.hint(item),
            relay=bool(item.get("relay", False)),
            at=f"{self.source}:{line}",
        )

    def sample(self, item: dict[str, Any]) -> Signs:
        if "sample" not in item:
            return Signs("", "")
        shown = self.mapping(item["sample"], _line(item, "sample"), "sample", ("from", "subject", "text"))
        _, sender = parseaddr(str(shown.get("from", "")))
        if "@" not in sender:
            self.problem(_line(item, "sample"), "sample needs a 'from' with an address.")
        return Signs(sender, str(shown.get("subject", "")), str(shown.get("text", "")))

    def hint(self, item: dict[str, Any]) -> Hint | None:
        if "hint" not in item:
            return None
        line = _line(item, "hint")
        asked = self.mapping(item["hint"], line, "hint", ("order", "body", "link"))
        if not asked:
            self.problem(line, "hint is empty; give at least one of order, body, link.")
        if not isinstance(asked.get("order", False), bool):
            self.problem(_line(asked, "order"), "hint.order must be true or false.")
        link = self.patterns(asked["link"], _line(asked, "link"), "hint.link") if "link" in asked else ()
        return Hint(asked.get("order") is True, self.by_locale(asked, "body", "hint.body"), link)


def _item_line(node: Any, number: int) -> int:
    """The line, from 1, on which an item of a list is."""
    return int(node.lc.item(number)[0]) + 1


def _line(node: Any, key: object) -> int:
    """The line, from 1, on which a key of a mapping is."""
    try:
        return int(node.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 1
