"""A help desk's HTML, cleaned: tags and text pass as they were written, except what a rule takes out.

Lines are what a reader sees as such: the text between two block tags or line breaks. Comments go, which
some desks use to mark their tickets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from relaydesk.gateway.lines import note
from relaydesk.outbound import AnswerRefused

if TYPE_CHECKING:
    from collections.abc import Container

    from relaydesk.gateway.rules import GatewayRules

MAX_HTML = 2_000_000
"""Characters; an answer with its quoted thread has a tenth of it."""

_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img",
     "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
     "time", "tt", "u", "var", "wbr"}
)  # fmt: skip
_QUOTES = frozenset({"blockquote"})
_UNSEEN = frozenset({"style", "script", "title"})
# What fetches or runs something from elsewhere when the buyer opens the message; a script goes with its text.
_FOREIGN = frozenset({"applet", "base", "embed", "frame", "frameset", "iframe", "link", "object", "script"})
_SMALL = re.compile(r"\s*[01](?:\.\d+)?\s*(?:px)?\s*", re.IGNORECASE)
_SMALL_STYLE = re.compile(
    r"(?<![\w-])(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:!important\s*)?(?:;|$)", re.I
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![\w-])opacity\s*:\s*0+(?:\.0+)?\s*(?:;|$)", re.I
)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_HEAD = re.compile(r"<(?:html|head)\b", re.IGNORECASE)


@dataclass(slots=True)
class HtmlLine:
    """What stands between two block tags or line breaks: each piece, and whether it is text that shows."""

    pieces: list[tuple[str, bool]] = field(default_factory=list)
    quoted: bool = False

    @property
    def text(self) -> str:
        """The line as it is read."""
        return " ".join(unescape("".join(source for source, shown in self.pieces if shown)).split())


@dataclass(frozen=True, slots=True)
class HtmlAnswer:
    """The lines of an HTML answer, free of what only fetches or reports; ``notes`` say what that was."""

    lines: tuple[HtmlLine, ...]
    notes: tuple[str, ...]

    @property
    def texts(self) -> list[str | None]:
        """The lines as they are read; None for one that is quoted."""
        return [None if line.quoted else line.text for line in self.lines]

    def without(self, taken: Container[int]) -> str:
        """The HTML without the text of these lines."""
        return "".join(
            source
            for place, line in enumerate(self.lines)
            for source, shown in line.pieces
            if not (shown and place in taken)
        )


def read_html(html: str, rules: GatewayRules) -> HtmlAnswer:
    """The lines of the HTML, without tracking pixels, comments, foreign content and names of a charset.

    :raises AnswerRefused: when it is larger than MAX_HTML.
    """
    if len(html) > MAX_HTML:
        raise AnswerRefused(f"The HTML is longer than {MAX_HTML} characters; quote less of the thread.")
    reader = _HtmlReader(rules)
    reader.feed(html)
    reader.close()
    return HtmlAnswer(tuple(reader.lines), tuple(dict.fromkeys(reader.notes)))


def with_first_line(html: str, line: str) -> str:
    """The HTML with a paragraph of text before all else that is seen."""
    paragraph = f"<p>{escape(line)}</p>"
    if body := _BODY.search(html):
        return html[: body.end()] + paragraph + html[body.end() :]
    return html + paragraph if _HEAD.search(html) else paragraph + html


def is_pixel(attributes: dict[str, str], rules: GatewayRules) -> bool:
    """Whether an image is there to report that it was loaded, not to be seen."""
    style = attributes.get("style", "")
    if any(_SMALL.fullmatch(attributes.get(side, "")) for side in ("width", "height")):
        return True
    if _SMALL_STYLE.search(style) or _HIDDEN.search(style):
        return True
    return any(pattern.search(attributes.get("src", "")) for pattern in rules.pixels)


class _HtmlReader(HTMLParser):
    """Reads the source a line at a time."""

    def __init__(self, rules: GatewayRules) -> None:
        super().__init__(convert_charrefs=False)
        self.rules = rules
        self.lines = [HtmlLine()]
        self.notes: list[str] = []
        self.unseen = ""
        self.quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = self.get_starttag_text() or ""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "meta" and _names_charset(attributes):
            return  # it was read by that charset, and leaves as UTF-8
        if tag in _FOREIGN or (tag == "img" and is_pixel(attributes, self.rules)):
            self.notes.append(_note_of(tag, attributes))
            self.unseen = "script" if tag == "script" else self.unseen
            return
        if tag == "a" and "href" in attributes:
            source = self._unwrapped(source, attributes)
        self.quotes += tag in _QUOTES
        self._tag(tag, source)
        if tag in _UNSEEN:
            self.unseen = tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.unseen = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self.unseen:
            self.unseen = ""
        if tag not in _FOREIGN:
            self.quotes = max(0, self.quotes - (tag in _QUOTES))
            self._tag(tag, f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self.unseen != "script":
            self._piece(data, shown=not self.unseen)

    def handle_entityref(self, name: str) -> None:
        self._piece(f"&{name};", shown=True)

    def handle_charref(self, name: str) -> None:
        self._piece(f"&#{name};", shown=True)

    def handle_decl(self, decl: str) -> None:
        self._piece(f"<!{decl}>", shown=False)

    def _piece(self, source: str, *, shown: bool) -> None:
        self.lines[-1].pieces.append((source, shown))

    def _tag(self, tag: str, source: str) -> None:
        if tag not in _INLINE:
            self.lines.append(HtmlLine(quoted=self.quotes > 0))
        self._piece(source, shown=False)

    def _unwrapped(self, source: str, attributes: dict[str, str]) -> str:
        target = attributes["href"]
        for rule in self.rules.links:
            if rule.match.search(target):
                held = parse_qs(urlsplit(target).query).get(rule.parameter, [""])[0]
                if held.lower().startswith(("http://", "https://")):
                    self.notes.append(note("link rule", target))
                    kept = attributes | {"href": held}
                    return "<a " + " ".join(f'{name}="{escape(value)}"' for name, value in kept.items()) + ">"
        return source


def _names_charset(attributes: dict[str, str]) -> bool:
    return "charset" in attributes or attributes.get("http-equiv", "").strip().lower() == "content-type"


def _note_of(tag: str, attributes: dict[str, str]) -> str:
    if tag == "img":
        return note("tracking pixel", attributes.get("src", ""))
    address = next((attributes[name] for name in ("src", "href", "data") if attributes.get(name)), "")
    return note("foreign content", f"<{tag}> {address}".strip())
