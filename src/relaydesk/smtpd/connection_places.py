"""Who gets a place: open connections in all, of one peer, and what is kept for those we know.

A place is taken at accept and given back when the socket is closed, so that places bound descriptors too.
When none is free, a newcomer may get the place of a session that waits for its client: of somebody less
known, or of an equal who holds more. A session in the middle of a message never has to go.

Nobody waits here, unlike for :class:`relaydesk.places.FairPlaces`, by which messages wait for their turn: a
connection without a place is refused at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING

from relaydesk.message import canonical_ip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from relaydesk.smtpd.limits import Limits

SCARCE = 0.75
"""Over this part of the places taken, strangers have to hurry."""
AMPLE = 0.5
"""Below this part they need not any more."""


class Familiarity(IntEnum):
    """How well a peer is known. Who stands higher may take the place of who stands lower."""

    STRANGER = 0
    """No role: it gets no further than RCPT, unless it brings a bounce."""
    KNOWN = 1
    """A listed proxy that has not yet said for whom it speaks; a host that has logged in before."""
    PROVEN = 2
    """A listed network or relay; a session that has logged in."""


def _nothing() -> None:
    """Where nobody has to be told."""


@dataclass(eq=False, slots=True)
class TakenPlace:
    """One open connection. ``since`` is the loop's time of its accept or of the last message it brought.

    ``idle``: it waits for its client and has no recipient yet. ``give_way`` ends it at once, ``hurry`` says
    that places have become scarce.
    """

    peer: str
    familiarity: Familiarity
    since: float
    idle: bool = True
    leaving: bool = False
    give_way: Callable[[], None] = _nothing
    hurry: Callable[[], None] = _nothing


class StrangersRate:
    """How many connections strangers begin in a second: ``most`` together, one peer half of them."""

    def __init__(self, most: int) -> None:
        self._most, self._of_one = most, max(1, most // 2)
        self._since = 0.0
        self._begun: Counter[str] = Counter()
        self._left = most

    def allows(self, peer: str, now: float) -> bool:
        """Whether this peer may begin one more, which is counted then. ``now`` in seconds of any clock."""
        if not 0 <= now - self._since < 1:
            self._since, self._left = now, self._most
            self._begun.clear()
        if not self._left or self._begun[peer] >= self._of_one:
            return False
        self._left -= 1
        self._begun[peer] += 1
        return True


class ConnectionPlaces:
    """The places of one endpoint in one process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: set[TakenPlace] = set()
        self._of_peer: defaultdict[str, set[TakenPlace]] = defaultdict(set)
        self._strangers = 0
        self._rate = StrangersRate(limits.strangers_per_second)
        self.scarce = False

    @property
    def taken(self) -> int:
        """How many sockets are open."""
        return len(self._taken)

    def hurries(self, place: TakenPlace) -> bool:
        """Whether this is a stranger's while places are scarce."""
        return self.scarce and place.familiarity is Familiarity.STRANGER

    def take(self, peer: str, familiarity: Familiarity, now: float) -> TakenPlace | str:
        """A place, or the name of the reply that says which cap is reached."""
        obstacle = self._obstacle(peer, familiarity, now)
        return obstacle or self._sit(TakenPlace(peer, familiarity, now))

    def change(self, place: TakenPlace, peer: str, familiarity: Familiarity, now: float) -> str:
        """Count a connection otherwise; the name of a reply if there is no place for it.

        It is counted so all the same until it is closed.
        """
        self.give_back(place)
        obstacle = self._obstacle(peer, familiarity, now)
        place.peer, place.familiarity = peer, familiarity
        self._sit(place)
        return obstacle

    def leave(self, place: TakenPlace) -> None:
        """The last reply is said and only the socket is left: whoever comes may have the place."""
        if place in self._taken and not place.leaving:
            place.leaving = place.idle = True
            self._forget(place)

    def give_back(self, place: TakenPlace) -> None:
        """The socket is closed, or will be before the next is accepted. More than once does no harm."""
        if place not in self._taken:
            return
        self._taken.remove(place)
        self._strangers -= place.familiarity is Familiarity.STRANGER
        if not place.leaving:
            self._forget(place)
        self._look()

    def yield_strangers(self, most: int) -> None:
        """End so many of the strangers' idle sessions, for want of something else than places."""
        for _ in range(most):
            self._clear(p for p in self._taken if p.idle and p.familiarity is Familiarity.STRANGER)

    def _sit(self, place: TakenPlace) -> TakenPlace:
        self._taken.add(place)
        self._strangers += place.familiarity is Familiarity.STRANGER
        if not place.leaving:
            self._of_peer[place.peer].add(place)
        self._look()
        return place

    def _forget(self, place: TakenPlace) -> None:
        of_peer = self._of_peer[place.peer]
        of_peer.discard(place)
        if not of_peer:
            del self._of_peer[place.peer]

    def _obstacle(self, peer: str, familiarity: Familiarity, now: float) -> str:
        limits, stranger = self._limits, familiarity is Familiarity.STRANGER
        if stranger and not self._rate.allows(peer, now):  # before anything that takes time
            return "too_often"
        of_peer = self._of_peer.get(peer, set())
        if len(of_peer) >= (limits.connections_per_peer if stranger else limits.of_known_peer):
            # Who shares the address of a help desk must not shut it out: the oldest without a login goes.
            unproven = (place for place in of_peer if place.idle and place.familiarity is Familiarity.KNOWN)
            if familiarity is not Familiarity.KNOWN or not self._clear(unproven):
                return "too_many_of_peer"
        if (
            stranger
            and self._strangers >= limits.strangers
            and not self._make_room(len(of_peer), familiarity)
        ):
            return "kept_for_known"
        if len(self._taken) >= limits.connections and not self._make_room(len(of_peer), familiarity):
            return "too_many_connections"
        return ""

    def _make_room(self, holds: int, familiarity: Familiarity) -> bool:
        return self._clear(
            place
            for place in self._taken
            if place.idle
            and place.familiarity <= familiarity
            and (
                place.leaving or place.familiarity < familiarity or len(self._of_peer[place.peer]) > holds + 1
            )
        )

    def _clear(self, places: Iterable[TakenPlace]) -> bool:
        """End one of these: who leaves anyway, else a stranger; of the peer that holds most the most idle."""
        place = min(places, key=self._precedence, default=None)
        if place is None:
            return False
        self.give_back(place)
        place.give_way()
        return True

    def _precedence(self, place: TakenPlace) -> tuple[bool, int, int, float]:
        held = 0 if place.leaving else len(self._of_peer[place.peer])
        return not place.leaving, place.familiarity, -held, place.since

    def _look(self) -> None:
        taken = max(len(self._taken) / self._limits.connections, self._strangers / self._limits.strangers)
        if self.scarce:
            self.scarce = taken >= AMPLE
        elif taken > SCARCE:
            self.scarce = True
            for place in self._taken:
                place.hurry()


def peer_key(ip: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 of an IPv6 address."""
    address = canonical_ip(ip)
    return str(ip_network((int(address) >> 64 << 64, 64))) if isinstance(address, IPv6Address) else ip
