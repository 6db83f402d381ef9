"""A finished letter as plain text: its lines, what they quote, its lists, and where its links lead."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from relaydesk.message.charsets import readable
from relaydesk.message.letter_tree import is_edge, walked
from relaydesk.message.unreadable import hostile_bytes

_PARAGRAPHS = {"p", "blockquote", "pre", "ul", "ol", "dl", "table", "hr",
               "h1", "h2", "h3", "h4", "h5", "h6"}  # fmt: skip
_LISTS = {"ul", "ol"}
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_MAX_INDENT = 4


def letter_text(html: str) -> str:
    """The text of a letter of ours, for readers of plain text.

    :raises Unreadable: when the parser fails on it.
    """
    with hostile_bytes():
        body = LexborHTMLParser(html).body
    lines = _PlainLines()
    for node, begins in walked(body) if body is not None else ():
        tag = node.tag or ""
        if node.is_text_node:
            lines.text(node.text_content or "")
        elif tag == "br" and begins:
            lines.end(empty=True)
        elif tag == "img" and begins:
            lines.image(node.attributes.get("alt") or "")
        elif tag == "a":
            lines.link(node.attributes.get("href") or "", begins=begins)
        elif tag in ("td", "th") and not begins:
            lines.cell()
        elif is_edge(node) and tag not in ("td", "th", "br", "img"):
            lines.block(tag, begins=begins)
        if tag == "pre" or "white-space:pre" in (node.attributes.get("style") or ""):
            lines.kept += 1 if begins else -1
    return lines.finished()


class _PlainLines:
    """Lines as they are written; nested quotations and lists are marked at the left."""

    def __init__(self) -> None:
        self.kept = 0  # open elements whose line breaks count
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._cells: list[str] = []
        self._quotes = 0
        # Of each open list the number of its next item, None for bullets; and what stands before a line.
        self._lists: list[int | None] = []
        self._bullet = ""
        self._anchors: list[int] = []

    def text(self, text: str) -> None:
        text = readable(text)
        if not self.kept:
            self._pieces.append(_SPACE.sub(" ", text))
            return
        for number, piece in enumerate(text.split("\n")):
            if number:
                self.end(empty=True)
            self._pieces.append(piece)

    def image(self, words: str) -> None:
        if words.strip():
            self._pieces.append(f"[{' '.join(words.split())}]")

    def link(self, target: str, *, begins: bool) -> None:
        """A link's target stands behind its words, unless it is what they say."""
        if begins:
            self._anchors.append(len(self._pieces))
            return
        start = self._anchors.pop() if self._anchors else 0
        words = "".join(self._pieces[start:]).strip()
        target = target.removeprefix("mailto:").removeprefix("tel:")
        if target and _bare(target) != _bare(words):
            self._pieces.append(f" <{target}>" if words else f"<{target}>")

    def cell(self) -> None:
        self._cells.append(
            " ".join("".join(self._pieces).split()) if not self.kept else "".join(self._pieces)
        )
        self._pieces = []
        self._anchors = [0] * len(self._anchors)

    def block(self, tag: str, *, begins: bool) -> None:
        """The beginning or end of an element that is a line or more."""
        self.end()
        if not begins:
            self._quotes -= tag == "blockquote"
            self._lists[-1:] = [] if tag in _LISTS else self._lists[-1:]
        if tag in _PARAGRAPHS and not (tag in _LISTS and self._lists):
            self._gap()
        if begins:
            self._quotes += tag == "blockquote"
            self._lists += [1 if tag == "ol" else None] if tag in _LISTS else []
            if tag == "li":
                self._item()

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        self._bullet = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1

    def end(self, *, empty: bool = False) -> None:
        """Ends the line; one without text counts only where a line break asks for it."""
        self.cell()
        text = "\t".join(self._cells).rstrip() if any(self._cells) else ""
        self._cells = []
        if text or (empty and not self._bullet):
            indent = "  " * min(max(len(self._lists) - 1, 0), _MAX_INDENT) if self._lists else ""
            self._put(f"{indent}{self._bullet}{text}" if text else "")
            self._bullet = ""

    def _gap(self) -> None:
        """An empty line, as deep in quotations as the outer of its neighbours."""
        if self._lines and not self._lines[-1].strip("> "):
            self._lines.pop()
        if self._lines:
            self._put("")

    def _put(self, text: str) -> None:
        self._lines.append(f"{'> ' * min(self._quotes, _MAX_INDENT)}{text}".rstrip())

    def finished(self) -> str:
        self.end()
        return "\n".join(self._lines).strip("\n")


def _bare(address: str) -> str:
    return address.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
