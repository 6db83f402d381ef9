"""IP networks with something attached to each, and the longest match for an address."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from relaydesk.message import IpAddress

IpNetwork = IPv4Network | IPv6Network
T = TypeVar("T")

_MAPPED = IPv6Network("::ffff:0:0/96")


def parse_network(text: str) -> IpNetwork:
    """A CIDR or a single address as a network; v4-mapped ones as IPv4.

    ValueError carries a sentence with the remedy, also for host bits that are set.
    """
    try:
        network = ip_network(text.strip())
    except ValueError:
        try:
            loose = ip_network(text.strip(), strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is not a network; use 192.0.2.0/24 or 2001:db8::/32") from None
        raise ValueError(
            f"{text} has bits set after its prefix; use {loose} for the network "
            f"or {text.partition('/')[0]} for the one address"
        ) from None
    if (
        isinstance(network, IPv6Network)
        and network.prefixlen >= _MAPPED.prefixlen
        and network.subnet_of(_MAPPED)
    ):
        low = int(network.network_address) & 0xFFFFFFFF
        return IPv4Network((low, network.prefixlen - _MAPPED.prefixlen))
    return network


class NetworkMap(Generic[T]):
    """Longest-prefix match: one dictionary look-up for each prefix length that occurs."""

    __slots__ = ("_tables",)

    def __init__(self, entries: list[tuple[IpNetwork, T]]) -> None:
        tables: dict[tuple[int, int], dict[int, T]] = {}
        for net, value in entries:
            shift = net.max_prefixlen - net.prefixlen
            tables.setdefault((net.version, shift), {})[int(net.network_address) >> shift] = value
        self._tables = sorted(tables.items())

    def find(self, address: IpAddress) -> T | None:
        number = int(address)
        for (version, shift), table in self._tables:
            if version == address.version and (value := table.get(number >> shift)) is not None:
                return value
        return None
