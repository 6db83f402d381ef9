"""Listening addresses as the settings write them: an IP address and a port."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An IP address and a TCP port; port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> ListenAddress:
        """Reads ``127.0.0.1:25`` or ``[::1]:25``; ``ValueError`` is a sentence with the accepted forms."""
        host, colon, port = text.strip().rpartition(":")
        if bracketed := host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        try:
            six = ipaddress.ip_address(host).version == 6  # noqa: PLR2004 (the version's name)
            number = int(port) if port.isascii() and port.isdigit() else -1
        except ValueError:
            six, number = bracketed, -1
        if not colon or bracketed != six or not 0 <= number <= LAST_PORT:
            raise ValueError(
                f"{text!r} is not a listen address; use address and port, such as 0.0.0.0:25 or [::]:25."
            )
        return cls(host, number)


def web_url(text: str) -> str:
    """An address that browsers open, without a slash at its end; ``ValueError`` is a sentence."""
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.scheme in ("http", "https") and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if url and (not usable or parts.query or parts.fragment or "@" in parts.netloc):
        raise ValueError(f"{text!r} is not an address of the web; use one such as https://desk.shop.example")
    return url
