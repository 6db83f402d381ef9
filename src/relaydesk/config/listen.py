"""Listening addresses as the settings write them: an IP address and a port."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

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
