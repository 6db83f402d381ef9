"""Queues, counts and pages, and what they cost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from relaydesk.store import list_counts, lists, tickets
from relaydesk.store.lists import QueueCount, TicketFilter
from relaydesk_testkit.arriving import NOON, ORDER, candidate, open_ticket, planned, store_message
from relaydesk_testkit.arriving import decision as decided
from tests.support.desk import ALICE, BOB, desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

MIDNIGHT = NOON + timedelta(hours=12)


def due_in(store: Store, name: str, hours: float | None, **facts: object) -> int:
    clocks = () if hours is None else (planned(hours=hours, warn=None),)
    return open_ticket(store, name=name, clocks=clocks, **facts)


def test_it_counts_open_due_today_and_overdue(store: Store) -> None:
    due_in(store, "a", 1)
    due_in(store, "b", 5)
    due_in(store, "c", 30)
    due_in(store, "d", None)
    due_in(store, "e", 3, kind="claim")
    desk(store).tickets.close(due_in(store, "f", 1), by=BOB)
    with store.reading() as session:
        counted = list_counts.everything(session, NOON + timedelta(hours=2), MIDNIGHT).queues
    assert counted == (
        QueueCount("case", 4, 1, 1, NOON + timedelta(hours=1)),
        QueueCount("claim", 1, 1, 0, NOON + timedelta(hours=3)),
    )


def test_it_pages_by_deadline_and_puts_those_without_last(store: Store) -> None:
    idle = [due_in(store, f"idle{n}", None) for n in range(3)]
    late = due_in(store, "late", 90)
    same = [due_in(store, f"same{n}", 20) for n in range(3)]
    soon = due_in(store, "soon", 2)
    due_in(store, "claim", 1, kind="claim")
    found: list[int] = []
    after = None
    with store.reading() as session:
        for _ in range(9):
            page = lists.page(session, TicketFilter("case"), after=after, limit=2)
            found += [row.id for row in page.tickets]
            after = page.after
            if after is None:
                break
    assert found == [soon, *same, late, *idle]


def test_it_pages_over_all_queues_and_by_agent(store: Store) -> None:
    later = due_in(store, "a", 20)
    sooner = due_in(store, "b", 2, kind="claim", candidates=(candidate(),), bind_orders=(ORDER,))
    desk(store).tickets.assign(later, "alice", by=ALICE)
    with store.reading() as session:
        everything = lists.page(session, TicketFilter())
        mine = lists.page(session, TicketFilter(assignee="alice"))
    assert [row.id for row in everything.tickets] == [sooner, later]
    assert [(n.ticket_id, n.value) for n in everything.numbers] == [(sooner, ORDER)]
    assert [row.id for row in mine.tickets] == [later]
    assert mine.after is None


def test_it_finds_by_order_relay_address_and_number(store: Store) -> None:
    other = due_in(store, "bob", 1)
    mine = due_in(store, "carol", 1, candidates=(candidate(sure="mentioned"),))
    with store.reading() as session:
        assert [row.id for row in lists.search(session, ORDER)] == [mine]
        assert [row.id for row in lists.search(session, "case++carol@support.facebook.com")] == [mine]
        assert [row.id for row in lists.search(session, str(other))] == [other]
        assert lists.search(session, "no such thing") == ()
        assert lists.search(session, "9" * 30) == ()


def test_it_has_no_view_of_a_ticket_that_is_not(store: Store) -> None:
    with store.reading() as session:
        assert tickets.view(session, 4711) is None
        assert tickets.raw(session, 4711) is None


def test_it_reads_queues_off_indexes_over_open_tickets(sqlite_store: Store) -> None:
    """SQLite's plans: neither a page nor the counts walk over closed tickets, and no page is sorted."""
    explained: list[str] = []
    with sqlite_store.reading() as session:
        connection = session.connection()
        for wanted in (TicketFilter("case"), TicketFilter(), TicketFilter("case", kind="claim")):
            for statement in _statements(sqlite_store, wanted, counted=wanted == TicketFilter()):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
                explained.append(" / ".join(str(row[3]) for row in plan))
    assert len(explained) == 8
    for plan in explained:
        assert re.search("INDEX ix_ticket_(open|needs_look)_", plan), plan
        assert "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (TicketFilter("case", "closed"), "ix_ticket_closed_queue_id"),
        (TicketFilter("case", "closed", kind="claim", verified=False), "ix_ticket_closed_queue_id"),
        (TicketFilter(state="closed", assignee="alice"), "ix_ticket_assignee_id"),
        (TicketFilter(state="closed"), ""),  # backwards along the rows themselves
    ],
)
def test_it_reads_closed_tickets_newest_first_off_an_index(
    sqlite_store: Store, wanted: TicketFilter, index: str
) -> None:
    (statement,) = _statements(sqlite_store, wanted)
    with sqlite_store.reading() as session:
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    plan = " / ".join(str(row[3]) for row in rows)
    assert index in plan, plan
    assert "TEMP B-TREE" not in plan, plan


def _statements(store: Store, wanted: TicketFilter, *, counted: bool = False) -> list[str]:
    """The statements of a page and of the counts, as sent, with their values written in."""
    from sqlalchemy import event

    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, values: tuple[object, ...], *_: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            for value in values:
                statement = statement.replace("?", repr(value), 1)
            sent.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    with store.reading() as session:
        lists.page(session, wanted)
        if counted:
            list_counts.everything(session, NOON, MIDNIGHT)
    event.remove(store.engine, "before_cursor_execute", note)
    return sent


def test_it_reads_no_closed_ticket_on_postgres(postgres_store: Store) -> None:
    """With 20,000 closed tickets beside ten open ones a page touches a handful of database blocks."""
    columns = "kind, queue, relay_address, case_token, case_number, username, sender, subject, contact_reason"
    fill = (
        f"INSERT INTO ticket ({columns}, state, escalated, verified, opened_at, last_message_at, next_due,"
        " message_count)"
        " SELECT 'case', 'case', '', '', '', '', '', '', '',"
        " CASE WHEN n % 2000 = 0 THEN 'open' ELSE 'closed' END, false, true, now(), now(), now(), 1"
        " FROM generate_series(1, 20000) n"
    )
    with postgres_store.transaction() as session:
        session.connection().execute(text(fill))
    with postgres_store.transaction() as session:
        session.connection().execute(text("ANALYZE ticket"))
    with postgres_store.reading() as session:
        assert len(lists.page(session, TicketFilter("case")).tickets) == 10
        explain = (
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM ticket WHERE state = 'open'"
            " AND queue = 'case' AND next_due IS NOT NULL ORDER BY next_due, id LIMIT 51"
        )
        plan = session.connection().execute(text(explain)).scalar_one()[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 40


def test_it_shows_the_raw_bytes_exactly(store: Store) -> None:
    from relaydesk.policy.decision import Placement
    from relaydesk_testkit.arriving import envelope

    body = bytes(range(256)) * 40
    kept = store_message(store, decided(Placement("open")), body=body)
    with store.reading() as session:
        assert tickets.raw(session, kept.message_id) == envelope(body).raw
