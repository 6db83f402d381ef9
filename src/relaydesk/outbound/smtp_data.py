"""The content of DATA as it is sent: piece by piece, so that a message is not in memory twice."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 18  # octets of a message that are written at one time
_PAUSE = 0.005  # seconds between two looks whether they are out


class DataConnection(Protocol):
    """What is written to."""

    @property
    def transport(self) -> asyncio.BaseTransport | None: ...
    def write(self, data: bytes, /) -> None: ...


async def send_content(connection: DataConnection, raw: bytes, replied: asyncio.Task[Any]) -> bool:
    """Send a message and its end, its dots doubled; false when ``replied`` was done before all was sent."""
    end = b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n"
    for piece in chain(stuffed(raw, _PIECE), (end,)):
        while _is_busy(connection.transport):
            if replied.done():
                return False
            await asyncio.wait({replied}, timeout=_PAUSE)
        connection.write(piece)
    return True


def _is_busy(transport: asyncio.BaseTransport | None) -> bool:
    return isinstance(transport, asyncio.WriteTransport) and transport.get_write_buffer_size() > 0


def stuffed(raw: bytes, size: int) -> Iterator[bytes]:
    """A message in pieces of ``size``, the dots that begin its lines doubled (RFC 5321 §4.5.2)."""
    for start in range(0, len(raw), size):
        piece = raw[start : start + size].replace(b"\n.", b"\n..")
        begins = raw.startswith((b".", b"\n.")[start > 0], max(0, start - 1))
        yield b"." + piece if begins else piece
