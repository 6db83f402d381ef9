"""What a connection's place grants it, at the moment when its time is over."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from relaydesk.smtpd.connection_places import ConnectionPlaces, Familiarity, TakenPlace
from relaydesk.smtpd.limits import Limits
from relaydesk.smtpd.seat import Seat


async def test_a_drain_finds_a_client_whose_time_is_just_over() -> None:
    """The timer has rung and the task has not yet heard it: then a timeout takes no other moment."""
    limits = Limits(idle_seconds=0)
    server: Any = SimpleNamespace(endpoint=SimpleNamespace(limits=limits), places=ConnectionPlaces(limits))
    seat = Seat(server, TakenPlace("192.0.2.1", Familiarity.STRANGER, 0.0))
    failures: list[BaseException] = []

    def drain() -> None:
        try:
            seat.stop_waiting()
        except RuntimeError as failure:
            failures.append(failure)

    with pytest.raises(TimeoutError):
        async with seat.for_one_command():
            asyncio.get_running_loop().call_soon(drain)  # after the timer, before the task
            await asyncio.sleep(30)
    assert failures == []
