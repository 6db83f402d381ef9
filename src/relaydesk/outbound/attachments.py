"""Files that go with an answer: their type is read from their bytes, their name is made safe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import filetype

from relaydesk.characters import CONTROLS, DIRECTION
from relaydesk.outbound.answer import AnswerRefused, AttachedFile
from relaydesk.outbound.mime import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TYPES = ("application/pdf", "image/png", "image/jpeg")
"""What may be attached unless the settings say otherwise: labels and photos."""
EACH_BYTES = 8_000_000
TOTAL_BYTES = 15_000_000  # base64 makes it a third more; the whole must stay below check.MAX_BYTES
_UNSAFE = re.compile(rf'[/\\:*?"<>|%;\t\n{CONTROLS}]+|[{DIRECTION}]')
_ALIASES = {"jpg": ("jpg", "jpeg", "jpe")}


def attach_files(
    files: Iterable[tuple[str, bytes]],
    *,
    types: Sequence[str] = TYPES,
    each_bytes: int = EACH_BYTES,
    total_bytes: int = TOTAL_BYTES,
) -> tuple[AttachedFile, ...]:
    """(name, content) of each file as an AttachedFile.

    Raises AnswerRefused for a type that is not in ``types``, whatever the file is called, and for one that
    is empty or larger than ``each_bytes``, and when all are larger than ``total_bytes``.
    """
    attached = tuple(_attached(name, content, types, each_bytes) for name, content in files)
    total = sum(len(file.content) for file in attached)
    if total > total_bytes:
        raise AnswerRefused(
            f"The attachments have {total} bytes together; at most {total_bytes} are allowed."
        )
    return attached


def _attached(name: str, content: bytes, types: Sequence[str], each_bytes: int) -> AttachedFile:
    if not content:
        raise AnswerRefused(f"{name} is empty.")
    if len(content) > each_bytes:
        raise AnswerRefused(f"{name} has {len(content)} bytes; at most {each_bytes} are allowed.")
    kind = filetype.guess(content[:8192])
    if kind is None or kind.mime not in types:
        type_name = kind.mime if kind is not None else "of an unknown type"
        raise AnswerRefused(f"{name} is {type_name}; only {', '.join(types)} may be attached.")
    return AttachedFile(safe_name(name, kind.extension), kind.mime, content)


def safe_name(name: str, extension: str) -> str:
    """The file's own name without path, control and direction marks, ending as its type does."""
    last = re.split(r"[/\\]", name.strip())[-1]
    safe = clean_line(_UNSAFE.sub("_", last)).strip("._ ")
    stem, dot, ending = safe.rpartition(".")
    if dot and ending.lower() in _ALIASES.get(extension, (extension,)):
        return f"{stem[:50]}.{ending}"
    return f"{safe[:50] or 'enclosure'}.{extension}"
