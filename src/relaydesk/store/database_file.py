"""The file of an SQLite database: made and kept for its owner only, and still the one that was opened.

SQLite keeps writing to the file it has opened, whatever happens to its name. Where a restore, ``rm`` or a
mount puts another one in its place, what is committed goes with the old file; so the store asks after every
commit, before anybody is told that something is stored.
"""

from __future__ import annotations

import operator
import os
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from relaydesk.store.errors import StoreAbsent, StoreLost, StoreUnavailable, StoreUnfit

BESIDE = ("", "-wal", "-shm")  # https://www.sqlite.org/tempfiles.html §2
MAGIC = b"SQLite format 3\0"
HEADER = 100  # bytes (https://www.sqlite.org/fileformat.html §1.3)
COUNTERS = (slice(24, 28), slice(40, 44))  # of changes of the first page, and of the schema
OTHERS = stat.S_IRWXG | stat.S_IRWXO

Inode = tuple[int, int]  # device and inode
NOWHERE: Inode = (0, 0)


@dataclass(slots=True)
class DatabaseFile:
    """The file that this process has opened, with the two beside it.

    Nothing here opens the file: closing it again would drop every lock that SQLite holds on it for this
    process (sqlite.org/howtocorrupt.html §2.2). Its header is read through SQLite's own descriptor.
    """

    path: Path
    opened_to_others: tuple[tuple[Path, int], ...] = ()
    """Of the three files those that others could read or write when this process came, with their mode."""
    places: tuple[Inode, ...] = ()
    descriptor: int | None = None
    counters: tuple[int, ...] = (0, 0)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def hold(self) -> None:
        """Notes which files they are: to be called once SQLite has them open, and only then."""
        self.places = tuple(self._place(suffix) for suffix in BESIDE)
        self.counters = (0, 0)
        self._header()

    def let_go(self) -> None:
        """They are closed: with the last connection SQLite removes the two beside the database."""
        self.places, self.descriptor = (), None

    def demand_same(self) -> None:
        """StoreLost unless all three are at their places still, and the database was not written over.

        Costs four calls of the system. Nothing is asked before :meth:`hold`.
        """
        if not self.places:
            return
        for suffix, place in zip(BESIDE, self.places, strict=True):
            if self._place(suffix) != place:
                raise StoreLost(_lost(f"{self.path}{suffix} was removed or replaced"))
        self._header()

    def _place(self, suffix: str) -> Inode:
        try:
            status = os.stat(f"{self.path}{suffix}")  # noqa: PTH116 (asked after every commit: half as dear)
        except FileNotFoundError:
            return NOWHERE
        except OSError as error:
            raise StoreUnavailable(f"{self.path}{suffix} cannot be looked at: {error.strerror}.") from error
        return status.st_dev, status.st_ino

    def _header(self) -> None:
        """Its two counts only grow, whoever writes by SQLite; an older file copied over it has lower ones."""
        with self._reading:
            header = self._first_bytes()
            if not header:
                return
            counters = tuple(int.from_bytes(header[part], "big") for part in COUNTERS)
            if not header.startswith(MAGIC) or any(map(operator.lt, counters, self.counters)):
                raise StoreLost(_lost(f"{self.path} was written over"))
            self.counters = counters

    def _first_bytes(self) -> bytes:
        """Of the database, a whole header in any case; b"" where the system has no way to read them."""
        if self.descriptor is None or not _is(self.descriptor, self.places[0]):
            self.descriptor = _descriptor_of(self.places[0])
        with suppress(OSError):
            if self.descriptor is not None:
                return os.pread(self.descriptor, HEADER, 0).ljust(HEADER, b"\0")
        return b""


def _lost(what: str) -> str:
    return (
        f"{what} while relaydesk was running; what is stored now would be lost. Stop relaydesk before a "
        "database is put in its place, remove the old -wal and -shm, then start it again."
    )


def _is(descriptor: int, place: Inode) -> bool:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == place


def _descriptor_of(place: Inode) -> int | None:
    """A descriptor of this process that is open on the file, None where the system does not say."""
    try:
        numbers = sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    except OSError:
        return None
    return next((number for number in numbers if _is(number, place)), None)


def own_file(path: Path, *, make: bool) -> DatabaseFile:
    """The database file, which holds customers' mail: nobody but its owner may read or replace it.

    A new one (``make``) is created so. What is there already, as after a restore, is closed to others.
    """
    if not make and path.parent.is_dir():
        demand_file(path)
    tightened: list[tuple[Path, int]] = []
    path = Path(os.path.realpath(path))  # SQLite follows a link, and puts the two beside the file itself
    _demand_private(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        tightened += [entry for suffix in BESIDE if (entry := _tightened(Path(f"{path}{suffix}")))]
        if not os.access(path, os.R_OK | os.W_OK):
            raise StoreUnavailable(f"{path} cannot be opened for writing: permission denied.") from None
    except FileNotFoundError:
        raise StoreUnfit(f"The directory {path.parent} does not exist; create it first.") from None
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be opened for writing: {error.strerror}.") from error
    return DatabaseFile(path, tuple(tightened))


def demand_file(path: Path) -> None:
    """StoreAbsent where there is no database yet."""
    if not path.exists():
        raise StoreAbsent(
            f"There is no database {path} yet; run `relaydesk db upgrade`, or `relaydesk serve`."
        )


def _demand_private(directory: Path) -> None:
    """Who may write in the directory may put another file in the database's place."""
    try:
        mode = directory.stat().st_mode
    except OSError:
        return  # what is wrong with it is said when the file is opened
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise StoreUnfit(
            f"Everybody may write in {directory}, and so replace the database; run `chmod o-w {directory}`."
        )


def _tightened(path: Path) -> tuple[Path, int] | None:
    """The file and the mode it had, if others could read or write it; now they can't."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise StoreUnavailable(f"{path} cannot be opened for writing: it is {kind_of(status.st_mode)}.")
    if not status.st_mode & OTHERS:
        return None
    try:
        path.chmod(stat.S_IMODE(status.st_mode) & ~OTHERS)
    except OSError:
        raise StoreUnfit(
            f"{path} holds customers' mail and belongs to another user, and others may read it; run "
            f"`chown` to make it this user's, and `chmod 600 {path}`."
        ) from None
    return path, stat.S_IMODE(status.st_mode)


def kind_of(mode: int) -> str:
    """What a path that is no plain file is, for a sentence."""
    if stat.S_ISDIR(mode):
        return "a directory"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "a pipe or a socket"
