"""A process that stands for Meta's relay: an SMTP server that takes every message into a directory.

``python -m relaydesk.demo.meta DIRECTORY`` says on standard output where it listens and runs until it is
ended. Each message becomes one ``.eml`` file: exactly the bytes that came, below the lines that a final
delivery adds (Return-Path of RFC 5321 §4.4, and a Delivered-To for each recipient).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
NAME = "relay.meta.example"
LONGEST_LINE = 1 << 20  # bytes; a longer one ends the connection


@dataclass(slots=True)
class RelaySession:
    """One connection. ``numbers`` names the files, which are complete once they are called ``.eml``."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    directory: Path
    numbers: Iterator[int]
    mail_from: str | None = None
    rcpt: list[str] = field(default_factory=list)

    async def talk(self) -> None:
        await self._say(f"220 {NAME} ESMTP, the demo's stand-in for Meta's relay")
        while line := (await self.reader.readline()).decode("utf-8", "replace").strip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA" and self.rcpt:
                await self._data()
                continue
            await self._say(self._reply(verb, line))
            if verb == "QUIT":
                return

    def _reply(self, verb: str, line: str) -> str:
        if verb in ("EHLO", "HELO", "RSET", "MAIL"):
            self.mail_from, self.rcpt = None, []
        if verb == "EHLO":
            return f"250-{NAME}\r\n250 8BITMIME"
        if verb == "MAIL":
            self.mail_from = _path(line)
            return "250 2.1.0 Ok"
        if verb == "RCPT" and self.mail_from is not None:
            self.rcpt.append(_path(line))
            return "250 2.1.5 Ok"
        if verb in ("RCPT", "DATA"):
            return "503 5.5.1 Bad sequence of commands"
        plain = {
            "HELO": f"250 {NAME}",
            "RSET": "250 2.0.0 Ok",
            "NOOP": "250 2.0.0 Ok",
            "QUIT": "221 2.0.0 Bye",
        }
        return plain.get(verb, "502 5.5.2 Command not implemented")

    async def _data(self) -> None:
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line.removeprefix(b"."))  # RFC 5321 §4.5.2
        self._deliver(b"".join(lines))
        await self._say("250 2.0.0 Ok: taken for the buyer")
        self.mail_from, self.rcpt = None, []

    def _deliver(self, raw: bytes) -> None:
        envelope = [f"Return-Path: <{self.mail_from}>", *(f"Delivered-To: {rcpt}" for rcpt in self.rcpt)]
        file = self.directory / f"{next(self.numbers):04}.part"
        file.write_bytes("".join(f"{line}\r\n" for line in envelope).encode() + raw)
        file.rename(file.with_suffix(".eml"))

    async def _say(self, reply: str) -> None:
        self.writer.write(f"{reply}\r\n".encode())
        await self.writer.drain()


def _path(line: str) -> str:
    """The address of ``MAIL FROM:<…>`` or ``RCPT TO:<…>``, without its parameters."""
    return line.partition("<")[2].partition(">")[0]


async def main(directory: Path) -> None:
    numbers = itertools.count(1)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):  # ValueError: a line without an end
            await RelaySession(reader, writer, directory, numbers).talk()
        writer.close()

    server = await asyncio.start_server(connected, HOST, 0, limit=LONGEST_LINE)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"Meta's relay listens on {HOST}:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
