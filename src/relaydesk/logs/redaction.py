"""What a fact becomes before it is written: without local parts, without unseen characters, not too long."""

from __future__ import annotations

import re
from collections.abc import Mapping

from relaydesk.characters import escaped

LONGEST = 2_000  # characters of one fact: our own are far shorter, a peer's may have any length
DEEPEST = 4  # values within values

# A local part, quoted or not. The look-behind lets a run of letters be tried once only: linear time.
LOCAL_PART = re.compile(r"""(?:"[^"\n]{1,256}"|(?<![^\s<>@"'(,;=:\[])[^\s<>@"'(,;=:\[]+)@(?=[\w\[.-])""")


def redacted(text: str, longest: int = LONGEST) -> str:
    """A text on one line as it may stand in the log."""
    if len(text) > longest:
        text = f"{text[:longest]}… and {len(text) - longest} more characters"
    return escaped(LOCAL_PART.sub("…@", text) if "@" in text else text)


def fit(value: object, depth: int = DEEPEST) -> object:
    """A fact as the forms of a line take it: numbers and truth as they are, all else redacted text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redacted(value)
    if depth and isinstance(value, Mapping):
        return {redacted(str(key)): fit(entry, depth - 1) for key, entry in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [fit(entry, depth - 1) for entry in value]
    return redacted(str(value))
