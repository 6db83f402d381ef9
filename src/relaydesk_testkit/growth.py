"""How the work of a reader grows with what it reads: twice the text, at most :data:`LINEAR` times the work.

Time is the thread's own on the processor, the least of several tries, without the collector of garbage: what
other programs do adds nothing that lasts. Only a growth that shows again and again counts.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from relaydesk_testkit.reader import Reader
    from relaydesk_testkit.shapes import Shape

LINEAR = 2.5
"""Twice the work, and a quarter more for what grows with its logarithm or leaves the processor's caches."""
FLOOR = 0.004
"""Seconds below which a text costs nothing: what is no more at a reader's size cannot grow fast there."""
TRIES = 3
SUSPECTS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """What a shape of ``size`` costs a reader, and how many times what half of it costs."""

    reader: str
    shape: Shape
    size: int
    seconds: float
    growth: float

    def __str__(self) -> str:
        return (
            f"{self.reader}: {self.size:,} characters of {self.shape} take {self.seconds * 1000:.1f} ms, "
            f"{self.growth:.1f} times what half of them takes"
        )


@contextmanager
def _without_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def cost(read: Callable[[str], object], text: str, tries: int = 1) -> float:
    """Seconds of the processor, the least of ``tries``."""
    seconds = []
    for _ in range(tries):
        began = time.thread_time()
        read(text)
        seconds.append(time.thread_time() - began)
    return min(seconds)


def growth(read: Callable[[str], object], shape: Shape, size: int) -> tuple[float, float]:
    """Seconds for ``size``, and how many times those for half of it; the least growth of several tries.

    Where it looks too fast it is looked at again: what is no chance shows each time.
    """
    half, whole = shape.text(size // 2), shape.text(size)
    best = seconds = float("inf")
    for _ in range(TRIES):
        small, seconds = cost(read, half, 2), min(seconds, cost(read, whole, 2))
        best = min(best, seconds / max(small, FLOOR / 8))
        if best <= LINEAR:
            break
    return seconds, best


def dearest(name: str, reader: Reader, shapes: Iterable[Shape], size: int) -> list[Row]:
    """The shapes that cost a reader most, dearest first, with their growth; none that costs nothing."""
    with _without_collector():
        reader(next(iter(reader.tokens)))  # what is compiled and imported at the first time
        costs = sorted(((cost(reader, shape.text(size)), shape) for shape in shapes), key=lambda row: -row[0])
        suspects = [shape for seconds, shape in costs[:SUSPECTS] if seconds > FLOOR] or [costs[0][1]]
        return [Row(name, shape, size, *growth(reader, shape, size)) for shape in suspects]
