"""Bulk work in small turns behind mail."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from relaydesk.store.contention import FIRST_TURN, in_turns
from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session


def test_bulk_work_lets_others_in_between_its_turns(sqlite_url: str) -> None:
    """Two writers of two processes, one of which has much to write: the other is done long before it."""
    finished: list[str] = []
    started = threading.Event()

    def write(session: Session, part: Sequence[int]) -> int:
        started.set()
        time.sleep(0.005 * len(part))
        session.connection().execute(text("UPDATE ticket SET message_count = 0 WHERE id < 0"))
        return len(part)

    def bulk() -> None:
        store = Store.open(sqlite_url)
        sizes.extend(in_turns(store, range(240), write))
        store.close()
        finished.append("bulk")

    sizes: list[int] = []
    mail = Store.open(sqlite_url, lock_timeout=30)
    thread = threading.Thread(target=bulk)
    thread.start()
    assert started.wait(30)
    for _ in range(4):
        with mail.transaction():
            pass
    finished.append("mail")
    thread.join()
    mail.close()
    assert finished == ["mail", "bulk"]
    assert sum(sizes) == 240
    assert sizes[0] == FIRST_TURN
    assert max(sizes[1:]) < FIRST_TURN  # twenty rows of 5 ms are more than a turn


def test_a_turn_stays_away_as_long_as_it_held_the_store(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    moments = iter([10.0, 10.25])
    clock = SimpleNamespace(monotonic=lambda: next(moments), sleep=slept.append)
    monkeypatch.setattr("relaydesk.store.engine.time", clock)
    with sqlite_store.turn():
        assert not slept
    assert slept == [0.25]


def test_quick_rows_come_in_larger_slices_and_a_conflict_repeats_only_its_own(store: Store) -> None:
    tries: list[tuple[int, int]] = []

    def write(_session: Session, part: Sequence[int]) -> int:
        tries.append((part[0], len(part)))
        if len(tries) == 2:
            raise Conflict("another was first")
        return len(part)

    sizes = list(in_turns(store, range(500), write, longest=100))
    assert sum(sizes) == 500
    assert max(sizes) <= 100
    assert len(tries) == len(sizes) + 1
    assert tries[1] == tries[2]
    assert sizes[1] > sizes[0]


def test_what_was_written_stays_when_a_later_turn_fails(store: Store) -> None:
    def write(_session: Session, part: Sequence[int]) -> Sequence[int]:
        if FIRST_TURN in part:
            raise StoreUnavailable("locked")
        return part

    written: list[int] = []
    with pytest.raises(StoreUnavailable, match="locked"):
        for part in in_turns(store, range(100), write):
            written.extend(part)
    assert written == list(range(FIRST_TURN))
