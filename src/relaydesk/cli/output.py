"""How commands print: JSON for programs, words for people, colours only on a terminal.

Every word of a command goes out through :func:`say` or :func:`print_json`, so that nothing a sender wrote
can steer a terminal or turn a line round, whoever stored it and when.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

# C0 and C1 (U+009B is CSI, as ESC [), line and paragraph separators, interlinear marks, lone surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ud800-\udfff]")
# Marks, embeddings, overrides and isolates of direction (UAX #9 §2): what they order is not what is stored.
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ESCAPED = re.compile(f"{_CONTROL.pattern}|{_DIRECTION.pattern}")


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


def harmless(text: str) -> str:
    """Text that moves no cursor and turns no line: controls become U+FFFD, marks of direction go."""
    text = text.replace("\r\n", "\n")
    return _DIRECTION.sub("", _CONTROL.sub("\ufffd", text))


def one_line(text: str) -> str:
    """The same on one line, each run of blanks as one space."""
    return " ".join(harmless(text).split())


def say(*pieces: str, err: bool = False) -> None:
    """One line, or several, on standard output (or error), each piece in its own style."""
    styled = is_terminal(err=err) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
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
    click.echo(_ESCAPED.sub(lambda char: f"\\u{ord(char[0]):04x}", text))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def open_output() -> None:
    """Makes standard output and error take any text, wherever they lead.

    What the terminal's charset lacks is printed as ``?``, instead of ending the command. A stream that the
    caller closed (``>&-``) takes everything and keeps nothing.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Standard output leads nowhere from now on: what is still buffered cannot be written either."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
