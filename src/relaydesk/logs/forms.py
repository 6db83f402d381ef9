"""The forms of a line: JSON and logfmt for programs, colours and columns for a terminal. Owns structlog."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

import structlog

if TYPE_CHECKING:
    from typing import TextIO

LogFormat = Literal["auto", "json", "logfmt", "console"]
Render = Callable[[dict[str, Any]], str]


def renderer(form: str, stream: TextIO | None) -> Render:
    """What makes a line of facts; ``auto`` is ``console`` for a terminal and ``json`` elsewhere.

    Raises ``ValueError`` for a form that does not exist.
    """
    terminal = stream is not None and stream.isatty()
    if form == "auto":
        form = "console" if terminal else "json"
    if form == "json":
        render: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    elif form == "logfmt":
        render = structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True, bool_as_flag=False
        )
    elif form == "console":
        render = structlog.dev.ConsoleRenderer(colors=terminal)
    else:
        raise ValueError(f"{form!r} is not a log format; use one of auto, json, logfmt, console.")
    return lambda facts: cast("str", render(None, "", facts))
