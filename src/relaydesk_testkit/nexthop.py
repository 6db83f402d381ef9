"""An SMTP server that stands for Meta's mail hosts: it does what it is told at each phase, and remembers.

An act is "" (go on), a whole reply line, or one of the words below. It is told the phase and what it knows of
the message, so that a test can choose by recipient, by seed or by turn.
"""

from __future__ import annotations

import asyncio
import base64
import random
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

DROP = "drop"  # the connection ends, nothing is said
SILENT = "silent"  # nothing is said and the connection stays
SLOW = "slow"  # the reply comes late, but it comes
LOSE = "lose"  # only at the dot: the message is taken and the connection ends before the reply

PHASES = ("connect", "hello", "mail", "rcpt", "data", "body", "dot")
USUAL = {
    "connect": "220 mx.facebook.example ESMTP",
    "hello": "250 ok",
    "starttls": "220 go on",
    "auth": "235 2.7.0 ok",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
}
BRIEFLY = ("421 4.3.2 closing", "450 4.2.0 busy", "452 4.3.1 full")
PUT_OFF = (
    *BRIEFLY,
    "451 4.7.1 POL-T1 try again in 1-2 hours",
    "451 4.7.1 POL-T2 try again in 4-8 hours",
    "451 4.7.1 POL-T3 try again in 24-48 hours",
    "550 5.7.1 POL-P1 on a block list",
    "550 5.7.1 POL-P3 blocked for 4-8 hours",
    "550 5.7.1 POL-P4 blocked for 24-48 hours",
    *(f"421 4.7.0 CON-T{number} too many connections" for number in range(1, 5)),
)
FINAL = (
    "550 5.7.1 POL-P7 fails authentication",
    "552 5.3.4 MSG-P1 too large",
    "552 5.3.4 INT-P2 too large",
    "550 5.7.1 MSG-P2 attachment type",
    "550 5.6.0 MSG-P3 duplicate header",
    "550 5.1.1 RCP-P1 no such address",
    *(f"550 5.1.1 INT-P{number} no such address" for number in (1, 3, 4)),
    "550 5.1.1 no such user",
    "554 5.7.1 no",
)


@dataclass(frozen=True)
class Taken:
    """A message the server took. ``told`` is false when its 250 did not go out."""

    mail_from: str
    rcpt: str
    raw: bytes
    user: str
    told: bool

    @property
    def message_id(self) -> str:
        match = re.search(rb"^Message-ID: *(\S+)", self.raw, re.M | re.I)
        return match[1].decode() if match else ""


def usual(phase: str, rcpt: str) -> str:
    return ""


@dataclass
class NextHopServer:
    """One server on 127.0.0.1. ``behave(phase, rcpt)`` gives the act; ``users`` turns AUTH on."""

    behave: Callable[[str, str], str] = usual
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    users: dict[str, str] = field(default_factory=dict)
    login_only: bool = False
    late: float = 0.05
    taken: list[Taken] = field(default_factory=list)
    finals: Counter[str] = field(default_factory=Counter)  # final replies by recipient
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def __aenter__(self) -> NextHopServer:
        self._open: set[asyncio.Task[None]] = set()
        context = self.tls if self.implicit else None
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, _Dropped, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort() if not self.tls else writer.close()

    def copies(self) -> Counter[str]:
        """How often each message was taken, by Message-ID."""
        return Counter(message.message_id for message in self.taken)

    def untold(self) -> Counter[str]:
        """How often its 250 was lost."""
        return Counter(message.message_id for message in self.taken if not message.told)


class _Dropped(Exception):  # noqa: N818
    pass


