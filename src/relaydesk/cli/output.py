"""How commands print: JSON for programs, words for people, colours only on a terminal.

Every word of a command goes out through :func:`say` or :func:`print_json`, so that nothing a sender wrote
can steer a terminal or turn a line round, whoever stored it and when.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

import click

from relaydesk.characters import harmless, json_escaped

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Alarm(str):
    """Words in red: overdue, failed."""

    __slots__ = ()
    sgr = "31"


class Heading(str):
    """Words in bold."""

    __slots__ = ()
    sgr = "1"


class Faint(str):
    """Words that may be read last."""

    __slots__ = ()
    sgr = "2"


def say(*pieces: str, err: bool = False) -> None:
    """One line, or several, on standard output (or error), each piece in its own style.

    An error that cannot be said (its reader is gone) is no second one: the exit status tells it.
    """
    styled = is_terminal(err=err) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    with contextlib.suppress(*(OSError, ValueError) if err else ()):
        click.echo("".join(_painted(piece, styled=styled) for piece in pieces), err=err, color=styled)


def is_terminal(*, err: bool = False) -> bool:
    """Whether a person looks at standard output (or error)."""
    return (sys.stderr if err else sys.stdout).isatty()


def width() -> int | None:
    """Columns of the terminal, None where the output goes to a file or another program."""
    import shutil

    return shutil.get_terminal_size().columns if is_terminal() else None


def _painted(piece: str, *, styled: bool) -> str:
    sgr = getattr(piece, "sgr", "")
    text = harmless(piece)
    return f"\x1b[{sgr}m{text}\x1b[0m" if styled and sgr and text.strip() else text


def print_json(value: Any) -> None:
    """One JSON value on standard output; times as ISO 8601, non-ASCII as it is.

    What could steer a terminal is escaped: the value stays as it was.
    """
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf8")
    text = json.dumps(value, indent=2, ensure_ascii=not utf8, default=_plain)
    click.echo(json_escaped(text))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def open_output() -> None:
    """Makes standard output and error take any text, wherever they lead.

    What the terminal's charset lacks is printed as ``?``, instead of ending the command. A stream that the
    caller closed (``>&-``) takes everything and keeps nothing: else the first file or socket that is opened
    would get its number, and with it what libraries write there.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # the lowest number that is free is this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Standard output leads nowhere from now on: what is still buffered cannot be written either."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
