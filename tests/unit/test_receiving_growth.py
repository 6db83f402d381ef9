"""What receiving costs grows with what is sent, however a hostile client cuts it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from relaydesk.smtpd.data_reader import DataReader
from relaydesk.smtpd.limits import Limits
from relaydesk.smtpd.receive_buffer import LineTooLongError, ReceiveBuffer
from tests.support.growth import LINEAR, growth

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = Limits(line_bytes=10**7)


SHAPES: dict[str, Callable[[int], bytes]] = {
    "one long line": lambda size: b"x" * size,
    "CRs": lambda size: b"\r" * size,
    "dots": lambda size: b"." * size,
    "empty lines": lambda size: b"\r\n" * (size // 2),
    "lines of a dot": lambda size: b"..\r\n" * (size // 4),
    "doubtful ends": lambda size: b"\r\r\n.\r\n" * (size // 6),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cut", [1, 2, 0])
def test_it_reads_content_in_time_linear_in_it(shape: str, cut: int) -> None:
    def read(stream: bytes) -> None:
        reader, step = DataReader(LIMITS), cut or len(stream)
        for start in range(0, len(stream), step):
            reader.feed(stream[start : start + step])

    assert growth(read, SHAPES[shape], 25_000 if cut else 700_000) < LINEAR


@pytest.mark.parametrize("cut", [1, 2, 0])
def test_it_reads_a_command_in_time_linear_in_it(cut: int) -> None:
    def read(stream: bytes) -> None:
        asyncio.run(_line(stream, cut or len(stream)))

    assert growth(read, lambda size: b"x" * size + b"\n", 20_000 if cut else 2_000_000) < LINEAR


async def _line(stream: bytes, step: int) -> None:
    buffer = ReceiveBuffer()
    reading = asyncio.create_task(buffer.line(len(stream)))
    await asyncio.sleep(0)
    for start in range(0, len(stream), step):
        buffer.feed(stream[start : start + step])
    assert await reading == stream


async def test_it_reads_commands_that_come_byte_by_byte() -> None:
    buffer = ReceiveBuffer()
    reading = asyncio.create_task(buffer.line(100))
    await asyncio.sleep(0)
    for byte in b"NOOP\r":
        buffer.feed(bytes([byte]))
        await asyncio.sleep(0)
        assert not reading.done()
    buffer.feed(b"\nQUIT")
    assert await reading == b"NOOP\r\n"
    with pytest.raises(LineTooLongError):
        buffer.feed(b"x" * 200 + b"\n")
        await buffer.line(100)
