"""Where a mail quotes an earlier one: its text parted into passages, the sender's own and quoted ones.

A quotation is carried by its lines (``>``, RFC 3676 §4.5; or an element of HTML), or a separator stands
above it ("-----Original Message-----", "On … wrote:", a block of header lines). After a separator
everything to the end is quoted, unless the lines below carry the quotation: then answers may stand
between them. To fold a sender's own words is worse than to show a quotation, so a separator needs the
precision of a program: prose that mentions who wrote when has no end by a colon, or says "you" and "I".
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

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

_BLANKS = {ord("\xa0"): " ", ord("\u202f"): " ", ord("\u3000"): " ", ord("\t"): " "}
_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF,
                         *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # fmt: skip
_FOLDED = {**_BLANKS, **_UNSEEN}
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015_=*~#> "


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, set(words)), key=len, reverse=True))


_OPENER = re.compile(rf"(?:{_any(marks.OPENERS)})(?:(?<=[^\x00-\u0500])|\b)|(?:{_any(marks.WEEKDAYS)})\b|\d")
_WORD = re.compile(rf"(?:{_any(marks.OPENERS)})(?:(?<=[^\x00-\u0500])|\b)")
_VERB = re.compile(rf"(?<!\w)(?:{_any(marks.VERBS)})(?!\w)|(?:{_any(marks.VERBS_UNSPACED)})")
_PERSON = re.compile(rf"(?<!\w)(?:{_any(marks.PRONOUNS)})(?!\w)")
_DAY = re.compile(rf"(?<!\w)(?:\d{{1,2}}(?!\d)|(?:{_any(marks.WEEKDAYS)})(?!\w))")
_YEAR = re.compile(r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d\d(?!\d))")
_TIME = re.compile(r"(?<!\d)\d{1,2}(?:[:.h\u6642\u65f6\uc2dc] ?[0-5]\d(?!\d)|[ ap.]{0,2}m\b)")
_ADDRESS = re.compile(r"[^\s<>@\"',;:()\[\]]{1,64}@[\w.-]{2,255}")
_AUTHOR = re.compile(
    rf"{_ADDRESS.pattern}[\]>)\"' ]{{0,4}}(?:\([^()]{{0,60}}\) ?)?"
    rf"(?:{_any(marks.VERBS)}|\S{{0,3}}(?:{_any(marks.VERBS_UNSPACED)}))"
)
_LATER = re.compile(rf"(?:{_any(marks.VERBS)}) (?:{_any(marks.OPENERS)}) [^\n]{{0,40}}?\d")
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
    quoted = QuoteSigns(lines, carried).quoted()
    runs = groupby(zip(quoted, lines, strict=True), key=lambda row: row[0])
    return tuple(Passage("\n".join(line for _, line in run), quoted=is_quoted) for is_quoted, run in runs)


def agreed(
    plain: tuple[Passage, ...], hyper: tuple[Passage, ...]
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """The two bodies of one mail, with each line quoted that only a quotation of the other one has."""
    return _agreed(plain, hyper), _agreed(hyper, plain)


def _agreed(body: tuple[Passage, ...], other: tuple[Passage, ...]) -> tuple[Passage, ...]:
    own = {_bare(line) for passage in other if not passage.quoted for line in passage.text.split("\n")}
    quoted = {_bare(line) for passage in other if passage.quoted for line in passage.text.split("\n")}
    quoted -= own | {""}
    if not quoted:
        return body
    rows = [
        (passage.quoted or _bare(line) in quoted, line)
        for passage in body
        for line in passage.text.split("\n")
    ]
    runs = groupby(rows, key=lambda row: row[0])
    return tuple(Passage("\n".join(line for _, line in run), quoted=is_quoted) for is_quoted, run in runs)


def _bare(line: str) -> str:
    return "".join(filter(str.isalnum, line)).casefold()


class QuoteSigns:
    """The lines of one text, and which of them are quoted by which sign."""

    def __init__(self, lines: Sequence[str], carried: Sequence[int]) -> None:
        self._lines = [line[:MAX_SIGN].translate(_FOLDED).strip().casefold() for line in lines[:MAX_LINES]]
        self._beyond = len(lines) - len(self._lines)
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
            return PERHAPS if line.startswith(("|", "\uff1e", "\xbb")) else OWN
        near = self._lines[max(0, at - 1) : at] + self._lines[at + 1 : at + 2]
        # mbox writes ">From" for a line of the sender's own; and ">>> urgent <<<" is decoration.
        escaped = line.startswith(">from ") and not any(other.startswith(">") for other in near)
        return OWN if escaped or (line.endswith("<") and "@" not in line) else QUOTED

    def _quote(self, start: int, end: int) -> int:
        self._marks[start:end] = [QUOTED] * (end - start)
        return end

    def _filled(self, at: int) -> int:
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
        line = self._lines[at]
        block, roles = self._headers(self._filled(at + 1))
        if self._announces(line, roles):
            return (block if roles else at + 1), True
        if _RULE.fullmatch(line):
            return (block, True) if "from" in roles and len(roles) > 1 else (at, False)
        block, roles = self._headers(at)
        if self._complete(roles, self._lines[at:block]):
            return block, True
        return self._attribution(at)

    def _announces(self, line: str, roles: set[str]) -> bool:
        phrase = "".join(line.strip(_DASHES + ":\uff1a").split())
        if phrase not in _ANNOUNCEMENTS:
            return "from" in roles and len(roles) > 1 and _DASHED.fullmatch(line) is not None
        return line.startswith(("--", "\u2014", "__", "==")) or line.endswith((":", "\uff1a")) or bool(roles)

    def _headers(self, at: int) -> tuple[int, set[str]]:
        """Where the header lines that start at a line end, and what they announce."""
        roles: set[str] = set()
        end = at
        for line in range(at, min(at + MAX_BLOCK, len(self._lines))):
            role = self._role(self._lines[line])
            if role:
                roles.add(role)
                end = line + 1
            elif not roles or (self._lines[line] and (line > end or not _GOES_ON.search(self._lines[line]))):
                break
        return end, roles

    @staticmethod
    def _role(line: str) -> str:
        name, colon, _ = line[:40].replace("\uff1a", ":").partition(":")
        return _HEADERS.get("".join(name.strip("*_ ").split()), "") if colon else ""

    @staticmethod
    def _complete(roles: set[str], block: list[str]) -> bool:
        """Whether header lines are a mail's. A form may have "From", "To" and "Date" for other things."""
        if "from" not in roles:
            return False
        if {"to", "subject"} <= roles or ("sent" in roles and roles & {"to", "subject"}):
            return True
        return bool("date" in roles and roles & {"to", "subject"} and any(map(_ADDRESS.search, block)))

    def _attribution(self, at: int) -> tuple[int, bool]:
        """The line, or the up to four lines, that say who wrote when; sure when a program wrote them."""
        for last in range(at, min(at + MAX_FOLDS + 1, len(self._lines))):
            line = self._lines[last]
            if not line or self._marks[last] == QUOTED:
                break
            if line.rstrip("-_* ").endswith((":", "\uff1a")):
                later = (start for start in range(at + 1, last + 1) if _WORD.match(self._lines[start]))
                if any(self._attributes(start, last)[1] for start in later):
                    break
                sign, sure = self._attributes(at, last)
                return (last + 1 if sign else at), sure
        return at, False

    def _attributes(self, first: int, last: int) -> tuple[bool, bool]:
        text = " ".join(self._lines[first : last + 1])[:MAX_SIGN].strip(_DASHES + "(\"'")
        opened = _OPENER.match(text) is not None
        if first < last and not opened:
            return False, False
        verb, address, time = _VERB.search(text), _ADDRESS.search(text), _TIME.search(text)
        day, year = _DAY.search(text), _YEAR.search(text)
        if not verb:
            sure = bool(address and opened and (time or year))
            return sure, sure
        named = not _PERSON.search(f"{text[: verb.start()]} {text[verb.end() :]}")
        at_end = not text[verb.end() + 1 :].strip(": \uff1a")
        sure = bool(
            (time and year and (opened or at_end))
            or _AUTHOR.search(text)
            or (named and day and opened)
            or (named and (time or year) and _LATER.search(text))
        )
        return sure or opened or any((day, time, address)), sure
