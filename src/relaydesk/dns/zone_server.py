"""A real DNS server for one zone, over UDP and TCP: what the demo asks instead of the Internet."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from relaydesk.dns.records import NxDomain, RecordSet, TempFail

if TYPE_CHECKING:
    from types import TracebackType

    from relaydesk.dns.records import Rdata, RrType
    from relaydesk.dns.zone import Zone

_TXT_STRING = 255  # RFC 1035 §3.3: the length of one character-string
_IDLE = 10.0  # seconds a TCP client may be silent
_PLAIN_UDP = 512  # RFC 1035 §2.3.4, without EDNS


class ZoneServer:
    """Serves ``zone`` on one address; ``asked`` counts the questions. ``TIMEOUT`` entries get no answer.

    Use as ``async with ZoneServer(zone) as server:`` and ask ``server.address``.
    """

    def __init__(self, zone: Zone, host: str = "127.0.0.1", port: int = 0) -> None:
        self._zone, self._host, self._port = zone, host, port
        self.asked: Counter[tuple[str, str]] = Counter()

    async def __aenter__(self) -> ZoneServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen; with port 0 on a free one, the same for UDP and TCP.

        :raises OSError: when the address is taken.
        """
        self._streams = await asyncio.start_server(self._serve_stream, self._host, self._port)
        self._port = self._streams.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(self._host, self._port)
        )

    async def stop(self) -> None:
        self._datagrams.close()
        self._streams.close()

    def respond(self, wire: bytes, *, stream: bool) -> bytes | None:
        """The answer to one query, None for silence: to junk, and where the zone says TIMEOUT."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if len(query.question) != 1 or query.opcode() != dns.opcode.QUERY:
            return None
        response = self._answer(query)
        if response is None:
            return None
        limit = 65_535 if stream else max(_PLAIN_UDP, query.payload if query.edns >= 0 else 0)
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            cut = dns.message.make_response(query, recursion_available=True)
            cut.flags |= dns.flags.TC
            return cut.to_wire()

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rrtype = cast("RrType", dns.rdatatype.to_text(question.rdtype))
        self.asked[name, rrtype] += 1
        answer = self._zone.answer(name, rrtype)
        response = dns.message.make_response(query, recursion_available=True)
        if isinstance(answer, TempFail):
            response.set_rcode(dns.rcode.SERVFAIL)
            return None if answer.why == "timeout" else response
        chain = self._zone.chain(name, rrtype)
        for alias, target in pairwise(chain):
            response.answer.append(
                dns.rrset.from_text(_dotted(alias), self._zone.ttl, "IN", "CNAME", _dotted(target))
            )
        if isinstance(answer, RecordSet):
            response.answer.append(_rrset(chain[-1], question.rdtype, answer))
            return response
        if isinstance(answer, NxDomain):
            response.set_rcode(dns.rcode.NXDOMAIN)
        # The SOA says how long the absence may be believed (RFC 2308 §3).
        soa = f"zone. hostmaster.zone. 1 3600 600 86400 {answer.ttl}"
        response.authority.append(dns.rrset.from_text(".", answer.ttl, "IN", "SOA", soa))
        return response

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(_IDLE):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    response = self.respond(await reader.readexactly(size), stream=True)
                if response is not None:
                    writer.write(len(response).to_bytes(2, "big") + response)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: ZoneServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._server.respond(data, stream=False)
        if response is not None:
            self._transport.sendto(response, addr)


def _rrset(name: str, rdtype: dns.rdatatype.RdataType, answer: RecordSet) -> dns.rrset.RRset:
    rdatas = [dns.rdata.from_text(dns.rdataclass.IN, rdtype, _text(record)) for record in answer.records]
    return dns.rrset.from_rdata_list(_dotted(name), answer.ttl, rdatas)


def _text(record: Rdata) -> str:
    """One record in zone file syntax (RFC 1035 §5.1)."""
    if isinstance(record, tuple):
        return f"{record[0]} {_dotted(record[1])}"
    if isinstance(record, str):
        return record if _is_address(record) else _dotted(record)
    strings = [record[at : at + _TXT_STRING] for at in range(0, len(record), _TXT_STRING)] or [b""]
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in string) + '"' for string in strings)


def _is_address(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdecimal()


def _dotted(name: str) -> str:
    return f"{name}."
