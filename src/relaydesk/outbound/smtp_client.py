"""One SMTP connection to a server, phase by phase. Owns aiosmtplib.

The commands are sent one by one, so that it is known at which of them a connection broke: before the message
was handed over nothing has happened, after it the server may have it. The courier, the golden cases and
``send-test`` all speak through this client; the last two may speak for another host, as a proxy does.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Literal

import aiosmtplib

from relaydesk.outbound.answer import POSITIVE, HopReply
from relaydesk.outbound.smtp_data import send_content

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from relaydesk.outbound.answer import Phase
    from relaydesk.outbound.next_hop import HostPort, NextHop, Timeouts

_PROXY_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_SMTP_PORT = 25
_OK = range(250, 260)  # 251: it will forward the message (RFC 5321 §4.2.3)
_READY, _GO_AHEAD = (220,), (354,)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One transaction. ``envelope_from`` is "" for the null sender."""

    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class ProxiedClient:
    """The host for which we speak, as a proxy does, and how the server learns of it.

    By the PROXY protocol (version 1 or 2) before the greeting, or by XCLIENT (Postfix) after EHLO.
    """

    ip: str
    by: Literal["proxy", "proxy2", "xclient"]


class _NoTls(Exception):  # noqa: N818 - what the server lacks
    """TLS is wanted and the server does not offer it."""


