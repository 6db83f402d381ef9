"""Sweeping and deriving again: once, dated right, in spite of company, downtime and bad rows."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from relaydesk.clocks import timekeeper
from relaydesk.clocks.timekeeper import Rederived, Swept
from relaydesk.store import deadlines, tickets
from relaydesk.store import events as journal
from relaydesk.store.errors import StoreUnavailable
from relaydesk_testkit.arriving import NOON, open_ticket, planned
from tests.support.desk import BOB, desk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.policy.decision import Planned
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
DUE = NOON + 48 * HOUR
WARN = NOON + 40 * HOUR


def stamps(store: Store, ticket: int) -> list[Event]:
    with store.reading() as session:
        told = [event for _, event in tickets.events(session, ticket)]
    return [event for event in told if event.what in ("warned", "breached")]


def test_it_warns_and_breaches_once_dated_when_it_fell_due(store: Store) -> None:
    ticket = open_ticket(store)
    assert timekeeper.sweep(store, WARN - HOUR) == Swept()
    assert timekeeper.sweep(store, WARN) == Swept(warned=1)
    assert timekeeper.sweep(store, DUE) == Swept()
    assert timekeeper.sweep(store, DUE + HOUR) == Swept(breached=1)
    assert timekeeper.sweep(store, DUE + 2 * HOUR) == Swept()
    assert [(e.what, e.at) for e in stamps(store, ticket)] == [("warned", WARN), ("breached", DUE)]
    assert stamps(store, ticket)[1].data == {"clock": "response", "round": 1, "due": DUE.isoformat()}


def test_it_writes_the_same_after_downtime(store: Store) -> None:
    ticket = open_ticket(store)
    assert timekeeper.sweep(store, DUE + 99 * HOUR) == Swept(warned=1, breached=1)
    assert [(e.what, e.at) for e in stamps(store, ticket)] == [("warned", WARN), ("breached", DUE)]


def test_it_leaves_stopped_clocks_alone(store: Store) -> None:
    answered, silent = (
        open_ticket(store, name="a"),
        open_ticket(store, name="b", clocks=(planned(warn=None),)),
    )
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(answered, at=NOON + HOUR, by=BOB)
    assert timekeeper.sweep(store, DUE + HOUR) == Swept(breached=1)
    assert stamps(store, answered) == []
    assert [e.what for e in stamps(store, silent)] == ["breached"]


def test_it_sweeps_in_batches_up_to_the_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timekeeper, "BATCH", 2)
    for number in range(5):
        open_ticket(store, name=f"n{number}", clocks=(planned(warn=None),))
    assert timekeeper.sweep(store, DUE + HOUR, limit=3) == Swept(breached=3)
    assert timekeeper.sweep(store, DUE + HOUR) == Swept(breached=2)


def test_it_stamps_once_when_several_sweep_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timekeeper, "BATCH", 3)
    opened = [open_ticket(store, name=f"n{number}") for number in range(12)]
    start = threading.Barrier(3)
    results: list[Swept] = []

    def sweep() -> None:
        start.wait()
        results.append(timekeeper.sweep(store, DUE + HOUR))

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timekeeper.sweep(store, DUE + HOUR)
    assert [result.failed for result in results] == [(), (), ()]
    for ticket in opened:
        assert [e.what for e in stamps(store, ticket)] == ["warned", "breached"]


def test_it_stamps_once_when_two_read_before_either_writes(store: Store) -> None:
    """The conditional update itself: the second of two claims finds the row stamped."""
    ticket = open_ticket(store)
    with store.reading() as session:
        stale = deadlines.of_tickets(session, [ticket])
    assert timekeeper.sweep(store, DUE + HOUR) == Swept(warned=1, breached=1)
    with store.transaction() as session:
        assert deadlines.mark_passed(session, stale, DUE + HOUR, DUE + HOUR) == (0, 0)
    assert len(stamps(store, ticket)) == 2


def test_it_leaves_what_another_sweeper_holds_to_it(postgres_store: Store) -> None:
    open_ticket(postgres_store)
    with postgres_store.transaction() as session:
        held = deadlines.claim(session, deadlines.fallen_due(session, DUE + HOUR, 9))
        assert len(held) == 1
        assert timekeeper.sweep(postgres_store, DUE + HOUR) == Swept()
    assert timekeeper.sweep(postgres_store, DUE + HOUR) == Swept(warned=1, breached=1)


def test_it_is_not_held_up_by_a_bad_row(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = open_ticket(store, name="bad", clocks=(planned(hours=1, warn=None),))
    good = [open_ticket(store, name=f"n{number}", clocks=(planned(warn=None),)) for number in range(3)]

    append = journal.append

    def refuse(session: Session, events: Iterable[Event], noted_at: datetime) -> None:
        told = list(events)
        if any(one.ticket_id == bad for one in told):
            raise ValueError("a bad row")
        append(session, told, noted_at)

    with monkeypatch.context() as patched:
        patched.setattr(journal, "append", refuse)
        swept = timekeeper.sweep(store, DUE + HOUR, limit=2)
        swept_on = timekeeper.sweep(store, DUE + HOUR)
    assert swept.breached + swept_on.breached == 3
    assert "a bad row" in swept_on.failed[0][1]
    for ticket in good:
        assert [e.at for e in stamps(store, ticket)] == [DUE]
    assert timekeeper.sweep(store, DUE + HOUR) == Swept(breached=1)
    assert [e.at for e in stamps(store, bad)] == [NOON + HOUR]


def test_it_ends_when_the_store_is_away(sqlite_url: str) -> None:
    import sqlite3

    from relaydesk.store.engine import Store

    store = Store.open(sqlite_url, lock_timeout=0.05)
    open_ticket(store)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        timekeeper.sweep(store, DUE + HOUR)
    other.close()
    assert timekeeper.sweep(store, DUE + HOUR).breached == 1
    store.close()


def shorter(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
    """Another calendar: 30 hours, and no evidence time any more."""
    return (planned("response" if relay else "handling", start, 30, 20),) if queue == "case" else ()


def test_it_derives_running_deadlines_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timekeeper, "BATCH", 2)
    running = open_ticket(store, name="a", clocks=(planned("evidence", hours=240), planned()))
    closed, answered = open_ticket(store, name="b"), open_ticket(store, name="c")
    desk(store).tickets.close(closed, by=BOB)
    desk(store).tickets.state_answered_elsewhere(answered, at=NOON, by=BOB)
    others = [open_ticket(store, name=f"n{number}") for number in range(3)]
    assert timekeeper.rederive_deadlines(store, shorter, NOON + HOUR) == Rederived(seen=5, moved=4)
    assert timekeeper.rederive_deadlines(store, shorter, NOON + HOUR) == Rederived(seen=5, moved=0)
    with store.reading() as session:
        assert {c.due_at for c in deadlines.of_tickets(session, [running])} == {
            NOON + 30 * HOUR,
            NOON + 240 * HOUR,
        }
        assert [c.due_at for c in deadlines.of_tickets(session, [closed, answered])] == [DUE, DUE]
        rows = [tickets.row(session, ticket) for ticket in (running, *others)]
        told = [e for _, e in tickets.events(session, running) if e.what == "clock_moved"]
    assert [row and row.next_due for row in rows] == [NOON + 30 * HOUR] * 4
    assert [e.data["due"] for e in told] == [(NOON + 30 * HOUR).isoformat()]


def test_it_derives_the_others_when_one_plan_fails(store: Store) -> None:
    open_ticket(store, name="a", kind="claim")
    good = open_ticket(store, name="b")

    def failing(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
        if queue == "claim":
            raise ValueError("no open time")
        return shorter(queue, start, relay=relay, contact_reason=contact_reason)

    done = timekeeper.rederive_deadlines(store, failing, NOON)
    assert (done.seen, done.moved, done.failed[0][1]) == (2, 1, "ValueError: no open time")
    with store.reading() as session:
        assert deadlines.of_tickets(session, [good])[0].due_at == NOON + 30 * HOUR


def test_it_finds_what_fell_due_off_the_deadline_indexes(sqlite_store: Store) -> None:
    """SQLite's plans: the sweep never walks over stopped or stamped clocks."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, values: tuple[object, ...], *_: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            for value in values:
                statement = statement.replace("?", repr(value), 1)
            sent.append(statement)

    event.listen(sqlite_store.engine, "before_cursor_execute", note)
    with sqlite_store.reading() as session:
        deadlines.fallen_due(session, NOON, 100)
    event.remove(sqlite_store.engine, "before_cursor_execute", note)
    plans = []
    with sqlite_store.reading() as session:
        for statement in sent:
            found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            plans.append(" / ".join(str(row[3]) for row in found))
    assert "ix_deadline_unwarned" in plans[0] and "TEMP" not in plans[0]
    assert "ix_deadline_unbreached" in plans[1] and "TEMP" not in plans[1]


def test_it_survives_a_row_no_code_can_read(sqlite_store: Store) -> None:
    bad, good = open_ticket(sqlite_store, name="a"), open_ticket(sqlite_store, name="b")
    with sqlite_store.transaction() as session:
        session.connection().execute(
            text("UPDATE deadline SET explanation = :broken WHERE ticket_id = :ticket"),
            {"broken": "{broken", "ticket": bad},
        )
    swept = timekeeper.sweep(sqlite_store, DUE + HOUR)
    assert (swept.warned, swept.breached, len(swept.failed)) == (1, 1, 1)
    assert len(stamps(sqlite_store, good)) == 2
