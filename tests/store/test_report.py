"""The report from the store, on both engines."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event as alchemy

from relaydesk.business_time.calendar import Calendar
from relaydesk.clocks import timekeeper
from relaydesk.report.publish import ReportFormat, publish_report
from relaydesk.report.scope import ReportScope
from relaydesk.store import reporting
from relaydesk.store.tables import RefusalTable
from relaydesk_testkit.arriving import open_ticket, planned
from tests.support import stored_stories
from tests.support.desk import ALICE, BOB, desk
from tests.support.shared import ROOT
from tests.support.stories import at, event, opened, started, stopped

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.store.engine import Store

SCOPE = ReportScope(at(0), at(168))
NOW = at(100)


def keep(store: Store, *events: Event, running: tuple[int, ...] = ()) -> None:
    stored_stories.keep(store, events, running)


def refuse(store: Store, day: str, code: str, count: int, network: str = "192.0.2.0/24") -> None:
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC)
    with store.transaction() as session:
        session.add(
            RefusalTable(
                day=day,
                code=code,
                network=network,
                from_domain="",
                count=count,
                first_at=moment,
                last_at=moment,
            )
        )


def printed(store: Store, form: ReportFormat, scope: ReportScope = SCOPE) -> str:
    out = io.StringIO()
    publish_report(
        store, scope, out, form=form, calendar=Calendar.default(), now=NOW, templates=ROOT / "templates"
    )
    return out.getvalue()


def as_json(store: Store, scope: ReportScope = SCOPE) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(printed(store, "json", scope))
    return told


def test_it_counts_what_the_store_holds(store: Store) -> None:
    keep(
        store,
        *opened(1),
        *opened(2),
        stopped(1, 5),
        event(2, 48, "breached", clock="response", round=1),
        running=(2,),
    )
    told = as_json(store)
    assert (told["overall"]["met"]["tickets"], told["overall"]["overdue"]["tickets"]) == ([1], [2])
    assert told["overall"]["attainment"] == 0.5
    assert [clock["outcome"] for clock in told["clocks"]] == ["met", "breached"]
    assert told["times"][0]["wall"]["max"] == 5 * 3600


def test_events_of_several_tickets_may_be_mixed(store: Store) -> None:
    first, second = opened(1), opened(2)
    keep(store, first[0], second[0], second[1], first[1], stopped(2, 1), stopped(1, 60))
    told = as_json(store)
    assert (told["overall"]["met"]["tickets"], told["overall"]["breached"]["tickets"]) == ([2], [1])


def test_a_ticket_of_the_past_counts_only_while_it_waits(store: Store) -> None:
    keep(store, *opened(1, -300), *opened(2, -300), stopped(2, -290), running=(1,))
    told = as_json(store)
    assert told["overall"]["breached"]["count"] == 0
    assert told["ageing"][-1]["overdue"] == {"count": 1, "tickets": [1]}
    assert told["clocks"] == []


def test_a_later_round_in_the_period_is_read_with_its_whole_story(store: Store) -> None:
    again = event(
        1, 2, "clock_started", clock="response", round=2, due=at(50).isoformat(), reading="elapsed", target=""
    )
    keep(store, *opened(1, -300), event(1, -299, "assigned", agent="bob"), stopped(1, -290), again)
    (clock,) = as_json(store)["clocks"]
    assert (clock["round"], clock["agent"], clock["kind"], clock["outcome"]) == (2, "bob", "case", "breached")


def test_an_old_case_that_became_a_claim_now_is_counted(store: Store) -> None:
    keep(store, *opened(1, -300), stopped(1, -290), event(1, 5, "escalated", by=2))
    (entry,) = as_json(store)["became_claims"]
    assert (entry["case"], entry["claim"], entry["in_time"]) == (1, "2", True)


def test_refusals_are_added_up_by_reason_over_the_days(store: Store) -> None:
    for day, code, count in (
        ("2026-11-15", "no_role", 100),
        ("2026-11-16", "no_role", 1),
        ("2026-11-22", "no_role", 2),
        ("2026-11-18", "forged", 5),
        ("2026-11-24", "no_role", 100),
    ):
        refuse(store, day, code, count)
    refuse(store, "2026-11-18", "no_role", 4, network="198.51.100.0/24")
    assert as_json(store)["refused"] == [{"code": "no_role", "count": 7}, {"code": "forged", "count": 5}]
    assert printed(store, "html").count("is not listed in networks") == 1


def test_the_end_of_a_period_is_exclusive_for_refusals_too(store: Store) -> None:
    refuse(store, "2026-11-17", "forged", 1)
    day = datetime(2026, 11, 16, tzinfo=UTC)
    assert as_json(store, ReportScope(day, day + timedelta(days=1)))["refused"] == []


@pytest.mark.parametrize("form", ["table", "json", "csv", "html"])
def test_every_form_is_printed_from_an_empty_store(store: Store, form: ReportFormat) -> None:
    assert printed(store, form)


def test_csv_holds_the_period_and_no_more(store: Store) -> None:
    keep(store, *opened(1), stopped(1, 5), *opened(2, -300), *opened(3, 2, kind="claim"), running=(2, 3))
    assert [row["ticket"] for row in csv.DictReader(io.StringIO(printed(store, "csv")))] == ["1", "3"]
    narrowed = printed(store, "csv", ReportScope(at(0), at(168), queue="claim"))
    assert [row["ticket"] for row in csv.DictReader(io.StringIO(narrowed))] == ["3"]


def test_a_withdrawn_clock_is_forgotten(store: Store) -> None:
    """Its message is covered by an older clock that runs again."""
    again = event(1, 30, "clock_reopened", clock="response", round=1, why="its answer came back")
    withdrawn = event(1, 30, "clock_withdrawn", clock="response", round=2, why="its answer came back")
    keep(store, *opened(1), stopped(1, 5), started(1, 20, round_=2), again, withdrawn, running=(1,))
    rows = list(csv.DictReader(io.StringIO(printed(store, "csv"))))
    assert [(row["ticket"], row["round"]) for row in rows] == [("1", "1")]


def test_events_come_in_a_stream(store: Store) -> None:
    """PostgreSQL keeps what is not read yet behind a cursor; SQLite never hands over more than is asked."""
    keep(store, *(told for number in range(1, 801) for told in opened(number)))
    with store.reading() as session:
        stream = reporting.events(session, SCOPE.since, SCOPE.until)
        assert next(stream).ticket_id == 1
        if store.engine.dialect.name == "postgresql":
            assert session.connection().exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar() == 1
        rest = [(told.ticket_id, told.what) for told in stream]
    assert rest == [(n, what) for n in range(1, 801) for what in ("opened", "clock_started")][1:]


def test_the_period_is_found_by_index(store: Store) -> None:
    """Old tickets cost nothing: neither the events nor the deadlines are walked over from end to end."""
    with store.reading() as session:
        if store.engine.dialect.name == "postgresql":
            session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = _plan(store, session)
    assert "ix_event_at_id" in plan
    assert "uq_deadline_running" in plan or "ix_deadline_un" in plan
    assert "SCAN event" not in plan


def _plan(store: Store, session: Session) -> str:
    statements: list[str] = []

    def listen(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append(statement)
        values.append(parameters)

    values: list[Any] = []
    alchemy.listen(store.engine, "before_cursor_execute", listen)
    list(reporting.events(session, SCOPE.since, SCOPE.until))
    alchemy.remove(store.engine, "before_cursor_execute", listen)
    word = "EXPLAIN" if store.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = session.connection().exec_driver_sql(f"{word} {statements[-1]}", values[-1])
    return "\n".join(str(tuple(row)) for row in rows)


def test_it_reads_what_intake_desk_and_timekeeper_write(store: Store) -> None:
    """The whole line, with no event written by hand."""
    answered, late, undecided, again = (
        open_ticket(store, name=name, at=at(0), clocks=(planned(start=at(0)),))
        for name in ("answered", "late", "undecided", "again")
    )
    waiting = open_ticket(store, name="waiting", at=at(70), clocks=(planned(start=at(70)),), vouched=False)
    desk(store, at(1)).tickets.assign(late, "bob", by=BOB)
    desk(store, at(2)).tickets.close(undecided, by=BOB)
    desk(store, at(2)).tickets.close(again, by=BOB)
    desk(store, at(3)).tickets.reopen(again, by=BOB)
    timekeeper.sweep(store, at(60), 100)
    desk(store, at(61)).tickets.state_answered_elsewhere(answered, at=at(5), by=BOB)
    desk(store, at(61)).tickets.state_answered_elsewhere(late, at=at(55), by=ALICE)
    told = as_json(store)
    assert {
        name: told["overall"][name]["tickets"]
        for name in ("met", "breached", "overdue", "running", "undecided")
    } == {
        "met": [answered],
        "breached": [late, again],
        "overdue": [again],
        "running": [waiting],
        "undecided": [undecided],
    }
    assert [(row["name"], row["breached"]["tickets"]) for row in told["by_agent"]] == [
        ("", [again]),
        ("bob", [late]),
    ]
    assert told["times"][0]["wall"] == {"median": 30 * 3600, "p90": 55 * 3600, "max": 55 * 3600}
    assert told["unverified"] == []