class _Refusal(Exception):  # noqa: N818 - an answer, not an accident
    """A reply that ends this delivery."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


TROUBLE = (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError, EOFError, _NoTls, _Refusal)


@dataclass(slots=True)
class Progress:
    """How far a delivery has come: what a broken connection means depends on it."""

    phase: Phase = "connect"

    def silence(self, text: str) -> HopReply:
        return HopReply(0, text, self.phase, certain=self.phase != "dot")

    def reply(self, error: Exception) -> HopReply:
        match error:
            case _Refusal():
                return HopReply(error.code, str(error), self.phase)
            case aiosmtplib.SMTPResponseException() if error.code > 0:
                return HopReply(error.code, error.message, self.phase)
            case UnicodeEncodeError():
                return HopReply(553, "5.6.7 the address cannot be written in ASCII", self.phase)
            case _:
                return self.silence(str(error) or type(error).__name__)


class SmtpClient:
    """One connection, from the greeting to QUIT. ``secure`` asks for STARTTLS; ``client`` is spoken for."""

    def __init__(  # noqa: PLR0913 - whom to talk to, and how
        self,
        hop: NextHop,
        place: HostPort,
        helo: str,
        timeouts: Timeouts,
        tls: ssl.SSLContext | None,
        *,
        secure: bool,
        client: ProxiedClient | None = None,
    ) -> None:
        self.sent = 0
        self._client = client
        self._hop, self._place, self._timeouts, self._secure = hop, place, timeouts, secure
        self._idle: asyncio.TimerHandle | None = None
        self._smtp = aiosmtplib.SMTP(
            hostname=place.address,
            port=None if self._proxied else hop.port,
            local_hostname=helo,
            timeout=timeouts.command,
            use_tls=hop.tls == "implicit",
            start_tls=False,
            tls_context=tls,
        )

    @property
    def _proxied(self) -> bool:
        return self._client is not None and self._client.by != "xclient"

    async def open(self, progress: Progress) -> None:
        """Connects, greets, secures, logs in, and names the client that is spoken for."""
        progress.phase = "connect"
        await self._connect()
        progress.phase = "hello"
        await self._smtp.ehlo()
        if self._hop.tls != "implicit" and self._secure:
            await self._start_tls(progress)
        if self._hop.user:
            progress.phase = "auth"
            await self._log_in()
        if self._client is not None and self._client.by == "xclient":
            progress.phase = "xclient"
            form = b"IPV6:" if ":" in self._client.ip else b""
            await self._ask(b"XCLIENT", b"ADDR=%b%b" % (form, self._client.ip.encode("ascii")), wanted=_READY)
            progress.phase = "hello"
            await self._smtp.ehlo()

    async def _connect(self) -> None:
        if self._client is None or not self._proxied:
            await self._smtp.connect(timeout=self._timeouts.connect)
            return
        header = proxy_header(self._client.ip, 2 if self._client.by == "proxy2" else 1)
        address, timeout = (self._place.address, self._hop.port), self._timeouts.connect
        sock = await asyncio.to_thread(_introduced, address, header, timeout)
        await self._smtp.connect(sock=sock, timeout=timeout)

    async def _start_tls(self, progress: Progress) -> None:
        if not self._smtp.supports_extension("starttls"):
            if self._hop.tls == "required":
                progress.phase = "starttls"
                raise _NoTls("it offers no STARTTLS")
            return
        progress.phase = "starttls"
        await self._smtp.starttls(server_hostname=self._place.name, timeout=self._timeouts.connect)
        progress.phase = "hello"
        await self._smtp.ehlo()

    async def _log_in(self) -> None:
        """By PLAIN, else LOGIN (RFC 4954 §4: in the clear only under TLS)."""
        if self._smtp.get_transport_info("sslcontext") is None:
            raise _NoTls("it offers no TLS, and the password is never sent in the clear")
        offered = self._smtp.server_auth_methods
        if "plain" in offered:
            await self._smtp.auth_plain(self._hop.user, self._hop.password)
        elif "login" in offered:
            await self._smtp.auth_login(self._hop.user, self._hop.password)
        else:
            raise _NoTls("it offers neither AUTH PLAIN nor AUTH LOGIN")

    async def deliver(self, delivery: Delivery) -> HopReply:
        """One message over a connection of its own, and the reply that settled it, success or not.

        The code is 0 where TLS is wanted but not offered. OSError when no reply came: TimeoutError,
        ConnectionError, ssl.SSLError.
        """
        progress = Progress()
        try:
            await self.open(progress)
            reply = await self.send(delivery, progress)
            await self.leave()
        except (_Refusal, _NoTls, aiosmtplib.SMTPResponseException) as error:
            return progress.reply(error)
        finally:
            self.hang_up()
            await asyncio.sleep(0)  # the loop may end with us: a transport closes its socket a turn later
        return reply

    async def send(self, delivery: Delivery, progress: Progress) -> HopReply:
        """One message. Any reply but a success is raised."""
        charset = "utf-8" if delivery.smtputf8 else "ascii"
        progress.phase = "mail"
        await self._ask(
            b"MAIL", b"FROM:<%b>" % delivery.envelope_from.encode(charset), *self._parameters(delivery)
        )
        progress.phase = "rcpt"
        for recipient in delivery.recipients:
            await self._ask(b"RCPT", b"TO:<%b>" % recipient.encode(charset))
        progress.phase = "data"
        await self._ask(b"DATA", wanted=_GO_AHEAD)
        progress.phase = "dot"
        reply = await self._content(delivery.raw)
        self.sent += 1
        return reply

    def _parameters(self, delivery: Delivery) -> list[bytes]:
        parameters = []
        if self._smtp.supports_extension("size"):
            parameters.append(b"SIZE=%d" % len(delivery.raw))
        if not delivery.raw.isascii() and self._smtp.supports_extension("8bitmime"):
            parameters.append(b"BODY=8BITMIME")
        if delivery.smtputf8:
            parameters.append(b"SMTPUTF8")
        return parameters

    async def _ask(self, *words: bytes, wanted: Container[int] = _OK) -> None:
        code, text = await self._smtp.execute_command(*words)
        if code not in wanted:
            raise _Refusal(code, text)

    async def _content(self, raw: bytes) -> HopReply:
        """The message, its dots doubled (RFC 5321 §4.5.2) and not a byte changed otherwise."""
        protocol = self._smtp.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        replied = asyncio.create_task(protocol.read_response(timeout=self._timeouts.dot))
        try:
            await asyncio.sleep(0)  # it waits before anything is sent
            whole = await send_content(protocol, raw, replied)
            code, text = await replied
        finally:
            replied.cancel()
        reply = HopReply(code, text, "dot")
        if reply.severity == POSITIVE and not whole:
            raise aiosmtplib.SMTPServerDisconnected("It replied before the end of the message")
        if reply.severity != POSITIVE:
            raise _Refusal(code, text)
        return reply

    def keep(self, seconds: float, forget: Callable[[], object]) -> None:
        """Waits for the next message, but not for ever."""

        def give_up() -> None:
            forget()
            self.hang_up()

        self._idle = asyncio.get_running_loop().call_later(seconds, give_up)

    def rest(self) -> None:
        """Stops the waiting: there is work."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    async def leave(self) -> None:
        """QUIT, without waiting long for the reply."""
        self.rest()
        transport = self._smtp.transport
        with suppress(*TROUBLE, TimeoutError):
            await self._smtp.quit(timeout=2.0)
        self.hang_up()
        _abort(transport)

    def hang_up(self) -> None:
        """Closes the connection at once: under TLS a polite end would wait for the server's own."""
        self.rest()
        transport = self._smtp.transport
        self._smtp.close()
        _abort(transport)


def _abort(transport: asyncio.BaseTransport | None) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _introduced(address: tuple[str, int], header: bytes, timeout: float) -> socket.socket:
    sock = socket.create_connection(address, timeout)
    sock.sendall(header)
    sock.setblocking(False)
    return sock


def proxy_header(ip: str, version: Literal[1, 2] = 1) -> bytes:
    """The PROXY header that names ``ip`` as the client (HAProxy's PROXY protocol, versions 1 and 2)."""
    source = ip_address(ip)
    is_v4 = isinstance(source, IPv4Address)
    ours = ip_address("127.0.0.1" if is_v4 else "::1")
    if version == 1:
        return f"PROXY TCP{source.version} {source} {ours} {_SMTP_PORT} {_SMTP_PORT}\r\n".encode()
    addresses = source.packed + ours.packed + struct.pack("!HH", _SMTP_PORT, _SMTP_PORT)
    family = 0x11 if is_v4 else 0x21
    return _PROXY_V2 + struct.pack("!BBH", 0x21, family, len(addresses)) + addresses
