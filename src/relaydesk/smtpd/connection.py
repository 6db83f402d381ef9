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
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiosmtpd.smtp import SMTP

from relaydesk.smtpd import proxy
from relaydesk.smtpd.content import read_content
from relaydesk.smtpd.receive_buffer import LineTooLongError, ReceiveBuffer
from relaydesk.smtpd.replies import Hangup, Reply, reply_for
from relaydesk.smtpd.seat import Seat
from relaydesk.smtpd.session import Session
from relaydesk.smtpd.submission import SubmissionSession
from relaydesk.smtpd.transaction import Peer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from relaydesk.smtpd.connection_places import TakenPlace
    from relaydesk.smtpd.data_reader import DataReader
    from relaydesk.smtpd.reception import Reception
    from relaydesk.smtpd.server import Server

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")

LINGER = 1.0
"""Seconds to read on after the last reply, so that a TCP reset does not overtake it."""
FAIR = 4
"""Commands of a client in a row before others have their turn, and asyncio tells us that a socket is gone."""


class Connection(SMTP):
    """A client's connection from greeting to end, with all its caps and time limits."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, place: TakenPlace, ip: str) -> None:
        self._server, self._endpoint, self._limits = server, server.endpoint, server.endpoint.limits
        longest = self._limits.session_seconds + self._limits.data_seconds + 2 * self._limits.handler_seconds
        # aiosmtpd's own timer closes without a reply: it is only the last resort here.
        super().__init__(object(), hostname=self._endpoint.hostname, timeout=2 * longest, loop=loop)
        self.seat, self._ip = Seat(server, place), ip
        self._buffer = ReceiveBuffer()
        self._tls_context: ssl.SSLContext | None = None
        self._session: Session | None = None
        self.tls = False

    # --- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = self._link = cast("asyncio.Transport", transport)
        self._buffer.connect(self._link)
        self._server.connections.add(self)
        self.seat.take(self._give_way)
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
        self.seat.give_back()
        super().connection_lost(error)

    # --- what the server calls

    @property
    def task(self) -> asyncio.Task[None] | None:
        return self._handler_coroutine

    def cut(self) -> None:
        """End at once, without a word."""
        if self.task is not None:
            self.task.cancel()
        self._raw.abort()

    def _give_way(self) -> None:
        """End at once for one that comes with mail; the reply goes as far as the socket takes it."""
        if not (self.seat.leaving or self._raw.is_closing()):
            self._server.turned_away.add("under_load")
            self._link.write(f"{reply_for('under_load').line()}\r\n".encode())
        self._raw.abort()

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
            self._depart()
            self._link.close()

    def _depart(self) -> None:
        """Only the socket is left, and that not for long; more than once does no harm."""
        self._server.connections.discard(self)
        self.seat.leave()
        self.seat.cut_later(self._raw.abort)
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()

    async def _end(self, reply: Reply) -> None:
        """Say the last reply, and see that it arrives even if the client is still sending."""
        with contextlib.suppress(OSError, EOFError, ssl.SSLError, TimeoutError):
            await self.say(reply)
            if self.seat.hurries:
                return
            self.seat.leave()
            if self._link.can_write_eof():
                self._link.write_eof()
            async with asyncio.timeout(LINGER):
                while True:
                    await self._buffer.chunk()

    async def _open(self) -> Session:
        """The PROXY header where one must come, and the greeting."""
        role, entry = self._endpoint.configuration.current.allowlist.role(self._ip)
        trusted = entry is not None and entry.xclient
        session = self._session = self._new_session(Peer(self._ip, "peer", self._ip, trusted))
        if self._server.closing:
            raise Hangup(reply_for("shutting_down"))
        if role == "proxy" and not trusted:
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
        if ip is not None and (obstacle := self.seat.speaks_for(ip)):
            raise Hangup(reply_for(obstacle))

    async def _converse(self, session: Session) -> None:
        commands = errors = 0
        while True:
            had_recipient = session.has_recipient
            reply = await self._answer(session)
            if had_recipient and not session.has_recipient:
                self.seat.brought()
            self.seat.rest(bringing=session.has_recipient)
            await self.say(reply)
            if self._tls_context is not None:
                await self._secure(self._tls_context)
            if reply.closes:
                return
            commands += 1
            if commands % FAIR == 0:
                await asyncio.sleep(0)  # pipelined commands may all wait here already: let others have a turn
            errors += reply.permanent
            if errors > self.seat.errors:
                raise Hangup(reply_for("too_many_errors"))
            if commands >= self._limits.commands:
                raise Hangup(reply_for("too_many_commands"))

    async def _answer(self, session: Session) -> Reply:
        """The reply to the next command line."""
        line = await self.line()
        if isinstance(line, Reply):
            return line
        self.seat.work()
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
            with self.seat.waiting(bringing=self._bringing):
                async with self.seat.for_one_command():
                    return await waiting
        except TimeoutError:
            raise Hangup(self._out_of_time()) from None

    def _out_of_time(self) -> Reply:
        if self._server.closing:
            return reply_for("shutting_down")
        if self.seat.hurries:
            self._server.turned_away.add("under_load")
            return reply_for("under_load")
        return reply_for("session_over" if self.loop.time() >= self.seat.ends else "too_slow")

    @property
    def _bringing(self) -> bool:
        return self._session is not None and self._session.has_recipient

    # --- what the session asks of its transport

    async def say(self, reply: Reply) -> None:
        """Send a reply. A client that does not take it in time is cut off (ConnectionError)."""
        if self._raw.is_closing():  # asyncio logs each further write to it
            raise ConnectionResetError
        try:
            with self.seat.waiting(bringing=self._bringing):
                async with asyncio.timeout(self.seat.seconds(self._limits.write_seconds)):
                    await self.push(reply.line())
        except TimeoutError:
            self._raw.abort()
            raise ConnectionAbortedError("the client does not read its replies") from None

    async def content(self, reception: Reception) -> DataReader:
        """Read the content of DATA to its end. TimeoutError when the client is too slow."""
        limits = replace(self._limits, idle_seconds=self.seat.seconds(self._limits.idle_seconds))
        return await read_content(self._buffer, limits, reception, self._quiet)

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
        self.tls = True
        seconds = self.seat.seconds(self._limits.tls_seconds)
        self.seat.take(self._raw.abort)  # no words in the middle of a handshake
        try:
            with self.seat.waiting(bringing=False):
                await self._writer.start_tls(context, ssl_handshake_timeout=seconds)
            if self._writer.transport is None:
                raise ConnectionResetError
        except BaseException as error:
            # asyncio never reports the end of a connection whose handshake failed.
            self._raw.abort()
            self.seat.give_back()
            if isinstance(error, (ssl.SSLError, ConnectionAbortedError)):
                self._server.turned_away.add("tls_failed")
            raise
        self.transport = self._writer.transport
        self._link = cast("asyncio.Transport", self._writer.transport)
        self._buffer.connect(self._link)
        self.seat.take(self._give_way)
