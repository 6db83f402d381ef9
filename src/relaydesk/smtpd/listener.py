"""Opening and closing a listener: it accepts, counts, and hands each socket to a connection.

Not ``loop.create_server``: that starts TLS before anybody counts the socket, accepts without end, and logs a
traceback for each accept that finds no file descriptor.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

from relaydesk.message import canonical_ip
from relaydesk.smtpd.connection import Connection
from relaydesk.smtpd.connection_places import TakenPlace, peer_key
from relaydesk.smtpd.replies import reply_for
from relaydesk.smtpd.tally import Tally

if TYPE_CHECKING:
    import socket

    from relaydesk.smtpd.endpoint import Endpoint
    from relaydesk.smtpd.server import Server

log = logging.getLogger("relaydesk.smtpd")

BACKLOG = 1024
"""Connections that the kernel holds until they are accepted, as far as net.core.somaxconn lets it."""
IN_A_ROW = 16
"""Connections accepted in a row before the open ones have their turn."""
PAUSE = 0.1
"""Seconds without accepting when there is no file descriptor."""
NONE_YET = {errno.EAGAIN, errno.EINTR, errno.ECONNABORTED}


class Listener:
    """An open listener. ``address`` is what ``getsockname`` says; ``await close(seconds)`` drains it."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self._sock, self._server = sock, server
        self._endpoint, self._limits = server.endpoint, server.endpoint.limits
        self._loop = asyncio.get_running_loop()
        self._tls = _implicit_tls(server.endpoint) if server.endpoint.implicit_tls else None
        self._opening: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._without_descriptor = Tally(
            "out_of_descriptors", "error", remedy="raise the limit of open files, as by LimitNOFILE"
        )
        self.address: Any = sock.getsockname()
        sock.setblocking(False)
        sock.listen(BACKLOG)
        self._resume()

    @property
    def connections(self) -> int:
        """How many sockets are open now."""
        return self._server.places.taken

    async def close(self, seconds: float = 30.0) -> None:
        """Stop listening, give sessions ``seconds`` to finish the message in hand, then cut them."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()
        if self._paused is not None:
            self._paused.cancel()
        for opening in self._opening:
            opening.cancel()
        self._without_descriptor.close()
        await self._server.drain(seconds)

    def _resume(self) -> None:
        self._paused = None
        self._loop.add_reader(self._sock, self._accept)

    def _pause(self) -> None:
        self._loop.remove_reader(self._sock)
        if self._paused is None:
            self._paused = self._loop.call_later(PAUSE, self._resume)

    def _accept(self) -> None:
        for _ in range(IN_A_ROW):
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                if error.errno not in NONE_YET:
                    self._pause()
                    self._without_descriptor.add(errno.errorcode.get(error.errno or 0, "unknown"))
                    self._server.places.yield_strangers(IN_A_ROW)
                return
            self._take(sock, address[0])

    def _take(self, sock: socket.socket, address: str) -> None:
        """Count a connection before anything is read of it, or refuse it and keep nothing."""
        ip = str(canonical_ip(address) or "")
        places = self._server.places
        place = places.take(peer_key(ip), self._server.familiarity(ip), self._loop.time())
        if isinstance(place, str):
            self._refuse(sock, place)
            return
        sock.setblocking(False)
        opening = self._loop.create_task(self._open(sock, ip, place))
        place.give_way, place.idle = lambda: _cancel(opening), self._tls is not None
        self._opening.add(opening)
        opening.add_done_callback(partial(self._opened, sock, place))

    def _refuse(self, sock: socket.socket, name: str) -> None:
        self._server.turned_away.add(name)
        with sock, contextlib.suppress(OSError):
            sock.setblocking(False)
            if self._tls is None:
                sock.send(f"{reply_for(name).line()}\r\n".encode())
                sock.recv(
                    self._limits.command_bytes
                )  # what is left unread would overtake the reply by a reset

    async def _open(self, sock: socket.socket, ip: str, place: TakenPlace) -> None:
        await self._loop.connect_accepted_socket(
            lambda: Connection(self._server, self._loop, place, ip),
            sock,
            ssl=self._tls,
            ssl_handshake_timeout=self._handshake_seconds(place) if self._tls else None,
        )

    def _handshake_seconds(self, place: TakenPlace) -> float:
        limits = self._limits
        hurries = self._server.places.hurries(place)
        return min(limits.tls_seconds, limits.stress_idle_seconds) if hurries else limits.tls_seconds

    def _opened(self, sock: socket.socket, place: TakenPlace, opening: asyncio.Task[None]) -> None:
        """Give everything back when the connection came to nothing, as for want of a TLS handshake."""
        self._opening.discard(opening)
        error = None if opening.cancelled() else opening.exception()
        if error is None and not opening.cancelled():
            return
        sock.close()
        self._server.places.give_back(place)
        if isinstance(error, (ssl.SSLError, ConnectionAbortedError)):
            self._server.turned_away.add("tls_failed")
        elif error is not None and not isinstance(error, OSError):
            log.error("a connection could not be opened", exc_info=error)


def _cancel(opening: asyncio.Task[None]) -> None:
    opening.cancel()


async def open_listener(sock: socket.socket, server: Server) -> Listener:
    """Accept connections on a bound socket until the Listener is closed.

    Listeners that are given the same ``server`` share its caps. ValueError when the endpoint begins with TLS
    and has no certificate.
    """
    return Listener(sock, server)


def _implicit_tls(endpoint: Endpoint[Any]) -> ssl.SSLContext:
    """A context that hands each client the certificate of that moment, so that reloads count."""
    if endpoint.configuration.current.tls is None:
        raise ValueError("Implicit TLS needs a certificate; set tls_certificate and tls_key.")

    def choose(client: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        client.context = endpoint.configuration.current.tls or context

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.sni_callback = choose
    return context
