"""A help desk's HTML as a letter to the buyer: what the letter carries, what its rules take out, and why.

Which elements, attributes and styles a letter may have is :class:`relaydesk.message.Letter`'s to say. Lines
are what a reader sees as such: the text between two block tags or line breaks.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass, field
from html import escape, unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from relaydesk.gateway.lines import note
from relaydesk.message import MAX_LETTER, MAX_LETTER_TAGS, Letter, letter_text
from relaydesk.outbound import AnswerRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping

    from relaydesk.gateway.rules import GatewayRules

# What fetches, runs or asks something in the buyer's reader; a person may miss it in the letter.
_FOREIGN = frozenset(
    {"applet", "audio", "base", "button", "canvas", "embed", "form", "frame", "frameset", "iframe", "input",
     "link", "math", "object", "script", "svg", "template", "textarea", "video"}
)  # fmt: skip
_ADDRESSES = ("src", "href", "data", "action", "formaction")
_SMALL = re.compile(r"\s*+[01](?:\.\d++)?\s*+(?:px)?\s*+", re.IGNORECASE)
_SMALL_STYLE = re.compile(
    r"(?<![\w-])(?:max-)?(?:width|height)\s*+:\s*+[01](?:px)?\s*+(?:!important\s*+)?(?:;|$)", re.I
)
_HIDDEN = re.compile(
    r"display\s*+:\s*+none|visibility\s*+:\s*+hidden|(?<![\w-])opacity\s*+:\s*+0++(?:\.0++)?\s*+(?:;|$)", re.I
)
_PICTURE = re.compile(r"data:image/(png|jpe?g|gif|webp)[^,]{0,100}?;base64,", re.IGNORECASE)
_SHOWN_PICTURE = re.compile(r'<img [^<>]*?src="cid:([^">]{1,300})"')


@dataclass(frozen=True, slots=True)
class HtmlAnswer:
    """The lines of an HTML answer; ``notes`` say what no letter has and a person may miss.

    ``pictures`` are the images that its HTML itself held, by Content-ID (name, content).
    """

    letter: Letter
    notes: tuple[str, ...] = ()
    pictures: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)

    @property
    def texts(self) -> list[str | None]:
        """The lines as they are read; None for one that is quoted."""
        return [None if line.quoted else line.text for line in self.letter.lines]

    def without(self, taken: Container[int]) -> str:
        """The finished HTML without the text of these lines; "" where nothing is left to see."""
        html = self.letter.finished(taken)
        return html if "<img" in html or letter_text(html) else ""


def read_html(html: str, rules: GatewayRules, content_ids: Collection[str] = ()) -> HtmlAnswer:
    """The lines of the HTML of a message whose parts have these Content-IDs, without angle brackets.

    :raises AnswerRefused: when it is larger than MAX_LETTER or MAX_LETTER_TAGS allow.
    :raises Unreadable: when the parser fails on it.
    """
    if len(html) > MAX_LETTER:
        raise AnswerRefused(f"The HTML is longer than {MAX_LETTER} characters; quote less of the thread.")
    if html.count("<") > MAX_LETTER_TAGS:
        raise AnswerRefused(f"The HTML has more than {MAX_LETTER_TAGS} tags; quote less of the thread.")
    desk = _Desk(rules, content_ids)
    letter = Letter(html, desk)
    notes = [*desk.notes, *(note("hidden text", text) for text in letter.hidden)]
    return HtmlAnswer(letter, tuple(dict.fromkeys(notes)), desk.pictures)


def shown_pictures(html: str) -> frozenset[str]:
    """The Content-IDs, without angle brackets, of the images that a finished letter shows."""
    return frozenset(unescape(shown) for shown in _SHOWN_PICTURE.findall(html))


def page(html: str, line: str) -> str:
    """A finished letter as a document; ``line`` stands as a paragraph before all else, "" for none."""
    paragraph = f"<p>{escape(line)}</p>\n" if line else ""
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{paragraph}{html}\n</body></html>'
    )


def is_pixel(attributes: Mapping[str, str], rules: GatewayRules) -> bool:
    """Whether an image is there to report that it was loaded, not to be seen."""
    style = attributes.get("style", "")
    if any(_SMALL.fullmatch(attributes.get(side, "")) for side in ("width", "height")):
        return True
    if _SMALL_STYLE.search(style) or _HIDDEN.search(style):
        return True
    return any(pattern.search(attributes.get("src", "")) for pattern in rules.pixels)


class _Desk:
    """The editor of a desk's letters (:class:`relaydesk.message.Letter`): its images, links and the rest."""

    def __init__(self, rules: GatewayRules, content_ids: Collection[str]) -> None:
        self.notes: list[str] = []
        self.pictures: dict[str, tuple[str, bytes]] = {}
        self._rules = rules
        self._content_ids = content_ids

    def image(self, attributes: Mapping[str, str]) -> str:
        source = attributes.get("src", "").strip()
        if is_pixel(attributes, self._rules):
            self.notes.append(note("tracking pixel", source))
        elif source[:4].lower() == "cid:":
            content_id = source[4:] if source[4:] in self._content_ids else unquote(source[4:])
            return f"cid:{content_id}" if content_id in self._content_ids else ""
        elif picture := _PICTURE.match(source):
            return self._picture(picture[1].lower(), source[picture.end() :])
        elif source:
            self.notes.append(note("image from outside", source))
        return ""

    def _picture(self, kind: str, encoded: str) -> str:
        """An image that stands in the HTML, as a part of the message: few readers show it otherwise."""
        try:
            content = binascii.a2b_base64(unquote(encoded))
        except binascii.Error:
            self.notes.append(note("image from outside", f"data:image/{kind}"))
            return ""
        content_id = f"{hashlib.sha256(content).hexdigest()[:32]}@picture"
        number = len(self.pictures) + 1
        self.pictures.setdefault(content_id, (f"picture-{number}.{kind.replace('jpeg', 'jpg')}", content))
        return f"cid:{content_id}"

    def link(self, target: str) -> str:
        for rule in self._rules.links:
            if rule.match.search(target):
                held = parse_qs(_query(target)).get(rule.parameter, [""])[0]
                if held.lower().startswith(("http://", "https://")):
                    self.notes.append(note("link rule", target))
                    return held
        return target

    def left_out(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "a":
            self.notes.append(note("link", attributes.get("href", "")))
        elif name in _FOREIGN:
            address = next((attributes[key] for key in _ADDRESSES if attributes.get(key)), "")
            self.notes.append(note("foreign content", f"<{name}> {address}".strip()))


def _query(target: str) -> str:
    try:
        return urlsplit(target).query
    except ValueError:  # brackets that hold no address
        return ""
