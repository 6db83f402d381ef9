"""Hand a composed message to an SMTP port, as a listed proxy does it: the PROXY header or XCLIENT first."""

from __future__ import annotations

import smtplib
import socket
import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relaydesk.samples.compose import ComposedMail

_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_PORT = 25


def send_composed(delivery: ComposedMail, host: str, port: int, *, seconds: float = 60.0) -> str:
    """The reply that settles the transaction, as one line: the first refusal, else the one after the dot.

    OSError when the server cannot be reached or hangs up without a word.
    """
    try:
        with _Client(delivery, host, port, seconds) as client:
            return client.hand_in()
    except smtplib.SMTPResponseException as refused:
        return _line(refused.smtp_code, refused.smtp_error)


def proxy_header(ip: str, version: int = 1) -> bytes:
    """The PROXY header that names ``ip`` as the client (HAProxy's PROXY protocol, versions 1 and 2)."""
    source = ip_address(ip)
    here = ip_address("127.0.0.1" if source.version == 4 else "::1")  # noqa: PLR2004 (IP version)
    if version == 1:
        return f"PROXY TCP{source.version} {source} {here} {_PORT} {_PORT}\r\n".encode()
    addresses = source.packed + here.packed + struct.pack("!HH", _PORT, _PORT)
    family = 0x11 if source.version == 4 else 0x21  # noqa: PLR2004 (IP version)
    return _V2 + struct.pack("!BBH", 0x21, family, len(addresses)) + addresses


class _Client(smtplib.SMTP):
    """The standard client, which says exactly what the delivery holds."""

    def __init__(self, delivery: ComposedMail, host: str, port: int, seconds: float) -> None:
        self._delivery = delivery
        super().__init__(host, port, local_hostname=delivery.helo, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        if self._delivery.via in ("proxy", "proxy2"):
            sock.sendall(proxy_header(self._delivery.peer, 2 if self._delivery.via == "proxy2" else 1))
        return sock

    def hand_in(self) -> str:
        given = self._delivery
        self._ask(f"EHLO {given.helo}")
        if given.via == "xclient":
            form = "IPV6:" if ":" in given.peer else ""
            self._ask(f"XCLIENT ADDR={form}{given.peer}")
            self._ask(f"EHLO {given.helo}")
        self._ask(f"MAIL FROM:<{given.mail_from}>{' SMTPUTF8' if given.smtputf8 else ''}")
        for rcpt in given.rcpt:
            self._ask(f"RCPT TO:<{rcpt}>")
        return _line(*self.data(given.raw))

    def _ask(self, command: str) -> None:
        self.send(command.encode("utf-8") + b"\r\n")
        code, text = self.getreply()
        if code >= 400:  # noqa: PLR2004 (RFC 5321 §4.2.1)
            raise smtplib.SMTPResponseException(code, text)


def _line(code: int, text: bytes | str) -> str:
    said = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(said.split())}"
