"""Meta's form in a mail: lines and table cells in which a label announces a value.

A *line* counts as Meta's when the label starts the line or cell, ``:``, ``#`` or a dash follows, and the
value is all that is left; or when the label is alone and the value alone in the next cell or line. Bullets,
brackets and stars of emphasis around label and value count for nothing. Prose
("my order 123… is late") and quoted lines (``>``) therefore don't count. A buyer can still type a line
that imitates a label: what a line binds must be confirmed by the order directory.

Texts are read in their neutral form (:func:`relaydesk.classify.neutral.neutral`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.classify.neutral import neutral
from relaydesk.classify.patterns import compile_pattern
from relaydesk.classify.phrases import bounded, is_unspaced, plain, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_TEXT = 65_536
MAX_FOUND = 50
NEAR = 60
_MARKS = ":#\u2116"  # the last one is the numero sign
# What may stand before a label: a bullet, a box, a bracket, a star of emphasis. But ">" quotes.
_LEAD = re.compile(r"^(?:(?!>)[\W_])*+")
# What may close a label: the marks, and the other half of a bracket or emphasis; or a dash between blanks.
_CLOSING = "*_\\])\u3011\u300d\u300f"
_PARTED = rf"(\s+[-\x{{2013}}\x{{2014}}]\s|\s*[{_MARKS}\s{_CLOSING}]+)(.*)"
_MARKED = re.compile(rf"[{_MARKS}{_CLOSING}]| [-\u2013\u2014] ")
# What may surround a number.
_BEFORE, _AFTER = r"[\s:#*_\"'(\[<]*", r"[\s.,;*_\"')\]>]*"
_NOTHING = r"[^\x00-\x{10ffff}]"
_GROUPS = re.compile(r"[0-9]{1,9}+(?:([ -])[0-9]{1,9}+)(?:\1[0-9]{1,9}+){0,8}")
# What comes before or after a number that is part of something else: a phone, a path, an amount, a word.
_GLUED_BEFORE = frozenset("+-/=@&%$€£_.")
_GLUED_AFTER = frozenset("-/=@%_")


@dataclass(frozen=True, slots=True)
class Line:
    """What a label announces: ``kind`` as in the rule file, the label as written, the value."""

    kind: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A bare number in running text, and the nearest label word before it ("" for none)."""

    value: str
    kind: str
    label: str


