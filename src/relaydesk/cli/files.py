"""Attachments written into a directory, whatever their senders called them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from relaydesk.characters import CONTROLS, DIRECTION, WIDTHLESS

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk.message import Attachment

LONGEST_NAME = 150  # bytes: file systems take 255, and some room is for a number
LONGEST_SUFFIX = 16
# What a file system or a shell takes for something else: separators, wildcards, and what is not seen.
_UNSAFE = re.compile(f'[<>:"|?*\t\n{CONTROLS}{DIRECTION}{WIDTHLESS}]')
# Names of devices on Windows, with any suffix (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def safe_name(name: str, place: int) -> str:
    """A file's name out of what the sender wrote: of no other directory, not hidden, and not too long.

    ``place`` names a file that is left with no name.
    """
    last = re.split(r"[/\\]", name)[-1]
    cleaned = " ".join(_UNSAFE.sub("_", last).split()).lstrip("-. ").rstrip(". ")
    if not cleaned.strip("_"):
        return f"file-{place}"
    stem, dot, suffix = cleaned.rpartition(".")
    if not stem or len(suffix.encode()) > LONGEST_SUFFIX:
        stem, dot, suffix = cleaned, "", ""
    if _DEVICE.fullmatch(stem.partition(".")[0].strip()):
        stem = f"_{stem}"
    room = LONGEST_NAME - len(f"{dot}{suffix}".encode())
    return f"{stem.encode()[:room].decode(errors='ignore').rstrip('. ')}{dot}{suffix}"


def save_file(directory: Path, attachment: Attachment, place: int) -> Path:
    """Writes it under a name that is free there, readable by its owner only; the file's path.

    No file is overwritten and no link followed: a name that is taken gets ``-2``. Raises OSError.
    """
    name = safe_name(attachment.name, place)
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    number = 1
    while True:
        path = directory / (name if number == 1 else f"{stem}-{number}{dot}{suffix}")
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            number += 1
            continue
        with os.fdopen(handle, "wb") as file:
            file.write(attachment.content)
        return path
