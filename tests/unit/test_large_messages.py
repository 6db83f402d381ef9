"""A large message is read without copies of it."""

from __future__ import annotations

import base64
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaydesk.message.parse import parse_message
from relaydesk.message.transfer_encoding import large_base64, undone
from relaydesk.outbound.smtp_data import stuffed
from relaydesk.smtpd.data_reader import DataReader
from relaydesk.smtpd.limits import Limits

PHOTO = random.Random(1).randbytes(4_000_001)
RAW = (
    b"From: a@support.facebook.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    b"--x\r\nContent-Type: image/jpeg; name=p.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(PHOTO).replace(b"\n", b"\r\n")
    + b"--x--\r\n"
)


def test_it_parses_a_large_message_in_little_more_than_what_it_holds() -> None:
    tracemalloc.start()
    try:
        message = parse_message(RAW)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert message.attachments[0].content == PHOTO
    assert peak < 1.2 * len(RAW)


def test_it_receives_a_large_message_without_copying_it() -> None:
    reader = DataReader(Limits())
    tracemalloc.start()
    try:
        for start in range(0, len(RAW), 65_536):
            reader.feed(RAW[start : start + 65_536])
        assert reader.feed(b".\r\n")
        assert reader.content() == RAW
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * len(RAW)


@pytest.mark.parametrize("size", [200_000, 200_001, 200_002, 131_070])
@pytest.mark.parametrize("tail", [b"", b"\r\n", b"  \r\n\t", b"=", b"==", b"====", b"!", b"QQ=="])
@pytest.mark.parametrize("inside", [b"", b" ", b"=", b"\x00", b"\n", b"A"])
def test_it_decodes_large_base64_as_it_does_small(size: int, tail: bytes, inside: bytes) -> None:
    encoded = base64.encodebytes(PHOTO[:size]).replace(b"\n", b"\r\n").rstrip(b"\r\n")
    encoded = encoded[:70_000] + inside + encoded[70_000:] + tail
    content = large_base64(memoryview(encoded))
    general, defect = undone(encoded, "base64", is_text=False)
    assert content is None or (content, "") == (general, defect)
    if not tail.strip() and not inside.strip():
        assert (content is None) == (inside == b" ")


@given(st.lists(st.sampled_from([b".", b"\r\n", b"a", b"\n.", b"\r"]), max_size=30), st.integers(1, 9))
def test_it_doubles_the_dots_that_begin_lines_however_it_cuts(pieces: list[bytes], size: int) -> None:
    raw = b"".join(pieces)
    lines = raw.split(b"\n")
    doubled = b"\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    assert b"".join(stuffed(raw, size)) == doubled
