"""Language packs: the phrases of one language, YAML text to :class:`Rules` that hold nothing else.

A pack is data beside ``facebook.yaml``; ``docs/formats.md`` describes it. Its lists are blocks of lines, one
phrase a line: they need no quotes, and a thousand of them are read in no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaydesk.classify.phrases import Phrase, plain, username_pattern
from relaydesk.classify.rules import Rules
from relaydesk.classify.yaml_reader import RulesError, YamlReader, line_of

if TYPE_CHECKING:
    from relaydesk.classify.phrases import Place

LABELS = ("order", "merchant_ref", "case", "reason", "other")
_TOP = (
    *("language", "seen", "seen_in_real_mail"),
    *("username", "labels", "subjects", "texts", "reasons", "wordings"),
)
_PLACES: dict[str, Place] = {
    "subjects": "subject",
    "texts": "text",
    "reasons": "reason",
    "wordings": "wording",
}


def load_pack(text: str, source: str) -> Rules:
    """The phrases of one pack. Raises :class:`RulesError` with every problem found."""
    reader = _PackReader(source)
    rules = reader.rules(reader.parse(text, _TOP))
    if reader.problems:
        raise RulesError(reader.problems)
    return rules


class _PackReader(YamlReader):
    """One pass over one pack."""

    def rules(self, top: dict[str, Any]) -> Rules:
        language = top.get("language")
        if not isinstance(language, str) or not language:
            self.problem(line_of(top, "language"), "language must be a code such as 'de'.")
        if not isinstance(top.get("seen"), bool):
            self.problem(line_of(top, "seen"), "seen must be true or false: has a real mail shown these?")
        otherwise = {plain(text) for text, _ in self.block(top, "seen_in_real_mail")}
        labels = self.lists(top, "labels", LABELS)
        username = self.block(top, "username")
        phrases = [
            Phrase(means, text, str(language), place, (plain(text) in otherwise) or top.get("seen") is True)
            for section, place in _PLACES.items()
            for means, texts in self.lists(top, section).items()
            for text, _ in texts
        ]
        texts = [phrase.text for phrase in phrases]
        texts += [text for group in (*labels.values(), username) for text, _ in group]
        for strange in otherwise - set(map(plain, texts)):
            self.problem(line_of(top, "seen_in_real_mail"), f"{strange!r} is no phrase of this pack.")
        for text, line in username:
            if text.count("{username}") != 1:
                self.problem(line, f"username: {text!r} needs {{username}} once.")
        return Rules(
            rules=(),
            username=tuple(username_pattern(text) for text, _ in username),
            labels={kind: tuple(self.label(*item) for item in group) for kind, group in labels.items()},
            phrases=tuple(phrases),
        )

    def lists(
        self, top: dict[str, Any], key: str, keys: tuple[str, ...] | None = None
    ) -> dict[str, list[tuple[str, int]]]:
        if key not in top:
            return {}
        section = self.mapping(top[key], line_of(top, key), key, keys)
        return {name: self.block(section, name) for name in section}

    def block(self, owner: dict[str, Any], key: str) -> list[tuple[str, int]]:
        """The lines of a block, each with its line in the file; empty ones part groups for the eye."""
        if key not in owner:
            return []
        first = line_of(owner, key)
        if not isinstance(owner[key], str):
            self.problem(first, f"{key} must be a block of lines: '{key}: |' and one phrase a line below.")
            return []
        rows = enumerate(owner[key].split("\n"), start=first + 1)
        return [(row.strip(), line) for line, row in rows if row.strip()]

    def label(self, text: str, line: int) -> str:
        """A label without the mark that ends it."""
        if not (word := text.rstrip(":#№ ").strip()):
            self.problem(line, f"labels: {text!r} has no word.")
        return word
