"""What is attacked: a ``serve`` with gateway and certificate, and who speaks to it from which address."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import trustme

from relaydesk_testkit.buyers import BOUNCES, DOMAIN, MAILBOX, Mail, mail
from relaydesk_testkit.serving import STORED, Serving
from relaydesk_testkit.smtp import Talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTED, LISTED_TOO, RELAY = "127.0.0.1", "127.0.0.2", "127.0.0.3"
LISTS = (
    f"networks: [{LISTED}, {LISTED_TOO}]\n"
    f"relays: [{{network: {RELAY}, format: postfix}}]\n"
    "senders: [support.facebook.com]\n"
)
PATIENCE = 60.0
CLIENT = "zendesk"


def stranger(number: int) -> str:
    """The address of one of many hosts that nobody listed."""
    return f"127.{1 + number // 250 // 250}.{1 + number // 250 % 250}.{1 + number % 250}"


def certificate(directory: Path) -> dict[str, object]:
    """A certificate for ``localhost``, as settings of a gateway."""
    directory.mkdir(parents=True, exist_ok=True)
    pem = directory / "certificate.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    return {
        "tls_certificate": str(pem),
        "tls_key": str(pem),
        "gateway_listen": ["127.0.0.1:0"],
    }


class NotGreeted(ConnectionError):  # noqa: N818 - what happened
    """Turned away before the first word; the text is the reply."""


@dataclass(slots=True)
class Target:
    """One ``serve`` under attack. ``seconds`` is for how long attacks without an end go on."""

    serving: Serving
    seconds: float
    numbers: count[int] = field(default_factory=lambda: count(1_000_000))

    def connect(
        self, source: str = LISTED, *, gateway: bool = False, patience: float = PATIENCE
    ) -> socket.socket:
        """A plain connection from an address of loopback."""
        port = self.serving.gateway_port if gateway else self.serving.port
        sock = socket.create_connection(("127.0.0.1", port), timeout=patience, source_address=(source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    @contextlib.contextmanager
    def speaking(self, source: str = LISTED, *, gateway: bool = False) -> Iterator[Talk]:
        """A connection of which nothing has been read; closed in the end, inside TLS or not."""
        talk = Talk(self.connect(source, gateway=gateway))
        try:
            yield talk
        finally:
            talk.sock.close()

    @contextlib.contextmanager
    def talk(self, source: str = LISTED) -> Iterator[Talk]:
        """A connection that was greeted. NotGreeted when it was turned away."""
        with self.speaking(source) as talk:
            greeting = talk.reply()
            if not greeting.startswith("220"):
                raise NotGreeted(greeting)
            yield talk

    @contextlib.contextmanager
    def desk(self, password: str, *, implicit: bool = False) -> Iterator[Talk]:
        """A help desk that has logged in at the gateway."""
        with self.speaking(gateway=True) as talk:
            if not implicit:
                talk.reply()
                talk.ask("EHLO desk.example")
                talk.ask("STARTTLS")
            talk.secure(lenient())
            if implicit:
                talk.reply()
            talk.ask("EHLO desk.example")
            reply = talk.ask(f"AUTH PLAIN {plain(CLIENT, password)}")
            if not reply.startswith("235"):
                raise ConnectionError(f"no login but {reply!r}")
            yield talk

    def password(self) -> str:
        """A new gateway client's password."""
        made = self.serving.command("gateway", "add", CLIENT, "--json")
        return str(json.loads(made.stdout)["password"])

    def mail(self, *, size: int = 0, photo: bytes = b"") -> Mail:
        """A good mail that was never sent before."""
        return mail(next(self.numbers), size=size, photo=photo)

    def good(self, source: str = LISTED) -> str:
        """Sends one good mail; its last reply."""
        return deliver(self, self.mail(), source)

    def works(self, patience: float = 20.0) -> bool:
        """Whether good mail is taken, now or within some seconds."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                if self.good().startswith(STORED):
                    return True
            time.sleep(0.2)
        return False


def deliver(target: Target, mail: Mail, source: str = LISTED) -> str:
    """One mail over a connection of its own; the last reply, or the first that was no success."""
    return over(target, mail.raw, source, mail.mail_from, mail.rcpt)


def over(target: Target, raw: bytes, source: str, mail_from: str = BOUNCES, rcpt: str = MAILBOX) -> str:
    """Any message over a connection of its own; the last reply, or the first that was no success."""
    try:
        with target.talk(source) as talk:
            return hand_over(talk, raw, mail_from, rcpt)
    except NotGreeted as reply:
        return str(reply)


def hand_over(talk: Talk, raw: bytes, mail_from: str, rcpt: str) -> str:
    """One message in a session; content with lines that begin with a dot goes as it should."""
    for command in ("EHLO mx-out.facebook.com", f"MAIL FROM:<{mail_from}>", f"RCPT TO:<{rcpt}>"):
        reply = talk.ask(command)
        if not reply.startswith("250"):
            return reply
    reply = talk.ask("DATA")
    if not reply.startswith("354"):
        return reply
    talk.send((b"." if raw.startswith(b".") else b"") + raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return talk.reply()


def relay_address(number: int) -> str:
    """The relay address of the buyer who wrote good mail ``number``."""
    letters = f"{number:010d}".translate(str.maketrans("0123456789", "abcdefghij"))
    return f"case++aaz{letters}@{DOMAIN}"


def lenient() -> ssl.SSLContext:
    """A client that does not mind who signed the certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def plain(name: str, password: str) -> str:
    """The response of AUTH PLAIN (RFC 4616)."""
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()
