"""Opening and closing the door."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

from relaydesk.smtpd.connection import Connection
from relaydesk.smtpd.server import Endpoint, Receiver, Server

if TYPE_CHECKING:
    import socket

__all__ = ["Endpoint", "Listener", "Receiver", "Server", "open_listener"]


class Listener:
    """An open door. ``address`` is what ``getsockname`` says; ``await close(seconds)`` drains it."""

    def __init__(self, server: asyncio.Server, room: Server) -> None:
        self._server, self._room = server, room
        self.address: Any = server.sockets[0].getsockname()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._room.connections)

    async def close(self, seconds: float = 30.0) -> None:
        """Stop listening, give sessions ``seconds`` to finish the message in hand, then cut them."""
        self._server.close()
        await self._room.drain(seconds)


async def open_listener(
    sock: socket.socket, door: Endpoint, room: Server | None = None, *, implicit_tls: bool = False
) -> Listener:
    """Accept connections on a bound socket until the Listener is closed.

    Listeners of one process that are given the same ``room`` share its caps; each has its own otherwise.
    With ``implicit_tls`` a connection begins with the TLS handshake (RFC 8314 §3.3); ValueError when the
    door has no certificate.
    """
    room = room or Server(door)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(room, loop),
        sock=sock,
        backlog=256,
        ssl=_always_current(door) if implicit_tls else None,
        ssl_handshake_timeout=door.limits.tls_seconds if implicit_tls else None,
    )
    return Listener(server, room)


def _always_current(door: Endpoint) -> ssl.SSLContext:
    """A context that hands each client the door's certificate of that moment, so that reloads count."""
    if door.tls() is None:
        raise ValueError("Implicit TLS needs a certificate; set tls_certificate and tls_key.")

    def choose(client: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        client.context = door.tls() or context

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.sni_callback = choose
    return context
