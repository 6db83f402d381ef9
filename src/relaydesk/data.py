"""Files from beside the program: where those lie that ship with it, and reading those that people write.

The wheel carries the shipped ones (templates, fixtures, the allowlist) inside the package as ``_data``; a
checkout has them at its top level. What people name may be anything: a pipe that nobody writes to, a device
that never ends, a disk image. It is read within bounds or not at all.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

SHIPPED = ("templates", "fixtures", "allowlist.yaml")
LONGEST = 4_000_000  # bytes of a text that people write by hand


class UnusableFileError(ValueError):
    """A file that cannot be read or must not be used; the message is a sentence."""


def open_file(path: Path) -> BinaryIO:
    """A plain file, opened to read. UnusableFileError for what is none, without waiting for it."""
    try:
        # Who opens a pipe waits until somebody writes to it, unless told not to.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UnusableFileError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a directory" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise UnusableFileError(f"{path} cannot be read: it is {what}; name a plain file.")
    return os.fdopen(descriptor, "rb")


def demand_plain(path: Path, longest: int = LONGEST) -> Path:
    """The path itself, for a library that opens it. UnusableFileError where that would wait, or never end."""
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > longest:
            raise UnusableFileError(f"{path} cannot be used: it is larger than {longest:,} bytes.")
    return path


def read_file(path: Path, longest: int = LONGEST) -> bytes:
    """A plain file. UnusableFileError when it is none, or larger than ``longest`` bytes."""
    with open_file(path) as file:
        try:
            content = file.read(longest + 1)
        except OSError as error:
            raise UnusableFileError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > longest:
        raise UnusableFileError(f"{path} cannot be used: it is larger than {longest:,} bytes.")
    return content


def read_text_file(path: Path, longest: int = LONGEST) -> str:
    """A text file, UTF-8. UnusableFileError when it is none, or larger than ``longest`` bytes."""
    content = read_file(path, longest)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnusableFileError(f"{path}, line {line}: this is not UTF-8 text; save it as UTF-8.") from None


class MissingDataError(FileNotFoundError):
    """Shipped data is in none of the places it can be; the message is a sentence with the remedy."""

    def __str__(self) -> str:
        return str(self.args[0])


def data_path(name: str, package: Path | None = None) -> Path:
    """The path of shipped data, ``name`` being one of ``SHIPPED``.

    ``package`` is the directory of the relaydesk package; only tests name another than the running one.
    Raises ``ValueError`` for a name that is not shipped, ``MissingDataError`` when it is not there.
    """
    if name not in SHIPPED:
        raise ValueError(f"{name!r} is not shipped with relaydesk; there are {', '.join(SHIPPED)}.")
    package = package or Path(__file__).parent
    places = [package / "_data"]
    checkout = package.parent.parent
    if (checkout / "pyproject.toml").is_file():
        places.append(checkout)
    for place in places:
        if (place / name).exists():
            return place / name
    looked = " and ".join(str(place) for place in places)
    raise MissingDataError(
        f"relaydesk's own {name} is missing (looked in {looked}): install relaydesk again."
    )
