"""Passwords of gateway clients, and how long a guesser waits."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaydesk.gateway import passwords
from relaydesk.gateway.clients import DUMMY_HASH, hashed, matches
from relaydesk.gateway.passwords import Passwords
from relaydesk.gateway.throttle import Recognized, Throttle, Tries
from relaydesk.store.errors import StoreUnavailable

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


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def begun(throttle: Throttle, peer: str, times: int) -> list[Tries]:
    tries = [await throttle.begin(peer) for _ in range(times)]
    return [one for one in tries if one is not None]


async def soon(*tasks: asyncio.Task[Tries | None]) -> list[object]:
    """What came of them by now: the tries or None, and "waits" for one that waits for its turn."""
    for _ in range(3):
        await asyncio.sleep(0)
    return [task.result() if task.done() else "waits" for task in tasks]


async def test_tries_count_from_their_beginning() -> None:
    throttle = Throttle(Clock())
    first = await begun(throttle, "a", Throttle.FREE)
    assert len(first) == Throttle.FREE
    sixth = asyncio.create_task(throttle.begin("a"))
    assert await soon(sixth) == ["waits"]
    assert await throttle.begin("b") is not None
    throttle.end(first[0], failed=False)  # right, so it is given back; but others are under way
    assert await soon(sixth) == ["waits"]
    for tries in first[1:]:
        throttle.end(tries, failed=False)
    assert await soon(sixth) == [first[0]]


async def test_after_five_failures_one_is_taken_at_a_time_and_none_is_locked_out() -> None:
    clock = Clock()
    throttle = Throttle(clock, pace=0.01)
    for tries in await begun(throttle, "a", Throttle.FREE):
        throttle.end(tries, failed=True)
    taken = []
    for _ in range(5):
        waits = asyncio.create_task(throttle.begin("a"))
        assert await soon(waits) == ["waits"]
        clock.now += 1
        turn = await asyncio.wait_for(waits, 30)
        assert turn is not None
        beside = asyncio.create_task(throttle.begin("a"))
        assert await soon(beside) == ["waits"]
        throttle.end(turn, failed=False)  # a right one is not followed by a wait
        second = await asyncio.wait_for(beside, 30)
        assert second is not None
        throttle.end(second, failed=True)
        taken.append(second)
    assert len(taken) == 5


async def test_the_newest_goes_first_and_the_oldest_is_sent_away() -> None:
    throttle = Throttle(Clock())
    first = await begun(throttle, "a", Throttle.FREE)
    waiting = []
    for _ in range(Throttle.WAITING + 2):
        waiting.append(asyncio.create_task(throttle.begin("a")))
        await soon(*waiting)
    assert await soon(*waiting) == [None, None, *["waits"] * Throttle.WAITING]
    for tries in first:
        throttle.end(tries, failed=False)
    assert await soon(*waiting[-2:]) == ["waits", first[0]]
    waiting[-2].cancel()  # a client that hangs up leaves its place to the others
    await soon(*waiting[-1:])
    throttle.end(first[0], failed=False)
    assert await soon(waiting[-3]) == [first[0]]
    for task in waiting:
        task.cancel()


async def test_a_long_silence_is_a_fresh_start_and_a_success_is_none() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for tries in await begun(throttle, "a", Throttle.FREE - 1):
        throttle.end(tries, failed=True)
    for _ in range(3):  # the desk beside the guesser
        [tries] = await begun(throttle, "a", 1)
        throttle.end(tries, failed=False)
    [tries] = await begun(throttle, "a", 1)
    throttle.end(tries, failed=True)
    waits = asyncio.create_task(throttle.begin("a"))
    assert await soon(waits) == ["waits"]
    waits.cancel()
    await soon()
    clock.now += Throttle.KEPT + 1
    assert len(await begun(throttle, "a", Throttle.FREE)) == Throttle.FREE


async def test_it_remembers_a_bounded_number_of_guessers() -> None:
    throttle = Throttle()
    for number in range(Throttle.REMEMBERED + 10):
        for tries in await begun(throttle, str(number), 1):
            throttle.end(tries, failed=True)
    assert len(throttle) == Throttle.REMEMBERED


@given(st.lists(st.sampled_from(["begin", "right", "wrong", "wait", "leave"]), max_size=60))
def test_whatever_happens_a_peer_guesses_no_faster_than_it_may(steps: list[str]) -> None:
    async def play() -> None:
        clock = Clock()
        throttle = Throttle(clock, pace=0.0)
        begun_ones: list[asyncio.Task[Tries | None]] = []
        wrong = 0
        for step in steps:
            held = [task for task in begun_ones if task.done() and task.result() is not None]
            if step == "begin":
                begun_ones.append(asyncio.create_task(throttle.begin("a")))
            elif step in ("right", "wrong") and held:
                tries = held[0].result()
                assert tries is not None
                begun_ones.remove(held[0])
                throttle.end(tries, failed=step == "wrong")
                wrong += step == "wrong"
            elif step == "leave":
                for task in [task for task in begun_ones if not task.done()][:1]:
                    task.cancel()
                    begun_ones.remove(task)
            await soon()
            under_way = sum(1 for task in begun_ones if task.done() and task.result() is not None)
            assert under_way <= max(1, Throttle.FREE - wrong)
            assert sum(1 for task in begun_ones if not task.done()) <= Throttle.WAITING
        for task in begun_ones:
            task.cancel()

    asyncio.run(play())


async def secret_of(name: str) -> str | None:
    return STORED if name == "zendesk" else None


RIGHT = "secret \N{SNOWMAN}"


async def test_forty_guesses_at_once_are_not_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def compare(password: str, stored: str) -> bool:
        looked_at.append(password)
        return matches(password, stored)

    monkeypatch.setattr(passwords, "matches", compare)
    gate = Passwords(Throttle(pace=0.01), wrong_seconds=0)
    guesses = [gate.verdict("a", "zendesk", f"guess {number}", secret_of) for number in range(40)]
    verdicts = await asyncio.gather(*guesses)
    assert verdicts.count("later") == 40 - Throttle.FREE - Throttle.WAITING
    assert len(looked_at) == Throttle.FREE + Throttle.WAITING
    assert await gate.verdict("a", "zendesk", RIGHT, secret_of) == "right"


async def test_who_came_in_before_comes_in_at_once_beside_guessers(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Passwords(Throttle(pace=3600), wrong_seconds=0)
    assert await gate.verdict("a", "zendesk", RIGHT, secret_of) == "right"
    for _ in range(Throttle.FREE):
        assert await gate.verdict("a", "other", "guess", secret_of) == "wrong"
    monkeypatch.setattr(passwords, "matches", lambda *_: pytest.fail("no scrypt is wanted"))
    guesses = [
        asyncio.create_task(gate.verdict("a", "zendesk", f"guess {number}", secret_of))
        for number in range(40)
    ]
    done, waiting = await asyncio.wait(guesses, timeout=0.2)
    assert {guess.result() for guess in done} == {"later"}
    assert len(waiting) == Throttle.WAITING
    assert await asyncio.wait_for(gate.verdict("a", "zendesk", RIGHT, secret_of), 30) == "right"
    for guess in waiting:
        guess.cancel()


async def test_who_came_in_before_and_was_revoked_does_not_come_in() -> None:
    gate = Passwords(wrong_seconds=0)
    assert await gate.verdict("a", "zendesk", RIGHT, secret_of) == "right"

    async def revoked(_name: str) -> str | None:
        return None

    assert await gate.verdict("a", "zendesk", RIGHT, revoked) == "wrong"


async def test_waiting_for_scrypt_is_bounded_over_all_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(passwords, "matches", lambda password, _stored: bool(looked_at.append(password)))
    gate = Passwords(wrong_seconds=0)
    guesses = (gate.verdict(f"peer {number}", "zendesk", "guess", secret_of) for number in range(100))
    verdicts = await asyncio.gather(*guesses)
    assert verdicts.count("wrong") == len(looked_at) == passwords.WAITING
    assert verdicts.count("later") == 100 - passwords.WAITING


async def test_what_could_not_be_looked_at_does_not_count() -> None:
    async def unavailable(_name: str) -> str | None:
        raise StoreUnavailable("locked")

    gate = Passwords()
    for _ in range(3 * Throttle.FREE):
        with pytest.raises(StoreUnavailable):
            await gate.verdict("a", "zendesk", RIGHT, unavailable)
    assert await gate.verdict("a", "zendesk", RIGHT, secret_of) == "right"


def test_it_remembers_a_bounded_number_of_clients() -> None:
    recognized = Recognized()
    for number in range(Recognized.REMEMBERED + 5):
        recognized.remember(str(number), "zendesk", RIGHT, STORED)
    assert ("4", "zendesk") not in recognized
    assert recognized.is_right("5", "zendesk", RIGHT, STORED)
    assert not recognized.is_right("5", "zendesk", "guess", STORED)
    assert not recognized.is_right("5", "zendesk", RIGHT, "another hash")
    assert not recognized.is_right("4", "zendesk", RIGHT, STORED)
