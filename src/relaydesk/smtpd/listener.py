"""Opening and closing a listener."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

from relaydesk.smtpd.connection import Connection

if TYPE_CHECKING:
    import socket

    from relaydesk.smtpd.endpoint import Endpoint
    from relaydesk.smtpd.server import Server


class Listener:
    """An open listener. ``address`` is what ``getsockname`` says; ``await close(seconds)`` drains it."""

    def __init__(self, listening: asyncio.Server, server: Server) -> None:
        self._listening, self._server = listening, server
        self.address: Any = listening.sockets[0].getsockname()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._server.connections)

    async def close(self, seconds: float = 30.0) -> None:
        """Stop listening, give sessions ``seconds`` to finish the message in hand, then cut them."""
        self._listening.close()
        await self._server.drain(seconds)


async def open_listener(sock: socket.socket, server: Server) -> Listener:
    """Accept connections on a bound socket until the Listener is closed.

    Listeners that are given the same ``server`` share its caps. ValueError when the endpoint begins with TLS
    and has no certificate.
    """
    loop = asyncio.get_running_loop()
    endpoint = server.endpoint
    listening = await loop.create_server(
        lambda: Connection(server, loop),
        sock=sock,
        backlog=256,
        ssl=_implicit_tls(endpoint) if endpoint.implicit_tls else None,
        ssl_handshake_timeout=endpoint.limits.tls_seconds if endpoint.implicit_tls else None,
    )
    return Listener(listening, server)


def _implicit_tls(endpoint: Endpoint[Any]) -> ssl.SSLContext:
    """A context that hands each client the certificate of that moment, so that reloads count."""
    if endpoint.configuration.current.tls is None:
        raise ValueError("Implicit TLS needs a certificate; set tls_certificate and tls_key.")

    def choose(client: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        client.context = endpoint.configuration.current.tls or context

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.sni_callback = choose
    return context
