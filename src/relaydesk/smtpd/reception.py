"""What a message holds of its server, from DATA until the work on it is done.

A small message takes one of the places for receiving, a large one bytes of those in flight instead: so the
large never keep the small waiting. A large one takes all it may need at once, before its 354 where MAIL
declared it, else at the moment it grows large. Whoever holds bytes thus never waits for more of them, and no
two messages can wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.places import FairPlaces, NoPlace
from relaydesk.smtpd.limits import MOST_OF_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.message import Origin
    from relaydesk.places import Hold
    from relaydesk.smtpd.limits import Limits

_RELAYED = 1 / 2
_UNKNOWN = 1 / 4
_DECLARED = 17 / 16
"""So much is taken for a declared size: some clients count line ends as one byte (RFC 1870 §5)."""


class Room:
    """The places of one process for messages. Endpoints that share the memory share the bytes."""

    def __init__(self, limits: Limits, in_flight: FairPlaces | None = None) -> None:
        self.limits = limits
        self.receiving = FairPlaces(limits.concurrent_data)
        self.in_work = FairPlaces(limits.connections)
        self.in_flight = in_flight or FairPlaces(limits.bytes_in_flight)


@dataclass(frozen=True, slots=True)
class Claimant:
    """For whom room is taken: one peer, and how well we know it.

    Mail behind a relay may be anybody's, so relays leave room for the listed networks, and hosts without a
    role (which return bounces) leave room for both. No peer has all of what its like may have.
    """

    peer: str
    origin: Origin

    def shares(self, places: FairPlaces, least: int = 1) -> Mapping[str, int]:
        """How much of these places is for whom; ``least`` is what any of them must be able to hold."""
        parts = {f"peer {self.peer}": MOST_OF_ONE}
        if not self.origin.allowlisted:
            parts["relayed"] = _RELAYED
            if self.origin.role != "relay":
                parts["unknown"] = _UNKNOWN
        return {name: max(least, places.part(part)) for name, part in parts.items()}


class Reception:
    """One message that is received. ``declared`` is what MAIL said by SIZE, a hint; 0 for nothing."""

    def __init__(self, room: Room, claimant: Claimant, declared: int) -> None:
        self._room, self._claimant, self._limits = room, claimant, room.limits
        self._small = self._limits.small_message_bytes
        self._declared = declared if declared > self._small else 0
        self._covered = 0
        self._in_work: Hold | None = None
        self._place: Hold | None = None
        self._bytes: Hold | None = None

    async def begin(self) -> str:
        """Wait for room. The name of the reply when none came free in time, else ""."""
        seconds = self._limits.slot_seconds
        try:
            self._in_work = await self._room.in_work.take(self._claimant.shares(self._room.in_work), seconds)
            if self._declared:
                await self._take_bytes(int(self._declared * _DECLARED) + self._small)
            else:
                receiving = self._room.receiving
                self._place = await receiving.take(self._claimant.shares(receiving), seconds)
                self._covered = self._small
        except BaseException as error:
            self.end()
            if isinstance(error, NoPlace):
                return "insufficient_storage" if self._declared else "busy"
            raise
        return ""

    def covers(self, size: int) -> bool:
        """Whether there is room for so many bytes of the message."""
        return size <= self._covered

    async def grow(self) -> bool:
        """Take room for any size; false when none came free in time. Nothing but a small part is kept then.

        A message that is larger than it was declared to be holds bytes already: it does not wait for more.
        """
        if self._bytes is not None:
            self._bytes.give()
            return False
        try:
            await self._take_bytes(self._limits.message_bytes)
        except NoPlace:
            return False
        return True

    async def _take_bytes(self, amount: int) -> None:
        if self._place is not None:
            self._place.give()  # else those who wait for bytes would keep the small from being received
        amount, places = min(amount, self._limits.message_bytes), self._room.in_flight
        shares = self._claimant.shares(places, self._limits.message_bytes)
        self._bytes = await places.take(shares, self._limits.slot_seconds, amount)
        self._covered = amount

    def received(self, size: int) -> None:
        """The message has come, so many bytes of it are kept: others may be received in its place."""
        if self._place is not None:
            self._place.give()
        if self._bytes is not None:
            self._bytes.change(min(size, self._bytes.amount))

    def end(self) -> None:
        """Give everything back."""
        for hold in (self._place, self._bytes, self._in_work):
            if hold is not None:
                hold.give()
