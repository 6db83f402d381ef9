"""The count of what was refused, in bounded memory until the store takes it.

A stranger can be refused some thousand times a second, always by another name. So what is counted here has
the bounds that the rows of a day have; while the store does not answer, they grow coarser; none is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.store import RefusalTally, refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from relaydesk.message import Origin
    from relaydesk.store import RefusalKey, RefusalStanding

MOST_KEYS = 10_000  # counted apart at one time; beyond it, by reason alone


class RefusalCounter:
    """What one process has counted and not yet taken to write. Not for several threads at once."""

    def __init__(self) -> None:
        self._tallies: dict[RefusalKey, RefusalTally] = {}
        self._rows: dict[date, refusals.RefusalRows] = {}

    def __iter__(self) -> Iterator[RefusalKey]:
        return iter(self._tallies)

    @property
    def total(self) -> int:
        """How many refusals wait to be written."""
        return sum(tally.count for tally in self._tallies.values())

    def count(self, at: datetime, code: str, ip: str, domain: str, standing: RefusalStanding) -> None:
        """One more, at an aware UTC time."""
        key = refusals.refusal_key(at.date(), code, ip, domain, standing)
        self._add(key, RefusalTally(1, at, at))

    def take(self) -> dict[RefusalKey, RefusalTally]:
        """All of it, which is no longer counted here."""
        taken, self._tallies, self._rows = self._tallies, {}, {}
        return taken

    def give_back(self, taken: Mapping[RefusalKey, RefusalTally]) -> None:
        """What could not be written waits on, with what was counted meanwhile."""
        for key, tally in taken.items():
            self._add(key, tally)

    def _add(self, key: RefusalKey, tally: RefusalTally) -> None:
        rows = self._rows.setdefault(key.day, refusals.RefusalRows())
        if key not in self._tallies:
            crowded = len(self._tallies) >= MOST_KEYS
            key = refusals.by_reason(key) if crowded else rows.place(key)
        if (tallied := self._tallies.get(key)) is not None:
            tallied.add(tally)
        else:
            self._tallies[key] = tally


def standing_of(origin: Origin, code: str, *, from_sender: bool) -> RefusalStanding:
    """Who is refused, for how exactly it is counted. ``from_sender``: the claimed domain is a listed sender.

    An origin that a relay of ours has named is a stranger unless it is in the list itself.
    """
    if code == "drift":
        return "sender"
    if not (origin.allowlisted or (origin.role != "none" and origin.how != "received")):
        return "stranger"
    return "sender" if from_sender else "listed"