class _Session:
    def __init__(
        self, server: NextHopServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.mail_from = self.rcpt = self.user = ""

    async def run(self) -> None:
        await self.reply("connect")
        while line := (await self.reader.readline()).decode("latin-1").rstrip("\r\n"):
            self.server.commands.append(line)
            verb = line.split(" ", 1)[0].upper()
            if verb == "QUIT":
                await self.say("221 2.0.0 bye")
                return
            await getattr(self, f"do_{verb.lower()}")(line)

    async def do_ehlo(self, _: str) -> None:
        secure = self.writer.get_extra_info("sslcontext") is not None
        lines = ["mx.facebook.example", "8BITMIME", "SIZE 36000000"]
        if self.server.tls and not secure:
            lines.append("STARTTLS")
        if self.server.users:
            lines.append("AUTH LOGIN" if self.server.login_only else "AUTH PLAIN LOGIN")
        if not await self.acted("hello"):
            text = [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]
            await self.say("\r\n".join(text))

    async def do_starttls(self, _: str) -> None:
        if not await self.acted("starttls"):
            await self.say(USUAL["starttls"])
            assert self.server.tls is not None
            await self.writer.start_tls(self.server.tls)

    async def do_auth(self, line: str) -> None:
        _, how, *rest = line.split()
        if how == "PLAIN":
            _, user, password = base64.b64decode(rest[0]).decode().split("\0")
        else:
            user = base64.b64decode(rest[0]).decode() if rest else await self.ask("334 VXNlcm5hbWU6")
            password = await self.ask("334 UGFzc3dvcmQ6")
        if self.server.users.get(user) == password:
            self.user = user
            await self.reply("auth")
        else:
            await self.say("535 5.7.8 wrong name or password")

    async def ask(self, prompt: str) -> str:
        await self.say(prompt)
        return base64.b64decode(await self.reader.readline()).decode()

    async def do_mail(self, line: str) -> None:
        self.mail_from = _address(line)
        await self.reply("mail")

    async def do_rcpt(self, line: str) -> None:
        self.rcpt = _address(line)
        await self.reply("rcpt")

    async def do_data(self, _: str) -> None:
        if await self.acted("data"):
            return
        await self.say(USUAL["data"])
        if self.server.behave("body", self.rcpt) == DROP:
            await self.reader.read(1)
            raise _Dropped
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise _Dropped
            lines.append(line[1:] if line.startswith(b".") else line)
        await self.dot(b"".join(lines))

    async def dot(self, raw: bytes) -> None:
        act = self.server.behave("dot", self.rcpt)
        if act in (DROP, SILENT) or act[:1] in ("4", "5"):
            await self.perform(act)
            return
        if act == LOSE:
            self.take(raw, told=False)
            raise _Dropped
        if act == SLOW:
            await asyncio.sleep(self.server.late)
        # Written down before it is told, since a client may read the 250 before this task goes on.
        self.take(raw, told=True)
        await self.say(USUAL["dot"])

    def take(self, raw: bytes, *, told: bool) -> None:
        self.server.taken.append(Taken(self.mail_from, self.rcpt, raw, self.user, told))

    async def do_rset(self, _: str) -> None:
        await self.say("250 2.0.0 ok")

    async def reply(self, phase: str) -> None:
        if not await self.acted(phase):
            await self.say(USUAL[phase])

    async def acted(self, phase: str) -> bool:
        act = self.server.behave(phase, self.rcpt)
        return await self.perform(act)

    async def perform(self, act: str) -> bool:
        if act == DROP:
            raise _Dropped
        if act == SILENT:
            with suppress(ConnectionError):
                await self.reader.read()
            raise _Dropped
        if act == SLOW:
            await asyncio.sleep(self.server.late)
            return False
        if not act:
            return False
        if act in FINAL:
            self.server.finals[self.rcpt] += 1
        await self.say(act)
        if act.startswith("421"):
            self.writer.close()
            raise _Dropped
        return True

    async def say(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()


def _address(line: str) -> str:
    match = re.search(r"<([^>]*)>", line)
    return match[1] if match else ""


@dataclass
class Weather:
    """Trouble by seed, at a share of all phases; it clears up when ``trouble`` is set to 0."""

    seed: int
    trouble: float = 0.15
    finals: float = 0.15  # of the trouble from RCPT on
    put_off: tuple[str, ...] = PUT_OFF

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def __call__(self, phase: str, rcpt: str) -> str:
        if self.chance.random() >= self.trouble:
            return ""
        if phase == "body":
            return DROP
        if phase in ("rcpt", "data", "dot") and self.chance.random() < self.finals:
            return self.chance.choice(FINAL)
        troubles: tuple[str, ...] = (
            (DROP, SILENT, SLOW, LOSE, LOSE) if phase == "dot" else (DROP, SILENT, SLOW)
        )
        return self.chance.choice((*troubles, self.chance.choice(self.put_off)))
