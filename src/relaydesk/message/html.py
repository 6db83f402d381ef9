"""HTML of a message: made safe to show, without what it hides, and turned into passages of text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import nh3
from selectolax.lexbor import LexborHTMLParser

from relaydesk.message.charsets import readable
from relaydesk.message.look import Look
from relaydesk.message.markup import (
    FORMATTING,
    MARK,
    MAX_LETTER,
    MAX_LETTER_TAGS,
    TAGS,
    UNSEEN,
    Retelling,
    rewritten,
)
from relaydesk.message.quotes import OWN, QUOTED, parted
from relaydesk.message.unreadable import hostile_bytes

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from relaydesk.message.message import Passage

_LINES = TAGS - FORMATTING - {"span", "td", "th"}
_PARAGRAPHS = {"p", "blockquote", "pre", "ul", "ol", "dl", "h1", "h2", "h3", "h4", "h5", "h6"}
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a person sees of HTML. ``html`` is safe to show: text, tables, lists and links.

    ``passages`` are its text, a line for each block and table row, a tab between cells; ``anchors`` the
    targets of its links, each with whether it is quoted; ``hides`` says that some text is in none of
    these because its style hides it.
    """

    html: str = ""
    passages: tuple[Passage, ...] = ()
    anchors: tuple[tuple[str, bool], ...] = ()
    hides: bool = False

    @property
    def text(self) -> str:
        return "\n".join(passage.text for passage in self.passages)


def read(source: str) -> Rendering:
    """The page that HTML shows; reads at most :data:`relaydesk.message.markup.MAX_HTML` characters."""
    walk, body = _walk(source, Retelling())
    if body is None:
        return Rendering()
    for node in walk.hidden:
        node.decompose()
    with hostile_bytes():
        html = nh3.clean(
            body.inner_html or "",
            tags=TAGS,
            clean_content_tags=UNSEEN,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    return Rendering(readable(html), *walk.lines.read(), bool(walk.hidden))


class _WholeText(Retelling):
    most_characters = MAX_LETTER
    most_tags = MAX_LETTER_TAGS
    images = False


def visible_text(source: str) -> str:
    """The text that a reader of this HTML sees, a line for each block, without the words of images.

    Reads at most :data:`relaydesk.message.markup.MAX_LETTER` characters.

    :raises Unreadable: when the parser fails on it.
    """
    walk, _ = _walk(source, _WholeText())
    passages, _ = walk.lines.read()
    return "\n".join(passage.text for passage in passages)


def _walk(source: str, retelling: Retelling) -> tuple[_Walk, LexborNode | None]:
    markup = rewritten(source, retelling)
    with hostile_bytes():
        body = LexborHTMLParser(markup).body
    walk = _Walk()
    if body is not None:
        walk.through(body)
    return walk, body


class _TextLines:
    """Text as it comes, written as lines; no two blank lines in a row."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._levels: list[int] = []
        self._cells: list[str] = []
        self._pieces: list[str] = []
        self.level = OWN
        self.begun = False
        self._gap = False
        # Each target, its level and the number of its line.
        self._anchors: list[tuple[str, int, int]] = []
        self._waiting: list[tuple[str, int]] = []

    def anchor(self, target: str, level: int) -> None:
        """A link; it is on the line of the text that comes next."""
        self._waiting.append((target, level))

    def text(self, text: str, level: int) -> None:
        if level != self.level:
            self.line()
            self.level = level
        self._pieces.append(readable(text))  # what entities stood for
        self.begun |= bool(text.strip())

    def cell(self) -> None:
        self._cells.append(_SPACE.sub(" ", "".join(self._pieces)).strip())
        self._pieces = []

    def line(self, *, empty: bool = False) -> None:
        """End the line; one without text counts only where a tag asks for an empty one."""
        self.cell()
        text = "\t".join(self._cells).strip("\t")
        self._cells = []
        if text:
            if self._gap and self._lines and self._lines[-1]:
                self._put("", self._levels[-1])
            self._put(text, self.level)
            self._gap = False
        self._gap |= empty and not text

    def paragraph(self) -> None:
        self.line(empty=True)
        self._gap = True

    def _put(self, text: str, level: int) -> None:
        if text:
            self._anchored()
        self._lines.append(text)
        self._levels.append(level)

    def _anchored(self) -> None:
        self._anchors += [(target, level, len(self._lines)) for target, level in self._waiting]
        self._waiting = []

    def read(self) -> tuple[tuple[Passage, ...], tuple[tuple[str, bool], ...]]:
        """The passages, and the links with whether they are quoted."""
        self.line()
        self._anchored()
        passages = parted(self._lines, self._levels) if self._lines else ()
        quoted = [passage.quoted for passage in passages for _ in passage.text.split("\n")]
        quoted.append(quoted[-1] if quoted else False)
        return passages, tuple((target, level == QUOTED or quoted[at]) for target, level, at in self._anchors)


class _Walk:
    """Through a tree in the order of its text: its lines, and the nodes that are hidden."""

    def __init__(self) -> None:
        self.lines = _TextLines()
        self.hidden: list[LexborNode] = []
        self._rest = OWN

    def through(self, body: LexborNode) -> None:
        todo: list[tuple[LexborNode, Look | None]] = [(body, Look())]
        while todo:
            node, look = todo.pop()
            if look is None:
                self._edge(node.tag or "")
            elif node.is_text_node:
                self._text(node, look)
            elif node.is_element_node:
                marks = (node.attributes.get(MARK) or "").split()
                if "gone" in marks:
                    self.hidden.append(node)
                    continue
                look = look.inside(marks)
                self._edge(node.tag or "", starts=True)
                if (target := node.attributes.get("href")) and look.shows:
                    self.lines.anchor(target, max(look.level, self._rest))
                todo.append((node, None))
                todo += reversed(self._children(node, look, boxed="box" in marks))
                if "cut" in marks:
                    self._rest = QUOTED

    def _children(self, node: LexborNode, look: Look, *, boxed: bool) -> list[tuple[LexborNode, Look | None]]:
        """Nodes and looks. In a box with a quotation answers may stand below that; all may be in a box."""
        children = list(node.iter(include_text=True))
        if not boxed:
            return [(child, look) for child in children]
        last = len(children) if self.lines.begun else -1
        first = next((at for at, child in enumerate(children) if child.tag == "blockquote"), last)
        quoted = replace(look, level=QUOTED)
        return [(child, quoted if at <= first else look) for at, child in enumerate(children)]

    def _edge(self, tag: str, *, starts: bool = False) -> None:
        if tag == "br":
            if starts:
                self.lines.line(empty=True)
        elif tag in ("td", "th"):
            if not starts:
                self.lines.cell()
        elif tag in _PARAGRAPHS:
            self.lines.paragraph()
        elif tag in _LINES:
            self.lines.line()

    def _text(self, node: LexborNode, look: Look) -> None:
        text = node.text_content or ""
        if text.strip() and not look.shows:
            self.hidden.append(node)
            return
        level = max(look.level, self._rest) if text.strip() else self.lines.level
        pieces = text.split("\n") if look.kept else [text]
        for number, piece in enumerate(pieces):
            if number:
                self.lines.line(empty=True)
            self.lines.text(piece, level)
