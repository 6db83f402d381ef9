"""Where a mail quotes an earlier one: its text parted into passages, the sender's own and quoted ones."""

from __future__ import annotations

from itertools import groupby

from relaydesk.message.message import Passage


def passages(text: str) -> tuple[Passage, ...]:
    """The passages of a plain text, top first; joined by line feeds they are the text again.

    Lines that start with ``>`` are quoted (RFC 3676 §4.5).
    """
    lines = groupby(text.split("\n"), key=lambda line: line.lstrip().startswith(">"))
    return tuple(Passage("\n".join(run), quoted=quoted) for quoted, run in lines) if text else ()
