"""Where answers go next and how long we wait there: values of the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Tls = Literal["implicit", "required", "opportunistic"]
PORTS = {"smtp": 587, "smtps": 465, "mx": 25}


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where answers go. ``host`` is empty for the mail hosts of the recipient's domain.

    ``tls``: from the first byte, STARTTLS or nothing, or STARTTLS where it is offered (for mail hosts found
    by DNS, whose certificates prove nothing). A name and password are given under TLS only.
    """

    host: str = ""
    port: int = 25
    tls: Tls = "required"
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str, user: str = "", password: str = "", *, starttls: bool = True) -> NextHop:
        """``smtp://host[:587]``, ``smtps://host[:465]`` or ``mx[:25]``; ValueError names the remedy.

        Without ``starttls`` a smarthost need not offer it (one on this machine, say).
        """
        if re.fullmatch(r"mx(:[0-9]{1,5})?", text):
            return cls("", int(text[3:] or PORTS["mx"]), "opportunistic")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError):
            host = None
        if not host or parts.scheme == "mx" or parts.path not in ("", "/") or parts.username is not None:
            shown = text.rpartition("@")[2]  # what stands before it may be a password
            raise ValueError(
                f"{shown!r} is not a next hop; use smtp://host:587, smtps://host:465 or mx "
                "(name and password are settings of their own)."
            )
        tls: Tls = "implicit" if parts.scheme == "smtps" else "required" if starttls else "opportunistic"
        return cls(host, port, tls, user, password)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time-outs in seconds. ``dot`` is the wait for the reply to the whole message (RFC 5321 §4.5.3.2.6: ten
    minutes, since giving up earlier sends it twice); ``total`` bounds one delivery, all hosts together."""

    connect: float = 30.0
    command: float = 120.0
    dot: float = 600.0
    total: float = 780.0
    idle: float = 30.0
    messages: int = 100


@dataclass(frozen=True, slots=True)
class HostPort:
    """One address of a hop: ``name`` as certificates have it, ``address`` to connect to."""

    name: str
    address: str
