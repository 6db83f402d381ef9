"""What a YAML file becomes: plain mappings and lists that know their lines, and the one error."""

from __future__ import annotations

from typing import Any


class YamlError(ValueError):
    """The file cannot be used; ``problem`` is a clause without a full stop, ``line`` counts from 1."""

    def __init__(self, source: str, line: int, problem: str) -> None:
        super().__init__(f"{source}, line {line}: {problem}.")
        self.source, self.line, self.problem = source, line, problem


class YamlMapping(dict[Any, Any]):
    """A mapping; ``lines`` holds the line of each key, from 1, ``line`` its own first one."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}


class YamlList(list[Any]):
    """A list; ``lines`` holds the line of each item, from 1, ``line`` its own first one."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []
