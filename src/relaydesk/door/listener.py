"""Opening and closing the door."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from relaydesk.door.room import Door, Receiver, Room
from relaydesk.door.session import Connection

if TYPE_CHECKING:
    import socket

__all__ = ["Door", "Listener", "Receiver", "Room", "serve"]


class Listener:
    """An open door. ``address`` is what ``getsockname`` says; ``await close(seconds)`` drains it."""

    def __init__(self, server: asyncio.Server, room: Room) -> None:
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


async def serve(sock: socket.socket, door: Door, room: Room | None = None) -> Listener:
    """Accept connections on a bound socket until the Listener is closed.

    Listeners of one process that are given the same ``room`` share its caps; each has its own otherwise.
    """
    room = room or Room(door)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(room, loop), sock=sock, backlog=256)
    return Listener(server, room)