class Form:
    """The compiled labels and value shapes of a rule file and its language packs."""

    def __init__(
        self, labels: Mapping[str, tuple[str, ...]], values: Mapping[str, str], reasons: Iterable[str] = ()
    ) -> None:
        labels = {kind: tuple(map(neutral, group)) for kind, group in labels.items()}
        # What stands first keeps a word that two languages use for two things.
        self._kinds: dict[str, str] = {}
        for kind, group in labels.items():
            for label in group:
                self._kinds.setdefault(plain(label), kind)
        longest = sorted({label for group in labels.values() for label in group}, key=lambda w: (-len(w), w))
        self._longest = max(map(len, longest), default=0)
        spaced = "|".join(words(label) for label in longest if not is_unspaced(label)) or _NOTHING
        unspaced = "|".join(words(label) for label in longest if is_unspaced(label)) or _NOTHING
        self._cell = compile_pattern(rf"({unspaced}|{spaced})(?:{_PARTED}|\s*)")
        self._near = compile_pattern(f"({unspaced})|{bounded(f'({spaced})')}")
        self._number = compile_pattern(rf"\b(?:{values['mentioned']})\b")
        self._values = {
            "order": compile_pattern(rf"{_BEFORE}({values['order']}){_AFTER}"),
            "merchant_ref": compile_pattern(rf"{_BEFORE}({values['merchant_ref']}){_AFTER}"),
            "case": compile_pattern(rf"{_BEFORE}({values['case']}){_AFTER}"),
            "reason": compile_pattern(r"\s*(\S.{0,200}).*"),
            "other": compile_pattern(r"[\s:#]*(\+?[0-9][0-9 ()-]{5,40})[\s.,;]*"),
        }
        self._order = compile_pattern(rf"\b({values['order']})\b")
        self._reasons = frozenset(map(plain, reasons))
        self._strict = compile_pattern(values["mentioned"])

    def lines(self, text: str) -> list[Line]:
        """The lines and cells in which a label announces a value of its shape; cells are parted by tabs."""
        rows = [
            [cell.strip() for cell in row.split("\t")] for row in text[:MAX_TEXT].split("\n") if row.strip()
        ]
        lines: list[Line] = []
        for number, row in enumerate(rows):
            below = rows[number + 1] if number + 1 < len(rows) else []
            for column, cell in enumerate(row):
                line = self._line(cell, [*row[column + 1 : column + 2], *below[column : column + 1]])
                if line is not None:
                    lines.append(line)
            if len(lines) >= MAX_FOUND:
                break
        return lines

    def _line(self, cell: str, next_to: list[str]) -> Line | None:
        head = self._head(cell)
        if head is None:
            return None
        label, rest = head
        kind = self._kinds[plain(label)]
        values = [rest] if rest else (near for near in next_to if not self._announces(near))
        value = next((value for text in values if (value := self._value(kind, text))), "")
        return Line(kind, label, value) if value else None

    def _head(self, cell: str) -> tuple[str, str] | None:
        """The label that a cell starts with and what it announces, "" when it is alone; None without one."""
        bare = _LEAD.sub("", cell)
        if len(bare) > self._longest and not _MARKED.search(bare, 0, 2 * self._longest):
            return None  # prose: no label is so long, and no mark follows one
        head = self._cell.fullmatch(bare)
        if head is None:
            return None
        label, parted, rest = head.group(1) or "", head.group(2) or "", head.group(3) or ""
        return None if rest and not parted.strip() else (label, rest)

    def _announces(self, cell: str) -> bool:
        """Whether a cell is the next label of the form and not the value of the one before. *Return* is both
        a label and a reason for contact: alone in its cell it is a reason."""
        return self._head(cell) is not None and plain(cell) not in self._reasons

    def fits(self, kind: str, value: str) -> bool:
        """Whether a value has the shape of its kind."""
        return self._values[kind].fullmatch(value) is not None

    def orders(self, text: str) -> tuple[str, ...]:
        """The distinct numbers in a text that have the shape of an order's."""
        hits = self._order.finditer(text)
        return tuple(dict.fromkeys(hit.group(1) or "" for hit in hits))

    def _value(self, kind: str, text: str) -> str:
        match = self._values[kind].fullmatch(text)
        if match is None and kind == "order":
            match = self._values[kind].fullmatch(self._ungrouped(text))
        return (match.group(1) or "") if match else ""

    def mentions(self, text: str) -> Iterator[Mention]:
        """Bare numbers of the stricter shape, with the nearest label word before each in its line."""
        text = text[:MAX_TEXT]
        before = 0
        for count, match in enumerate(self._number.finditer(text)):
            start, end = match.start(), match.end()
            context = text[max(before, start - NEAR, text.rfind("\n", 0, start) + 1) : start]
            before = end
            if count >= MAX_FOUND:
                return
            if context[-1:] in _GLUED_BEFORE or text[end : end + 1] in _GLUED_AFTER:
                continue
            label = self._nearest(context)
            yield Mention(match.group() or "", self._kinds.get(plain(label), ""), label)

    def _nearest(self, context: str) -> str:
        """The last label in a piece of a line, "" for none."""
        label = ""
        while (hit := self._near.search(context)) is not None:
            group = 1 if hit.group(1) else 2
            label = hit.group(group) or ""
            context = context[hit.end(group) :]
        return label

    def _ungrouped(self, text: str) -> str:
        """A number without the blanks or hyphens that group its digits; the text itself where they may part
        two numbers, because one of the groups could be a number, or because the whole could not."""
        number = _GROUPS.fullmatch(text.strip(" :#.,;*_\"'()[]<>"))
        if number is None or any(
            self._values["order"].fullmatch(group) for group in number[0].split(number[1])
        ):
            return text
        joined = number[0].replace(number[1], "")
        return joined if self._strict.fullmatch(joined) else text
