"""The line that says who wrote when ("On … wrote:"), as mail programs put it above a quotation.

Told from a person's prose by what a program writes and people don't: an end by a colon, a year with a time
of day, an address beside the verb, a name where a person says "you". A name with the verb alone is none:
Meta's form has "alice wrote:" above the buyer's own words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.message import quote_marks as marks

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDS = (":", "\uff1a")


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, set(words)), key=len, reverse=True)) + ")"


_VERBS, _UNSPACED = _any(marks.VERBS), _any(marks.VERBS_UNSPACED)
_WEEKDAYS = _any(marks.WEEKDAYS)
# A word of a script without blanks ends where the next begins.
OPENER = re.compile(rf"{_any(marks.OPENERS)}(?:(?<=[^\x00-\u0500])|(?=[\s\d]))")
_BEGINS = re.compile(rf"{OPENER.pattern}|{_WEEKDAYS}\b|\d")
_VERB = re.compile(rf"(?<!\w){_VERBS}(?!\w)|{_UNSPACED}")
_OURSELVES = re.compile(rf"(?<!\w){_any(marks.OURSELVES)}(?!\w)|{_any(marks.OURSELVES_UNSPACED)}")
_PERSONS = re.compile(rf"(?<!\w){_any(marks.PERSONS)}(?!\w)")
_PERSONS_AFTER = re.compile(rf"\s*{_any(marks.PERSONS_AFTER)}\s")
_DATED = re.compile(rf"{OPENER.pattern}.*?(?<![\w/#-])\d{{1,2}}(?![\d/#])|(?:on|am|op|den) {_WEEKDAYS}\b")
_YEAR = re.compile(r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d\d(?!\d))")
_TIME = re.compile(r"(?<!\d)\d{1,2}(?:[:.h\u6642\u65f6\uc2dc] ?[0-5]\d(?!\d)|[ ap.]{0,2}m\b)")
ADDRESS = re.compile(r"[^\s<>@\"',;:()\[\]]{1,64}@[\w.-]{2,255}")
_NAMED = re.compile(rf"[^<>.!?:]{{0,60}}<{ADDRESS.pattern}>")
_AUTHOR = re.compile(
    rf"{ADDRESS.pattern}[\]>)\"' ]{{0,4}}(?:\([^()]{{0,60}}\) ?)?(?:\w{{1,4}} )?"
    rf"(?:{_VERBS}|\S{{0,3}}{_UNSPACED})"
)
_ADDRESS_LAST = re.compile(rf"{ADDRESS.pattern}[\]>)\"' ]{{0,4}}[:\uff1a]")
# "Shop wrote on 12 May at 14:03:"
_DATED_AFTER = re.compile(rf"{_VERBS} {_any(marks.OPENERS)} [^\n]{{0,40}}?\d|{_VERBS} (?:\(|\d{{1,4}}[./-])")


def ends(line: str) -> bool:
    """Whether an attribution may end with this line."""
    return is_closed(line) or line.rpartition(" ")[2] in marks.VERBS


def is_closed(line: str) -> bool:
    """Whether a line ends by a colon; or, as Zoho writes it, by dashes behind the verb."""
    bare = line.rstrip("-_* ")
    return bare.endswith(_ENDS) or (line.endswith("--") and bare.rpartition(" ")[2] in marks.VERBS)


def may_open(line: str, above: str) -> bool:
    """Whether an attribution may begin with this line rather than with one above.

    It does by an opening word; by a name and its address where the line above is no beginning of one.
    """
    if OPENER.match(line):
        return True
    begun = OPENER.match(above) or _TIME.search(above) or _YEAR.search(above)
    return not begun and _NAMED.match(line) is not None


def attributes(text: str, *, folded: bool) -> tuple[bool, bool]:
    """Whether a line, in lower case, may say who wrote; and whether it is sure that a program wrote it.

    ``folded``: it was joined from several lines, and then has to begin as an attribution does.
    """
    opened = _BEGINS.match(text) is not None
    if folded and not opened and not _NAMED.match(text):
        return False, False
    verb, time, year = _VERB.search(text), _TIME.search(text), _YEAR.search(text)
    if verb is None:
        dated = (opened and (time or year)) or text.startswith(marks.CITING)
        sure = bool(dated and _ADDRESS_LAST.search(text))
        return sure, sure
    address = ADDRESS.search(text)
    around = f"{text[: verb.start()]} {text[verb.end() :]}"
    by_them = not _OURSELVES.search(around)
    by_name = by_them and not _PERSONS.search(around) and not _PERSONS_AFTER.match(text, verb.end())
    last = not text[verb.end() + 1 :].strip(": \uff1a")
    sure = bool(
        (time and year and (opened or last) and (address or by_them))
        or (time and year and by_name and _DATED_AFTER.search(text))
        or _AUTHOR.search(text)
        or (by_name and (_DATED.match(text) or (opened and year)))
    )
    return sure or opened or any((time, year, address)), sure
