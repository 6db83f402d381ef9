"""The PROXY header (versions 1 and 2) that a listed load balancer puts before the session."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aiosmtpd.proxy_protocol import AF, PROTO, V2_CMD, V2_SIGNATURE, get_proxy

from relaydesk.message import canonical_ip

if TYPE_CHECKING:
    from relaydesk.smtpd.receive_buffer import ReceiveBuffer

PEEK = 5
"""Bytes that tell a PROXY header of either version from an SMTP command."""


class ProxyError(Exception):
    """No PROXY header came, or a malformed one, or not in time."""


def begins(buffer: ReceiveBuffer) -> bool:
    """Whether the bytes that wait (at least ``PEEK``) are the start of a PROXY header."""
    return buffer.startswith((b"PROXY", V2_SIGNATURE[:PEEK]))


async def read(buffer: ReceiveBuffer, seconds: float) -> str | None:
    """The client's address in canonical text; None when the proxy speaks for itself (LOCAL, UNKNOWN).

    ProxyError when there is no good header within ``seconds``; EOFError when the connection ends before a
    byte, as a health check of the proxy's own does. Silence that lasts is none: a client behind a proxy that
    adds no header waits for the greeting just so.
    """
    try:
        async with asyncio.timeout(seconds):
            data = None if await buffer.ends_unused() else await get_proxy(buffer)
    except (TimeoutError, EOFError) as error:
        raise ProxyError("no PROXY header") from error
    if data is None:
        raise EOFError("the connection ended before a byte")
    if not data.valid:
        raise ProxyError(data.error)
    if (
        data.command == V2_CMD.LOCAL
        or data.family not in (AF.INET, AF.INET6)
        or data.protocol != PROTO.STREAM
    ):
        return None
    address = canonical_ip(str(ip_address(str(data.src_addr))))
    return str(address) if address is not None else None
