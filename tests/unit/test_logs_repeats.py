"""What strangers can cause without end costs few lines and little memory."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import pytest

from relaydesk import logs
from relaydesk.logs.repeats import KINDS, MINUTE, OF_KIND, OF_NETWORK, Repeated, Repeats

RCPT = ("info", "rcpt", "no_role")


def test_it_writes_the_first_of_a_network_and_counts_the_rest() -> None:
    repeats = Repeats()
    written = [repeats.admits(RCPT, f"192.0.2.{number % 256}", 0.5) for number in range(1_000)]
    assert written == [True] * OF_NETWORK + [False] * (1_000 - OF_NETWORK)
    assert repeats.admits(RCPT, "198.51.100.1", 1.0)
    assert repeats.admits(("info", "rcpt", "unknown_mailbox"), "192.0.2.1", 1.0)
    assert list(repeats.due(MINUTE)) == []
    assert list(repeats.due(MINUTE + 0.5)) == [Repeated(RCPT, 990, "192.0.2.0/24")]
    assert repeats.admits(RCPT, "192.0.2.1", MINUTE + 1)


def test_many_networks_share_a_bound() -> None:
    repeats = Repeats()
    written = sum(
        repeats.admits(RCPT, f"2001:db8:{number:x}::{number:x}", float(number % 50))
        for number in range(20_000)
    )
    assert written == OF_KIND
    assert list(repeats.due(0.0, every=True)) == [Repeated(RCPT, 20_000 - OF_KIND, "")]


def test_one_ipv6_network_is_one_stranger() -> None:
    repeats = Repeats()
    assert (
        sum(repeats.admits(RCPT, f"2001:db8:1:{number:x}::1", 0.0) for number in range(1_000)) == OF_NETWORK
    )


def test_it_keeps_little_whatever_comes() -> None:
    repeats = Repeats()

    def flood(times: int) -> int:
        for number in range(times):
            repeats.admits(("error", "x", f"{number}"), f"{number}" * 200, 1.0)
            repeats.admits(RCPT, f"{number} of somewhere", 1.0)
        return size_of(repeats)

    assert flood(2_000) > 0
    once = size_of(repeats)
    assert flood(4_000) <= once * 1.1
    assert once < 2_000_000
    assert len(list(repeats.due(100.0))) <= KINDS + 1


def size_of(value: Any) -> int:
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(size_of(key) + size_of(entry) for key, entry in value.items())
    if hasattr(value, "__slots__"):
        return sum(size_of(getattr(value, name)) for name in value.__slots__)
    return sys.getsizeof(value)


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_only_what_has_a_limit_is_limited(stream: io.StringIO) -> None:
    for _ in range(200):
        logs.log("message", outcome="accepted")
        logs.log("rcpt", limit_by="192.0.2.7", code="no_role")
    events = [line["event"] for line in lines(stream)]
    assert (events.count("message"), events.count("rcpt")) == (200, OF_NETWORK)


def test_it_says_how_many_more_there_were(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("relaydesk.logs.lines.time.monotonic", lambda: now)
    for _ in range(1_600):
        logs.log("rcpt", limit_by="192.0.2.7", code="no_role", ip="192.0.2.7")
    now += 61
    logs.log("rcpt", limit_by="192.0.2.7", code="no_role", ip="192.0.2.7")
    *_, summary, last = lines(stream)
    assert (summary["event"], summary["level"], summary["code"]) == ("rcpt", "info", "no_role")
    assert (summary["repeated"], summary["most_from"]) == (1_590, "192.0.2.0/24")
    assert last["ip"] == "192.0.2.7"


def test_the_same_error_is_not_told_for_ever(stream: io.StringIO) -> None:
    def fail(number: int) -> None:
        raise ValueError(number)

    for number in range(100):
        try:
            fail(number)
        except ValueError:
            logs.log_exception("unexpected_error")
            logging.getLogger("relaydesk.smtpd").exception("a session failed")
        logging.getLogger("asyncio").error("socket.accept() out of system resource\nsocket: %s", number)
    events = [line["event"] for line in lines(stream)]
    assert {event: events.count(event) for event in events} == {
        "unexpected_error": OF_NETWORK,
        "a session failed": OF_NETWORK,
        "socket.accept() out of system resource": OF_NETWORK,
    }
