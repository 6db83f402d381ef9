"""Names of files that strangers chose, as they may be written to a disk or offered to a browser."""

from __future__ import annotations

import re

from relaydesk.characters import CONTROLS, DIRECTION, WIDTHLESS

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
