"""Language packs: the phrases of one language, text to :class:`Rules` that hold nothing else.

A pack is YAML of one shape (``docs/formats.md``): blocks of lines, one phrase a line, without quotes. It is
read line by line: for twenty packs a reader of all YAML takes longer than the rest of the start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.classify.phrases import Phrase, plain, username_pattern
from relaydesk.classify.rules import Rules
from relaydesk.classify.yaml_reader import RulesError

if TYPE_CHECKING:
    from relaydesk.classify.phrases import Place

LABELS = ("order", "merchant_ref", "case", "reason", "other")
_PLACES: dict[str, Place] = {
    "subjects": "subject",
    "texts": "text",
    "reasons": "reason",
    "wordings": "wording",
}
_VALUES = ("language", "seen")
_BLOCKS = ("seen_in_real_mail", "username")
_SECTIONS = ("labels", *_PLACES)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,8})?")


def load_pack(text: str, source: str) -> Rules:
    """The phrases of one pack. Raises :class:`RulesError` with every problem found."""
    pack = _PackReader(source)
    pack.read(text)
    rules = pack.rules()
    if pack.problems:
        raise RulesError(pack.problems)
    return rules


class _PackReader:
    """One pass over one pack; problems are gathered, not raised."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []
        self.values: dict[str, tuple[str, int]] = {}
        self.blocks: dict[tuple[str, str], list[tuple[str, int]]] = {}

    def problem(self, line: int, text: str) -> None:
        self.problems.append(f"{self.source}:{line}: {text}")

    def read(self, text: str) -> None:
        """Takes the values and blocks; a block ends at the first line that is indented less."""
        section, block, inside = "", [], 0
        for line, row in enumerate(text.split("\n"), start=1):
            entry, indent = row.strip(), len(row) - len(row.lstrip(" "))
            if not entry:
                continue
            if inside and indent >= inside:
                block.append((entry, line))
            elif not entry.startswith("#"):
                key, _, value = entry.partition(":")
                section, name = (section, key) if indent else (key, "")
                inside = indent + 2 if value.strip() == "|" else 0
                block = self.entry(section, name, value.strip(), line)

    def entry(self, section: str, name: str, value: str, line: int) -> list[tuple[str, int]]:
        """Takes a line with a key, and gives the block into which the lines below it go."""
        block: list[tuple[str, int]] = []
        key = name or section
        if section not in (_SECTIONS if name else (*_VALUES, *_BLOCKS, *_SECTIONS)) or (
            name and section == "labels" and name not in LABELS
        ):
            self.problem(line, f"unknown key {key!r}.")
        elif (section, name) in self.blocks or section in self.values:
            self.problem(line, f"duplicate key {key!r}.")
        elif section in _VALUES:
            self.values[section] = value, line
        elif value == "|":
            self.blocks[section, name] = block
        elif name or section in _BLOCKS or value:
            self.problem(line, f"{key} must be a block of lines: '{key}: |' and one phrase a line below.")
        return block

    def rules(self) -> Rules:
        language, line = self.values.get("language", ("", 1))
        if not _LANGUAGE.fullmatch(language):
            self.problem(line, "language must be a code such as 'de'.")
        seen, line = self.values.get("seen", ("", 1))
        if seen not in ("true", "false"):
            self.problem(line, "seen must be true or false: has a real mail shown these?")
        username = self.blocks.get(("username", ""), [])
        for text, line in username:
            if text.count("{username}") != 1:
                self.problem(line, f"username: {text!r} needs {{username}} once.")
        otherwise = self._otherwise()

        def is_seen(text: str) -> bool:
            return bool(otherwise) and plain(text) in otherwise  # most packs have none, and a start is short

        return Rules(
            rules=(),
            username=tuple(username_pattern(text) for text, _ in username),
            labels={kind: self._labels(kind) for kind in LABELS},
            phrases=tuple(
                Phrase(means, text, language, _PLACES[section], seen == "true" or is_seen(text))
                for (section, means), block in self.blocks.items()
                if section in _PLACES
                for text, _ in block
            ),
        )

    def _otherwise(self) -> frozenset[str]:
        """The phrases that a real mail has shown although the pack says ``seen: false``."""
        shown = self.blocks.get(("seen_in_real_mail", ""))
        if not shown:
            return frozenset()
        every = {
            plain(text)
            for (section, _), block in self.blocks.items()
            if section != "seen_in_real_mail"
            for text, _ in block
        }
        for text, line in shown:
            if plain(text) not in every:
                self.problem(line, f"{text!r} is no phrase of this pack.")
        return frozenset(plain(text) for text, _ in shown)

    def _labels(self, kind: str) -> tuple[str, ...]:
        """The labels of one kind, without the mark that ends them."""
        labels = [
            (text.rstrip(":#\u2116 "), text, line) for text, line in self.blocks.get(("labels", kind), [])
        ]
        for word, text, line in labels:
            if not word:
                self.problem(line, f"labels: {text!r} has no word.")
        return tuple(word for word, _, _ in labels if word)
