"""Tasks for the pool of processes. It imports little, for every process of those tests imports it."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path


def pid(*_: object) -> int:
    return os.getpid()


def spin() -> None:
    while True:
        pass


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def remembered(context: object, *arguments: object) -> tuple[object, ...]:
    """The context, whether it is the very object of the task before, and the arguments."""
    before = remembered.__dict__.get("before")
    remembered.__dict__["before"] = context
    return context, context is before, arguments


def fill(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def stumble() -> None:
    raise KeyError("planted")


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def surroundings() -> tuple[list[str], dict[str, str], int]:
    """Open files, the environment, the largest core file."""
    opened = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]
    return opened, dict(os.environ), core


def shouting() -> None:
    os.write(1, b"to stdout\n")
    os.write(2, b"to stderr\n")


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def busy_with(_context: object, seconds: float) -> None:
    busy(seconds)


def upper(data: bytes) -> bytes:
    return data.upper()


def view() -> memoryview:
    return memoryview(b"x")
