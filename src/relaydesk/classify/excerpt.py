"""A line of what a customer wrote, for lists: without Meta's form around it and without what they quoted.

Meta's mail hands a buyer's words on: labelled lines before them, a line that announces them by name
("alice wrote:"), and one that signs for its team. What is taken for the form is only left out of the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.characters import one_line

if TYPE_CHECKING:
    from relaydesk.events import Kind
    from relaydesk.message import Message

LONGEST = 140  # characters
_READ = 6_000  # characters of a text that are looked at
_NEAR = 30  # characters around the name in the line that announces
_BLANK_LINES = re.compile(r"\n[ \t\xa0]*\n")
_COLONS = (":", "\uff1a")
_SIGNED = re.compile(
    r"\b(?:Instagram|Facebook|Meta)\b.{0,20}\bteam|team\b.{0,20}\b(?:Instagram|Facebook|Meta)\b|"
    "\xe9quipe.{0,20}(?:Instagram|Facebook|Meta)|(?:Instagram|Facebook|Meta).{0,3}\u30c1\u30fc\u30e0",
    re.IGNORECASE,
)


def excerpt_of(message: Message, kind: Kind, buyer: str) -> str:
    """The beginning of the customer's words on one line; of a notice, and of what no rule knows, its Subject.

    ``buyer`` is whose words Meta's form hands on, "" for nobody's.
    """
    paragraphs = [part.strip() for part in _BLANK_LINES.split(message.own[:_READ]) if part.strip()]
    words = _line(" ".join(_words(paragraphs, buyer))) if kind == "case" else ""
    return words or _line(message.subject)


def _words(paragraphs: list[str], buyer: str) -> list[str]:
    start = next((n + 1 for n, part in enumerate(paragraphs) if _announces(part, buyer)), 0) if buyer else 0
    words = paragraphs[start:]
    if start and len(words) > 1 and _SIGNED.search(words[-1].rsplit("\n", 1)[-1][:200]):
        words.pop()
    return words or paragraphs


def _announces(paragraph: str, buyer: str) -> bool:
    line = paragraph.rsplit("\n", 1)[-1].strip()
    if not line.endswith(_COLONS) or len(line) > len(buyer) + 2 * _NEAR:
        return False
    return buyer.casefold() in line.casefold()


def _line(text: str) -> str:
    """The beginning of a text on one line, with nothing in it that turns or hides what stands beside it."""
    line = one_line(text[: 8 * LONGEST])
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "\u2026"
