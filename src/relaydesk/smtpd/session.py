"""What is said in one SMTP session: each verb, its checks and its reply (RFC 5321 §4.1)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from relaydesk.message import Envelope, header_values, with_protocol
from relaydesk.policy import find_origin
from relaydesk.reasons import reason
from relaydesk.smtpd import paths, xclient
from relaydesk.smtpd.data_reader import flaw_of
from relaydesk.smtpd.replies import TRY_AGAIN, Reply, reply_for

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    from relaydesk.message import How, Origin
    from relaydesk.policy import Allowlist
    from relaydesk.smtpd.data_reader import DataReader
    from relaydesk.smtpd.server import Server

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")


class Transport(Protocol):
    """What a dialogue needs of its connection."""

    tls: bool

    async def say(self, reply: Reply) -> None: ...
    async def line(self) -> str | Reply: ...
    async def content(self) -> DataReader: ...
    def secure_after_reply(self, context: ssl.SSLContext) -> None: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Who speaks: ``ip`` is None when a proxy did not say for whom it does. ``socket_ip`` is the real one."""

    ip: str | None
    how: How
    socket_ip: str
    may_xclient: bool = False


@dataclass(slots=True)
class Transaction:
    """What MAIL and RCPT said so far."""

    mail_from: str
    utf8: bool = False
    rcpt_to: list[str] = field(default_factory=list)
    overflowed: bool = False


