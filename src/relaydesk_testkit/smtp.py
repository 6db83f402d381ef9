"""A server open on loopback, a receiver that remembers, and a client that says exactly what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relaydesk.classify.findings import Findings, Match
from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.policy.decision import Admission, Decision
from relaydesk.reasons import Reason, reason
from relaydesk.smtpd.endpoint import Endpoint
from relaydesk.smtpd.limits import Limits
from relaydesk.smtpd.listener import Listener, open_listener
from relaydesk.smtpd.server import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Iterator

    from relaydesk.message.envelope import Envelope, Origin
    from relaydesk.policy.allowlist import Allowlist

ORIGIN = "66.220.144.130"
MAIL = b"From: a@support.facebook.com\r\nSubject: hello\r\n\r\nbody\r\n"

#: Loopback is a plain origin in most tests.
DIRECT = "networks: [127.0.0.0/8, '::1']\nsenders: [support.facebook.com]\n"
PROXIED = "networks: [66.220.144.128/25, '2001:db8::/32']\nproxies: ['127.0.0.1', '::1']\n"
XCLIENT = "networks: [66.220.144.128/25, '2001:db8::/32']\nproxies: [{network: 127.0.0.1, xclient: true}]\n"


def decision(outcome: str, code: str = "no_rule") -> Decision:
    return Decision(outcome, (Reason(code, "said the test"),), Findings(Match("unsorted")))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Snapshot:
    """What the SMTP server reads of a configuration."""

    allowlist: Allowlist
    tls: ssl.SSLContext | None = None


class Holder:
    """Holds whatever stands for the configuration; a test swaps ``current``."""

    def __init__(self, current: Any) -> None:
        self.current = current

    def swap(self, **changed: Any) -> None:
        """A new snapshot with other values, as a reload makes one."""
        self.current = replace(self.current, **changed)


@dataclass
class Receiver:
    """Remembers all it is given. ``deciding`` stands in for parsing, authentication and the store."""

    envelopes: list[Envelope] = field(default_factory=list)
    admitted: list[tuple[Origin, str, str, str]] = field(default_factory=list)
    turned: list[tuple[str, tuple[str, ...], Reason]] = field(default_factory=list)
    configs: list[Any] = field(default_factory=list)
    deciding: Callable[[Envelope], Coroutine[Any, Any, Decision]] | None = None
    admitting: Callable[[Origin, str], Admission] | None = None

    async def admit(self, config: Any, origin: Origin, helo: str, mail_from: str, rcpt: str) -> Admission:
        self.configs.append(config)
        self.admitted.append((origin, helo, mail_from, rcpt))
        if self.admitting is not None:
            return self.admitting(origin, rcpt)
        if origin.role == "none":
            return Admission("refused", reason("no_role", ip=origin.ip))
        if not rcpt.endswith("@shop.example"):
            return Admission("refused", reason("unknown_mailbox", rcpt=rcpt))
        return Admission("accepted")

    async def receive(self, config: Any, envelope: Envelope) -> Decision:
        self.configs.append(config)
        decided = decision("accepted") if self.deciding is None else await self.deciding(envelope)
        self.envelopes.append(envelope)
        return decided

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], why: Reason
    ) -> None:
        self.turned.append((peer, rcpt_to, why))


class OpenDoor:
    """A listener in a thread of its own, so that tests can block on plain sockets."""

    def __init__(
        self,
        lists: str = DIRECT,
        limits: Limits | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        implicit_tls: bool = False,
    ) -> None:
        self.receiver = Receiver()
        self.configuration = Holder(Snapshot(parse_allowlist(lists), tls))
        self.host = host
        self.endpoint = Endpoint(
            hostname="mx.shop.example",
            limits=limits or Limits(),
            receiver=self.receiver,
            configuration=self.configuration,
            now=lambda: datetime.now(UTC),
            implicit_tls=implicit_tls,
        )
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> OpenDoor:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family)
        sock.bind((self.host, 0))
        self._thread.start()
        self.listener = self.run(self._open(sock))
        self.port: int = self.listener.address[1]
        return self

    async def _open(self, sock: socket.socket) -> Listener:
        return await open_listener(sock, Server(self.endpoint))

    def __exit__(self, *_: object) -> None:
        self.run(self.listener.close(0.2))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    @contextlib.contextmanager
    def talk(self, *, greeting: bool = True, source: str = "") -> Iterator[Talk]:
        bound = (source, 0) if source else None
        talk = Talk(socket.create_connection((self.host, self.port), timeout=15, source_address=bound))
        try:
            if greeting:
                assert talk.reply().startswith("220 ")
            yield talk
        finally:
            talk.sock.close()


class Talk:
    """A raw SMTP client: bytes out as given, replies in as text."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self) -> str:
        """The next reply, its lines joined by newlines; "" at the end of the connection."""
        lines: list[str] = []
        while True:
            while b"\r\n" not in self._buffer:
                data = self.sock.recv(65536)
                if not data:
                    return "\n".join(lines)
                self._buffer += data
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            lines.append(line.decode("ascii"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    def ask(self, command: str | bytes) -> str:
        self.send((command if isinstance(command, bytes) else command.encode()) + b"\r\n")
        return self.reply()

    def secure(self, context: ssl.SSLContext) -> None:
        """The TLS handshake, after the reply to STARTTLS."""
        self.sock = context.wrap_socket(self.sock, server_hostname="mx.shop.example")

    def start_mail(self, *rcpts: str, sender: str = "a@support.facebook.com") -> None:
        """EHLO, MAIL and RCPT, all of them accepted."""
        assert self.ask("EHLO client.example").startswith("250-")
        assert self.ask(f"MAIL FROM:<{sender}>") == "250 2.1.0 Ok"
        for rcpt in rcpts or ("help@shop.example",):
            assert self.ask(f"RCPT TO:<{rcpt}>") == "250 2.1.5 Ok"

    def data(self, content: bytes = MAIL) -> str:
        """DATA with this content and the dot; the content is sent as it is."""
        assert self.ask("DATA").startswith("354 ")
        self.send(content + b".\r\n")
        return self.reply()

    def closed(self) -> bool:
        """Whether the server ends the connection now without another word."""
        with contextlib.suppress(ConnectionResetError):
            return not self._buffer and self.sock.recv(1) == b""
        return True
