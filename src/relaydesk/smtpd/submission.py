"""What a help desk says to hand in its answers: submission with AUTH inside TLS (RFC 6409, RFC 4954)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relaydesk.message import Origin, with_protocol
from relaydesk.smtpd.connection_places import peer_key
from relaydesk.smtpd.reception import Claimant
from relaydesk.smtpd.replies import Reply, reply_for
from relaydesk.smtpd.session import Session, Verb

if TYPE_CHECKING:
    from relaydesk.message import Envelope
    from relaydesk.smtpd.endpoint import Logins
    from relaydesk.smtpd.transaction import Transaction

MECHANISMS = ("PLAIN", "LOGIN")
MOST_FAILURES = 3
"""Authentications of one session that were wrong or had to wait; after them it ends."""


class _Broken(Exception):  # noqa: N818 - an ending, with the reply it gets
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class SubmissionSession(Session):
    """A session in which nothing but AUTH leads to MAIL, and nothing but TLS to AUTH."""

    def __init__(self, logins: Logins, *session: Any) -> None:
        super().__init__(*session)
        self.limits = replace(self.limits, recipients=1)  # an answer goes to one relay address
        self.logins = logins
        self.client = ""
        self.failed = 0

    def verbs(self) -> dict[str, Verb]:
        return {**super().verbs(), "AUTH": self._auth}

    def extensions(self) -> tuple[str, ...]:
        offered = super().extensions()
        return (*offered, f"AUTH {' '.join(MECHANISMS)}") if self.transport.tls else offered

    async def mail(self, argument: str) -> Reply:
        if not self.transport.tls:
            return reply_for("tls_required")
        if not self.client:
            return reply_for("auth_required")
        # RFC 4954 §5: AUTH= says who wrote the message first; it is read over, as it proves nothing here.
        words = [word for word in argument.split(" ") if not word.upper().startswith("AUTH=")]
        return await super().mail(" ".join(words))

    def envelope(self, transaction: Transaction, raw: bytes) -> Envelope:
        protocol = with_protocol(
            extended=self.extended, tls=self.transport.tls, utf8=transaction.utf8, auth=True
        )
        return replace(super().envelope(transaction, raw), client=self.client, protocol=protocol)

    def claimant(self) -> Claimant:
        return Claimant(f"client {self.client}", Origin(None, "origin", True, "peer"))

    async def _auth(self, argument: str) -> Reply:
        mechanism, _, initial = argument.partition(" ")
        obstacle = self._not_now(mechanism)
        if obstacle:
            return reply_for(obstacle)
        try:
            read = self._plain if mechanism.upper() == "PLAIN" else self._login
            name, password = await read(initial.strip(" "))
        except _Broken as broken:
            return broken.reply
        work = self.logins.authenticate(peer_key(self.peer.socket_ip), name, password)
        verdict = await self.finish(self.server.start(work))
        if verdict == "right":
            self.client = name
            self.transport.seat.logged_in()
            return reply_for("authenticated")
        self.failed += 1
        if self.failed >= MOST_FAILURES:
            return reply_for("too_many_errors")
        return reply_for("auth_wrong" if verdict == "wrong" else "auth_later")

    def _not_now(self, mechanism: str) -> str:
        """The reply's name when AUTH has no place here (RFC 4954 §4)."""
        if not self.transport.tls:
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
        response = _decoded(initial) if initial else await self._challenge("auth_goes_on")
        match response.split("\0"):
            case [identity, name, password] if identity in ("", name):
                return name, password
            case [_, _, _]:
                raise _Broken(reply_for("auth_wrong"))  # no client may act for another
            case _:
                raise _Broken(reply_for("auth_undecodable"))

    async def _login(self, initial: str) -> tuple[str, str]:
        """The old two-question form, which many clients still prefer."""
        name = _decoded(initial) if initial else await self._challenge("auth_user")
        return name, await self._challenge("auth_password")

    async def _challenge(self, question: str) -> str:
        await self.transport.say(reply_for(question))
        line = await self.transport.line()
        if isinstance(line, Reply):
            raise _Broken(line)
        if line == "*":
            raise _Broken(reply_for("auth_cancelled"))
        return _decoded(line)


def _decoded(text: str) -> str:
    """A base64 response; ``=`` is an empty one (RFC 4954 §4)."""
    try:
        return "" if text == "=" else base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise _Broken(reply_for("auth_undecodable")) from None