class Session:
    """The state of one session, and what each command does to it."""

    commands: ClassVar[Mapping[str, Callable[[Any, str], Awaitable[Reply]]]] = {}

    def __init__(self, room: Server, wire: Transport, peer: Peer, allowlist: Allowlist) -> None:
        self.room, self.wire, self.peer, self.allowlist = room, wire, peer, allowlist
        self.door, self.limits = room.door, room.door.limits
        self.helo = ""
        self.claimed_helo = ""
        self.extended = False
        self.transaction: Transaction | None = None

    @property
    def greeting(self) -> Reply:
        return Reply(220, "", f"{self.door.hostname} ESMTP relaydesk")

    async def obey(self, line: str) -> Reply:
        """The reply to one command line. Only the client's doing ends up in it, never its words."""
        verb, _, argument = line.partition(" ")
        command = self.commands.get(verb.upper())
        if command is None:
            return reply_for("unknown_command")
        try:
            return await command(self, argument.strip(" "))
        except paths.PathError as error:
            return reply_for(error.reply)

    def forget(self) -> None:
        """Back to the state before EHLO, as STARTTLS (RFC 3207 §4.2) and XCLIENT ask."""
        self.helo, self.extended, self.transaction = "", False, None

    def origin(self, raw: bytes = b"") -> Origin:
        received = header_values(raw, "Received", self.limits.header_bytes) if raw else ()
        return find_origin(self.peer.ip, self.peer.how, received, self.allowlist, self.limits.received)

    def turn_away(self, code: str) -> Reply:
        """Refuse by the door itself, and have it counted."""
        known = self.transaction or Transaction("")
        why = reason(code, limit=self.limits.of(code), ip=self.peer.socket_ip)
        self.room.start(
            self.door.receiver.turned_away(
                self.origin(), self.peer.socket_ip, known.mail_from, tuple(known.rcpt_to), why
            )
        )
        return reply_for(code)

    async def _hello(self, argument: str, *, extended: bool) -> Reply:
        name = paths.parse_helo(argument)
        self.forget()
        self.helo, self.extended = self.claimed_helo or name, extended
        return Reply(250, "", self.door.hostname, self._extensions() if extended else ())

    async def _helo(self, argument: str) -> Reply:
        return await self._hello(argument, extended=False)

    async def _ehlo(self, argument: str) -> Reply:
        return await self._hello(argument, extended=True)

    def _extensions(self) -> tuple[str, ...]:
        offered = [f"SIZE {self.limits.message_bytes}", "8BITMIME", "SMTPUTF8", "PIPELINING"]
        offered.append("ENHANCEDSTATUSCODES")
        if not self.wire.tls and self.door.tls() is not None:
            offered.append("STARTTLS")
        if self.peer.may_xclient:
            offered.append(f"XCLIENT {' '.join(xclient.ATTRIBUTES)}")
        return tuple(offered)

    async def _mail(self, argument: str) -> Reply:
        if not self.helo:
            return reply_for("helo_first")
        if self.transaction is not None:
            return reply_for("nested_mail")
        said = paths.parse_mail(argument, extended=self.extended)
        if said.size > self.limits.message_bytes:
            return self.turn_away("too_large")
        self.transaction = Transaction(said.address, said.utf8)
        return reply_for("sender_ok")

    async def _rcpt(self, argument: str) -> Reply:
        known = self.transaction
        if known is None:
            return reply_for("mail_first" if self.helo else "helo_first")
        address = paths.parse_rcpt(argument, utf8=known.utf8)
        if address in known.rcpt_to:
            return reply_for("recipient_ok")
        if len(known.rcpt_to) >= self.limits.recipients:
            first, known.overflowed = not known.overflowed, True
            return self.turn_away("too_many_recipients") if first else reply_for("too_many_recipients")
        origin = self.origin()
        if origin.role == "proxy":
            return self.turn_away("proxy_without_header")
        admitting = self.room.start(self.door.receiver.admit(origin, self.helo, known.mail_from, address))
        admission = await self._finish(admitting)
        if admission is None or admission.outcome != "accepted":
            return TRY_AGAIN if admission is None else reply_for(admission)
        known.rcpt_to.append(address)
        return reply_for("recipient_ok")

    async def _data(self, argument: str) -> Reply:
        known = self.transaction
        if argument:
            return reply_for("syntax")
        if known is None:
            return reply_for("mail_first" if self.helo else "helo_first")
        if not known.rcpt_to:
            return reply_for("no_recipient")
        if not await self.room.take_slot():
            return reply_for("busy")
        work = None
        try:
            await self.wire.say(reply_for("go_ahead"))
            dots = await self.wire.content()
            envelope = self._envelope(known, dots.content())
            code = dots.flaw or flaw_of(envelope.raw, self.limits)
            if code:
                return self.turn_away(code)
            work = self.room.start(self.door.receiver.receive(envelope))
            # The place stays taken until the work is done, not until the client has gone.
            work.add_done_callback(lambda _: self.room.give_slot())
            decision = await self._finish(work)
            return TRY_AGAIN if decision is None else reply_for(decision)
        finally:
            self.transaction = None
            if work is None:
                self.room.give_slot()

    def _envelope(self, known: Transaction, raw: bytes) -> Envelope:
        return Envelope(
            peer=self.peer.ip or self.peer.socket_ip,
            origin=self.origin(raw),
            helo=self.helo,
            mail_from=known.mail_from,
            rcpt_to=tuple(known.rcpt_to),
            raw=raw,
            received_at=self.door.now(),
            tls=self.wire.tls,
            protocol=with_protocol(extended=self.extended, tls=self.wire.tls, utf8=known.utf8),
        )

    async def _finish(self, work: asyncio.Task[T]) -> T | None:
        """The result of work that goes on even if the client leaves; None when it failed or is too slow."""
        try:
            async with asyncio.timeout(self.limits.handler_seconds):
                return await asyncio.shield(work)
        except TimeoutError:
            log.warning("the work on a message takes longer than %s s", self.limits.handler_seconds)
        except Exception:  # the room logs what failed; the client learns nothing of it
            return None
        return None

    async def _rset(self, argument: str) -> Reply:
        if argument:
            return reply_for("syntax")
        self.transaction = None
        return reply_for("ok")

    async def _noop(self, _argument: str) -> Reply:
        return reply_for("ok")

    async def _quit(self, argument: str) -> Reply:
        return reply_for("syntax" if argument else "bye")

    async def _vrfy(self, argument: str) -> Reply:
        return reply_for("cannot_verify" if argument else "syntax")

    async def _help(self, _argument: str) -> Reply:
        return reply_for("help")

    async def _not_implemented(self, _argument: str) -> Reply:
        return reply_for("not_implemented")

    async def _starttls(self, argument: str) -> Reply:
        if argument:
            return reply_for("syntax")
        if self.wire.tls:
            return reply_for("tls_already")
        context = self.door.tls()
        if context is None:
            return reply_for("not_implemented")
        self.wire.secure_after_reply(context)
        self.forget()
        return reply_for("start_tls")

    async def _xclient(self, argument: str) -> Reply:
        if not self.peer.may_xclient:
            return reply_for("xclient_denied")
        if self.transaction is not None:
            return reply_for("xclient_in_mail")
        claim = xclient.read(argument)
        if claim.addr is not None:
            self.peer = replace(self.peer, ip=claim.addr or None, how="xclient")
        if claim.helo is not None:
            self.claimed_helo = paths.parse_helo(claim.helo) if claim.helo else ""
        self.forget()
        return self.greeting


Session.commands = {
    "HELO": Session._helo,
    "EHLO": Session._ehlo,
    "MAIL": Session._mail,
    "RCPT": Session._rcpt,
    "DATA": Session._data,
    "RSET": Session._rset,
    "NOOP": Session._noop,
    "QUIT": Session._quit,
    "VRFY": Session._vrfy,
    "HELP": Session._help,
    "EXPN": Session._not_implemented,
    "ETRN": Session._not_implemented,
    "TURN": Session._not_implemented,
    "AUTH": Session._not_implemented,
    "BDAT": Session._not_implemented,
    "STARTTLS": Session._starttls,
    "XCLIENT": Session._xclient,
}
