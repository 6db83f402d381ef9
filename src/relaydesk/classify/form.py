"""Meta's form in a mail: lines and table cells in which a label announces a value.

A *line* counts as Meta's when the label starts the line or cell, ``:`` or ``#`` follows, and the value
is all that is left; or when the label is alone and the value alone in the next cell or line. Prose
("my order 123… is late") and quoted lines (``>``) therefore don't count. A buyer can still type a line
that imitates a label: what a line binds must be confirmed by the order directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.classify.patterns import any_of, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_TEXT = 65_536
MAX_FOUND = 50
NEAR = 60
_MARKS = r":#№\x{ff1a}"  # the last one is the full-width colon
_LEAD = " \t*•·|\u2013-"
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
    """The compiled labels and value shapes of a rule file."""

    def __init__(self, labels: Mapping[str, tuple[str, ...]], values: Mapping[str, str]) -> None:
        self._kinds = {_plain(label): kind for kind, group in labels.items() for label in group}
        self._starts = tuple({label.split()[0] for label in self._kinds})
        words = any_of(self._kinds)
        self._cell = compile_pattern(rf"({words})(?:\s*([{_MARKS}\s]+)(.*)|\s*)")
        self._near = compile_pattern(rf"\b({words})\b")
        self._number = compile_pattern(rf"\b(?:{values['mentioned']})\b")
        self._values = {
            "order": compile_pattern(rf"[\s:#]*({values['order']})[\s.,;]*"),
            "merchant_ref": compile_pattern(rf"[\s:#]*({values['merchant_ref']})[\s.,;]*"),
            "case": compile_pattern(rf"[\s:#]*({values['case']})[\s.,;]*"),
            "reason": compile_pattern(r"\s*(\S.{0,200}).*"),
            "other": compile_pattern(r"[\s:#]*(\+?[0-9][0-9 ()-]{5,40})[\s.,;]*"),
        }

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
        bare = cell.lstrip(_LEAD)
        if not bare.casefold().startswith(self._starts):
            return None
        head = self._cell.fullmatch(bare)
        if head is None:
            return None
        label, parted, rest = head.group(1) or "", head.group(2) or "", head.group(3) or ""
        if rest and not parted.strip():
            return None
        kind = self._kinds[_plain(label)]
        for candidate in [rest] if rest else next_to:
            if value := self._value(kind, candidate):
                return Line(kind, label, value)
        return None

    def fits(self, kind: str, value: str) -> bool:
        """Whether a value has the shape of its kind."""
        return self._values[kind].fullmatch(value) is not None

    def _value(self, kind: str, text: str) -> str:
        match = self._values[kind].fullmatch(text)
        # The next line of a form may be a label again: that is neither a seller's reference nor a reason.
        if match is None or (kind in ("merchant_ref", "reason") and self._cell.fullmatch(text)):
            return ""
        return match.group(1) or ""

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
            label = ""
            for label_found in self._near.finditer(context):
                label = label_found.group(1) or ""
            yield Mention(match.group() or "", self._kinds.get(_plain(label), ""), label)


def _plain(label: str) -> str:
    return " ".join(label.casefold().split())
