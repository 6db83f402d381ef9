"""Where other people's parsers meet hostile bytes: their failures there, and no others, are the bytes' fault.

The message is then taken without what could not be read, with a defect noted. Everything else that is raised
while a message is read is a bug of ours, and must be seen as one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What email, mail-parser, html, nh3, selectolax and filetype were seen to raise, or do by their source.
_FAILURES = (
    *(ValueError, LookupError, ArithmeticError, RecursionError),
    *(TypeError, AttributeError, AssertionError),
)


class Unreadable(Exception):  # noqa: N818 - a finding about the bytes, no error of ours
    """A part of the message that a parser failed on; the text is the kind of failure, never the bytes."""


@contextmanager
def hostile_bytes() -> Iterator[None]:
    """Put round one call of such a parser, and round nothing of ours: raises :class:`Unreadable`."""
    try:
        yield
    except _FAILURES as failure:
        raise Unreadable(type(failure).__name__) from failure
