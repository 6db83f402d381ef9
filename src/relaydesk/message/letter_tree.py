"""The tree of a letter: what in it a person sees, line by line, and the text that says the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from relaydesk.message.colours import LENGTH, alike, contrast
from relaydesk.message.look import Look
from relaydesk.message.markup import FORMATTING, MARK
from relaydesk.message.styles import LINK, declarations

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from selectolax.lexbor import LexborHTMLParser, LexborNode

INLINE = FORMATTING | {"span", "sub", "sup", "img"}
LEAST_SIZE = 5.0
"""Pixels; text below it cannot be read."""
LEAST_CONTRAST = 1.15
"""By WCAG; yellow on white has 1.07. Text below it gets another background."""
_GROUNDS = ("ffffff", "444444")
_NORMAL_SIZE = 16.0
_PIXELS = {
    "": 1,
    "px": 1,
    "pt": 4 / 3,
    "rem": 16,
    "ex": 8,
    "ch": 8,
    "in": 96,
    "cm": 37.8,
    "mm": 3.78,
    "pc": 16,
}
_SMALLER = {"small", "sub", "sup"}


def walked(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """All texts and elements below ``root`` in order, an element twice: with True where it begins."""
    todo = [(child, True) for child in reversed(list(root.iter(include_text=True)))]
    while todo:
        node, begins = todo.pop()
        if not (node.is_text_node or node.is_element_node):
            continue
        yield node, begins
        if begins and node.is_element_node:
            todo.append((node, False))
            todo += [(child, True) for child in reversed(list(node.iter(include_text=True)))]


def is_edge(node: LexborNode) -> bool:
    """Whether a line ends where this element begins or ends."""
    return node.tag not in INLINE or "display:block" in (node.attributes.get("style") or "")


@lru_cache(maxsize=1_024)
def _declared(style: str) -> Mapping[str, str]:
    return declarations(style)


@dataclass(slots=True)
class LetterLine:
    """What stands between two block tags or line breaks; ``text`` with single blanks."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class _Print:
    """How text of the letter looks: by what its source says, and by what the letter itself has of that."""

    source: Look = Look()  # noqa: RUF009 - frozen
    colour: str = "000000"
    ground: str = "ffffff"
    size: float = _NORMAL_SIZE
    quotes: int = 0
    gone: bool = False

    def inside(self, node: LexborNode) -> _Print:
        marks = (node.attributes.get(MARK) or "").split()
        style = _declared(node.attributes.get("style") or "")
        colour = LINK if node.tag == "a" and node.attributes.get("href") else self.colour
        named = style.get("color", "")
        return replace(
            self,
            source=self.source.inside(marks),
            colour=self.colour if named == "inherit" else named.removeprefix("#") or colour,
            ground=style.get("background-color", "").removeprefix("#") or self.ground,
            size=self._sized(node, style.get("font-size", "")),
            quotes=self.quotes + (node.tag == "blockquote"),
            gone=self.gone or "gone" in marks,
        )

    def _sized(self, node: LexborNode, value: str) -> float:
        match = LENGTH.fullmatch(value)
        if match is None:
            return self.size * (0.83 if node.tag in _SMALLER else 1)
        number, unit = float(match[1]), match[2]
        return number * (self.size * {"em": 1, "%": 0.01}.get(unit, 0) or _PIXELS.get(unit, _NORMAL_SIZE))

    @property
    def shows(self) -> bool:
        readable = self.size >= LEAST_SIZE and not alike(self.colour, self.ground)
        return self.carries and self.source.shows and readable

    @property
    def carries(self) -> bool:
        """Whether an image is seen here."""
        return not self.gone and self.source.visible

    @property
    def lacks_ground(self) -> bool:
        """Whether text that its source shows cannot be read on its background, as the letter has it."""
        return self.source.shows and contrast(self.colour, self.ground) < LEAST_CONTRAST

    @property
    def other_ground(self) -> str:
        """A background on which its colour can be read."""
        return max(_GROUNDS, key=lambda ground: contrast(self.colour, ground))


def _grounded(look: _Print, node: LexborNode) -> _Print:
    """The look of an element, which gets a background where its text would else be lost."""
    if not look.lacks_ground:
        return look
    style = node.attributes.get("style") or ""
    node.attrs["style"] = f"{style};background-color:#{look.other_ground}".lstrip(";")
    return replace(look, ground=look.other_ground)


class LetterTree:
    """A letter's tree without what is hidden, and the lines of what is left."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.lines: list[LetterLine] = []
        self.hidden: list[str] = []
        self._body = tree.body
        self._nodes: list[list[LexborNode]] = []
        self._pieces: list[str] = []
        if self._body is not None:
            self._read(self._body)

    def source(self, without: Container[int]) -> str:
        """The markup, without the text of these lines."""
        for place, nodes in enumerate(self._nodes):
            if place in without:
                for node in nodes:
                    node.decompose()
        return (self._body.inner_html or "") if self._body is not None else ""

    def _read(self, body: LexborNode) -> None:
        prints = [_Print()]
        lost: list[LexborNode] = []
        self._line(quoted=False)
        for node, begins in walked(body):
            if node.is_text_node:
                self._text(node, prints[-1], lost)
                continue
            if begins:
                prints.append(_grounded(prints[-1].inside(node), node))
                if node.tag == "img" and not prints[-1].carries:
                    lost.append(node)
            else:
                prints.pop()
            if is_edge(node):
                self._line(quoted=prints[-1].quotes > 0)
        self._closed()
        for node in lost:
            node.decompose()

    def _text(self, node: LexborNode, look: _Print, lost: list[LexborNode]) -> None:
        text = node.text_content or ""
        if not text.strip():
            self._pieces.append(text)
        elif not look.shows:
            lost.append(node)
            self.hidden.append(" ".join(text.split()))
        else:
            self._nodes[-1].append(node)
            self._pieces.append(text)

    def _line(self, *, quoted: bool) -> None:
        self._closed()
        self.lines.append(LetterLine("", quoted))
        self._nodes.append([])

    def _closed(self) -> None:
        if self.lines:
            self.lines[-1].text = " ".join("".join(self._pieces).split())
        self._pieces = []
