"""What sessions are given: the endpoint they belong to, their connection and their server.

These are protocols, so that a session knows neither aiosmtpd nor who decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from relaydesk.message import Envelope, Origin
    from relaydesk.policy import Admission, Allowlist, Decision
    from relaydesk.reasons import Reason
    from relaydesk.smtpd.data_reader import DataReader
    from relaydesk.smtpd.limits import Limits
    from relaydesk.smtpd.reception import Reception, Room
    from relaydesk.smtpd.replies import Reply

T = TypeVar("T")
LoginOutcome = Literal["right", "wrong", "later"]


class SmtpConfig(Protocol):
    """What the server itself reads of a snapshot of the configuration."""

    @property
    def allowlist(self) -> Allowlist:
        """Which hosts have a role at this endpoint."""
        ...

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The certificate; None where STARTTLS is not offered."""
        ...


ConfigT = TypeVar("ConfigT", bound=SmtpConfig)
ConfigT_contra = TypeVar("ConfigT_contra", contravariant=True)
ConfigT_co = TypeVar("ConfigT_co", covariant=True)


class CurrentConfig(Protocol[ConfigT_co]):
    """Who holds the configuration; ``current`` is a frozen snapshot, replaced as a whole by a reload."""

    @property
    def current(self) -> ConfigT_co: ...


class Receiver(Protocol[ConfigT_contra]):
    """Who decides. Its coroutines must not block the loop: heavy work belongs into a bounded executor.

    ``config`` is the snapshot taken at MAIL: every RCPT of a transaction and its message get the same one.
    """

    async def admit(
        self, config: ConfigT_contra, origin: Origin, helo: str, mail_from: str, rcpt: str
    ) -> Admission:
        """The answer to one RCPT. Behind a relay the origin is still unknown (``origin.ip`` is None)."""
        ...

    async def receive(self, config: ConfigT_contra, envelope: Envelope) -> Decision | Admission:
        """Decide on a message and, if accepted, have it stored when this returns."""
        ...

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], reason: Reason
    ) -> None:
        """Told of what the server refused by itself (row 1 of the policy, proxies without a client).

        ``peer`` is the host at the other end: where no origin is known, it is the one to look at.
        """
        ...


class Logins(Protocol):
    """Who knows the clients of a submission endpoint. Must not block the loop."""

    async def authenticate(self, ip: str, name: str, password: str) -> LoginOutcome:
        """Whether these are a client's credentials; ``later`` when that is not looked at now.

        ``ip`` is an IPv4 address or an IPv6 /64.
        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[ConfigT]):
    """All that a listener is given. ``hostname`` is in the banner; ``now`` gives aware UTC.

    A snapshot of ``configuration`` is taken for each connection and each command; that of MAIL counts until
    its transaction ends. With ``logins`` the endpoint is one of submission (RFC 6409): nothing but AUTH leads
    to MAIL. With ``implicit_tls`` a connection begins with the TLS handshake (RFC 8314 §3.3).
    """

    hostname: str
    limits: Limits
    receiver: Receiver[ConfigT]
    configuration: CurrentConfig[ConfigT]
    now: Callable[[], datetime]
    logins: Logins | None = None
    implicit_tls: bool = False


class Countable(Protocol):
    """How a session tells whom its connection counts for."""

    def speaks_for(self, ip: str) -> str:
        """The client of a proxy has this address; the name of a reply if there is no place for it."""
        ...

    def logged_in(self) -> None: ...


class Transport(Protocol):
    """What a session needs of its connection."""

    tls: bool

    @property
    def seat(self) -> Countable: ...
    async def say(self, reply: Reply) -> None: ...
    async def line(self) -> str | Reply: ...
    async def content(self, reception: Reception) -> DataReader: ...
    def secure_after_reply(self, context: ssl.SSLContext) -> None: ...


class Workload(Protocol):
    """What a session needs of its server: places for messages, and work that outlives a connection."""

    room: Room

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]: ...
