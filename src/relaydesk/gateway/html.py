"""A help desk's HTML, cleaned: tags and text pass as they were written, except what a rule takes out.

Lines are what a reader sees as such: the text between two block tags or line breaks. Comments go, which
some desks use to mark their tickets.
"""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from relaydesk.outbound import AnswerRefused

if TYPE_CHECKING:
    from relaydesk.gateway.rules import GatewayRules

MAX_HTML = 2_000_000
"""Characters; an answer with its quoted thread has a tenth of it."""

_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img",
     "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
     "time", "tt", "u", "var", "wbr"}
)  # fmt: skip
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


def cleaned(html: str, rules: GatewayRules) -> str:
    """The HTML without tracking pixels, comments, foreign content and the lines that the rules name.

    :raises AnswerRefused: when it is larger than MAX_HTML.
    """
    if len(html) > MAX_HTML:
        raise AnswerRefused(f"The HTML is longer than {MAX_HTML} characters; quote less of the thread.")
    rewriter = _Rewriter(rules)
    rewriter.feed(html)
    rewriter.close()
    return rewriter.finished()


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


class _Rewriter(HTMLParser):
    """Writes the source anew, a line at a time; a line that a rule names loses its text."""

    def __init__(self, rules: GatewayRules) -> None:
        super().__init__(convert_charrefs=False)
        self.rules = rules
        self.out: list[str] = []
        self.line: list[tuple[str, bool]] = []  # (source, whether it is text)
        self.unseen = ""

    def finished(self) -> str:
        self._end_line()
        return "".join(self.out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = self.get_starttag_text() or ""
        attributes = {name: value or "" for name, value in attrs}
        if tag in _FOREIGN or (tag == "img" and is_pixel(attributes, self.rules)):
            self.unseen = "script" if tag == "script" else self.unseen
            return
        if tag == "a" and "href" in attributes:
            source = self._unwrapped(source, attributes)
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
            self._tag(tag, f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self.unseen != "script":
            self.line.append((data, not self.unseen))

    def handle_entityref(self, name: str) -> None:
        self.line.append((f"&{name};", True))

    def handle_charref(self, name: str) -> None:
        self.line.append((f"&#{name};", True))

    def handle_decl(self, decl: str) -> None:
        self.line.append((f"<!{decl}>", False))

    def _tag(self, tag: str, source: str) -> None:
        if tag not in _INLINE:
            self._end_line()
        self.line.append((source, False))

    def _end_line(self) -> None:
        text = " ".join(unescape("".join(source for source, shown in self.line if shown)).split())
        goes = bool(text) and any(pattern.fullmatch(text) for pattern in self.rules.lines)
        self.out += [source for source, shown in self.line if not (goes and shown)]
        self.line = []

    def _unwrapped(self, source: str, attributes: dict[str, str]) -> str:
        target = attributes["href"]
        for rule in self.rules.links:
            if rule.match.search(target):
                held = parse_qs(urlsplit(target).query).get(rule.parameter, [""])[0]
                if held.lower().startswith(("http://", "https://")):
                    kept = attributes | {"href": held}
                    return "<a " + " ".join(f'{name}="{escape(value)}"' for name, value in kept.items()) + ">"
        return source
