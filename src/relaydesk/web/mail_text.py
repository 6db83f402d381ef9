"""The words of a mail as a page shows them: paragraphs, quotations, links that say where they lead.

Pure: what it gives are values of which a template makes HTML; nothing of a mail is markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from relaydesk.characters import harmless, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from relaydesk.message import Body

LONGEST = 6_000  # characters of one mail that a thread shows; "Show all" has the rest
LONGEST_WHOLE = 262_144
LONGEST_QUOTE = 2_000
PEEK = 160
LINKS = 50
_ADDRESS = re.compile(r"\bhttps?://[A-Za-z0-9][!#$%&()*+,\-./0-9:;=?@A-Z\[\]_a-z~]{2,1000}")
_BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n)+")
_END = ".,;:!?)]"
_SIGNED = re.compile(
    r"\b(?:Instagram|Facebook|Meta)\b.{0,20}\bteam|team\b.{0,20}\b(?:Instagram|Facebook|Meta)\b|"
    "\xe9quipe.{0,20}(?:Instagram|Facebook|Meta)|(?:Instagram|Facebook|Meta).{0,3}\u30c1\u30fc\u30e0",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of a paragraph: ``link`` is where it leads, ``marked`` a number that is asked about."""

    text: str
    link: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph; or what is folded away, under ``label``: a quotation, or what Meta's form wrote."""

    pieces: tuple[TextPiece, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail's text. ``cut`` says that more of it is shown elsewhere."""

    blocks: tuple[Block, ...] = ()
    peek: str = ""
    cut: bool = False

    @property
    def first(self) -> tuple[Block, ...]:
        """All but :attr:`folds`."""
        return self.blocks[: len(self.blocks) - len(self.folds)]

    @property
    def folds(self) -> tuple[Block, ...]:
        """What is folded away at the end: files stand before it."""
        return tuple(reversed([*takewhile(lambda block: block.label, reversed(self.blocks))]))


def mail_text(
    body: Body | None, *, whole: bool = False, marked: Collection[str] = (), buyer: str = ""
) -> MailText:
    """What a mail says. ``whole``: nothing is cut and nothing folded away; ``marked`` are numbers to show.

    ``buyer`` is whose words Meta's form hands on, "" where it is not proven to be Meta's: then nothing is
    taken for its form. Where all of a mail is quoted it is all shown, for a person must read something.
    """
    if body is None:
        return MailText()
    folds = not whole and bool(body.own.strip())
    room = LONGEST_WHOLE if whole else LONGEST
    blocks: list[Block] = []
    cut = False
    peek = ""
    around: list[str] = []
    for passage in body.passages:
        text = harmless(passage.text).strip("\n")
        if not text.strip():
            continue
        if passage.quoted and folds:
            blocks.append(_folded(text[:LONGEST_QUOTE], "Quoted text", text.count("\n") + 1))
            cut |= len(text) > LONGEST_QUOTE
            continue
        cut |= len(text) > room
        paragraphs = _paragraphs(text[:room])
        form, words = _parted(paragraphs, buyer) if buyer and folds else ([], paragraphs)
        blocks += (Block(tuple(_pieces(part, marked))) for part in words)
        around += form
        peek = peek or peek_of(" ".join(words))
        room = max(0, room - len(text))
    if around:
        lines = sum(part.count("\n") + 1 for part in around)
        blocks.append(_folded("\n\n".join(around), "Meta\u2019s form", lines))
    return MailText(tuple(blocks), peek or peek_of(body.text), cut)


def _folded(text: str, label: str, lines: int) -> Block:
    return Block(tuple(_pieces(text, ())), f"{label}, {lines} line{'s' * (lines > 1)}")


def _parted(paragraphs: Sequence[str], buyer: str) -> tuple[list[str], Sequence[str]]:
    """What Meta's form wrote around a buyer's words, and these: between the line that announces them by
    name ("alice wrote:") and the line that signs for its team."""
    announced = re.compile(rf"(?:.{{0,30}}\b)?{re.escape(buyer)}\b.{{0,30}}[:\uff1a]\s*", re.IGNORECASE)
    start = next(
        (place + 1 for place, part in enumerate(paragraphs) if announced.fullmatch(part.split("\n")[-1])), 0
    )
    end = len(paragraphs)
    if start and end > start + 1 and _SIGNED.search(paragraphs[-1].split("\n")[-1]):
        end -= 1
    if not paragraphs[start:end]:
        return [], paragraphs
    return [*paragraphs[:start], *paragraphs[end:]], paragraphs[start:end]


def plain_text(text: str, *, whole: bool = True) -> MailText:
    """An answer's or a note's text, which quotes nothing that is folded."""
    text = harmless(text).strip("\n")
    room = LONGEST_WHOLE if whole else LONGEST
    blocks = tuple(Block(tuple(_pieces(part, ()))) for part in _paragraphs(text[:room]))
    return MailText(blocks, peek_of(text), len(text) > room)


def peek_of(text: str) -> str:
    """The beginning of a text on one line."""
    return one_line(text[: 4 * PEEK])[:PEEK]


def _paragraphs(text: str) -> Sequence[str]:
    return [part.strip("\n") for part in _BLANK_LINES.split(text) if part.strip()]


def _pieces(text: str, marked: Collection[str]) -> Iterator[TextPiece]:
    at = 0
    for count, hit in enumerate(_ADDRESS.finditer(text)):
        if count >= LINKS:
            break
        address = hit[0].rstrip(_END)
        yield from _marked(text[at : hit.start()], marked)
        yield TextPiece(address, link=address)
        at = hit.start() + len(address)
    yield from _marked(text[at:], marked)


def _marked(text: str, marked: Collection[str]) -> Iterator[TextPiece]:
    if not marked:
        if text:
            yield TextPiece(text)
        return
    pattern = "|".join(re.escape(value) for value in sorted(marked, key=len, reverse=True))
    for number, part in enumerate(re.split(rf"\b({pattern})\b", text)):
        if part:
            yield TextPiece(part, marked=bool(number % 2))
