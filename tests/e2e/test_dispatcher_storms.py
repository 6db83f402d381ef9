"""Answers on their way through a next hop that is slow, breaks off anywhere and says all that Meta may say.

``bench/answers.py`` runs the same for longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.storms import killing, storm, together

if TYPE_CHECKING:
    from relaydesk.store.engine import Store


@pytest.mark.parametrize("seed", range(6))
async def test_no_answer_is_lost_in_any_weather(sqlite_store: Store, seed: int) -> None:
    await storm(sqlite_store, seed)


async def test_no_answer_is_lost_in_any_weather_on_postgresql(postgres_store: Store) -> None:
    await storm(postgres_store, 4711)


async def test_no_answer_is_lost_when_the_dispatcher_is_killed(sqlite_store: Store, sqlite_url: str) -> None:
    await killing(sqlite_store, sqlite_url, seed=1, kills=2, answers=24, trouble=0.1)


async def test_two_dispatchers_send_each_answer_once(store: Store, store_url: str) -> None:
    await together(store, store_url, tickets=12, each=4)
