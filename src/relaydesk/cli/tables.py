"""Lists: whole in a file or a pipe; on a terminal a row a line, made to fit.

What does not fit is first cut with ``…`` in the columns that bear it, then the columns that matter least are
left out. Widths are counted in cells: a Chinese character takes two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.characters import one_line
from relaydesk.cli.output import Faint, Heading, say, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

GAP = 2  # blanks between two columns
PADDED = (
    60  # characters to which a pipe's columns are lined up: one monstrous Subject must not widen every row
)
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: ``least`` cells when it is cut (0: never), and how soon it is left out.

    The highest ``rank`` goes first; 0 stays always. A column is not cut below its name.
    """

    name: str
    least: int = 0
    rank: int = 0
    right: bool = False


def print_table(
    title: str, columns: Sequence[Column | str], rows: Iterable[Sequence[object]], empty: str
) -> None:
    """A list on standard output, or the sentence ``empty`` when there are no rows.

    A column without a name holds signs: other columns say the same in words, so only a terminal shows it.
    There a column that may be left out is, when no row has anything in it.
    """
    heads = [column if isinstance(column, Column) else Column(column) for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        say(empty)
        return
    by_column = list(zip(*cells, strict=True))
    room = width()
    measure = len if room is None else _cells()
    widths = [
        max(map(measure, (head.name, *texts))) if _is_shown(head, texts, room) else 0
        for head, texts in zip(heads, by_column, strict=True)
    ]
    widths = fitted(heads, widths, room) if room is not None else [min(w, PADDED) for w in widths]
    shortened = _shortened if room is not None else None
    say(Heading(title))
    names: list[str] = [Heading(head.name) for head in heads]
    rules: list[str] = [Faint("-" * cells_wide) for cells_wide in widths]
    for row in (names, rules, *cells):
        _print_row(heads, row, widths, measure, shortened)


def _cells() -> Callable[[str], int]:
    from rich.cells import cell_len  # needed only on a terminal

    return cell_len


def _is_shown(column: Column, texts: Sequence[str], room: int | None) -> bool:
    if room is None:
        return bool(column.name)
    return not column.rank or any(text not in ("", "-") for text in texts)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = one_line(str(value))
    return type(value)(text) if isinstance(value, str) and type(value) is not str else text


def fitted(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    """The width of each column so that a row takes at most ``room`` cells; 0 for one that is left out."""
    shown = [place for place, cells in enumerate(natural) if cells]
    while True:
        widths = {place: natural[place] for place in shown}
        over = sum(widths.values()) + GAP * (len(shown) - 1) - room
        least = {
            place: max(columns[place].least, len(columns[place].name))
            for place in shown
            if columns[place].least
        }
        over = _cut(widths, least, over)
        droppable = [place for place in shown if columns[place].rank]
        if over <= 0 or not droppable:
            break
        shown.remove(max(droppable, key=lambda place: columns[place].rank))
    _cut(widths, dict.fromkeys(shown, 1), over)
    return [widths.get(place, 0) for place in range(len(columns))]


def _cut(widths: dict[int, int], least: dict[int, int], over: int) -> int:
    """Takes ``over`` cells from the widest columns that bear it; what could not be taken."""
    while over > 0:
        bearing = [place for place in least if widths[place] > least[place]]
        if not bearing:
            break
        widths[max(bearing, key=lambda place: widths[place])] -= 1
        over -= 1
    return over


def _print_row(
    columns: Sequence[Column],
    row: Sequence[str],
    widths: Sequence[int],
    measure: Callable[[str], int],
    shortened: Callable[[str, int], str] | None,
) -> None:
    """One line. A cell that is too wide is ``shortened``; without that it is whole, and moves the rest."""
    pieces: list[str] = []
    blanks = 0  # before the next piece: none are printed at the end of a line
    for column, cell, cells in zip(columns, row, widths, strict=True):
        if not cells:
            continue
        text = shortened(cell, cells) if shortened and measure(cell) > cells else cell
        rest = max(cells - measure(text), 0)
        if text:
            pieces += [" " * (blanks + rest * column.right), type(cell)(text)]
            blanks = GAP + rest * (not column.right)
        else:
            blanks += cells + GAP
    say(*pieces)


def _shortened(cell: str, cells: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(cell, cells - 1).rstrip() + ELLIPSIS
