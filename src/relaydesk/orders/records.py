"""What an import file is read into: numbered records, or the reason why it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 1 << 16
"""Characters read at a time."""
LONGEST_RECORD = 1 << 20


class FileError(ValueError):
    """The file as a whole cannot be read; a sentence that names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One record with its number: ``fields``, or None and ``why`` it cannot be read."""

    row: int
    fields: Mapping[str, Any] | None
    why: str = ""
