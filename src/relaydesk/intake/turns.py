"""Whose work waits for whom: what a stranger's message causes has its share of places, by domain and peer.

Domains count by zone (:func:`relaydesk.dns.zone_of`), peers by IPv4 address or IPv6 /64.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING

from relaydesk.dns import zone_of
from relaydesk.message import canonical_ip

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager

    from relaydesk.places import FairPlaces
    from relaydesk.policy import Allowlist

DOMAIN_SHARE, PEER_SHARE = 0.25, 0.5


@dataclass(frozen=True, slots=True)
class Shares:
    """What one stranger's message is counted by, and how long it waits for a place, in seconds."""

    zones: frozenset[str]
    network: str
    seconds: float

    def place(self, places: FairPlaces) -> AbstractAsyncContextManager[object]:
        """One of the places, within the shares."""
        shares = dict.fromkeys(self.zones, places.part(DOMAIN_SHARE))
        return places.held({**shares, self.network: places.part(PEER_SHARE)}, self.seconds)


def network_of(ip: str) -> str:
    """What counts as one peer."""
    address = canonical_ip(ip)
    return str(ip_network((int(address) >> 64 << 64, 64))) if isinstance(address, IPv6Address) else ip


def strange_zones(domains: Iterable[str], listed: frozenset[str]) -> frozenset[str]:
    """The zones among those of ``domains`` that are no listed sender's."""
    return frozenset(zone for domain in domains if (zone := zone_of(domain)) not in listed)


def listed_zones(allowlist: Allowlist) -> frozenset[str]:
    """The zones of the listed senders and of the domains that sign for them."""
    extras = (domain for extra in allowlist.senders.values() for domain in extra)
    return frozenset(map(zone_of, (*allowlist.senders, *extras)))
