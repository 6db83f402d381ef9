"""The report as a page that needs nothing else, fit to be printed: the desk's own page without the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from relaydesk.report.view import CONSTANTS, FILTERS, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from relaydesk.report.figures import Report

STYLES = ("desk/static/tokens.css", "desk/static/desk.css", "desk/static/report.css")


def html(report: Report, out: TextIO, templates: Path) -> None:
    """No script, no outside resource; every figure opens to the numbers of its tickets."""
    room = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= FILTERS
    room.globals |= CONSTANTS
    style = "\n".join((templates / name).read_text(encoding="utf-8") for name in STYLES)
    page = room.get_template("report/sla.html").stream(
        report=report, view=view_of(report), base="", style=style
    )
    for piece in cast("Iterator[str]", page):
        out.write(piece)
