"""The courier: carries one message to the next hop over SMTP and brings back what it said.

The hop is a smarthost (STARTTLS or implicit TLS, AUTH) or, directly, the mail hosts of the recipient's own
domain. A connection is kept and used for the next message; it is given up after a while without work, after
many messages and after any reply but a success. ``deliver`` never raises: trouble is a reply too.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from relaydesk.dns import NoData, NxDomain, RecordSet, TempFail
from relaydesk.message import domain_of
from relaydesk.outbound.answer import HopReply
from relaydesk.outbound.next_hop import HostPort, NextHop, Timeouts
from relaydesk.outbound.smtp_client import TROUBLE, Delivery, Progress, SmtpClient

if TYPE_CHECKING:
    from relaydesk.dns import DnsAnswer, Lookup

HOSTS = 5  # so many addresses are tried before the answer waits


class Courier:
    """Delivers to one :class:`NextHop`. Belongs to one event loop.

    ``helo`` is our host name. ``tls`` replaces the system's list of authorities for a smarthost.
    """

    def __init__(
        self,
        hop: NextHop,
        *,
        helo: str,
        resolver: Lookup,
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.hop = hop
        self._helo = helo
        self._resolver = resolver
        self._timeouts = timeouts or Timeouts()
        self._tls = tls or _authorities(verify=bool(hop.host) and hop.tls != "opportunistic")
        self._kept: dict[str, list[SmtpClient]] = {}

    def name(self, recipient: str) -> str:
        """The hop that takes this recipient's mail: the smarthost, else the recipient's domain."""
        return self.hop.host or domain_of(recipient)

    async def deliver(self, envelope_from: str, recipient: str, raw: bytes) -> HopReply:
        """Hands the bytes over for one recipient and returns the reply. Never raises (but for cancelling)."""
        progress = Progress()
        try:
            async with asyncio.timeout(self._timeouts.total):
                delivery = Delivery(envelope_from, (recipient,), raw)
                return await self._deliver(delivery, progress, self.name(recipient))
        except TimeoutError:
            return progress.silence("no reply within the time allowed for one delivery")

    async def _deliver(self, delivery: Delivery, progress: Progress, key: str) -> HopReply:
        while self._kept.get(key):
            reply = await self._over(self._kept[key].pop(), delivery, progress, key)
            if reply is not None:
                return reply
        places = await self._places(key)
        if isinstance(places, HopReply):
            return places
        reply = progress.silence("no host to connect to")
        for place in places:
            reply = await self._open_and_send(place, delivery, progress, key)
            if reply.phase not in ("connect", "hello", "starttls"):
                return reply
        return reply

    async def _places(self, name: str) -> tuple[HostPort, ...] | HopReply:
        if self.hop.host:
            return (HostPort(name, name),)
        return await _mail_hosts(self._resolver, name)

    async def _open_and_send(
        self, place: HostPort, delivery: Delivery, progress: Progress, key: str
    ) -> HopReply:
        """Over a new connection; where TLS is only welcome and fails, over a second one in the clear."""
        for secure in (True, False):
            client = SmtpClient(self.hop, place, self._helo, self._timeouts, self._tls, secure=secure)
            progress.phase = "connect"
            try:
                await client.open(progress)
                return await self._finish(client, delivery, progress, key)
            except TROUBLE as error:
                client.hang_up()
                reply = progress.reply(error)
            except BaseException:
                client.hang_up()
                raise
            if reply.phase != "starttls" or self.hop.tls != "opportunistic" or self.hop.user:
                break
        return reply

    async def _over(
        self, client: SmtpClient, delivery: Delivery, progress: Progress, key: str
    ) -> HopReply | None:
        """Over a kept connection; None when it had died or is turned away before the message was begun."""
        progress.phase = "mail"
        try:
            return await self._finish(client, delivery, progress, key)
        except TROUBLE as error:
            client.hang_up()
            reply = progress.reply(error)
            return None if reply.phase == "mail" and reply.code in (0, 421) else reply
        except BaseException:
            client.hang_up()
            raise

    async def _finish(self, client: SmtpClient, delivery: Delivery, progress: Progress, key: str) -> HopReply:
        client.rest()
        reply = await client.send(delivery, progress)
        if client.sent < self._timeouts.messages:
            kept = self._kept.setdefault(key, [])
            kept.append(client)
            client.keep(self._timeouts.idle, lambda: kept.remove(client))
        else:
            await client.leave()
        return reply

    async def close(self) -> None:
        """Takes leave of the kept connections."""
        kept = [client for clients in self._kept.values() for client in clients]
        self._kept.clear()
        await asyncio.gather(*(client.leave() for client in kept))


def _authorities(*, verify: bool) -> ssl.SSLContext:
    if verify:
        return ssl.create_default_context()
    # Opportunistic: against listeners only. A host found by DNS has no name to prove: no authority is read.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _mail_hosts(resolver: Lookup, domain: str) -> tuple[HostPort, ...] | HopReply:
    """Who takes a domain's mail (RFC 5321 §5.1), in the order to try them; or what there is to say instead.

    A domain without MX is its own host; a null MX (RFC 7505) and a domain that does not exist are final; a
    failure of the DNS counts as no reply, so that the answer waits.
    """
    answer = await resolver.lookup(domain, "MX")
    match answer:
        case TempFail(why):
            return _unknown(f"the mail hosts of {domain} could not be looked up now ({why})")
        case NxDomain():
            return HopReply(550, f"5.1.2 the domain {domain} does not exist", "rcpt")
        case NoData():
            hosts: tuple[str, ...] = (domain,)
        case RecordSet():
            hosts = answer.names
    if not any(host.strip(".") for host in hosts):
        return HopReply(556, f"5.1.10 the domain {domain} accepts no mail", "rcpt")
    return await _addresses(resolver, hosts)


async def _addresses(resolver: Lookup, hosts: tuple[str, ...]) -> tuple[HostPort, ...] | HopReply:
    reached: list[HostPort] = []
    unsure = False
    for host in hosts:
        for rrtype in ("A", "AAAA"):
            answer: DnsAnswer = await resolver.lookup(host, "A" if rrtype == "A" else "AAAA")
            unsure = unsure or isinstance(answer, TempFail)
            if isinstance(answer, RecordSet):
                reached += [HostPort(host, record) for record in answer.records if isinstance(record, str)]
        if len(reached) >= HOSTS:
            break
    if reached:
        return tuple(reached[:HOSTS])
    if unsure:
        return _unknown(f"the address of {hosts[0]} could not be looked up now")
    return HopReply(550, f"5.4.4 {hosts[0]} has no address", "rcpt")


def _unknown(text: str) -> HopReply:
    return HopReply(0, text, "connect")
