"""YAML of rule files and language packs, in which every problem has its file and line."""

from __future__ import annotations

from typing import Any

from relaydesk.yaml_reader import YamlError, YamlMapping, parse_yaml


class RulesError(ValueError):
    """A rule file that must not be used. ``problems`` are sentences that start with ``file:line:``."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class YamlReader:
    """One pass over one file; problems are gathered, not raised."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def problem(self, line: int, text: str) -> None:
        self.problems.append(f"{self.source}:{line}: {text}")

    def parse(self, text: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """The mapping that the file is, with these keys at most. Raises :class:`RulesError` for no YAML."""
        try:
            document = parse_yaml(text, self.source)
        except YamlError as error:
            raise RulesError([f"{self.source}:{error.line}: {error.problem}."]) from error
        if document is None:
            return {}
        return self.mapping(document, 1, "the file", keys)

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
                self.problem(line_of(node, key), f"unknown key {key!r} in {place}{expected}.")
                del node[key]
        return node

    def texts(self, node: Any, line: int, place: str) -> list[tuple[str, int]]:
        """A list of texts, each with its line."""
        if not isinstance(node, list):
            self.problem(line, f"{place} must be a list of texts.")
            return []
        texts = []
        for number, item in enumerate(node):
            where = item_line(node, number)
            if isinstance(item, str) and item.strip():
                texts.append((item, where))
            else:
                self.problem(where, f"{place}: {item!r} is not text; put it in quotes.")
        return texts


def item_line(node: Any, number: int) -> int:
    """The line, from 1, on which an item of a list is."""
    return int(node.lines[number])


def line_of(node: Any, key: object) -> int:
    """The line, from 1, on which a key of a mapping is."""
    return int(node.lines.get(key, node.line)) if isinstance(node, YamlMapping) else 1
