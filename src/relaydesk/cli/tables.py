"""Lists: whole in a file or a pipe; on a terminal a row a line, made to fit.

What does not fit is first cut with ``…`` in the columns that bear it, then the columns that matter least are
left out. Widths are counted in cells: a Chinese character takes two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.cli.output import Faint, Heading, one_line, say, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

GAP = 2  # blanks between two columns
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: ``least`` cells when it is cut (0: never), and how soon it is left out.

    The highest ``rank`` goes first; 0 stays always.
    """

    name: str
    least: int = 0
    rank: int = 0
    right: bool = False


def print_table(
    title: str, columns: Sequence[Column | str], rows: Iterable[Sequence[object]], empty: str
) -> None:
    """A list on standard output, or the sentence ``empty`` when there are no rows."""
    heads = [column if isinstance(column, Column) else Column(column) for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        say(empty)
        return
    room = width()
    if room is None:
        _print(title, heads, cells, [max(map(len, c)) for c in zip(_names(heads), *cells, strict=True)], len)
        return
    from rich.cells import cell_len  # needed only on a terminal

    natural = [max(map(cell_len, c)) for c in zip(_names(heads), *cells, strict=True)]
    widths = fitted(heads, natural, room)
    shown = [place for place, cells_wide in enumerate(widths) if cells_wide]
    _print(
        title,
        [heads[place] for place in shown],
        [[row[place] for place in shown] for row in cells],
        [widths[place] for place in shown],
        cell_len,
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = one_line(str(value))
    return type(value)(text) if isinstance(value, str) and type(value) is not str else text


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns]


def fitted(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    """The width of each column so that a row takes at most ``room`` cells; 0 for one that is left out."""
    shown = [place for place, cells in enumerate(natural) if cells]
    while True:
        widths = {place: natural[place] for place in shown}
        over = sum(widths.values()) + GAP * (len(shown) - 1) - room
        bearing = {place: columns[place].least for place in shown if columns[place].least}
        over = _cut(widths, bearing, over)
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


def _print(
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    measure: Callable[[str], int],
) -> None:
    say(Heading(title))
    _row(columns, [Heading(name) for name in _names(columns)], widths, measure)
    say(Faint("  ".join("-" * cells for cells in widths)))
    for row in rows:
        _row(columns, row, widths, measure)


def _row(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], measure: Callable[[str], int]
) -> None:
    pieces: list[str] = []
    pending = 0  # blanks before the next piece: none are printed at the end of a line
    for column, cell, cells in zip(columns, row, widths, strict=True):
        text = cell if measure(cell) <= cells else _shortened(cell, cells)
        blank = cells - measure(text)
        before = pending + (blank if column.right else 0)
        if text:
            pieces += [" " * before, type(cell)(text)]
            pending = GAP + (0 if column.right else blank)
        else:
            pending += cells + GAP
    say(*pieces)


def _shortened(cell: str, cells: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(cell, cells - 1).rstrip() + ELLIPSIS if cells > 1 else ELLIPSIS
