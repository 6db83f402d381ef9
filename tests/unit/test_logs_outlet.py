"""Lines leave by a descriptor that may be slow, full or gone; who writes one notices nothing."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from relaydesk.logs.outlet import WAITING, Outlet
from relaydesk_testkit.serving import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    with contextlib.suppress(OSError):
        os.close(reader)
    os.close(writer)


@pytest.fixture
def outlet(pipe: tuple[int, int]) -> Iterator[Outlet]:
    """It must not write any more when another test has its descriptor."""
    outlet = Outlet(pipe[1], lost_line)
    yield outlet
    outlet.close(0)
    with contextlib.suppress(OSError):
        os.close(pipe[0])
    if outlet._thread is not None:
        outlet._thread.join(30)


def lost_line(count: int) -> str:
    return f"lost {count}\n"


def read_until(reader: int, last: str) -> list[str]:
    data = b""
    while not data.endswith(f"{last}\n".encode()):
        data += os.read(reader, 65_536)
    return data.decode().splitlines()


def test_lines_come_in_order_from_many_threads(pipe: tuple[int, int], outlet: Outlet) -> None:

    def write(name: str) -> None:
        for number in range(200):
            outlet.write(f"{name} {number}\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outlet.write("end\n")
    lines = read_until(pipe[0], "end")
    for name in "abc":
        assert [line for line in lines if line[0] == name] == [f"{name} {number}" for number in range(200)]


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_gets_what_had_room_and_the_count_of_the_rest(
    pipe: tuple[int, int], outlet: Outlet, blocking: bool
) -> None:
    reader, writer = pipe
    os.set_blocking(writer, blocking)
    line = "x" * 99 + "\n"
    count = 3 * WAITING // len(line)
    for _ in range(count):
        outlet.write(line)
    assert outlet._bytes <= WAITING
    lost = outlet._lost
    assert lost > count / 4
    assert read_until(reader, f"lost {lost}") == [*["x" * 99] * (count - lost), f"lost {lost}"]


def test_a_full_disk_tears_no_line(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 22
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = real(descriptor, data[:room])
        room -= written
        return written

    monkeypatch.setattr("relaydesk.logs.outlet.os.write", write)
    file = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
    outlet = Outlet(file, lost_line)
    for number in range(5):
        outlet.write(f"line {number} of it\n")
    eventually(lambda: outlet._lost == 4, "the loss of four lines")
    room = 1_000
    outlet.write("again\n")
    outlet.close(30)
    os.close(file)
    assert (tmp_path / "log").read_text() == "line 0 of it\nline 1 of\nlost 4\nagain\n"


def test_a_reader_that_is_gone_stops_nobody(pipe: tuple[int, int], outlet: Outlet) -> None:
    os.close(pipe[0])
    for _ in range(10_000):
        outlet.write("x\n")
    eventually(lambda: not outlet._lines, "the loss of all")
    assert outlet._lost == 10_000


def test_the_end_waits_for_a_reader_but_not_for_ever(pipe: tuple[int, int], outlet: Outlet) -> None:
    outlet.write("x" * 200_000 + "\n")
    before = time.monotonic()
    outlet.close(0.2)
    assert time.monotonic() - before < 20  # a hang would never end
    outlet.write("too late\n")
    assert outlet._lost == 1


def test_a_line_may_be_written_while_one_is_written(pipe: tuple[int, int], outlet: Outlet) -> None:
    """As the garbage collector does, in the midst of anything."""
    with outlet._changed:
        outlet.write("within\n")
    assert read_until(pipe[0], "within") == ["within"]


def test_it_brings_what_is_due_when_nobody_writes(pipe: tuple[int, int], outlet: Outlet) -> None:
    due = [["a minute is over\n"]]
    outlet.due = lambda: due.pop() if due else ()
    outlet.write("x\n")
    assert read_until(pipe[0], "a minute is over") == ["x", "a minute is over"]


def test_any_text_can_be_written(pipe: tuple[int, int], outlet: Outlet) -> None:
    outlet.write("half \ud800 a pair, \u5317\u4eac\n")
    outlet.write("end\n")
    assert read_until(pipe[0], "end")[0] == "half \\ud800 a pair, \u5317\u4eac"
