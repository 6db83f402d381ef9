"""Why a deadline passed, from stories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.report.history import histories
from relaydesk.report.scope import ReportScope
from relaydesk.report.sla import Door, figures
from relaydesk.report.why import circumstances
from relaydesk.report.words import SHORT_WHY, WHY
from tests.support.stories import assigned, at, bounced, event, left, opened, started, stopped, written

if TYPE_CHECKING:
    from relaydesk.events import Event
    from relaydesk.report.runs import ClockRun

CALENDAR = Calendar.from_mapping({"zone": "America/Los_Angeles", "holidays": {"region": "US"}})
REOPENED = event(1, 30, "clock_reopened", clock="response", round=1, why="its answer came back")


def run(*story: Event, now: float = 100) -> ClockRun:
    (history,) = histories(sorted(story, key=lambda told: told.at), at(now))
    return history.runs[0]


CAUSES: dict[str, list[Event]] = {
    "nobody": [*opened(1)],
    "given_back": [*opened(1), assigned(1, 5, "bob"), assigned(1, 9, None)],
    "unanswered": [*opened(1), assigned(1, 5, "bob")],
    "answered_late": [*opened(1), assigned(1, 5, "bob"), written(1, 50), *left(1, 51)],
    "taken_late": [*opened(1), assigned(1, 40, "bob"), *left(1, 51)],
    "handed_over": [*opened(1), assigned(1, 5, "bob"), assigned(1, 40, "alice")],
    "moved_late": [
        *opened(1),
        assigned(1, 5, "bob"),
        event(1, 40, "moved", "agent:bob", **{"from": "case", "to": "claim"}),
    ],
    "waited_in_outbox": [*opened(1), assigned(1, 5, "bob"), written(1, 40), *left(1, 51)],
    "not_sent": [*opened(1), written(1, 10), event(1, 20, "answer_refused", answer=1, code=550, why="no")],
    "came_back": [*opened(1), written(1, 10), *left(1, 11), bounced(1, 30), REOPENED],
    "was_closed": [
        *opened(1),
        event(1, 10, "closed", undecided=["response"]),
        event(1, 60, "reopened", why="mail"),
    ],
}


@pytest.mark.parametrize("code", CAUSES)
def test_it_names_the_cause(code: str) -> None:
    breached = run(*CAUSES[code])
    assert (breached.outcome, breached.cause) == ("breached", code)


def test_an_answer_still_in_the_outbox_is_the_cause_before_the_agent_is() -> None:
    assert run(*opened(1), assigned(1, 5, "bob"), written(1, 47)).cause == "waited_in_outbox"


def test_a_cancelled_answer_explains_nothing() -> None:
    cancelled = event(1, 21, "answer_cancelled", answer=1)
    assert run(*opened(1), assigned(1, 5, "bob"), written(1, 20), cancelled).cause == "unanswered"


def test_a_softly_bounced_answer_has_not_come_back() -> None:
    story = (*opened(1), written(1, 10), *left(1, 60), bounced(1, 61, hard=False))
    assert run(*story).cause == "waited_in_outbox"


def test_an_automatic_answer_explains_nothing() -> None:
    automatic = event(
        1,
        2,
        "answer_queued",
        answer=1,
        message=1,
        purpose="automatic",
        order=None,
        not_before=at(2).isoformat(),
    )
    assert run(*opened(1), automatic).cause == "nobody"


def test_what_was_in_time_has_no_cause() -> None:
    assert run(*opened(1), stopped(1, 5)).cause == ""
    assert run(*opened(1), now=5).cause == ""


@pytest.mark.parametrize(
    ("hours", "codes"),
    [
        (200, []),  # Tuesday 2026-11-24 09:00 in Los Angeles
        (224, ["eve"]),  # Wednesday, the day before Thanksgiving
        (248, ["off_duty"]),  # Thanksgiving
        (296, ["off_duty"]),  # Saturday
    ],
)
def test_holidays_and_closed_hours_stand_beside_the_cause(hours: float, codes: list[str]) -> None:
    assert list(circumstances(run(*opened(1, hours), now=500), CALENDAR)) == codes


def test_a_breach_says_how_late_in_business_and_wall_time() -> None:
    """Friday 17:00 UTC plus 48 hours is Sunday; answered on Monday at 18:00 UTC, ten open hours later."""
    story = [*opened(1, 104), assigned(1, 105, "bob"), *left(1, 177)]
    report = figures(
        histories(story, at(300)), Door(), ReportScope(at(0), at(168)), calendar=CALENDAR, now=at(300)
    )
    (breach,) = report.breaches
    assert (breach.late, breach.late_business) == (at(25) - at(0), at(10) - at(0))
    assert (breach.why, breach.agent, breach.open) == (("answered_late",), "bob", False)


def test_an_open_breach_is_late_until_now() -> None:
    report = figures(
        histories(opened(1), at(60)), Door(), ReportScope(at(0), at(168)), calendar=CALENDAR, now=at(60)
    )
    assert [(breach.late, breach.open) for breach in report.breaches] == [(at(12) - at(0), True)]


def test_every_cause_has_its_words() -> None:
    assert {*CAUSES, "eve", "off_duty"} == set(WHY) == set(SHORT_WHY)


def test_a_second_round_has_a_cause_of_its_own() -> None:
    story = [*opened(1), *left(1, 5), started(1, 20, round_=2), assigned(1, 22, "bob")]
    (history,) = histories(sorted(story, key=lambda told: told.at), at(100))
    assert [entry.cause for entry in history.runs] == ["", "unanswered"]
