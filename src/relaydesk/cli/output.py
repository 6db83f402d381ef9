"""How commands print: JSON for programs, tables for people, colours only on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """One JSON value on standard output; times as ISO 8601, non-ASCII as it is."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A table on standard output, fitted to a terminal, or the sentence ``empty`` when there are no rows."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not cells:
        click.echo(empty)
    elif sys.stdout.isatty():
        _print_fitted(title, columns, cells)
    else:
        _print_plain(title, columns, cells)


def _print_fitted(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box  # heavy, and needed only on a terminal
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(file=sys.stdout).print(table)


def _print_plain(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """For a file or another program: whole lines, however wide."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    click.echo(title)
    for row in (columns, ["-" * width for width in widths], *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def left(due: datetime | None, now: datetime) -> str:
    """What is left until a deadline, at a fixed width: ``1 d 04:20``, ``-0 d 02:05`` once it passed."""
    if due is None:
        return "no clock"
    minutes = int(abs(due - now).total_seconds()) // 60
    return f"{'-' if due < now else ''}{minutes // 1440} d {minutes // 60 % 24:02}:{minutes % 60:02}"


def local(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant in the desk's zone, with the zone's short name."""
    return instant.astimezone(zone).strftime("%a %d %b %H:%M %Z") if instant is not None else "-"
