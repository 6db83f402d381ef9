"""The incoming side of a connection: lines, chunks, and whatever came too early put back."""

from __future__ import annotations

import asyncio

HIGH_WATER = 128 * 1024
COLLECT = 0.01
"""Seconds for which the packets of a client that sends many tiny ones collect before they are read."""
FREE_PIECES = 64
"""Pieces of commands that one connection may send before that; whoever is no attacker sends whole lines."""


class LineTooLongError(Exception):
    """A command line went over the limit; it was read to its end and dropped."""


class ReceiveBuffer:
    """Bytes from the socket, waiting to be read. Raises EOFError once the client has said its last.

    It offers ``read``, ``readexactly`` and ``readuntil`` as well, which is all that the PROXY parser asks
    of a stream. Reading from the socket pauses while more than ``HIGH_WATER`` bytes wait.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._arrival: asyncio.Future[None] | None = None
        self._least, self._newline = 1, False
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._ended = False
        self._pieces = 0

    def connect(self, transport: asyncio.Transport) -> None:
        """Take the transport whose reading is paused and resumed; a new one after STARTTLS."""
        self._transport = transport
        self._paused = False

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= self._least or (self._newline and b"\n" in data):
            self._wake()
        elif self._newline:
            self._pieces += 1
            if self._pieces > FREE_PIECES:
                self._pause()
                asyncio.get_running_loop().call_later(COLLECT, self._resume)
        if len(self._buffer) > HIGH_WATER:
            self._pause()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def clear(self) -> None:
        self._buffer.clear()

    def unread(self, data: bytes) -> None:
        """Put bytes back in front."""
        self._buffer[:0] = data

    def startswith(self, prefix: bytes | tuple[bytes, ...]) -> bool:
        return self._buffer.startswith(prefix)

    async def wait(self, least: int = 1) -> None:
        """Until at least so many bytes wait to be read."""
        while len(self._buffer) < least:
            await self._more(least)

    async def _more(self, least: int, *, newline: bool = False) -> None:
        """Until so many bytes are there, or a line feed came: nobody is woken for less."""
        if self._ended:
            raise EOFError
        self._least, self._newline = least, newline
        self._arrival = asyncio.get_running_loop().create_future()
        self._resume()
        try:
            await self._arrival
        finally:
            self._arrival, self._newline = None, False

    async def rest(self) -> None:
        """Read nothing for a moment: what the client sends meanwhile collects in the kernel."""
        self._pause()
        try:
            await asyncio.sleep(COLLECT)
        finally:
            self._resume()

    async def ends_unused(self) -> bool:
        """Wait for the client, and say whether it is gone and no byte of it waits to be read."""
        try:
            await self.wait()
        except EOFError:
            return True
        return False

    async def chunk(self) -> bytes:
        """All that has arrived, at least one byte."""
        await self.wait()
        return self._cut(len(self._buffer))

    async def line(self, limit: int) -> bytes:
        """One line up to and with its LF. LineTooLongError after a longer one has been read to its end."""
        searched = 0
        overlong = False
        while True:
            at = self._buffer.find(b"\n", searched)
            if at >= 0:
                line = self._cut(at + 1)
                if overlong or len(line) > limit:
                    raise LineTooLongError
                return line
            if len(self._buffer) > limit:
                overlong = True
                self._buffer.clear()
            searched = len(self._buffer)
            await self._more(limit + 1, newline=True)

    async def read(self, n: int = -1) -> bytes:
        try:
            await self.wait()
        except EOFError:
            return b""
        return self._cut(len(self._buffer) if n < 0 else n)

    async def readexactly(self, n: int) -> bytes:
        await self.wait(n)
        return self._cut(n)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        searched = 0
        while (at := self._buffer.find(separator, searched)) < 0:
            if len(self._buffer) > HIGH_WATER:
                raise EOFError
            searched = max(0, len(self._buffer) - len(separator) + 1)
            await self.wait(len(self._buffer) + 1)
        return self._cut(at + len(separator))

    def _cut(self, size: int) -> bytes:
        data = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        self._resume()
        return data

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and len(self._buffer) <= HIGH_WATER and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
