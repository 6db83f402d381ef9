"""HTML read as tags and text in linear time, and written anew: few kinds of tags, bounded depth.

The algorithm by which every correct parser builds its tree takes quadratic time on deep nesting and copies
unclosed formatting without bound (40,000 open ``<div>`` cost lexbor 2 s, html5ever 3 s), so no parser
sees a message's own markup. What its attributes say of visibility and quotation goes along as our own
attribute :data:`MARK`. What else is written of an element is a :class:`Retelling`'s to say: for mail that
came in, all attributes but a link's target are left out, so none can be forged.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

from relaydesk.message.quote_elements import quotation_of
from relaydesk.message.styles import Sheet, visibility

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

MAX_HTML = 262_144
MAX_TAGS = 20_000
MAX_LETTER = 1_048_576
"""Characters of what we send, read whole or not at all; an answer with its thread has a tenth of it."""
MAX_LETTER_TAGS = 50_000
MAX_DEPTH = 100
MAX_FORMATTING = 8
MAX_ATTRIBUTES = 16_384
MARK = "data-m"
# html5ever, by which nh3 cleans, puts a text together piece by piece and copies all of it for each, be it an
# entity or one of U+0080 to U+00BF: 256 KB of "&" took 2 s. So none is longer than this, in characters.
_LONGEST_TEXT = 2_000
_LONGEST_ENTITY = 40

_VOID = {"br", "hr"}
_SELF_CLOSING = {"p", "li", "tr", "td", "th", "thead", "tbody", "tfoot", "dt", "dd"}
FORMATTING = {"a", "b", "strong", "i", "em", "u", "s", "code", "small"}
_NESTING = {"div", "span", "table", "ul", "ol", "dl", "blockquote", "pre",
            "h1", "h2", "h3", "h4", "h5", "h6"}  # fmt: skip
TAGS = _VOID | _SELF_CLOSING | FORMATTING | _NESTING
# Elements that begin a line, written as "div".
_BLOCKS = {"address", "article", "aside", "body", "caption", "center", "details", "dialog", "dir", "fieldset",
           "figcaption", "figure", "footer", "form", "header", "legend", "main", "menu", "nav", "option",
           "section", "summary"}  # fmt: skip
UNSEEN = {"script", "style", "title", "textarea", "template", "noscript", "iframe", "noframes",
          "noembed", "xmp", "svg", "math", "datalist", "audio", "video", "canvas", "rp"}  # fmt: skip
# Tags without content or without an end in the text.
_LEFT_OUT = {"html", "head", "meta", "link", "base", "input", "wbr", "col", "colgroup", "area", "embed",
             "param", "source", "track", "frame", "frameset", "basefont", "bgsound"}  # fmt: skip
_ENDLESS = {"body", "br", "hr", "img"}

_TOKEN = re.compile(
    r"<!--(?:-?>|.*?--!?>|.*)"
    r"|<(?:svg|math)(?![^\s/>])[^>]*+(?<=/)>"
    rf"|<({'|'.join(sorted(UNSEEN))})(?![^\s/>])(?:(.*?)</\1(?:\s[^<>]*+)?>|.*)"
    # A quotation mark opens a value behind "=" only; the end of the text ends a tag that is not closed.
    r"|<(/?)([a-z][^\s/>]*+)((?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"?+|'[^']*+'?+)?+|[\"'])*+)>?+"
    r"|<[!?/][^>]*+>?+",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([^\s/>=\"']++)(?:\s*+=\s*+(?:\"([^\"]*+)\"?+|'([^']*+)'?+|([^\s>]++)))?+")


def attributes_of(tag: str) -> dict[str, str]:
    """The attributes inside a start tag, names in lower case, the first of a name (HTML §13.2.5.33)."""
    values: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(tag[:MAX_ATTRIBUTES]):
        value = next((group for group in match.groups()[1:] if group is not None), "")
        values.setdefault(match[1].lower(), unescape(value))
    return values


class Retelling:
    """How elements are written anew; this one for mail that came in, where images are their words.

    ``most_characters`` and ``most_tags`` bound what is read.
    """

    tags: Collection[str] = TAGS
    most_characters = MAX_HTML
    most_tags = MAX_TAGS
    images = True

    def attributes(self, name: str, attributes: Mapping[str, str], sheet: Sheet) -> dict[str, str]:
        """The attributes that are written for this element; a name with "" is left out."""
        return {"href": attributes.get("href", "").strip()} if name == "a" else {}

    def image(self, attributes: Mapping[str, str], marks: Sequence[str], sheet: Sheet) -> str:
        """The markup that is written for an image."""
        text = " ".join(attributes.get("alt", "").split())[:200]
        if not self.images or not text or {"1", "0"} & {attributes.get("width"), attributes.get("height")}:
            return ""
        return f"<span{mark_of(marks)}>[{escape(text)}]</span>"

    def left_out(self, name: str, inside: str) -> None:
        """Told of each element that is left out with its content, and of what its start tag holds."""


def mark_of(marks: Sequence[str]) -> str:
    """Marks as an attribute of a start tag."""
    return f' {MARK}="{" ".join(marks)}"' if marks else ""


def rewritten(html: str, retelling: Retelling | None = None) -> str:
    """The same text in known tags, well bounded; reads as many characters as the ``retelling`` says.

    Text behind a bound that a tag of visibility or quotation fell to is marked as quoted.
    """
    retelling = retelling or Retelling()
    html = html[: retelling.most_characters]
    tokens = list(_TOKEN.finditer(html))
    sheet = Sheet([token[2] for token in tokens if token[2] and token[1].lower() == "style"])
    writer = _Writer(sheet, retelling)
    at = 0
    for token in tokens[: retelling.most_tags]:
        writer.text(html[at : token.start()])
        at = token.end()
        if token[4]:
            writer.tag(token[4].lower(), token[5], ends=token[3] == "/")
        elif token[1]:
            retelling.left_out(token[1].lower(), (token[2] or "").partition(">")[0])
    if tokens[retelling.most_tags :]:
        writer.unsure = True
        html, at = _TOKEN.sub(" ", html[at:]), 0
    writer.text(html[at:])
    return "".join(writer.out)


def _stretches(text: str) -> Iterator[str]:
    """The text in pieces, of which none ends amid an entity."""
    at = 0
    while len(text) - at > _LONGEST_TEXT:
        end = at + _LONGEST_TEXT
        entity = text.rfind("&", end - _LONGEST_ENTITY, end)
        end = entity if entity > 0 else end
        yield text[at:end]
        at = end
    yield text[at:]


class _Writer:
    def __init__(self, sheet: Sheet, retelling: Retelling) -> None:
        self.out: list[str] = []
        self.unsure = False
        self._sheet = sheet
        self._retelling = retelling
        # Of each name, the tags that were written for those still open: "" where none was.
        self._open: dict[str, list[str]] = {}
        self._formatting = self._depth = 0

    def text(self, text: str) -> None:
        if not text:
            return
        text = "<!---->".join(_stretches(text.replace("<", "&lt;").replace(">", "&gt;")))
        self.out.append(f'<span {MARK}="quote">{text}</span>' if self.unsure and text.strip() else text)

    def tag(self, name: str, inside: str, *, ends: bool) -> None:
        if name in _LEFT_OUT or (ends and name in _ENDLESS):
            if not ends:
                self._retelling.left_out(name, inside)
            return
        if ends:
            self._end(name)
            return
        attributes = attributes_of(inside) if inside.strip(" /\n") else {}
        quotation = quotation_of(name, attributes)
        marks = [*visibility(name, attributes, self._sheet), *([quotation] if quotation else [])]
        marks += ["pre:1"] if name == "pre" else []
        if name == "img":
            self.out.append(self._retelling.image(attributes, marks, self._sheet))
        else:
            self._start(name, attributes, marks)

    def _start(self, name: str, attributes: Mapping[str, str], marks: list[str]) -> None:
        kept = {
            key: value
            for key, value in self._retelling.attributes(name, attributes, self._sheet).items()
            if value
        }
        written = self._written(name, special=bool(marks or kept))
        if name not in _VOID | _SELF_CLOSING:
            room = self._formatting < MAX_FORMATTING if written in FORMATTING else self._depth < MAX_DEPTH
            if written and not room:
                self.unsure |= bool(marks)
                self.out.append("" if written in FORMATTING | {"span"} else "<br>")
                written = ""
            self._open.setdefault(name, []).append(written)
            self._count(written, 1)
        if written:
            attached = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
            self.out.append(f"<{written}{mark_of(marks)}{attached}>")

    def _written(self, name: str, *, special: bool) -> str:
        """The tag to write for one: formatting that hides is a span, for that has more room."""
        kept = name == "a" or name not in FORMATTING or not special
        if kept and name in self._retelling.tags and name != "span":
            return name
        return "div" if name in _BLOCKS else "span" if special else ""

    def _end(self, name: str) -> None:
        if name in _SELF_CLOSING:
            self.out.append(f"</{name}>")
        elif opened := self._open.get(name):
            written = opened.pop()
            self._count(written, -1)
            self.out.append(f"</{written}>" if written else "")

    def _count(self, written: str, step: int) -> None:
        if written in FORMATTING:
            self._formatting += step
        elif written:
            self._depth += step
