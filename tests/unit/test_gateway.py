"""Passwords of gateway clients, and how long a guesser waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relaydesk.gateway.clients import DUMMY_HASH, Throttle, hashed, matches
from relaydesk_testkit.arriving import NOON

STORED = hashed("secret \N{SNOWMAN}", b"0123456789abcdef")


def test_only_the_password_matches_its_hash() -> None:
    assert matches("secret \N{SNOWMAN}", STORED)
    for other in ("secret", "", "secret \N{SNOWMAN} ", "Secret \N{SNOWMAN}"):
        assert not matches(other, STORED)
    assert not matches("", DUMMY_HASH)


def test_the_same_password_is_stored_differently_each_time() -> None:
    assert hashed("secret \N{SNOWMAN}", b"another salt....") != STORED
    assert "secret" not in STORED


@pytest.mark.parametrize("text", ["", "x", "scrypt$14$8$1$!$!", "scrypt$a$8$1$eA==$eA==", "md5" + STORED[6:]])
def test_what_is_no_hash_matches_nothing(text: str) -> None:
    assert not matches("secret \N{SNOWMAN}", text)


def test_the_wait_doubles_after_five_failures_and_ends() -> None:
    throttle = Throttle()
    for _ in range(4):
        throttle.failed("a", NOON)
    assert not throttle.blocked("a", NOON)
    throttle.failed("a", NOON)
    assert throttle.blocked("a", NOON) and not throttle.blocked("b", NOON)
    assert not throttle.blocked("a", NOON + timedelta(seconds=1))
    for _ in range(5):
        throttle.failed("a", NOON)
    assert throttle.blocked("a", NOON + timedelta(seconds=31))
    assert not throttle.blocked("a", NOON + timedelta(seconds=32))
    for _ in range(60):
        throttle.failed("a", NOON)
    assert throttle.blocked("a", NOON + timedelta(minutes=14, seconds=59))
    assert not throttle.blocked("a", NOON + timedelta(minutes=15))


def test_a_success_or_a_long_silence_is_a_fresh_start() -> None:
    throttle = Throttle()
    for _ in range(9):
        throttle.failed("a", NOON)
        throttle.failed("b", NOON)
    throttle.succeeded("a")
    assert not throttle.blocked("a", NOON)
    later = NOON + timedelta(hours=1)
    throttle.failed("b", later)
    assert not throttle.blocked("b", later)


def test_it_remembers_a_bounded_number_of_guessers() -> None:
    throttle = Throttle()
    for number in range(Throttle.REMEMBERED + 1):
        throttle.failed(str(number), NOON)
    for _ in range(5):
        throttle.failed("0", NOON)
    assert throttle.blocked("0", NOON)
    assert len(throttle._failures) == Throttle.REMEMBERED
