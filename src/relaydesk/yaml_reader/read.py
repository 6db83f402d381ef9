"""YAML text → mappings, lists and values, in one pass over the events of ruamel's parser. Owner of ruamel.

The events are taken one by one, so that nothing is expanded or built that was not looked at, and the depth of
nesting is ours to bound.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from relaydesk.yaml_reader.nodes import YamlError, YamlList, YamlMapping
from relaydesk.yaml_reader.scalars import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.events import Event

LONGEST = 500_000  # characters; ruamel reads 50,000 to 150,000 a second
DEEPEST = 30
NO_ALIASES = "anchors (&name) and aliases (*name) are not read; write the values out, or quote the text"
SHOWN = 60  # characters of what is wrong
_UNREADABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # YAML 1.2 §5.1
_HALVES = re.compile("[\ud800-\udfff]")
_TABS = re.compile("^ *\t")


def parse_yaml(text: str, source: str) -> Any:
    """The one document of a file; None for an empty one. YamlError names ``source``, the line and the remedy.

    Mappings and lists are :class:`YamlMapping` and :class:`YamlList`; keys are texts, whole numbers or dates.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > LONGEST:
        raise YamlError(source, 1, f"the file has more than {LONGEST:,} characters; make it smaller")
    if unreadable := _UNREADABLE.search(text):
        line = text.count("\n", 0, unreadable.start()) + 1
        raise YamlError(
            source, line, f"the character U+{ord(unreadable[0]):04X} cannot stand in YAML; remove it"
        )
    return _DocumentReader(source).document(_events(text, source))


def _events(text: str, source: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise YamlError(source, line, _problem(error, text, line)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise YamlError(source, 1, f"this is not YAML: {_first_line(error)}") from None


def _problem(error: MarkedYAMLError, text: str, line: int) -> str:
    rows = text.splitlines()
    if line <= len(rows) and _TABS.match(rows[line - 1]):
        return "a tab cannot indent; use blanks"
    return f"this is not YAML: {_first_line(error.problem or error.context or error)}"


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


class _DocumentReader:
    """One pass over one document. ``open`` are the collections that have begun and not ended."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.open: list[YamlMapping | YamlList] = []
        self.keys: list[Any] = []  # beside each: the key that waits for its value
        self.documents = 0
        self.whole: Any = None

    def document(self, events: Iterator[Event]) -> Any:
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, DocumentStartEvent):
                self.start(event, line)
            elif isinstance(event, CollectionEndEvent):
                self.open.pop()
                self.keys.pop()
            elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
                self.node(event, line)
            elif isinstance(event, AliasEvent):
                raise self.bad(line, NO_ALIASES)
        return self.whole

    def bad(self, line: int, problem: str) -> YamlError:
        return YamlError(self.source, line, problem)

    def start(self, event: DocumentStartEvent, line: int) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.bad(line, "a second document begins here (---); keep one")
        if event.tags or event.version not in (None, (1, 2)):
            raise self.bad(line, "directives (%YAML, %TAG) are not read; remove them")

    def node(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, line: int) -> None:
        if event.anchor is not None:
            raise self.bad(
                line,
                "anchors (&name) and aliases (*name) are not read; write the values out, or quote the text",
            )
        if event.tag is not None:
            raise self.bad(line, "tags (!name, !!name) are not read; remove the tag, or quote the text")
        if isinstance(event, ScalarEvent):
            self.put(self.scalar(event, line), line)
            return
        value = YamlMapping(line) if isinstance(event, MappingStartEvent) else YamlList(line)
        if len(self.open) >= DEEPEST:
            raise self.bad(line, f"this is nested more than {DEEPEST} deep; write it flatter")
        self.put(value, line)
        self.open.append(value)
        self.keys.append(_NO_KEY)

    def scalar(self, event: ScalarEvent, line: int) -> Any:
        if event.style is not None:  # quoted, or a block
            return self.whole_text(event.value, line)
        if event.value == "<<" and self.wants_key():
            raise self.bad(line, "merge keys (<<) are not read; write the values out")
        try:
            return plain_value(event.value)
        except ValueError as error:
            raise self.bad(line, str(error)) from None

    def whole_text(self, text: str, line: int) -> str:
        """JSON writes a character beyond U+FFFF as two escapes, which are put together here."""
        if not _HALVES.search(text):
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self.bad(line, "an escape stands for half of a character; correct it") from None

    def wants_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1], YamlMapping) and self.keys[-1] is _NO_KEY

    def put(self, value: Any, line: int) -> None:
        if not self.open:
            self.whole = value
            return
        inside = self.open[-1]
        if isinstance(inside, YamlList):
            inside.append(value)
            inside.lines.append(line)
        elif self.keys[-1] is _NO_KEY:
            self.keys[-1] = self.key(inside, value, line)
        else:
            inside[self.keys[-1]] = value
            self.keys[-1] = _NO_KEY

    def key(self, inside: YamlMapping, key: Any, line: int) -> Any:
        if isinstance(key, bool) or not isinstance(key, (str, int, date)):
            shown = (
                "a list or a mapping" if isinstance(key, (list, dict)) else "null, true, false or a fraction"
            )
            raise self.bad(line, f"a key cannot be {shown}; put it in quotes if it is text")
        if key in inside.lines:
            first = inside.lines[key]
            raise self.bad(
                line, f"key {str(key)[:SHOWN]!r} is there twice, first in line {first}; merge the two"
            )
        inside.lines[key] = line
        return key


_NO_KEY = object()
