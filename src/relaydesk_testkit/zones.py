"""A DNS server on loopback by another hand (dnslib), so that our resolver is not tested against itself."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import dnslib
from dnslib import QTYPE, RCODE, RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from relaydesk.dns.records import NxDomain, RecordSet, TempFail
from relaydesk.dns.zone import Zone, parse_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.dns.records import Rdata

_NAMED = {"CNAME": dnslib.CNAME, "NS": dnslib.NS, "PTR": dnslib.PTR, "A": dnslib.A, "AAAA": dnslib.AAAA}


class Server(BaseResolver):
    """Answers from a zone that a test may replace; ``asked`` counts questions."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.asked: Counter[tuple[str, str]] = Counter()
        self.stopped = threading.Event()
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def resolve(self, request: dnslib.DNSRecord, handler: object) -> dnslib.DNSRecord:
        name, qtype = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.asked[name, qtype] += 1
        reply = request.reply()
        answer = self.zone.answer(name, qtype)
        if isinstance(answer, TempFail):
            if answer.why == "timeout":
                self.stopped.wait(30)
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        chain = self.zone.chain(name, qtype)
        for alias, target in pairwise(chain):
            reply.add_answer(RR(alias, QTYPE.CNAME, ttl=self.zone.ttl, rdata=dnslib.CNAME(target)))
        if isinstance(answer, RecordSet):
            for record in answer.records:
                reply.add_answer(RR(chain[-1], request.q.qtype, ttl=answer.ttl, rdata=_rdata(qtype, record)))
            return reply
        if isinstance(answer, NxDomain):
            reply.header.rcode = RCODE.NXDOMAIN
        times = (1, 3600, 600, 86400, answer.ttl)
        reply.add_auth(
            RR(".", QTYPE.SOA, ttl=answer.ttl, rdata=dnslib.SOA("zone.", "hostmaster.zone.", times))
        )
        return reply


def _rdata(qtype: str, record: Rdata) -> object:
    if isinstance(record, tuple):
        return dnslib.MX(record[1], record[0])
    if isinstance(record, bytes):
        return dnslib.TXT([record[at : at + 255] for at in range(0, len(record), 255)] or [b""])
    return _NAMED[qtype](record)


@contextmanager
def dns_server(zone: dict[str, list[object]], ttl: int = 300) -> Iterator[Server]:
    """A server on 127.0.0.1 over UDP and TCP; a TIMEOUT entry is not answered while the test runs."""
    server = Server(parse_zone(zone, ttl=ttl))
    silent = DNSLogger(log="-request,-reply,-truncated,-error,-recv,-send,-data", prefix=False)
    streams = DNSServer(server, address="127.0.0.1", port=0, tcp=True, logger=silent)
    server.port = streams.server.server_address[1]
    datagrams = DNSServer(server, address="127.0.0.1", port=server.port, logger=silent)
    threads = []
    for threaded in (streams.server, datagrams.server):
        threaded.daemon_threads = True
        threads.append(threading.Thread(target=threaded.serve_forever, args=(0.02,), daemon=True))
        threads[-1].start()
    try:
        yield server
    finally:
        server.stopped.set()
        for threaded in (streams.server, datagrams.server):
            threaded.shutdown()
            threaded.server_close()
        for thread in threads:
            thread.join(5)
