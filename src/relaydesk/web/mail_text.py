"""The words of a mail as a page shows them: paragraphs, quotations, links that say where they lead.

Pure: what it gives are values of which a template makes HTML; nothing of a mail is markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.characters import harmless, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from relaydesk.message import Body

LONGEST = 6_000  # characters of one mail that a thread shows; "Show all" has the rest
LONGEST_WHOLE = 262_144
LONGEST_QUOTE = 3_000
PEEK = 160
LINKS = 50
_ADDRESS = re.compile(r"\bhttps?://[A-Za-z0-9][!#$%&()*+,\-./0-9:;=?@A-Z\[\]_a-z~]{2,1000}")
_BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n)+")
_END = ".,;:!?)]"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph: ``link`` is where it leads, ``marked`` a number that is asked about."""

    text: str
    link: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a quotation with the number of its lines."""

    pieces: tuple[Piece, ...]
    quoted: bool = False
    lines: int = 1


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail's text. ``cut`` says that more of it is shown elsewhere."""

    blocks: tuple[Block, ...] = ()
    peek: str = ""
    cut: bool = False


def mail_text(body: Body | None, *, whole: bool = False, marked: Collection[str] = ()) -> MailText:
    """What a mail says. ``whole``: nothing is cut and nothing folded away; ``marked`` are numbers to show.

    Where all of it is quoted it is all shown, for a person must read something.
    """
    if body is None:
        return MailText()
    folds = not whole and bool(body.own.strip())
    room = LONGEST_WHOLE if whole else LONGEST
    blocks: list[Block] = []
    cut = False
    for passage in body.passages:
        text = harmless(passage.text).strip("\n")
        if not text.strip():
            continue
        if passage.quoted and folds:
            blocks.append(Block(tuple(_pieces(text[:LONGEST_QUOTE], ())), True, text.count("\n") + 1))
            cut |= len(text) > LONGEST_QUOTE
            continue
        cut |= len(text) > room
        blocks += (Block(tuple(_pieces(part, marked))) for part in _paragraphs(text[:room]))
        room = max(0, room - len(text))
    return MailText(tuple(blocks), peek_of(body.own if body.own.strip() else body.text), cut)


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


def _pieces(text: str, marked: Collection[str]) -> Iterator[Piece]:
    at = 0
    for count, hit in enumerate(_ADDRESS.finditer(text)):
        if count >= LINKS:
            break
        address = hit[0].rstrip(_END)
        yield from _marked(text[at : hit.start()], marked)
        yield Piece(address, link=address)
        at = hit.start() + len(address)
    yield from _marked(text[at:], marked)


def _marked(text: str, marked: Collection[str]) -> Iterator[Piece]:
    if not marked:
        if text:
            yield Piece(text)
        return
    pattern = "|".join(re.escape(value) for value in sorted(marked, key=len, reverse=True))
    for number, part in enumerate(re.split(rf"\b({pattern})\b", text)):
        if part:
            yield Piece(part, marked=bool(number % 2))
