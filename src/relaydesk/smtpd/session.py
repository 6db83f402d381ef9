"""One SMTP session: each verb, its checks and its reply (RFC 5321 §4.1).

:class:`Session` takes mail from other servers. :mod:`.submission` extends it, by ``verbs``, ``extensions``,
``mail`` and ``envelope``, for a help desk that logs in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from relaydesk.message import Envelope, header_values, with_protocol
from relaydesk.policy import find_origin
from relaydesk.reasons import reason
from relaydesk.smtpd import paths, xclient
from relaydesk.smtpd.connection_places import peer_key
from relaydesk.smtpd.data_reader import flaw_of
from relaydesk.smtpd.reception import Claimant, Reception
from relaydesk.smtpd.replies import BY_REASON, TRY_AGAIN, Reply, reply_for
from relaydesk.smtpd.transaction import Transaction

if TYPE_CHECKING:
    from relaydesk.message import Origin
    from relaydesk.policy import Admission, Decision
    from relaydesk.smtpd.endpoint import Endpoint, SmtpConfig, Transport, Workload
    from relaydesk.smtpd.transaction import Peer

log = logging.getLogger("relaydesk.smtpd")
T = TypeVar("T")
Verb = Callable[[str], Awaitable[Reply]]


class Session:
    """The state of one session, and what each verb does to it.

    ``config`` is one snapshot for each command; that of MAIL is kept until its transaction ends, so that a
    reload in between cannot judge a message by two configurations.
    """

    def __init__(self, endpoint: Endpoint[Any], server: Workload, transport: Transport, peer: Peer) -> None:
        self.endpoint, self.server, self.transport, self.peer = endpoint, server, transport, peer
        self.limits = endpoint.limits
        self.config: SmtpConfig = endpoint.configuration.current
        self.helo = ""
        self.claimed_helo = ""
        self.extended = False
        self.transaction: Transaction | None = None
        self._verbs = self.verbs()

    def verbs(self) -> dict[str, Verb]:
        """What each verb does."""
        not_implemented = dict.fromkeys(("EXPN", "ETRN", "TURN", "AUTH", "BDAT"), _not_implemented)
        return {
            **not_implemented,
            "HELO": self._helo,
            "EHLO": self._ehlo,
            "MAIL": self.mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": _noop,
            "QUIT": _quit,
            "VRFY": _vrfy,
            "HELP": _help,
            "STARTTLS": self._starttls,
            "XCLIENT": self._xclient,
        }

    @property
    def greeting(self) -> Reply:
        return Reply(220, "", f"{self.endpoint.hostname} ESMTP relaydesk")

    @property
    def has_recipient(self) -> bool:
        """Whether a message is on its way that somebody here may want."""
        return self.transaction is not None and bool(self.transaction.rcpt_to)

    async def obey(self, line: str) -> Reply:
        """The reply to one command line. Only the client's doing ends up in it, never its words."""
        verb, _, argument = line.partition(" ")
        command = self._verbs.get(verb.upper())
        if command is None:
            return reply_for("unknown_command")
        if self.transaction is None:
            self.config = self.endpoint.configuration.current
        try:
            return await command(argument.strip(" "))
        except paths.PathError as error:
            return reply_for(error.reply)

    def forget(self) -> None:
        """Back to the state before EHLO, as STARTTLS (RFC 3207 §4.2) and XCLIENT ask."""
        self.helo, self.extended, self.transaction = "", False, None

    def origin(self, raw: bytes = b"") -> Origin:
        """Where the message comes from: known at once, or behind a relay with its content."""
        received = header_values(raw, "Received", self.limits.header_bytes) if raw else ()
        allowlist = self.config.allowlist
        return find_origin(self.peer.ip, self.peer.how, received, allowlist, self.limits.received)

    def claimant(self) -> Claimant:
        """For whom room is taken."""
        return Claimant(peer_key(self.peer.ip or self.peer.socket_ip), self.origin())

    def turn_away(self, code: str) -> Reply:
        """Refuse by the server itself, and have it counted."""
        transaction = self.transaction or Transaction("")
        why = reason(code, limit=self.limits.of(code), ip=self.peer.socket_ip)
        self.server.start(
            self.endpoint.receiver.turned_away(
                self.origin(),
                self.peer.socket_ip,
                transaction.mail_from,
                tuple(transaction.rcpt_to),
                why,
            )
        )
        return reply_for(code)

    def extensions(self) -> tuple[str, ...]:
        """What EHLO offers."""
        offered = [f"SIZE {self.limits.message_bytes}", "8BITMIME", "SMTPUTF8", "PIPELINING"]
        offered.append("ENHANCEDSTATUSCODES")
        if not self.transport.tls and self.config.tls is not None:
            offered.append("STARTTLS")
        if self.peer.may_xclient:
            offered.append(f"XCLIENT {' '.join(xclient.ATTRIBUTES)}")
        return tuple(offered)

    async def mail(self, argument: str) -> Reply:
        """MAIL begins a transaction."""
        if not self.helo:
            return reply_for("helo_first")
        if self.transaction is not None:
            return reply_for("nested_mail")
        path = paths.parse_mail(argument, extended=self.extended)
        if path.size > self.limits.message_bytes:
            return self.turn_away("too_large")
        self.transaction = Transaction(path.address, path.utf8, path.size)
        return reply_for("sender_ok")

    def envelope(self, transaction: Transaction, raw: bytes) -> Envelope:
        """What the receiver is handed for one message."""
        return Envelope(
            peer=self.peer.ip or self.peer.socket_ip,
            origin=self.origin(raw),
            helo=self.helo,
            mail_from=transaction.mail_from,
            rcpt_to=tuple(transaction.rcpt_to),
            raw=raw,
            received_at=self.endpoint.now(),
            tls=self.transport.tls,
            protocol=with_protocol(extended=self.extended, tls=self.transport.tls, utf8=transaction.utf8),
        )

    async def finish(self, work: asyncio.Task[T]) -> T | None:
        """The result of work that goes on even if the client leaves; None when it failed or is too slow."""
        try:
            async with asyncio.timeout(self.limits.handler_seconds):
                return await asyncio.shield(work)
        except TimeoutError:
            log.warning("the work on a message takes longer than %s s", self.limits.handler_seconds)
        except Exception:  # the server logs what failed; the client learns nothing of it
            return None
        return None

    async def _hello(self, argument: str, *, extended: bool) -> Reply:
        name = paths.parse_helo(argument)
        self.forget()
        self.helo, self.extended = self.claimed_helo or name, extended
        return Reply(250, "", self.endpoint.hostname, self.extensions() if extended else ())

    async def _helo(self, argument: str) -> Reply:
        return await self._hello(argument, extended=False)

    async def _ehlo(self, argument: str) -> Reply:
        return await self._hello(argument, extended=True)

    async def _rcpt(self, argument: str) -> Reply:
        transaction = self.transaction
        if transaction is None:
            return reply_for("mail_first" if self.helo else "helo_first")
        address = paths.parse_rcpt(argument, utf8=transaction.utf8)
        if address in transaction.rcpt_to:
            return reply_for("recipient_ok")
        if len(transaction.rcpt_to) >= self.limits.recipients:
            first, transaction.overflowed = not transaction.overflowed, True
            return self.turn_away("too_many_recipients") if first else reply_for("too_many_recipients")
        origin = self.origin()
        if origin.role == "proxy":
            return self.turn_away("proxy_without_header")
        work = self.endpoint.receiver.admit(self.config, origin, self.helo, transaction.mail_from, address)
        admission = await self.finish(self.server.start(work))
        if admission is None or admission.outcome != "accepted":
            return TRY_AGAIN if admission is None else reply_for(admission)
        transaction.rcpt_to.append(address)
        return reply_for("recipient_ok")

    async def _data(self, argument: str) -> Reply:
        transaction = self.transaction
        if argument:
            return reply_for("syntax")
        if transaction is None:
            return reply_for("mail_first" if self.helo else "helo_first")
        if not transaction.rcpt_to:
            return reply_for("no_recipient")
        reception = Reception(self.server.room, self.claimant(), transaction.size)
        if obstacle := await reception.begin():
            return self.turn_away(obstacle) if obstacle in BY_REASON else reply_for(obstacle)
        work = None
        try:
            await self.transport.say(reply_for("go_ahead"))
            work = await self._receive(transaction, reception)
            if isinstance(work, Reply):
                return work
            decision = await self.finish(work)
            return TRY_AGAIN if decision is None else reply_for(decision)
        finally:
            self.transaction = None
            # What the message holds is given back when the work is done, not when the client has gone.
            if isinstance(work, asyncio.Task):
                work.add_done_callback(lambda _: reception.end())
            else:
                reception.end()

    async def _receive(
        self, transaction: Transaction, reception: Reception
    ) -> asyncio.Task[Decision | Admission] | Reply:
        """Read the content of DATA and begin the work on it; a reply where there is nothing to work on."""
        reader = await self.transport.content(reception)
        raw = reader.content()
        code = reader.flaw or flaw_of(raw, self.limits)
        if code:
            return self.turn_away(code)
        envelope = self.envelope(transaction, raw)
        return self.server.start(self.endpoint.receiver.receive(self.config, envelope))

    async def _rset(self, argument: str) -> Reply:
        if argument:
            return reply_for("syntax")
        self.transaction = None
        return reply_for("ok")

    async def _starttls(self, argument: str) -> Reply:
        if argument:
            return reply_for("syntax")
        if self.transport.tls:
            return reply_for("tls_already")
        if self.config.tls is None:
            return reply_for("not_implemented")
        self.transport.secure_after_reply(self.config.tls)
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
            if claim.addr and (obstacle := self.transport.seat.speaks_for(claim.addr)):
                return reply_for(obstacle)
        if claim.helo is not None:
            self.claimed_helo = paths.parse_helo(claim.helo) if claim.helo else ""
        self.forget()
        return self.greeting


async def _noop(_argument: str) -> Reply:
    return reply_for("ok")


async def _quit(argument: str) -> Reply:
    return reply_for("syntax" if argument else "bye")


async def _vrfy(argument: str) -> Reply:
    return reply_for("cannot_verify" if argument else "syntax")


async def _help(_argument: str) -> Reply:
    return reply_for("help")


async def _not_implemented(_argument: str) -> Reply:
    return reply_for("not_implemented")
