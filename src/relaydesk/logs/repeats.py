"""Lines that anybody can cause without end: the first of each minute are written, the others counted. Pure.

A kind of line is its event and its code. Of one kind so many lines a minute are written for one network, and
so many in all; only networks that had a line are kept, so memory has a bound as well.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = 60.0
OF_NETWORK, OF_KIND = 10, 60  # lines a minute
KINDS = 500  # kinds counted at one time: our own events and reasons, and places where our errors are raised
V4_NETWORK, V6_NETWORK = 24, 48  # what one stranger commonly has to himself

LineKind = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """How many lines of a kind a minute kept back, and the network that most of them came from, if known."""

    kind: LineKind
    count: int
    most_from: str


@dataclass(slots=True)
class _Minute:
    began: float
    written: Counter[str] = field(default_factory=Counter)
    kept_back: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Repeats:
    """Which lines are written. Times are seconds of a clock that never goes back."""

    _minutes: dict[LineKind, _Minute] = field(default_factory=dict)

    def admits(self, kind: LineKind, whose: str, now: float) -> bool:
        """Whether this line is written; ``whose`` is the address, or the name, of who caused it."""
        kind = kind if kind in self._minutes or len(self._minutes) < KINDS else ()
        minute = self._minutes.setdefault(kind, _Minute(now))
        network = _network(whose)
        if minute.written.total() < OF_KIND and minute.written[network] < OF_NETWORK:
            minute.written[network] += 1
            return True
        minute.kept_back[network if network in minute.written else ""] += 1
        return False

    def due(self, now: float, *, every: bool = False) -> Iterator[Repeated]:
        """The kinds whose minute is over, ``every`` one at the end; each is counted anew from then on."""
        for kind, minute in list(self._minutes.items()):
            if every or now - minute.began >= MINUTE:
                del self._minutes[kind]
                if minute.kept_back:
                    networks = Counter({name: count for name, count in minute.kept_back.items() if name})
                    most = networks.most_common(1)
                    yield Repeated(kind, minute.kept_back.total(), most[0][0] if most else "")


def _network(whose: str) -> str:
    try:
        address = ipaddress.ip_address(whose)
    except ValueError:
        return whose[:100]
    length = V4_NETWORK if isinstance(address, ipaddress.IPv4Address) else V6_NETWORK
    return str(ipaddress.ip_network((address, length), strict=False))
