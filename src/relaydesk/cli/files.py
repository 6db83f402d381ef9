"""Attachments written into a directory, whatever their senders called them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from relaydesk.message import safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk.message import Attachment


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
