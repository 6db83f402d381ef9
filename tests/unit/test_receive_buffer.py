"""The incoming side of a connection, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from relaydesk.smtpd.receive_buffer import HIGH_WATER, LineTooLongError, ReceiveBuffer

if TYPE_CHECKING:
    import asyncio


class Transport:
    """Counts how often reading was paused and resumed."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def pause_reading(self) -> None:
        self.said.append("pause")

    def resume_reading(self) -> None:
        self.said.append("resume")


def connected() -> tuple[ReceiveBuffer, list[str]]:
    inbox, transport = ReceiveBuffer(), Transport()
    inbox.connect(cast("asyncio.Transport", transport))
    return inbox, transport.said


async def test_it_stops_reading_while_too_much_waits_and_goes_on_afterwards() -> None:
    inbox, said = connected()
    inbox.feed(b"x" * HIGH_WATER)
    assert said == []
    inbox.feed(b"y")
    inbox.feed(b"z")
    assert said == ["pause"]
    assert len(await inbox.chunk()) == HIGH_WATER + 2
    assert said == ["pause", "resume"]


async def test_it_reads_lines_and_puts_bytes_back() -> None:
    inbox, _ = connected()
    inbox.feed(b"one\r\ntwo\r\nthr")
    assert await inbox.line(100) == b"one\r\n"
    inbox.unread(b"zero\r\n")
    assert [await inbox.line(100), await inbox.line(100)] == [b"zero\r\n", b"two\r\n"]
    inbox.end()
    with pytest.raises(EOFError):
        await inbox.line(100)


async def test_it_drops_a_line_over_the_limit_and_keeps_the_next() -> None:
    inbox, _ = connected()
    inbox.feed(b"x" * 50)
    inbox.feed(b"x" * 500 + b"\r\nNOOP\r\n")
    with pytest.raises(LineTooLongError):
        await inbox.line(40)
    assert await inbox.line(40) == b"NOOP\r\n"


async def test_it_forgets_what_came_too_early() -> None:
    inbox, _ = connected()
    inbox.feed(b"EHLO evil\r\n")
    inbox.clear()
    inbox.feed(b"later")
    assert await inbox.chunk() == b"later"
