"""HTML that another program wrote and that we send: a letter, by lists of what it may have.

A letter shows the same as what it was made of, runs and fetches nothing, and hides nothing: what its author
hid is not in it. Its text is read from the finished letter, so both say the same.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Protocol

import nh3
from selectolax.lexbor import LexborHTMLParser

from relaydesk.message.charsets import readable
from relaydesk.message.letter_attributes import (
    ANYWHERE,
    ATTRIBUTES,
    LETTER_TAGS,
    NAMES,
    QUOTATIONS,
    address_of,
    kept_attribute,
    quoting,
)
from relaydesk.message.letter_styles import html_size, kept_styles, long_forms, style_attribute
from relaydesk.message.letter_tree import LetterTree
from relaydesk.message.markup import (
    MAX_LETTER,
    MAX_LETTER_TAGS,
    UNSEEN,
    Retelling,
    attributes_of,
    mark_of,
    rewritten,
)
from relaydesk.message.styles import Sheet, effective
from relaydesk.message.unreadable import hostile_bytes

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from relaydesk.message.letter_tree import LetterLine

_MAX_SHEET_STYLES = 524_288
"""Characters of styles that come out of style sheets, over all elements they fit."""
_MAX_ALT = 200

# Formatting that bears styles is written as a style too.
_FORMATS = {
    "b": ("font-weight", "bold"), "strong": ("font-weight", "bold"), "i": ("font-style", "italic"),
    "em": ("font-style", "italic"), "u": ("text-decoration", "underline"),
    "s": ("text-decoration", "line-through"), "code": ("font-family", "monospace"),
    "small": ("font-size", "0.83em"),
}  # fmt: skip
# Elements that no letter has, and what they look like.
_LOOKS = {
    "center": ("text-align", "center"), "strike": ("text-decoration", "line-through"),
    "del": ("text-decoration", "line-through"), "ins": ("text-decoration", "underline"),
    "big": ("font-size", "1.2em"), "mark": ("background-color", "#ffff00"),
    "tt": ("font-family", "monospace"), "kbd": ("font-family", "monospace"),
    "samp": ("font-family", "monospace"), "var": ("font-style", "italic"),
    "cite": ("font-style", "italic"), "dfn": ("font-style", "italic"), "address": ("font-style", "italic"),
}  # fmt: skip


_STYLING = ("class", "id", "style", "bgcolor", "color", "face", "size", "text")
"""The attributes that say how an element looks."""


class Editor(Protocol):
    """Who makes a letter, where it is theirs to decide."""

    def image(self, attributes: Mapping[str, str]) -> str:
        """The ``cid:`` address under which the letter carries this image, "" where it does not."""

    def link(self, target: str) -> str:
        """Where a link leads. A target that is neither of the web nor mail nor telephone is left out."""

    def left_out(self, name: str, attributes: Mapping[str, str]) -> None:
        """Told of each element that no letter has, and of a link that leads nowhere a letter may."""


class Letter:
    """A letter in the making. ``lines`` are what its reader sees as such, ``hidden`` what nobody saw."""

    def __init__(self, source: str, editor: Editor) -> None:
        """:raises Unreadable: when the parser fails on it; callers see to MAX_LETTER and MAX_LETTER_TAGS."""
        markup = rewritten(source, _Letters(editor))
        with hostile_bytes():
            self._tree = LetterTree(LexborHTMLParser(markup))

    @property
    def lines(self) -> Sequence[LetterLine]:
        return self._tree.lines

    @property
    def hidden(self) -> Sequence[str]:
        return self._tree.hidden

    def finished(self, without: Container[int] = ()) -> str:
        """The letter's HTML, without the text of the lines that stand in these places. To be called once."""
        source = self._tree.source(without)
        with hostile_bytes():
            return readable(
                nh3.clean(
                    source,
                    tags=LETTER_TAGS,
                    clean_content_tags=UNSEEN,
                    attributes=NAMES,
                    attribute_filter=kept_attribute,
                    url_schemes={"http", "https", "mailto", "tel", "cid"},
                    link_rel=None,
                )
            )


class _Letters(Retelling):
    """Writes the elements of a letter."""

    tags = LETTER_TAGS
    most_characters = MAX_LETTER
    most_tags = MAX_LETTER_TAGS

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._room = _MAX_SHEET_STYLES
        self._styles: dict[tuple[object, ...], str] = {}

    def attributes(self, name: str, attributes: Mapping[str, str], sheet: Sheet) -> dict[str, str]:
        kept = {key: attributes[key] for key in (*ANYWHERE, *ATTRIBUTES.get(name, ())) if key in attributes}
        if name == "a":
            kept["href"] = self._address(attributes)
        elif name in ("form", "button"):
            self._editor.left_out(name, attributes)
        kept |= {key: quoting(key, attributes.get(key, "")) for key in QUOTATIONS}
        style = self._style(name, attributes, sheet)
        if name in _FORMATS and (style or any(kept.values())):
            style = f"{':'.join(_FORMATS[name])};{style}"
        return kept | {"style": style}

    def _address(self, attributes: Mapping[str, str]) -> str:
        target = attributes.get("href", "").strip()
        address = address_of(self._editor.link(target)) if target else ""
        if target and not address and not target.startswith("#"):
            self._editor.left_out("a", attributes)
        return address

    def image(self, attributes: Mapping[str, str], marks: Sequence[str], sheet: Sheet) -> str:
        target = self._editor.image(attributes)
        if not target:
            return super().image(attributes, marks, sheet)
        kept = {key: attributes[key] for key in ("width", "height", "border", "align") if key in attributes}
        kept |= {"src": target, "alt": attributes.get("alt", "")[:_MAX_ALT]}
        kept["style"] = self._style("img", attributes, sheet)
        source = "".join(f' {key}="{escape(value)}"' for key, value in kept.items() if value)
        return f"<img{mark_of(marks)}{source}>"

    def left_out(self, name: str, inside: str) -> None:
        self._editor.left_out(name, attributes_of(inside))

    def _style(self, name: str, attributes: Mapping[str, str], sheet: Sheet) -> str:
        if self._room < 0:
            sheet = Sheet(())
        key = (name, self._room < 0, *map(attributes.get, _STYLING))
        if key not in self._styles:
            values = _presented(name, attributes) | long_forms(effective(name, attributes, sheet))
            self._styles[key] = style_attribute(kept_styles(values))
        style = self._styles[key]
        self._room -= max(0, len(style) - len(attributes.get("style", "")))
        return style


def _presented(name: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """What an element and its attributes of HTML 4 look like, as styles."""
    values = dict([_LOOKS[name]]) if name in _LOOKS else {}
    if name == "font":
        values |= {
            "color": attributes.get("color", "").lower(),
            "font-family": attributes.get("face", "").lower(),
        }
        values["font-size"] = html_size(attributes.get("size", ""))
    if "bgcolor" in attributes:
        values["background-color"] = attributes["bgcolor"].lower()
    if name == "body":
        values["color"] = attributes.get("text", "").lower()
    return {key: value for key, value in values.items() if value}
