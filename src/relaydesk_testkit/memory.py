"""How much memory the processes of a ``relaydesk serve`` take, and many big mails at once to see it by."""

from __future__ import annotations

import contextlib
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import BOUNCES, MAILBOX, mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk_testkit.serving import Serving

LONG = 300.0  # seconds
_LINE = re.compile(r"^(Pss|Rss): +(\d+) kB", re.MULTILINE)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    pids = [pid]
    for member in pids:
        pids += [child for child, parent in parents.items() if parent == member]
    return pids


def memory_of(pid: int) -> tuple[int, int]:
    """(PSS, RSS) in bytes of a process and its descendants. Shared pages count once in the first."""
    pss = rss = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            figures = dict(_LINE.findall(Path(f"/proc/{member}/smaps_rollup").read_text()))
            pss += int(figures.get("Pss", 0)) * 1024
            rss += int(figures.get("Rss", 0)) * 1024
    return pss, rss


@dataclass(slots=True)
class MemoryWatch:
    """Looks at a process and its descendants many times a second; a context manager. Figures in bytes."""

    pid: int
    pause: float = 0.02
    pss_before: int = 0
    pss_peak: int = 0
    rss_peak: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> MemoryWatch:
        self.pss_before, self.rss_peak = memory_of(self.pid)
        self.pss_peak = self.pss_before
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(self.pause):
            pss, rss = memory_of(self.pid)
            self.pss_peak, self.rss_peak = max(self.pss_peak, pss), max(self.rss_peak, rss)


def big_mails(directory: Path, count: int, size: int, *, first: int = 1) -> list[Path]:
    """``count`` signed mails of about ``size`` bytes each, in files: the client need not hold them."""
    photo = random.Random(first).randbytes(size * 3 * 76 // (4 * 78))
    paths = []
    for number in range(first, first + count):
        path = directory / f"big-{number}"
        path.write_bytes(mail(number, photo=photo).raw)
        paths.append(path)
    return paths


def deliver_file(serving: Serving, path: Path, *, size: int | None = None) -> str:
    """Sends the mail in a file over a connection of its own; the last reply. ``size`` is said with MAIL."""
    declared = f" SIZE={size}" if size is not None else ""
    with serving.talk() as talk, path.open("rb") as content:
        for command in (
            "EHLO mx-out.facebook.com",
            f"MAIL FROM:<{BOUNCES}>{declared}",
            f"RCPT TO:<{MAILBOX}>",
        ):
            reply = talk.ask(command)
            if not reply.startswith("250"):
                return reply
        reply = talk.ask("DATA")
        if not reply.startswith("354"):
            return reply
        talk.sock.settimeout(LONG)  # it waits for its turn while others send
        talk.sock.sendfile(content)
        talk.send(b".\r\n")
        return talk.reply()


def deliver_at_once(serving: Serving, paths: Sequence[Path]) -> list[str]:
    """The replies to all these mails, each sent over a connection of its own at the same time."""
    with ThreadPoolExecutor(len(paths)) as clients:
        return list(clients.map(lambda path: deliver_file(serving, path), paths))
