"""Lines folded to the terminal; whole in a file or a pipe. Widths are counted in cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.characters import harmless
from relaydesk.cli.output import say, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

NARROWEST = 20  # cells: a narrower column cannot be read


def say_folded(lead: str, *pieces: str, column: int | None = None) -> None:
    """One line that begins with ``lead``; what does not fit goes on below, from ``column`` on.

    ``column`` is the end of ``lead`` where it is not given. Each piece keeps its style.
    """
    cells = width()
    if cells is None:
        say(lead, *pieces)
        return
    from rich.text import Text  # needed only on a terminal

    text = Text()
    for place, piece in enumerate(pieces):
        text.append(harmless(piece), style=str(place))
    if len(lead) + text.cell_len <= cells:
        say(lead, *pieces)
        return
    column = min(len(lead) if column is None else column, max(0, cells - NARROWEST))
    for place, line in enumerate(_wrapped(text, cells - max(len(lead), column))):
        line.rstrip()
        spans = [(type(pieces[int(str(span.style))]), span) for span in line.spans]
        say(
            " " * column if place else lead,
            *(style(line.plain[span.start : span.end]) for style, span in spans),
        )


def folded_text(text: str, indent: int) -> Iterator[str]:
    """The lines of a text that stands ``indent`` cells from the edge."""
    cells = width()
    if cells is None:
        yield from text.split("\n")
        return
    from rich.text import Text

    room = max(NARROWEST, cells - indent)
    for line in text.expandtabs().split("\n"):
        yield from (part.plain for part in _wrapped(Text(line), room)) if line.strip() else ("",)


def _wrapped(text: Text, room: int) -> Iterator[Text]:
    from rich.console import Console

    yield from text.wrap(Console(width=room), room)
