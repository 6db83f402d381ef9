"""Standard error is closed, gone, full or not read: no mail notices it, and no process ends of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import PATIENCE, STORED, Serving, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED = ("sh", "-c", 'exec "$@" 0<&- 2>&-', "sh")


@pytest.fixture
def shop(tmp_path: Path, nameserver: str) -> Iterator[Serving]:
    serving = Serving(tmp_path, f"sqlite:///{tmp_path / 'relaydesk.db'}", nameserver, doors=1)
    yield serving
    serving.kill_all()


@pytest.fixture
def door(shop: Serving) -> Serving:
    """The same without an office, of which nothing is asked."""
    shop.roles = ("door",)
    return shop


def works(serving: Serving, number: int, *, killed: tuple[str, ...] = ("door",)) -> None:
    """Mail is stored and acknowledged, again when it is sent again; a killed child comes back."""
    assert serving.deliver(mail(number)).startswith(STORED)
    assert serving.deliver(mail(number)).startswith(STORED)
    for role in killed:
        (before,) = serving.children(role)  # type: ignore[arg-type]
        os.kill(before, signal.SIGKILL)
        eventually(lambda role=role, before=before: others(serving, role, before), f"another {role}")  # type: ignore[misc]
    assert serving.deliver(mail(number + 1)).startswith(STORED)
    assert serving.process is not None
    assert serving.process.poll() is None


def others(serving: Serving, role: Any, before: int) -> bool:
    return [pid for pid in serving.children(role) if pid != before] != []


def full_pipe() -> tuple[int, int]:
    """A pipe that takes no more; its ends."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")
    os.set_blocking(writer, True)
    return reader, writer


def read_on(reader: int, wanted: str) -> None:
    """Reads a pipe until a line tells of the event ``wanted``; a killed process may leave half a line."""
    rest, events = b"", set()
    while wanted not in events:
        *lines, rest = (rest + os.read(reader, 65_536)).split(b"\n")
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                events.add(json.loads(line)["event"])


def test_it_works_without_a_standard_error(shop: Serving) -> None:
    shop.start(prefix=CLOSED)
    works(shop, 1, killed=("door", "office"))
    assert shop.end() == 0


def test_it_works_when_the_reader_of_its_log_is_gone(door: Serving) -> None:
    reader, writer = os.pipe()
    door.log = writer
    door.start()
    os.close(writer)
    os.close(reader)
    works(door, 1)
    assert door.end() == 0


def test_it_works_when_its_log_has_no_room(door: Serving) -> None:
    with Path("/dev/full").open("wb") as full:
        door.log = full
        door.start()
        works(door, 1)
    assert door.end() == 0


def test_it_says_how_many_lines_were_lost_when_there_is_room_again(door: Serving) -> None:
    """The size of a file is bounded, as by a quota: what does not fit fails as on a full disk."""
    door.log_file.write_bytes(b"x" * 1_048_576)
    door.start(prefix=("prlimit", "--fsize=1048576:unlimited"))
    assert door.process is not None
    works(door, 1)
    assert door.log_file.stat().st_size == 1_048_576
    for pid in door.everyone():
        subprocess.run(["prlimit", "--fsize=unlimited:unlimited", "--pid", str(pid)], check=True)
    os.truncate(door.log_file, 0)
    assert door.deliver(mail(9)).startswith(STORED)
    eventually(lambda: door.logged("message"), "a line of the mail")
    # The parent has lost its first line and the end of a child; the listener the last mail's.
    eventually(
        lambda: sum(line["count"] for line in door.logged("log_lines_lost")) >= 3, "the count of lines"
    )
    lines = door.log_file.read_text().splitlines()
    assert all(json.loads(line) for line in lines)


def test_a_reader_that_does_not_read_stops_nobody(door: Serving) -> None:
    reader, writer = full_pipe()
    try:
        door.log = writer
        door.start()
        began = time.monotonic()
        works(door, 1)
        assert time.monotonic() - began < 50  # a hang would last for good
        os.close(writer)
        writer = -1
        with ThreadPoolExecutor(1) as again:
            reading = again.submit(read_on, reader, "message")
            assert door.deliver(mail(9)).startswith(STORED)
            reading.result(PATIENCE)
    finally:
        for descriptor in (reader, writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)
    assert door.end() == 0
