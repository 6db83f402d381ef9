"""The SMTP conversation with a door, as a stranger or as a listed front end that speaks for another host."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from relaydesk.samples.sample import SendTestError
from relaydesk.samples.wire import proxy_header

if TYPE_CHECKING:
    from relaydesk.samples.sample import Sample

NO_TLS = "STARTTLS is not offered"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (an address to talk to, not to listen on)
_LAST_PORT = 65535
_REFUSED = 400  # RFC 5321 §4.2.1: from here on no success


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a door. ``via`` proxy or xclient names ``origin`` as the client; else we are the client."""

    host: str
    port: int
    via: Literal["direct", "proxy", "xclient"] = "direct"
    origin: str = ""
    tls: bool = False
    helo: str = "send-test.invalid"
    seconds: float = 60.0

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class DoorReply(NamedTuple):
    """The reply that settled it, what it answers, and what there is to say of the certificate."""

    reply: str
    stage: str
    remarks: tuple[str, ...] = ()


def door_address(text: str) -> tuple[str, int]:
    """``mx.shop.example:25``, ``127.0.0.1:2525`` or ``[::1]:25``; the address "any" means this machine.

    ValueError is a sentence with the accepted forms.
    """
    host, _, port = text.strip().rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    good = bare and (":" not in bare or bare != host) and port.isascii() and port.isdigit()
    if not good or not 0 < int(port) <= _LAST_PORT:
        raise ValueError(f"{text!r} is no door; write host and port, as mx.shop.example:25 or [::1]:25")
    return _ANYWHERE.get(bare, bare), int(port)


def talk(route: Route, sample: Sample) -> DoorReply:
    """Hand the sample over. SendTestError when nobody answers there, or hangs up without a word."""
    try:
        return _talk(route, sample)
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        # smtplib reports a time-out while waiting for a reply as a disconnection.
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            raise SendTestError(f"{route} gave no answer within {route.seconds:g} s.") from None
        raise SendTestError(f"{route} hung up without a reply; its log may say why.") from None
    except ssl.SSLError as error:
        raise SendTestError(f"The TLS handshake with {route} failed: {error.reason or error}.") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise SendTestError(
            f"{route} cannot be reached ({why}): start `relaydesk serve` there, or name the door with --to."
        ) from None


def _talk(route: Route, sample: Sample) -> DoorReply:
    if not route.tls:
        return _hand_over(route, sample, None)
    try:
        return _hand_over(route, sample, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        doubt = f"The certificate is not trusted here for {route.host}: {error.verify_message}."
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    return _hand_over(route, sample, unchecked, doubt)


def _hand_over(route: Route, sample: Sample, tls: ssl.SSLContext | None, doubt: str = "") -> DoorReply:
    remarks: tuple[str, ...] = ()
    try:
        with contextlib.closing(_Client(route)) as client:
            client.greet(tls)
            if tls is not None:
                remarks = (f"TLS works. {doubt or 'The certificate is valid.'}",)
            return DoorReply(client.deliver(sample), "The message", remarks)
    except _Refusal as refused:
        return DoorReply(refused.reply, refused.stage, remarks)
    except smtplib.SMTPConnectError as refused:
        return DoorReply(_line(refused.smtp_code, refused.smtp_error), "The connection")
    except smtplib.SMTPDataError as refused:
        return DoorReply(_line(refused.smtp_code, refused.smtp_error), "DATA", remarks)


class _Refusal(Exception):  # noqa: N818 (an answer, not an error)
    """A reply that ends the conversation early, and what it answers."""

    def __init__(self, reply: str, stage: str) -> None:
        super().__init__(reply)
        self.reply, self.stage = reply, stage


class _Client(smtplib.SMTP):
    """The standard client; it says first for whom it speaks, and stops at the first reply that refuses."""

    def __init__(self, route: Route) -> None:
        self._route = route
        super().__init__(route.host, route.port, local_hostname=route.helo, timeout=route.seconds)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        if self._route.via == "proxy":
            sock.sendall(proxy_header(self._route.origin))
        return sock

    def greet(self, tls: ssl.SSLContext | None) -> None:
        """EHLO, STARTTLS and XCLIENT, as far as the route wants them."""
        self._expect("EHLO", *self.ehlo())
        if tls is not None:
            if not self.has_extn("starttls"):
                raise _Refusal(NO_TLS, "EHLO")
            try:
                self.starttls(context=tls)
            except smtplib.SMTPResponseException as refused:
                raise _Refusal(_line(refused.smtp_code, refused.smtp_error), "STARTTLS") from None
            self._expect("EHLO", *self.ehlo())
        if self._route.via == "xclient":
            form = "IPV6:" if ":" in self._route.origin else ""
            self._expect("XCLIENT", *self.docmd("XCLIENT", f"ADDR={form}{self._route.origin}"))
            self._expect("EHLO", *self.ehlo())

    def deliver(self, sample: Sample) -> str:
        """The reply after the dot."""
        self._expect("MAIL FROM", *self.mail(sample.mail_from))
        self._expect("RCPT TO", *self.rcpt(sample.rcpt))
        reply = _line(*self.data(sample.raw))
        with contextlib.suppress(OSError):  # the answer is known: how they part does not matter
            self.quit()
        return reply

    def _expect(self, stage: str, code: int, text: bytes) -> None:
        if code >= _REFUSED:
            raise _Refusal(_line(code, text), stage)


def _line(code: int, text: bytes | str) -> str:
    said = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(said.split())}"
