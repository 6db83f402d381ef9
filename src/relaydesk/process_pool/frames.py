"""What goes between the pool and its processes: a length of eight bytes, then a pickled value.

Both ends are this program, of one version; nothing that came from the network is ever unpickled.
"""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

LENGTH = 8  # bytes, big-endian


def packed(value: object) -> bytes:
    """A value as it goes over the line, without its length."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def unpacked(data: bytes | bytearray) -> Any:
    """The value that :func:`packed` wrote."""
    return pickle.loads(data)  # noqa: S301 (of our own process)


async def send(line: socket.socket, value: object) -> None:
    """Sends one value over a non-blocking socket."""
    data = packed(value)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(line, len(data).to_bytes(LENGTH, "big"))
    await loop.sock_sendall(line, data)


async def receive(line: socket.socket) -> Any:
    """The next value of a non-blocking socket. EOFError when the other end is gone."""
    size = int.from_bytes(await _exactly(line, LENGTH), "big")
    return unpacked(await _exactly(line, size))


async def _exactly(line: socket.socket, size: int) -> bytearray:
    data, at = bytearray(size), 0
    view, loop = memoryview(data), asyncio.get_running_loop()
    while at < size:
        count = await loop.sock_recv_into(line, view[at:])
        if not count:
            raise EOFError
        at += count
    return data
