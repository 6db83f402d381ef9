"""Large messages in and out of the store, on both engines."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from relaydesk.store import outbox
from relaydesk.store.raw_bytes import PIECE
from relaydesk.store.search import Unindexed
from relaydesk.store.search import raw as raw_of
from relaydesk_testkit.arriving import open_ticket
from relaydesk_testkit.sending import first_message, queue_answer

if TYPE_CHECKING:
    from relaydesk.store.engine import Store


@pytest.mark.parametrize("size", [0, 1, PIECE - 400, PIECE, 2 * PIECE + 5])
def test_it_reads_back_what_was_written_whatever_its_size(store: Store, size: int) -> None:
    ticket = open_ticket(store)
    text = random.Random(size).randbytes(size).hex()[:size]
    answer = queue_answer(store, ticket, first_message(store, ticket), text=text)
    with store.reading() as session:
        raw = outbox.raw(session, answer)
        assert raw is not None
        assert text.encode() in raw
        assert raw_of(session, Unindexed("answer", answer)) == (ticket, raw)
        assert outbox.raw(session, answer + 1) is None


def test_it_lets_go_of_a_connection_that_has_carried_a_large_message(store: Store) -> None:
    opened: list[object] = []
    event.listen(store.engine, "connect", lambda connection, _record: opened.append(connection))
    ticket = open_ticket(store)
    number = first_message(store, ticket)
    for _ in range(3):
        queue_answer(store, ticket, number)
    before = len(opened)
    queue_answer(store, ticket, number, text="x" * 2 * PIECE)
    queue_answer(store, ticket, number)
    assert len(opened) == before + (store.engine.dialect.name == "postgresql")
