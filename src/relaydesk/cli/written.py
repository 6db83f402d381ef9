"""Files that commands write: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ATTEMPTS = 10


@contextlib.contextmanager
def writable(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a text stream over a file that stands under its name once it is written.

    A new file is its owner's alone, for it may hold what customers wrote; one that is replaced keeps who may
    read it. Who breaks off leaves what was there. A directory is a usage error; what is no ordinary file
    (a pipe, /dev/stdout) is written to as it is. Raises OSError.
    """
    if path is None:
        yield sys.stdout
        return
    demand_no_directory(path)
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    target = path.resolve()  # of a link, the file that it leads to
    rights = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o600
    name, handle = _beside(target)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), rights)
            os.fsync(file.fileno())
        name.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            name.unlink()
        raise


def demand_no_directory(path: Path) -> None:
    """A usage error for a directory, which no file can replace."""
    if path.is_dir():
        raise click.UsageError(f"{path} is a directory; name a file in it, such as {path / 'report.xlsx'}.")


def _beside(path: Path) -> tuple[Path, int]:
    """A new file of its own in the same directory."""
    for _ in range(ATTEMPTS):
        name = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
        with contextlib.suppress(FileExistsError):
            return name, os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    raise FileExistsError(17, "No name is free for a new file", str(path))
