"""Deciding again after a conflict; claims are tested with the outbox, upserts with their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.store.contention import TRIES, until_settled
from relaydesk.store.errors import Conflict, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


def failing(times: int, error: Exception) -> tuple[Callable[[], str], list[int]]:
    calls: list[int] = []

    def attempt() -> str:
        calls.append(len(calls))
        if len(calls) <= times:
            raise error
        return "written"

    return attempt, calls


def test_it_decides_again_until_it_is_first() -> None:
    attempt, calls = failing(TRIES - 1, Conflict("another was first"))
    assert until_settled(attempt) == "written"
    assert len(calls) == TRIES


def test_it_gives_up_when_others_are_always_first() -> None:
    attempt, calls = failing(TRIES, Conflict("another was first"))
    with pytest.raises(StoreUnavailable, match="8 times in a row"):
        until_settled(attempt)
    assert len(calls) == TRIES


def test_it_repeats_nothing_but_conflicts() -> None:
    attempt, calls = failing(1, StoreUnavailable("locked"))
    with pytest.raises(StoreUnavailable, match="locked"):
        until_settled(attempt)
    assert len(calls) == 1
