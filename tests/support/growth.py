"""How the work of a reader grows with its input."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Text = TypeVar("Text", str, bytes)
LINEAR = 3.2  # twice the input costs twice the time; a busy machine adds some


def growth(reader: Callable[[Text], object], text: Callable[[int], Text], size: int) -> float:
    """How many times the CPU time grows when the input doubles; the best of several, for noise only adds."""

    def cost(length: int) -> float:
        written = text(length)
        times = []
        for _ in range(3):
            started = time.process_time()
            reader(written)
            times.append(time.process_time() - started)
        return max(min(times), 0.002)

    return cost(2 * size) / cost(size)
