"""Where a mail quotes an earlier one: its text parted into passages, the sender's own and quoted ones.

A quotation is carried by its lines (``>``, RFC 3676 §4.5; or an element of HTML), or a separator stands
above it ("-----Original Message-----", "On … wrote:", a block of header lines). After a separator
everything to the end is quoted, unless the lines below carry the quotation: then answers may stand
between them. To fold a sender's own words is worse than to show a quotation, so a separator needs the
precision of a program.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from relaydesk.message import attributions
from relaydesk.message import quote_marks as marks
from relaydesk.message.message import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OWN, PERHAPS, QUOTED = 0, 1, 2
# What lies beyond is never own: it names no order, and a person finds it among what is quoted.
MAX_LINES = 5_000
MAX_SIGN = 400
MAX_FOLDS = 3
MAX_BLOCK = 14

_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF,
                         *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # fmt: skip
_PLAIN = {0xA0: " ", 0x202F: " ", 0x3000: " ", 0x09: " ", **_UNSEEN}
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015_=*~#> "
_BESIDE = ("|", "\uff1e", "\xbb")
_GOES_ON = re.compile("[@;]")
_RULE = re.compile(r"[-_=\u2013\u2014\u2500]{8,}")
_DASHED = re.compile(
    r"[-_=\u2013\u2014]{3,} ?[^-_=\u2013\u2014][^\n]{1,60}[^-_=\u2013\u2014] ?[-_=\u2013\u2014]{3,}"
)
_ANNOUNCEMENTS = {"".join(phrase.split()) for phrase in marks.ANNOUNCEMENTS}
_HEADERS = {"".join(name.split()): kind for kind, names in marks.HEADER_NAMES.items() for name in names}


def passages(text: str) -> tuple[Passage, ...]:
    """The passages of a plain text, top first; joined by line feeds they are the text again."""
    lines = text.split("\n")
    return parted(lines, [OWN] * len(lines)) if text else ()


def parted(lines: Sequence[str], carried: Sequence[int]) -> tuple[Passage, ...]:
    """Lines as passages. ``carried`` says of each whether an element of HTML quotes it."""
    return _grouped(zip(QuoteSigns(lines, carried).quoted(), lines, strict=True))


def agreed(
    plain: tuple[Passage, ...], hyper: tuple[Passage, ...]
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """The two bodies of one mail, with each line quoted that only a quotation of the other one has."""
    return _agreed(plain, hyper), _agreed(hyper, plain)


def _agreed(body: tuple[Passage, ...], other: tuple[Passage, ...]) -> tuple[Passage, ...]:
    own = {_bare(line) for quoted, line in _lines(other) if not quoted}
    only_quoted = {_bare(line) for quoted, line in _lines(other) if quoted} - own - {""}
    if not only_quoted:
        return body
    return _grouped((quoted or _bare(line) in only_quoted, line) for quoted, line in _lines(body))


def _lines(body: tuple[Passage, ...]) -> Iterable[tuple[bool, str]]:
    return ((passage.quoted, line) for passage in body for line in passage.text.split("\n"))


def _role(line: str) -> str:
    """What a header line announces, "" for a line that is none."""
    name, colon, _ = line[:40].replace("\uff1a", ":").partition(":")
    return _HEADERS.get("".join(name.strip("*_ ").split()), "") if colon else ""


def _bare(line: str) -> str:
    return "".join(filter(str.isalnum, line)).casefold()


def _grouped(rows: Iterable[tuple[bool, str]]) -> tuple[Passage, ...]:
    runs = groupby(rows, key=lambda row: row[0])
    return tuple(Passage("\n".join(line for _, line in run), quoted=quoted) for quoted, run in runs)


class QuoteSigns:
    """The lines of one text, and which of them are quoted by which sign."""

    def __init__(self, lines: Sequence[str], carried: Sequence[int]) -> None:
        self._lines = [line[:MAX_SIGN].translate(_PLAIN).strip().casefold() for line in lines[:MAX_LINES]]
        self._beyond = len(lines) - len(self._lines)
        # Once for each line, for a line is looked at from each of those above that may begin a separator.
        self._roles = list(map(_role, self._lines))
        self._ends = list(map(attributions.ends, self._lines))
        self._marks = [max(mark, self._prefix(at)) for at, mark in enumerate(carried[:MAX_LINES])]

    def quoted(self) -> list[bool]:
        """Of each line, whether it is quoted."""
        at = 0
        while at < len(self._lines):
            if self._marks[at] == QUOTED or not self._lines[at]:
                at += 1
                continue
            end, sure = self._separator(at)
            below = self._filled(end)
            if end > at and below < len(self._lines) and self._marks[below]:
                while below < len(self._lines) and (self._marks[below] or not self._lines[below]):
                    below += 1
                at = self._quote(at, below)
            elif end > at and sure:
                at = self._quote(at, len(self._lines))
            else:
                at += 1
        return [*self._with_blanks(), *[True] * self._beyond]

    def _prefix(self, at: int) -> int:
        line = self._lines[at]
        if not line.startswith(">"):
            return PERHAPS if line.startswith(_BESIDE) else OWN
        near = self._lines[max(0, at - 1) : at] + self._lines[at + 1 : at + 2]
        # mbox writes ">From" for a line of the sender's own; and ">>> urgent <<<" is decoration.
        escaped = line.startswith(">from ") and not any(other.startswith(">") for other in near)
        return OWN if escaped or (line.endswith("<") and "@" not in line) else QUOTED

    def _quote(self, start: int, end: int) -> int:
        self._marks[start:end] = [QUOTED] * (end - start)
        return end

    def _filled(self, at: int) -> int:
        """The first line from this one on that is not blank."""
        while at < len(self._lines) and not self._lines[at]:
            at += 1
        return at

    def _with_blanks(self) -> list[bool]:
        """The marks; blank lines between or after quoted ones are quoted too."""
        quoted = [mark == QUOTED for mark in self._marks]
        after = True
        for at in range(len(quoted) - 1, -1, -1):
            if self._lines[at]:
                after = quoted[at]
            else:
                quoted[at] = after
        before = False
        for at, line in enumerate(self._lines):
            quoted[at] = quoted[at] and (before or bool(line))
            before = quoted[at]
        return quoted

    def _separator(self, at: int) -> tuple[int, bool]:
        """Where the separator that starts at a line ends (the line itself for none), and if it is sure."""
        line, below = self._lines[at], self._filled(at + 1)
        block, roles = self._headers(below)
        if self._announces(line, roles):
            end = block if roles else self._attribution(below)[0]
            return (end if end > below else at + 1), True
        if _RULE.fullmatch(line):
            if "from" in roles and len(roles) > 1:
                return block, True
            end, sure = self._attribution(below)
            return (end if end > below else at), sure
        block, roles = self._headers(at)
        if self._complete(roles, self._lines[at:block]):
            return block, True
        return self._attribution(at)

    @staticmethod
    def _announces(line: str, roles: set[str]) -> bool:
        """Whether a line announces what is quoted below; ``roles`` are those of the header lines there."""
        phrase = "".join(line.strip(_DASHES + ".:\uff1a").split())
        if phrase not in _ANNOUNCEMENTS:
            return "from" in roles and len(roles) > 1 and _DASHED.fullmatch(line) is not None
        return (
            line.startswith(("--", "\u2014", "__", "==", "##"))
            or line.endswith((":", "\uff1a"))
            or bool(roles)
        )

    def _headers(self, at: int) -> tuple[int, set[str]]:
        """Where the header lines that start at a line end, and what they announce."""
        roles: set[str] = set()
        end = at
        for number in range(at, min(at + MAX_BLOCK, len(self._lines))):
            line = self._lines[number]
            if role := self._roles[number]:
                roles.add(role)
                end = number + 1
            elif not roles or (line and (number > end or not _GOES_ON.search(line))):
                break
        return end, roles

    @staticmethod
    def _complete(roles: set[str], block: list[str]) -> bool:
        """Whether header lines are a mail's. A form may have "From", "To" and "Date" for other things."""
        if "from" not in roles:
            return False
        if {"to", "subject"} <= roles or ("sent" in roles and roles & {"to", "subject"}):
            return True
        addressed = any(map(attributions.ADDRESS.search, block))
        return "date" in roles and bool(roles & {"to", "subject"}) and addressed

    def _attribution(self, at: int) -> tuple[int, bool]:
        """The line, or the up to four lines, that say who wrote when; sure when a program wrote them."""
        for last in range(at, min(at + MAX_FOLDS + 1, len(self._lines))):
            line = self._lines[last]
            if not line or self._marks[last] == QUOTED:
                break
            if self._ends[last]:
                later = range(at + 1, last + 1)
                if any(self._begins(start, at) and self._attributes(start, last)[1] for start in later):
                    break
                sign, sure = self._attributes(at, last)
                return (last + 1 if sign else at), sure and attributions.is_closed(line)
        return at, False

    def _begins(self, at: int, above: int) -> bool:
        return attributions.may_open(self._lines[at], self._lines[above])

    def _attributes(self, first: int, last: int) -> tuple[bool, bool]:
        text = " ".join(self._lines[first : last + 1])[:MAX_SIGN].strip(_DASHES + "(\"'")
        return attributions.attributes(text, folded=first < last)
