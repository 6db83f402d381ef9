"""What a help desk says to hand in its answers: submission with AUTH inside TLS (RFC 6409, RFC 4954)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from relaydesk.message import with_protocol
from relaydesk.policy import Allowlist
from relaydesk.smtpd.replies import Reply, reply_for
from relaydesk.smtpd.server import Endpoint, Receiver, peer_key
from relaydesk.smtpd.session import Session

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from relaydesk.message import Envelope
    from relaydesk.smtpd.limits import Limits
    from relaydesk.smtpd.session import Transaction

LoginOutcome = Literal["right", "wrong", "later"]
MECHANISMS = ("PLAIN", "LOGIN")
PATIENCE = 3
"""Failed authentications of one session; after them it ends."""


class SubmissionReceiver(Receiver, Protocol):
    """Who knows the clients and takes what they hand in. Must not block the loop."""

    async def authenticate(self, ip: str, name: str, password: str) -> LoginOutcome:
        """Whether these are a client's credentials; ``later`` when that is not looked at now.

        ``ip`` is an IPv4 address or an IPv6 /64.
        """
        ...


def submission_endpoint(
    hostname: str,
    limits: Limits,
    gateway: SubmissionReceiver,
    now: Callable[[], datetime],
    tls: Callable[[], ssl.SSLContext | None],
) -> Endpoint:
    """The door of a submission listener: no network has a role at it, and a message has one recipient."""
    nobody = Allowlist()
    return Endpoint(
        hostname,
        replace(limits, recipients=1),
        gateway,
        allowlist=lambda: nobody,
        now=now,
        tls=tls,
        dialogue=partial(SubmissionSession, gateway),
    )


class _Broken(Exception):  # noqa: N818 - an ending, with the reply it gets
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class SubmissionSession(Session):
    """A session in which nothing but AUTH leads to MAIL, and nothing but TLS to AUTH."""

    def __init__(self, logins: SubmissionReceiver, *session: Any) -> None:
        super().__init__(*session)
        self.logins = logins
        self.client = ""
        self.failed = 0

    def _extensions(self) -> tuple[str, ...]:
        offered = super()._extensions()
        return (*offered, f"AUTH {' '.join(MECHANISMS)}") if self.wire.tls else offered

    async def _mail(self, argument: str) -> Reply:
        if not self.wire.tls:
            return reply_for("tls_required")
        if not self.client:
            return reply_for("auth_required")
        # RFC 4954 §5: AUTH= tells who wrote the message first; it is read over, as it proves nothing here.
        words = [word for word in argument.split(" ") if not word.upper().startswith("AUTH=")]
        return await super()._mail(" ".join(words))

    def _envelope(self, known: Transaction, raw: bytes) -> Envelope:
        protocol = with_protocol(extended=self.extended, tls=self.wire.tls, utf8=known.utf8, auth=True)
        return replace(super()._envelope(known, raw), client=self.client, protocol=protocol)

    async def _auth(self, argument: str) -> Reply:
        mechanism, _, initial = argument.partition(" ")
        refused = self._not_now(mechanism)
        if refused:
            return reply_for(refused)
        try:
            name, password = await _READERS[mechanism.upper()](self, initial.strip(" "))
        except _Broken as broken:
            return broken.reply
        looking = self.room.start(self.logins.authenticate(peer_key(self.peer.socket_ip), name, password))
        verdict = await self._finish(looking)
        if verdict == "right":
            self.client = name
            return reply_for("authenticated")
        if verdict != "wrong":
            return reply_for("auth_later")
        self.failed += 1
        return reply_for("auth_wrong" if self.failed < PATIENCE else "too_many_errors")

    def _not_now(self, mechanism: str) -> str:
        """The reply's name when AUTH has no place here (RFC 4954 §4)."""
        if not self.wire.tls:
            return "auth_needs_tls"
        if not self.extended:
            return "helo_first"
        if self.client:
            return "auth_already"
        if self.transaction is not None:
            return "auth_in_mail"
        return "" if mechanism.upper() in MECHANISMS else "auth_unknown_mechanism"

    async def _plain(self, initial: str) -> tuple[str, str]:
        """RFC 4616 §2: authorization identity, NUL, name, NUL, password."""
        said = _decoded(initial) if initial else await self._challenge("auth_goes_on")
        identity, *rest = said.split("\0")
        if len(rest) != 2:  # noqa: PLR2004 (RFC 4616)
            raise _Broken(reply_for("auth_undecodable"))
        if identity not in ("", rest[0]):
            raise _Broken(reply_for("auth_wrong"))  # nobody may act for another
        return rest[0], rest[1]

    async def _login(self, initial: str) -> tuple[str, str]:
        """The old two-question form, which many clients still prefer."""
        name = _decoded(initial) if initial else await self._challenge("auth_user")
        return name, await self._challenge("auth_password")

    async def _challenge(self, question: str) -> str:
        await self.wire.say(reply_for(question))
        said = await self.wire.line()
        if isinstance(said, Reply):
            raise _Broken(said)
        if said == "*":
            raise _Broken(reply_for("auth_cancelled"))
        return _decoded(said)


def _decoded(text: str) -> str:
    """A base64 response; ``=`` stands for an empty one (RFC 4954 §4)."""
    try:
        return "" if text == "=" else base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise _Broken(reply_for("auth_undecodable")) from None


_READERS: dict[str, Callable[[SubmissionSession, str], Awaitable[tuple[str, str]]]] = {
    "PLAIN": SubmissionSession._plain,
    "LOGIN": SubmissionSession._login,
}
SubmissionSession.commands = {
    **Session.commands,
    "AUTH": SubmissionSession._auth,
    "MAIL": SubmissionSession._mail,
}
