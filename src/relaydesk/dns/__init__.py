"""DNS: the one :class:`Resolver`, its answers as values, and zones written down for tests and the demo.

"Unknown right now" (:class:`TempFail`) is an answer of its own: neither a record nor its absence.
"""

from relaydesk.dns.cache import zone_of
from relaydesk.dns.records import (
    DnsAnswer,
    Lookup,
    NoData,
    NxDomain,
    Rdata,
    RecordSet,
    RrType,
    TempFail,
    label_fits,
)
from relaydesk.dns.resolver import Resolver, name_server
from relaydesk.dns.zone import Zone, ZoneSource, parse_zone
from relaydesk.dns.zone_server import ZoneServer

__all__ = [
    "DnsAnswer",
    "Lookup",
    "NoData",
    "NxDomain",
    "Rdata",
    "RecordSet",
    "Resolver",
    "RrType",
    "TempFail",
    "Zone",
    "ZoneServer",
    "ZoneSource",
    "label_fits",
    "name_server",
    "parse_zone",
    "zone_of",
]
