"""Which attributes a letter of ours may have, and of each the values that are let through."""

from __future__ import annotations

import re
from urllib.parse import quote

from relaydesk.message.letter_styles import kept_style
from relaydesk.message.markup import TAGS
from relaydesk.message.quote_elements import quotation_of

LETTER_TAGS = TAGS | {"img", "sub", "sup"}
# By these a reader of the letter knows what it quotes.
QUOTATIONS = ("class", "id")
_MAX_CLASSES = 10
# Nothing that a browser leaves out of an address, and nothing that shows it in another order or not at all.
_ODD = "\\s<>\"'`\\\\^{|}\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
_ADDRESS = rf"(?:https?://|mailto:|tel:)[^{_ODD}]{{1,2000}}"
_SPAN = r"[1-9]\d?"
_SIDE = r"\d{1,4}(?:px)?|\d{1,3}%"
_GAP = r"\d{1,2}"
_LINE = "top|middle|bottom|baseline"
_CELL = {"width": _SIDE, "height": _SIDE, "colspan": _SPAN, "rowspan": _SPAN, "nowrap": ".{0,10}",
         "valign": _LINE}  # fmt: skip
ANYWHERE = {"dir": "ltr|rtl|auto", "lang": "[a-z0-9-]{1,35}", "align": "left|right|center|justify"}
ATTRIBUTES: dict[str, dict[str, str]] = {
    "a": {"href": _ADDRESS},
    "img": {"src": r"cid:[^\s<>\"'\\]{1,240}", "alt": "[^<>]{0,200}", "width": _SIDE, "height": _SIDE,
            "border": _GAP},
    "table": {"width": _SIDE, "border": _GAP, "cellpadding": _GAP, "cellspacing": _GAP},
    "td": _CELL,
    "th": _CELL,
    "tr": {"valign": _LINE},
    "ol": {"start": r"\d{1,4}", "type": "[1ai]"},
    "ul": {"type": "disc|circle|square"},
    "li": {"value": r"\d{1,4}"},
    "blockquote": {"type": "cite"},
}  # fmt: skip
"""By tag and name, patterns that a value fits as a whole, whatever its case."""
_PATTERNS = {
    (tag, name): re.compile(pattern, re.IGNORECASE)
    for tag in LETTER_TAGS
    for name, pattern in (ANYWHERE | ATTRIBUTES.get(tag, {})).items()
}
NAMES = {tag: {"style", *QUOTATIONS, *ANYWHERE, *ATTRIBUTES.get(tag, ())} for tag in LETTER_TAGS}
"""The names that a letter's elements may have, by tag."""
_CLASS = re.compile(r"[\w-]{1,80}")
_UNREAD = re.compile(r"[\x00-\x1f]+")
_ODD_ONE = re.compile(f"[{_ODD}]")


def kept_attribute(tag: str, name: str, value: str) -> str | None:
    """An attribute as a letter may have it."""
    if name == "style":
        return kept_style(value) or None
    if name in QUOTATIONS:
        return quoting(name, value) or None
    pattern = _PATTERNS.get((tag, name))
    return value if pattern and pattern.fullmatch(value) else None


def quoting(name: str, value: str) -> str:
    """Of a class or id the words that say that the element quotes."""
    words = value.split()[:_MAX_CLASSES]
    return " ".join(word for word in words if _CLASS.fullmatch(word) and quotation_of("div", {name: word}))


def address_of(target: str) -> str:
    """A link's target as a browser reads it, fit for a letter; "" for what none may have."""
    target = _UNREAD.sub("", target.strip())
    target = _ODD_ONE.sub(lambda odd: quote(odd[0].encode("utf-8", "replace")), target)
    return target if _PATTERNS["a", "href"].fullmatch(target) else ""
