"""The look for half rows, which the kill tests lean on, finds each kind of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.arriving import candidate, open_ticket
from relaydesk_testkit.soundness import HALF_ROWS, unsound

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

DAMAGE = {
    "a message without its ticket": "UPDATE message SET ticket_id = 99",
    "a message that is not whole": "UPDATE message SET raw = substr(raw, 1, 20)",
    "a ticket without exactly one 'opened'": "DELETE FROM event WHERE what = 'opened'",
    "a ticket that miscounts its messages": "UPDATE ticket SET message_count = 2",
    "a ticket with more or fewer 'opened' and 'message' events than messages": """
        INSERT INTO event (ticket_id, at, noted_at, what, actor, data)
        SELECT ticket_id, at, noted_at, 'message', actor, data FROM event WHERE what = 'opened'""",
    "an open case without a running response clock": "DELETE FROM deadline",
    "a clock whose start is no event": "DELETE FROM event WHERE what = 'clock_started'",
    "a ticket whose next deadline is not its earliest": "UPDATE ticket SET next_due = '2020-01-01 00:00:00'",
    "a case without its order number": "DELETE FROM ticket_order",
    "two open tickets of one relay address": "UPDATE ticket SET relay_address = 'case++bob@x.example'",
}


@pytest.fixture
def whole(sqlite_store: Store, sqlite_url: str) -> str:
    for name in ("alice", "bob"):
        open_ticket(sqlite_store, name=name, candidates=(candidate(),))
    return sqlite_url


def test_it_finds_nothing_in_a_whole_store(whole: str):
    assert unsound(whole) == []


@pytest.mark.parametrize("what", HALF_ROWS)
def test_it_finds_each_kind_of_half_row(whole: str, what: str):
    with closing(sqlite3.connect(whole.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(DAMAGE[what])
    assert [found for found in unsound(whole) if found.startswith(f"{what}: ")]
