"""One SMTP connection: aiosmtpd's protocol with our own session on it.

aiosmtpd brings the protocol, its writer and the PROXY parser. Its command loop is replaced, because it
cancels a handler when the client hangs up, reports exceptions to the client, has no caps, closes without
a word, and reads DATA line by line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiosmtpd.smtp import SMTP

from relaydesk.message import canonical_ip
from relaydesk.smtpd import proxy
from relaydesk.smtpd.content import read_content
from relaydesk.smtpd.receive_buffer import LineTooLongError, ReceiveBuffer
from relaydesk.smtpd.replies import Reply, reply_for
from relaydesk.smtpd.server import peer_key
from relaydesk.smtpd.session import Session
from relaydesk.smtpd.submission import SubmissionSession
from relaydesk.smtpd.transaction import Peer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from relaydesk.smtpd.data_reader import DataReader
    from relaydesk.smtpd.reception import Reception
    from relaydesk.smtpd.server import Server

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")

LINGER = 1.0
"""Seconds to read on after the last reply, so that a TCP reset does not overtake it."""
FAIR = 16
"""Commands of one client in a row before the other sessions have their turn."""
_5XX = 500


class Hangup(Exception):  # noqa: N818 (an ending, not an error)
    """The session ends with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class Connection(SMTP):
    """A client's connection from greeting to end, with all its caps and time limits."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._endpoint, self._limits = server, server.endpoint, server.endpoint.limits
        longest = self._limits.session_seconds + self._limits.data_seconds + 2 * self._limits.handler_seconds
        # aiosmtpd's own timer closes without a reply: it is only the last resort here.
        super().__init__(object(), hostname=self._endpoint.hostname, timeout=2 * longest, loop=loop)
        self._buffer = ReceiveBuffer()
        self._ends = loop.time() + self._limits.session_seconds
        self._waiting: asyncio.Timeout | None = None
        self._tls_context: ssl.SSLContext | None = None
        self._counted_as = ""
        self.tls = False

    # --- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._buffer.connect(cast("asyncio.Transport", transport))
        self._server.connections.add(self)
        self.tls = transport.get_extra_info("ssl_object") is not None
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._buffer.feed(data)

    def eof_received(self) -> bool:
        # A client that has said its last may still want our reply: nothing is cancelled.
        self._buffer.end()
        return not self.tls

    def connection_lost(self, error: Exception | None) -> None:
        self._buffer.end()
        self._depart()
        super().connection_lost(error)

    # --- what the server calls

    @property
    def task(self) -> asyncio.Task[None] | None:
        return self._handler_coroutine

    def hang_up(self) -> None:
        """Stop waiting for a further command; a command under way is finished first."""
        if self._waiting is not None:
            self._waiting.reschedule(self.loop.time())

    def cut(self) -> None:
        """End at once, without a word."""
        if self.task is not None:
            self.task.cancel()
        self._writer.transport.abort()

    # --- the session

    async def _handle_client(self) -> None:
        """The whole session; aiosmtpd starts it as a task when the connection is made."""
        try:
            await self._converse(await self._open())
        except Hangup as end:
            await self._end(end.reply)
        except (EOFError, OSError, ssl.SSLError):
            pass  # the client is gone, or does not take its replies
        except Exception:
            log.exception("a session failed")
            await self._end(Reply(421, "4.3.0", "Something went wrong, please try again later"))
        finally:
            # After a failed TLS handshake asyncio never reports that the connection is lost.
            self._depart()
            self._writer.close()
            if self._writer.transport.get_write_buffer_size():
                # A client that never reads would keep the rest of our replies in memory for ever.
                self.loop.call_later(self._limits.write_seconds, self._writer.transport.abort)

    def _depart(self) -> None:
        """Give back what this connection holds; more than once does no harm."""
        self._server.connections.discard(self)
        if self._counted_as:
            self._server.leave(self._counted_as)
            self._counted_as = ""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()

    async def _end(self, reply: Reply) -> None:
        """Say the last reply, and see that it arrives even if the client is still sending."""
        with contextlib.suppress(OSError, EOFError, ssl.SSLError, TimeoutError):
            await self.say(reply)
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(LINGER):
                while True:
                    await self._buffer.chunk()

    async def _open(self) -> Session:
        """Caps, the PROXY header where one must come, and the greeting."""
        name = self._writer.get_extra_info("peername")
        address = canonical_ip(str(name[0])) if name else None
        socket_ip = str(address) if address is not None else ""
        role, entry = self._endpoint.configuration.current.allowlist.role(socket_ip)
        trusted = entry is not None and entry.xclient
        session = self._new_session(Peer(socket_ip, "peer", socket_ip, trusted))
        if self._server.closing:
            raise Hangup(reply_for("shutting_down"))
        if self._server.full:
            raise Hangup(reply_for("too_many_connections"))
        if role != "proxy":
            self._count(socket_ip)
        elif not trusted:
            await self._take_proxy_header(session)
        await self.say(session.greeting)
        if trusted:
            # Such a front end speaks XCLIENT or PROXY; what comes first shows which.
            await self._in_time(self._buffer.wait(proxy.PEEK))
            if proxy.begins(self._buffer):
                await self._take_proxy_header(session)
        return session

    def _new_session(self, peer: Peer) -> Session:
        if self._endpoint.logins is not None:
            return SubmissionSession(self._endpoint.logins, self._endpoint, self._server, self, peer)
        return Session(self._endpoint, self._server, self, peer)

    async def _take_proxy_header(self, session: Session) -> None:
        socket_ip = session.peer.socket_ip
        try:
            ip = await proxy.read(self._buffer, self._limits.proxy_seconds)
        except proxy.ProxyError:
            session.turn_away("proxy_without_header")
            raise Hangup(reply_for("proxy_refused")) from None
        session.peer = Peer(ip, "proxy", socket_ip, session.peer.may_xclient)
        if ip is not None:
            self._count(ip)

    def _count(self, ip: str) -> None:
        self._counted_as = peer_key(ip)
        if not self._server.enter(self._counted_as):
            raise Hangup(reply_for("too_many_connections"))

    async def _converse(self, session: Session) -> None:
        commands = errors = 0
        while True:
            reply = await self._answer(session)
            await self.say(reply)
            if self._tls_context is not None:
                await self._secure(self._tls_context)
            if reply.closes:
                return
            commands += 1
            if commands % FAIR == 0:
                await asyncio.sleep(0)  # pipelined commands may all wait here already: let others have a turn
            errors += reply.code >= _5XX
            if errors > self._limits.errors:
                raise Hangup(reply_for("too_many_errors"))
            if commands >= self._limits.commands:
                raise Hangup(reply_for("too_many_commands"))

    async def _answer(self, session: Session) -> Reply:
        """The reply to the next command line."""
        line = await self.line()
        if isinstance(line, Reply):
            return line
        try:
            return await session.obey(line)
        except TimeoutError:
            raise Hangup(session.turn_away("too_slow")) from None

    async def line(self) -> str | Reply:
        """What the client says next, or the reply to a line that cannot be read."""
        try:
            line = await self._in_time(self._buffer.line(self._limits.command_bytes))
        except LineTooLongError:
            return reply_for("command_too_long")
        text = line.removesuffix(b"\r\n")
        if b"\r" in text or b"\n" in text:
            return reply_for("command_newline")
        try:
            command = text.decode("utf-8")
        except UnicodeDecodeError:
            return reply_for("syntax")
        return command if command.isprintable() else reply_for("syntax")

    async def _in_time(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for the client as long as one command may take and the session lasts; then Hangup."""
        if self._server.closing:
            waiting.close()
            raise Hangup(reply_for("shutting_down"))
        try:
            async with asyncio.timeout_at(
                min(self._ends, self.loop.time() + self._limits.idle_seconds)
            ) as self._waiting:
                return await waiting
        except TimeoutError:
            if self._server.closing:
                raise Hangup(reply_for("shutting_down")) from None
            over = self.loop.time() >= self._ends
            raise Hangup(reply_for("session_over" if over else "too_slow")) from None
        finally:
            self._waiting = None

    # --- what the session asks of its transport

    async def say(self, reply: Reply) -> None:
        """Send a reply. A client that does not take it in time is cut off (ConnectionError)."""
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                await self.push(reply.line())
        except TimeoutError:
            self._writer.transport.abort()
            raise ConnectionAbortedError("the client does not read its replies") from None

    async def content(self, reception: Reception) -> DataReader:
        """Read the content of DATA to its end. TimeoutError when the client is too slow."""
        return await read_content(self._buffer, self._limits, reception, self._quiet)

    async def _quiet(self) -> bool:
        try:
            async with asyncio.timeout(self._limits.quiet_seconds):
                await self._buffer.wait()
        except TimeoutError:
            return True
        return False

    def secure_after_reply(self, context: ssl.SSLContext) -> None:
        """Start TLS once the reply to the command in hand is out."""
        self._tls_context = context

    async def _secure(self, context: ssl.SSLContext) -> None:
        self._tls_context = None
        # What came in clear behind STARTTLS could be an attacker's: it must not count inside TLS.
        self._buffer.clear()
        await self._writer.start_tls(context, ssl_handshake_timeout=self._limits.tls_seconds)
        self.transport = self._writer.transport
        self._buffer.connect(cast("asyncio.Transport", self._writer.transport))
        self.tls = True
