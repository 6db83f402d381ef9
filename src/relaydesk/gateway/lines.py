"""Which lines of an answer a help desk put there, by the rules of that desk.

A line is judged as a whole, and by where it stands: a person's own words, and what they quote, are never
taken apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relaydesk.classify import Pattern
    from relaydesk.gateway.rules import DeskRules

LONGEST_NOTE = 200


def text_lines(text: str) -> list[str | None]:
    """The lines of plain text, with single blanks; None for one that is quoted."""
    return [None if line.lstrip().startswith(">") else " ".join(line.split()) for line in text.split("\n")]


def outer_lines(lines: Sequence[str | None]) -> list[str]:
    """The first line that is not empty, and the last two."""
    written = [line for line in lines if line != ""]
    return [line for line in (*written[:1], *written[-2:]) if line is not None]


def taken_lines(lines: Sequence[str | None], desks: Iterable[DeskRules]) -> dict[int, str]:
    """The places of the lines that go, each with the name of the desk whose rule takes it."""
    taken: dict[int, str] = {}
    for desk in desks:
        for place, line in enumerate(lines):
            if line and any(pattern.fullmatch(line) for pattern in desk.lines):
                taken.setdefault(place, desk.name)
    for desk in desks:
        for places, patterns in ((range(len(lines)), desk.top), (range(len(lines))[::-1], desk.bottom)):
            taken |= dict.fromkeys(_edge(lines, places, patterns, taken), desk.name)
    return taken


def _edge(
    lines: Sequence[str | None], places: range, patterns: Sequence[Pattern], taken: dict[int, str]
) -> list[int]:
    """The lines that go from one end, up to the first that stays; each pattern takes one."""
    unused, edge = list(patterns), []
    for place in places:
        line = lines[place]
        if line == "" or place in taken:
            continue
        pattern = next((pattern for pattern in unused if line and pattern.fullmatch(line)), None)
        if pattern is None:
            break
        unused.remove(pattern)
        edge.append(place)
    return edge


def without_pieces(subject: str, desks: Iterable[DeskRules]) -> tuple[str, list[str]]:
    """The Subject without the pieces that the rules name, and a note about each."""
    notes = []
    for desk in desks:
        for pattern in desk.subject:
            for piece in reversed(list(pattern.finditer(subject))):
                notes.append(note(f"{desk.name}, Subject", subject[piece.start() : piece.end()]))
                subject = subject[: piece.start()] + subject[piece.end() :]
    return " ".join(subject.split()), notes


def note(rule: str, text: str) -> str:
    """What the ticket is told of something that was taken out: by which rule, and its words."""
    return f"{rule}: {text[:LONGEST_NOTE]}{'…' if len(text) > LONGEST_NOTE else ''}"
