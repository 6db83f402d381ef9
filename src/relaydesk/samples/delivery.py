"""Hand a sample or a composed message to an SMTP server: as a stranger, or as a listed proxy does it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from relaydesk.outbound import Delivery, HostPort, NextHop, ProxiedClient, SmtpClient, Timeouts
from relaydesk.samples.sample import SendTestError

if TYPE_CHECKING:
    from relaydesk.outbound import HopReply
    from relaydesk.samples.compose import ComposedMail
    from relaydesk.samples.sample import Sample

NO_TLS = "STARTTLS is not offered"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (an address to talk to, not to listen on)
_LAST_PORT = 65535
_COMMANDS = {
    "connect": "The connection",
    "hello": "EHLO",
    "starttls": "STARTTLS",
    "xclient": "XCLIENT",
    "mail": "MAIL FROM",
    "rcpt": "RCPT TO",
    "data": "DATA",
    "dot": "The message",
}
_BEFORE_TLS = ("connect", "hello", "starttls")


@dataclass(frozen=True, slots=True)
class Destination:
    """A server and how to speak to it. ``via`` direct we are the client, else the host ``origin`` is."""

    host: str
    port: int
    via: Literal["direct", "proxy", "proxy2", "xclient"] = "direct"
    origin: str = ""
    tls: bool = False
    helo: str = "send-test.invalid"
    seconds: float = 60.0

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServerReply(NamedTuple):
    """The reply that settled it, what it answers, and what there is to say of the certificate."""

    reply: str
    stage: str
    remarks: tuple[str, ...] = ()


def server_address(text: str) -> tuple[str, int]:
    """Host and port of ``mx.shop.example:25``, ``127.0.0.1:2525`` or ``[::1]:25``.

    The address that stands for all of a host's own means this machine. ValueError is a sentence with the
    accepted forms.
    """
    host, _, port = text.strip().rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    valid = bare and (":" not in bare or bare != host) and port.isascii() and port.isdigit()
    if not valid or not 0 < int(port) <= _LAST_PORT:
        raise ValueError(f"{text!r} is not a host and port; use mx.shop.example:25 or [::1]:25")
    return _ANYWHERE.get(bare, bare), int(port)


async def send_composed(mail: ComposedMail, host: str, port: int, *, seconds: float = 60.0) -> str:
    """The reply that settles the transaction, as one line: the first refusal, else the one after the dot.

    OSError when the server cannot be reached or hangs up without a reply.
    """
    server = Destination(host, port, mail.via, mail.peer, helo=mail.helo, seconds=seconds)
    delivery = Delivery(mail.mail_from, mail.rcpt, mail.raw, smtputf8=mail.smtputf8)
    return _line(await _client(server, None).deliver(delivery))


async def send_sample(server: Destination, sample: Sample) -> ServerReply:
    """Hand the sample over. SendTestError when no server answers there, or it hangs up without a reply."""
    try:
        return await _send(server, Delivery(sample.mail_from, (sample.rcpt,), sample.raw))
    except TimeoutError:
        raise SendTestError(f"{server} did not answer within {server.seconds:g} s.") from None
    except ssl.SSLError as error:
        raise SendTestError(f"The TLS handshake with {server} failed: {error.reason or error}.") from None
    except OSError as error:
        reason = error.strerror or getattr(error.__cause__, "strerror", None)
        if reason is None:
            raise SendTestError(f"{server} hung up without a reply; its log may say why.") from None
        raise SendTestError(
            f"{server} cannot be reached ({reason}): start `relaydesk serve` there, "
            "or name another server with --to."
        ) from None


async def _send(server: Destination, delivery: Delivery) -> ServerReply:
    if not server.tls:
        return _settled(await _client(server, None).deliver(delivery))
    try:
        reply = await _client(server, ssl.create_default_context()).deliver(delivery)
        return _settled(reply, "TLS works. The certificate is valid.")
    except ssl.SSLCertVerificationError as error:
        remark = f"TLS works. The certificate is not trusted here for {server.host}: {error.verify_message}."
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    return _settled(await _client(server, unverified).deliver(delivery), remark)


def _client(server: Destination, tls: ssl.SSLContext | None) -> SmtpClient:
    """A client for one message; with ``tls`` it uses STARTTLS or gives up."""
    return SmtpClient(
        NextHop(server.host, server.port, "required" if tls is not None else "opportunistic"),
        HostPort(server.host, server.host),
        server.helo,
        Timeouts(connect=server.seconds, command=server.seconds, dot=server.seconds),
        tls,
        secure=tls is not None,
        client=None if server.via == "direct" else ProxiedClient(server.origin, server.via),
    )


def _settled(reply: HopReply, remark: str = "") -> ServerReply:
    if not reply.code:
        return ServerReply(NO_TLS, "EHLO")
    remarks = (remark,) if remark and reply.phase not in _BEFORE_TLS else ()
    return ServerReply(_line(reply), _COMMANDS[reply.phase], remarks)


def _line(reply: HopReply) -> str:
    return f"{reply.code} {' '.join(reply.text.split())}"
