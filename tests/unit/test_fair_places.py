"""Places: bounded, shared fairly, given back whatever happens, and some kept for those we know."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from relaydesk.places import FairPlaces, NoPlace


async def holds(stack: AsyncExitStack, places: FairPlaces, *names: str, share: int = 2) -> bool:
    """Whether a place was to be had at once; it is held as long as the stack is."""
    try:
        await stack.enter_async_context(places.held(dict.fromkeys(names, share), 0))
    except NoPlace:
        return False
    return True


async def test_there_are_so_many_places_and_no_more() -> None:
    places = FairPlaces(3)
    async with AsyncExitStack() as stack:
        assert [await holds(stack, places, str(number)) for number in range(5)] == [True] * 3 + [False] * 2
    async with AsyncExitStack() as stack:
        assert [await holds(stack, places, str(number)) for number in range(4)] == [True] * 3 + [False]


async def test_one_name_holds_its_share_only_and_leaves_the_rest_to_others() -> None:
    places = FairPlaces(8)
    async with AsyncExitStack() as stack:
        assert [await holds(stack, places, "slow.example", "peer") for _ in range(3)] == [True, True, False]
        assert not await holds(stack, places, "other.example", "peer")  # the peer has its share too
        assert await holds(stack, places, "other.example", "another peer")
        assert not await holds(stack, places, "slow.example", "third peer")


async def test_a_share_is_at_least_one_place() -> None:
    assert [FairPlaces(16).part(0.25), FairPlaces(2).part(0.25), FairPlaces(1).part(0.5)] == [4, 1, 1]


async def test_kept_places_are_there_when_all_others_are_taken_and_bounded_too() -> None:
    places = FairPlaces(2, kept=1)
    async with AsyncExitStack() as stack:
        assert [await holds(stack, places, str(number)) for number in range(3)] == [True, True, False]
        async with places.kept(0):
            with pytest.raises(NoPlace):
                async with places.kept(0.01):
                    pass
        async with places.kept(0):
            pass


async def test_a_newcomer_passes_a_crowd() -> None:
    places, order = FairPlaces(2), list[str]()
    go = asyncio.Event()

    async def use(name: str, domain: str) -> None:
        async with places.held({domain: 2}):
            order.append(name)
            await go.wait()

    async with asyncio.TaskGroup() as group:
        for name, domain in (("1", "crowd"), ("2", "crowd"), ("3", "crowd"), ("4", "crowd"), ("5", "lone")):
            group.create_task(use(name, domain))
            await asyncio.sleep(0)
        assert order == ["1", "2"]
        go.set()
    assert order[2] == "5"
    assert sorted(order) == ["1", "2", "3", "4", "5"]


async def test_whoever_gives_up_or_is_cancelled_holds_nothing() -> None:
    places = FairPlaces(1)
    async with AsyncExitStack() as stack:
        assert await holds(stack, places, "first")
        waiting = [asyncio.create_task(one_turn(places, seconds)) for seconds in (0.01, None, None)]
        await asyncio.sleep(0.05)
        with pytest.raises(NoPlace):
            await waiting[0]
        waiting[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[1]
    await waiting[2]
    async with AsyncExitStack() as stack:
        assert await holds(stack, places, "again")


async def test_a_turn_that_comes_to_one_who_is_cancelled_goes_on_to_the_next() -> None:
    places = FairPlaces(1)
    async with AsyncExitStack() as stack:
        assert await holds(stack, places, "first")
        gone, next_one = (asyncio.create_task(one_turn(places, None)) for _ in range(2))
        await asyncio.sleep(0)
    gone.cancel()  # its turn has come, but it has not run since
    await asyncio.wait_for(next_one, 10)
    async with AsyncExitStack() as stack:
        assert await holds(stack, places, "again")


async def one_turn(places: FairPlaces, seconds: float | None) -> None:
    async with places.held({"name": 5}, seconds):
        pass
