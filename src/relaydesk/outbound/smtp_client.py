"""One SMTP conversation with a next hop, phase by phase. Owns aiosmtplib.

The commands are sent one by one, so that it is known at which of them a connection broke: before the message
was handed over nothing has happened, after it the hop may have it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import aiosmtplib

from relaydesk.outbound.answer import HopReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.outbound.next_hop import HostPort, NextHop, Timeouts

Phase = Literal["connect", "hello", "starttls", "auth", "mail", "rcpt", "data", "dot"]
_LINE_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Delivery:
    envelope_from: str
    recipient: str
    raw: bytes = field(repr=False)


class _NoTls(Exception):  # noqa: N818 - what the hop lacks
    """TLS is wanted and the hop does not offer it."""


class _Said(Exception):  # noqa: N818 - an answer, not an accident
    """A reply that ends this delivery."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


TROUBLE = (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError, EOFError, _NoTls, _Said)


@dataclass(slots=True)
class Progress:
    """How far a delivery has come: what a broken connection means depends on it."""

    phase: Phase = "connect"

    def silence(self, text: str) -> HopReply:
        return HopReply(0, text, self.phase, certain=self.phase != "dot")

    def reply(self, error: Exception) -> HopReply:
        match error:
            case _Said():
                return HopReply(error.code, str(error), self.phase)
            case aiosmtplib.SMTPResponseException() if error.code > 0:
                return HopReply(error.code, error.message, self.phase)
            case UnicodeEncodeError():
                return HopReply(553, "5.6.7 the address cannot be written in ASCII", self.phase)
            case _:
                return self.silence(str(error) or type(error).__name__)


class SmtpClient:
    """One connection, from the greeting to the leave."""

    def __init__(  # noqa: PLR0913 - whom to talk to, and how
        self,
        hop: NextHop,
        place: HostPort,
        helo: str,
        patience: Timeouts,
        tls: ssl.SSLContext,
        *,
        secure: bool,
    ) -> None:
        self.sent = 0
        self._hop, self._place, self._patience, self._secure = hop, place, patience, secure
        self._idle: asyncio.TimerHandle | None = None
        self._smtp = aiosmtplib.SMTP(
            hostname=place.address,
            port=hop.port,
            local_hostname=helo,
            timeout=patience.command,
            use_tls=hop.tls == "implicit",
            start_tls=False,
            tls_context=tls,
        )

    async def open(self, progress: Progress) -> None:
        """Connects, greets, secures and logs in."""
        progress.phase = "connect"
        await self._smtp.connect(timeout=self._patience.connect)
        progress.phase = "hello"
        await self._smtp.ehlo()
        if self._hop.tls != "implicit" and self._secure:
            await self._start_tls(progress)
        if self._hop.user:
            progress.phase = "auth"
            await self._log_in()

    async def _start_tls(self, progress: Progress) -> None:
        if not self._smtp.supports_extension("starttls"):
            if self._hop.tls == "required":
                progress.phase = "starttls"
                raise _NoTls("it offers no STARTTLS")
            return
        progress.phase = "starttls"
        await self._smtp.starttls(server_hostname=self._place.name, timeout=self._patience.connect)
        progress.phase = "hello"
        await self._smtp.ehlo()

    async def _log_in(self) -> None:
        """By PLAIN, else LOGIN (RFC 4954 §4: in the clear only under TLS)."""
        if self._smtp.get_transport_info("sslcontext") is None:
            raise _NoTls("it offers no TLS, and our password is not sent in the clear")
        offered = self._smtp.server_auth_methods
        if "plain" in offered:
            await self._smtp.auth_plain(self._hop.user, self._hop.password)
        elif "login" in offered:
            await self._smtp.auth_login(self._hop.user, self._hop.password)
        else:
            raise _NoTls("it offers neither AUTH PLAIN nor AUTH LOGIN")

    async def send(self, errand: Delivery, progress: Progress) -> HopReply:
        """One message. A reply that is no success is raised."""
        progress.phase = "mail"
        await self._ask(
            b"MAIL", b"FROM:<%b>" % errand.envelope_from.encode("ascii"), *self._parameters(errand)
        )
        progress.phase = "rcpt"
        await self._ask(b"RCPT", b"TO:<%b>" % errand.recipient.encode("ascii"))
        progress.phase = "data"
        await self._ask(b"DATA", wanted=354)
        progress.phase = "dot"
        reply = await self._content(errand.raw)
        self.sent += 1
        return reply

    def _parameters(self, errand: Delivery) -> list[bytes]:
        found = []
        if self._smtp.supports_extension("size"):
            found.append(b"SIZE=%d" % len(errand.raw))
        if not errand.raw.isascii() and self._smtp.supports_extension("8bitmime"):
            found.append(b"BODY=8BITMIME")
        return found

    async def _ask(self, *words: bytes, wanted: int = 250) -> None:
        code, text = await self._smtp.execute_command(*words)
        if code != wanted and not (wanted == code // 10 * 10 == 250):  # noqa: PLR2004 - 251: will forward
            raise _Said(code, text)

    async def _content(self, raw: bytes) -> HopReply:
        """The message, its dots doubled (RFC 5321 §4.5.2) and not a byte changed otherwise."""
        protocol = self._smtp.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        end = b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n"
        protocol.write(_LINE_DOT.sub(b"..", raw) + end)
        code, text = await protocol.read_response(timeout=self._patience.dot)
        if code // 100 != 2:  # noqa: PLR2004
            raise _Said(code, text)
        return HopReply(code, text, "dot")

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
        with suppress(*TROUBLE, TimeoutError):
            await self._smtp.quit(timeout=2.0)
        self.hang_up()

    def hang_up(self) -> None:
        self.rest()
        self._smtp.close()
