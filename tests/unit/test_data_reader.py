"""The content of DATA against a slow reading of RFC 5321 §4.5.2, and what the header section may hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_string
from email.utils import parsedate_to_datetime
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relaydesk.message.envelope import Envelope, Origin, received_line, with_protocol
from relaydesk.smtpd.data_reader import DataReader, flaw_of
from relaydesk.smtpd.limits import Limits

LIMITS = Limits(line_bytes=40, message_bytes=200)


def naive(stream: bytes) -> tuple[bool, bytes, bytes] | None:
    """(flawed, content, rest) read line by line, or None when the end is not there or doubtful."""
    content = b""
    before = b"\r\n"
    while True:
        at = stream.find(b"\r\n")
        if at < 0:
            return None
        line, stream = stream[: at + 2], stream[at + 2 :]
        if line == b".\r\n" and not before.endswith(b"\r\r\n"):
            lines = content.split(b"\r\n")
            bare = bool(re.search(rb"\r(?!\n)|(?<!\r)\n", content))
            unstuffed = b"\r\n".join(text[1:] if text.startswith(b".") else text for text in lines)
            long = max(map(len, lines)) + 2 > LIMITS.line_bytes and len(content) > 0
            return bare or long or len(unstuffed) > LIMITS.message_bytes, unstuffed, stream
        content += line
        before = before[-1:] + line


def fed(stream: bytes, cuts: list[int]) -> DataReader | None:
    dots = DataReader(LIMITS)
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        if start < end and dots.feed(stream[start:end]) and not dots.doubtful:
            dots.rest += stream[end:]
            return dots
    return None


pieces = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"bc" * 9, b"\r\n.\r\n"]), max_size=40
)


@settings(max_examples=1500, deadline=None)
@given(pieces, st.lists(st.integers(0, 400), max_size=8))
@example([b"\r", b"\r\n.\r\n", b"a", b"\r\n.\r\n"], [])
@example([b"\r", b"\r\n.\r\n", b".", b"\r\n"], [3])
@example([b"bc" * 9] * 4 + [b"\r", b"\r\n.\r\n", b"a", b"\r\n.\r\n"], [70, 73])
def test_it_reads_content_like_a_line_by_line_reader_however_it_is_cut(
    parts: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(parts)
    expected, dots = naive(stream), fed(stream, cuts)
    assert (expected is None) == (dots is None)
    if expected is not None and dots is not None:
        flawed, content, rest = expected
        assert (bool(dots.flaw), dots.rest) == (flawed, rest)
        assert dots.content() == (b"" if flawed else content)


def test_it_takes_an_empty_message_and_unstuffs_only_one_dot() -> None:
    dots = DataReader(LIMITS)
    assert dots.feed(b".\r\nQUIT\r\n")
    assert (dots.content(), dots.rest, dots.flaw) == (b"", b"QUIT\r\n", "")
    dots = DataReader(LIMITS)
    assert dots.feed(b"..\r\n...\r\n.a\r\nb..\r\n.\r\n")
    assert dots.content() == b".\r\n..\r\na\r\nb..\r\n"


def test_it_names_the_first_flaw_and_keeps_nothing_of_a_flawed_message() -> None:
    for stream, flaw in (
        (b"a\nb\r\n" + b"x" * 300 + b"\r\n", "bare_newline"),
        (b"x" * 50 + b"\r\nab\r\n", "line_too_long"),
        (b"x" * 30 + b"\r\n" + b"y" * 30 + b"\r\n", ""),
        ((b"x" * 30 + b"\r\n") * 7, "too_large"),
    ):
        dots = DataReader(LIMITS)
        assert dots.feed(stream + b".\r\n")
        assert dots.flaw == flaw
        assert bool(dots.content()) == (not flaw)


def test_it_takes_a_doubtful_end_back_when_more_follows() -> None:
    dots = DataReader(LIMITS)
    assert dots.feed(b"a\r\r\n.\r\n")
    assert dots.doubtful
    assert not dots.feed(b"MAIL FROM:<x@y.example>\r\n")
    assert dots.feed(b".\r\nNOOP\r\n")
    assert not dots.doubtful
    assert (dots.flaw, dots.rest) == ("bare_newline", b"NOOP\r\n")


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        (b"Received: x\r\n" * 50 + b"\r\n", ""),
        (b"Received: x\r\n" * 51 + b"\r\n", "mail_loop"),
        (b"received:x\r\n" * 51, "mail_loop"),
        (b"Subject: y\r\n\r\n" + b"Received: x\r\n" * 60, ""),
        (b"X: " + b"y" * 65_533 + b"\r\n\r\n", ""),
        (b"X: " + b"y" * 65_534 + b"\r\n\r\n", "headers_too_large"),
        (b"X: y\r\n" * 20_000, "headers_too_large"),
        (b"", ""),
    ],
)
def test_it_checks_the_header_section(raw: bytes, flaw: str) -> None:
    assert flaw_of(raw, Limits()) == flaw


def test_it_writes_our_received_line() -> None:
    envelope = Envelope(
        "2001:db8::1",
        Origin("2001:db8::1", "origin", True, "peer"),
        "mx (evil;[x])",
        "a@b.example",
        ("help@shop.example",),
        b"",
        datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC),
        tls=True,
        protocol="ESMTPS",
    )
    line = received_line(envelope, "mx.shop.example", "m42")
    assert line == (
        "Received: from mx??evil?[x]? ([IPv6:2001:db8::1]) by mx.shop.example with ESMTPS id m42 "
        "for <help@shop.example>; Mon, 23 Nov 2026 04:05:06 +0000"
    )
    value = message_from_string(line + "\n\n")["Received"]
    assert parsedate_to_datetime(value.rpartition(";")[2]) == envelope.received_at


@pytest.mark.parametrize(
    ("extended", "tls", "utf8", "expected"),
    [
        (False, False, False, "SMTP"),
        (True, False, False, "ESMTP"),
        (True, True, False, "ESMTPS"),
        (True, False, True, "UTF8SMTP"),
        (True, True, True, "UTF8SMTPS"),
    ],
)
def test_it_names_the_protocol(extended: bool, tls: bool, utf8: bool, expected: str) -> None:
    assert with_protocol(extended=extended, tls=tls, utf8=utf8) == expected


def test_it_divides_the_caps_of_a_port_among_processes() -> None:
    share = Limits(connections=100, connections_per_peer=3, concurrent_data=20).divided(4)
    assert (share.connections, share.connections_per_peer, share.concurrent_data) == (25, 1, 5)
    assert share.message_bytes == Limits().message_bytes
