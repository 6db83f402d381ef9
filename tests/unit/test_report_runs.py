"""Events → clock runs: how each round of each clock ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.report.history import histories
from tests.support.stories import at, event, opened, started, stopped

if TYPE_CHECKING:
    from relaydesk.events import Event
    from relaydesk.report.runs import ClockRun, History


def told(*events: Event, now: float = 100) -> History:
    (history,) = histories(events, at(now))
    return history


def run(*events: Event, now: float = 100) -> ClockRun:
    (only,) = told(*events, now=now).runs
    return only


def test_it_counts_an_answer_before_the_deadline_as_met() -> None:
    met = run(*opened(1), stopped(1, 5))
    assert (met.outcome, met.stopped, met.agent, met.how, met.open) == (
        "met",
        at(5),
        "alice",
        "answered",
        False,
    )


def test_it_counts_an_answer_at_the_very_deadline_as_met() -> None:
    assert run(*opened(1), stopped(1, 48)).outcome == "met"


def test_it_counts_a_late_answer_as_breached_and_keeps_its_time() -> None:
    late = run(*opened(1), event(1, 48, "breached", clock="response", round=1), stopped(1, 60))
    assert (late.outcome, late.stopped, late.open) == ("breached", at(60), False)


@pytest.mark.parametrize(("now", "outcome"), [(47, "running"), (48, "running"), (49, "breached")])
def test_it_needs_no_sweep_to_see_a_breach(now: float, outcome: str) -> None:
    waiting = run(*opened(1), now=now)
    assert (waiting.outcome, waiting.open, waiting.stopped) == (outcome, True, None)


def test_it_believes_a_stop_recorded_later_but_dated_before_the_deadline() -> None:
    breach = event(1, 48, "breached", clock="response", round=1)
    withdrawn = event(1, 48, "breach_withdrawn", clock="response", round=1)
    assert run(*opened(1), breach, stopped(1, 40, how="answered_outside"), withdrawn).outcome == "met"


def test_it_does_not_count_an_automatic_answer() -> None:
    assert run(*opened(1), stopped(1, 1, how="automatic"), now=10).outcome == "running"


def test_it_runs_again_after_a_stop_was_undone() -> None:
    undone = event(1, 20, "clock_reopened", clock="response", round=1, why="hard bounce")
    assert run(*opened(1), stopped(1, 5), undone, now=10).outcome == "running"
    assert run(*opened(1), stopped(1, 5), undone, stopped(1, 60)).outcome == "breached"


def test_closing_before_the_deadline_leaves_it_undecided() -> None:
    closed = run(*opened(1), event(1, 10, "closed", undecided=["response"]))
    assert (closed.outcome, closed.open, closed.stopped) == ("undecided", False, None)


def test_closing_after_the_deadline_does_not_undo_the_breach() -> None:
    closed = run(*opened(1), event(1, 50, "closed", undecided=["response"]))
    assert (closed.outcome, closed.open) == ("breached", False)


def test_reopening_lets_the_clock_run_on_from_its_start() -> None:
    story = (
        *opened(1),
        event(1, 10, "closed", undecided=["response"]),
        event(1, 30, "reopened", why="asked"),
    )
    assert run(*story, now=40).outcome == "running"
    assert run(*story, now=49).outcome == "breached"


def test_it_loses_no_round() -> None:
    runs = told(*opened(1), stopped(1, 5), started(1, 20, round_=2), stopped(1, 90, round_=2)).runs
    assert [(run.round, run.outcome) for run in runs] == [(1, "met"), (2, "breached")]


def test_it_keeps_clocks_apart() -> None:
    runs = told(*opened(1), started(1, 0, clock="evidence", due=240), stopped(1, 5)).runs
    assert [(run.clock, run.outcome) for run in runs] == [("response", "met"), ("evidence", "running")]


def test_it_follows_a_moved_deadline() -> None:
    moved = event(1, 1, "clock_moved", clock="response", round=1, due=at(4).isoformat(), target="4 hours")
    late = run(*opened(1), moved, stopped(1, 5))
    assert (late.outcome, late.due, late.target, late.reading) == ("breached", at(4), "4 hours", "elapsed")


def test_a_breach_belongs_to_the_queue_and_agent_at_the_deadline() -> None:
    story = (
        *opened(1),
        event(1, 2, "assigned", agent="bob"),
        event(1, 50, "assigned", agent="alice"),
        event(1, 51, "moved", **{"from": "case", "to": "claim"}),
        stopped(1, 60),
    )
    late = run(*story)
    assert (late.queue, late.agent) == ("case", "bob")


def test_a_met_clock_belongs_to_who_answered() -> None:
    assert run(*opened(1), event(1, 2, "assigned", agent="bob"), stopped(1, 3)).agent == "alice"
    by_mail = run(*opened(1), event(1, 2, "assigned", agent="bob"), stopped(1, 3, actor="relaydesk"))
    assert by_mail.agent == "bob"


def test_a_running_clock_belongs_to_who_has_it_now() -> None:
    story = (*opened(1), event(1, 2, "assigned", agent="bob"), event(1, 3, "assigned", agent=None))
    assert run(*story, now=10).agent == ""


def test_it_marks_escalations_and_unverified_messages() -> None:
    story = (
        *opened(1),
        event(1, 1, "message", "mail", reasons=["unverified"]),
        event(1, 2, "message", "mail", reasons=["aligned_spf"]),
        event(1, 3, "escalated", by=7),
    )
    assert [(mark.what, mark.ref, mark.at) for mark in told(*story).marks] == [
        ("unverified", "unverified", at(1)),
        ("escalated", "7", at(3)),
    ]


def test_it_reads_tickets_one_after_the_other() -> None:
    found = list(histories([*opened(1), *opened(2, 1), stopped(2, 3)], at(10)))
    assert [(history.ticket, history.runs[0].outcome) for history in found] == [(1, "running"), (2, "met")]
