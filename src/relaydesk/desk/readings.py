"""What was read of stored messages and answers, kept for who opens them next: their bytes never change."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Kept = TypeVar("Kept")


class Readings(Generic[Kept]):
    """The readings used last, by number, up to a weight of all together. For several threads at a time."""

    def __init__(self, most: int, weight: Callable[[Kept], int]) -> None:
        self._most, self._weight = most, weight
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._total = 0
        self._lock = Lock()

    def get(self, number: int) -> Kept | None:
        """A reading that is kept."""
        with self._lock:
            if number not in self._kept:
                return None
            self._kept.move_to_end(number)
            return self._kept[number]

    def keep(self, number: int, reading: Kept) -> Kept:
        """Keeps it, and lets go of those that were not asked for longest; gives it back."""
        with self._lock:
            if number not in self._kept:
                self._kept[number] = reading
                self._total += self._weight(reading)
            while self._total > self._most and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._total -= self._weight(oldest)
        return reading
