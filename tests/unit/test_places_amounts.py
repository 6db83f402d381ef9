"""FairPlaces taken in amounts: who waits, who is next, and that nobody is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from relaydesk.places.places import FairPlaces, Hold, NoPlace


async def _soon(task: asyncio.Task[Hold]) -> Hold | None:
    """What it holds once the loop has had a few turns; None while it waits."""
    for _ in range(5):
        await asyncio.sleep(0)
    return task.result() if task.done() else None


async def test_it_lets_nobody_overtake_a_large_one_that_waits() -> None:
    places = FairPlaces(10)
    first = await places.take({"a": 10}, amount=6)
    large = asyncio.create_task(places.take({"b": 10}, amount=8))
    assert await _soon(large) is None
    small = asyncio.create_task(places.take({"c": 10}, amount=1))
    assert await _soon(small) is None
    first.give()
    assert await _soon(large) is not None
    assert await _soon(small) is not None


async def test_it_lets_those_behind_begin_when_the_large_one_gives_up() -> None:
    places = FairPlaces(10)
    await places.take({"a": 10}, amount=6)
    with pytest.raises(NoPlace):
        await places.take({"b": 10}, 0.01, amount=8)
    large = asyncio.create_task(places.take({"b": 10}, amount=8))
    small = asyncio.create_task(places.take({"c": 10}, amount=1))
    assert await _soon(small) is None
    large.cancel()
    assert await _soon(small) is not None


async def test_it_does_not_wait_behind_one_who_only_waits_for_its_own_share() -> None:
    places = FairPlaces(10)
    crowd = await places.take({"crowd": 6}, amount=6)
    waiting = asyncio.create_task(places.take({"crowd": 6}, amount=1))
    assert await _soon(waiting) is None
    newcomer = await places.take({"newcomer": 6}, amount=4)
    newcomer.give()
    crowd.change(2)
    assert await _soon(waiting) is not None


async def test_it_counts_more_than_is_free_when_it_must_and_nothing_twice() -> None:
    places = FairPlaces(10)
    hold = await places.take({"a": 10}, amount=1)
    hold.change(12)
    other = asyncio.create_task(places.take({"b": 10}))
    assert await _soon(other) is None
    hold.give()
    hold.give()
    assert await _soon(other) is not None
    with pytest.raises(NoPlace):
        await places.take({"c": 10}, 0.01, amount=10)
    await places.take({"c": 10}, 0.01, amount=9)
