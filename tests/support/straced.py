"""System calls of running processes in the order in which they happened, as strace saw them."""

from __future__ import annotations

import re
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk_testkit.serving import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WATCHED = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync"
_LINE = re.compile(
    r"(?P<pid>\d+) +(?:(?P<name>\w+)\((?P<said>.*)|<\.\.\. (?P<again>\w+) resumed>(?P<rest>.*))"
)
_UNFINISHED = "<unfinished ...>"


@dataclass(slots=True)
class Call:
    """One system call. ``begun`` and ``ended`` are line numbers of the record: earlier is smaller."""

    pid: int
    name: str
    text: str
    begun: int
    ended: int

    @property
    def file(self) -> str:
        """The descriptor it was about, with its file or socket: ``11<socket:[155892]>``."""
        return self.text.partition(",")[0].partition(")")[0]

    @property
    def syncs(self) -> bool:
        """Whether it is a sync that succeeded."""
        return self.name in ("fsync", "fdatasync") and self.text.rstrip().endswith("= 0")


class CannotTraceError(Exception):
    """strace may not look at these processes here."""


@contextmanager
def straced(pids: Sequence[int], record: Path) -> Iterator[None]:
    """Records the calls of these processes, and of the threads and children they have or get, in a file."""
    command = ["strace", "-f", "-y", "-s", "4096", "-e", f"trace={WATCHED}", "-e", "signal=none"]
    command += ["-o", str(record), *(word for pid in pids for word in ("-p", str(pid)))]
    messages = record.with_suffix(".said")
    with messages.open("wb") as errors:
        process = subprocess.Popen(command, stdout=errors, stderr=errors)
    try:
        # One line for each process when it is attached to all of its threads.
        eventually(
            lambda: process.poll() is not None or messages.read_text().count(" attached") >= len(pids),
            "strace",
        )
        if process.poll() is not None:
            raise CannotTraceError(messages.read_text())
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def calls(record: Path) -> list[Call]:
    """The record as calls, in the order in which they began; those that never ended are left out."""
    finished: list[Call] = []
    open_calls: dict[int, Call] = {}
    for number, line in enumerate(record.read_text(errors="replace").splitlines()):
        match = _LINE.match(line)
        if match is None:
            continue  # an exit or a signal
        pid = int(match["pid"])
        if match["again"]:
            if (call := open_calls.pop(pid, None)) is not None:
                call.text += match["rest"]
                call.ended = number
                finished.append(call)
        elif match["said"].endswith(_UNFINISHED):
            begun = match["said"].removesuffix(_UNFINISHED)
            open_calls[pid] = Call(pid, match["name"], begun, number, number)
        else:
            finished.append(Call(pid, match["name"], match["said"], number, number))
    return sorted(finished, key=lambda call: call.begun)
