"""The figures, counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.report.figures import Figure, Report
from relaydesk.report.history import histories
from relaydesk.report.names import every_name, figure, joined
from relaydesk.report.scope import ReportScope, last_week, month, report_period
from relaydesk.report.sla import Door, figures
from tests.support.stories import (
    at,
    bounced,
    event,
    left,
    opened,
    random_stories,
    started,
    stopped,
    written,
)

if TYPE_CHECKING:
    from relaydesk.events import Event

ZONE = ZoneInfo("America/Los_Angeles")
HOUR = timedelta(hours=1)


def report(
    *events: Event, now: float = 100, refusals: tuple[tuple[str, int], ...] = (), **scope: str
) -> Report:
    asked = ReportScope(at(0), at(24 * 7), **scope)
    told = histories(events, at(now))
    return figures(told, Door(refusals), asked, calendar=Calendar.default(), now=at(now))


def assigned(ticket: int, agent: str) -> Event:
    return event(ticket, 0.5, "assigned", agent=agent)


def test_attainment_is_met_over_met_and_breached() -> None:
    counted = report(
        *opened(1),
        stopped(1, 5),
        *opened(2),
        stopped(2, 60),
        *opened(3),  # open and past its deadline
        *opened(4, 90),  # running
        *opened(5),
        event(5, 10, "closed", undecided=["response"]),
        *opened(6),
        stopped(6, 48),
    ).overall
    assert (counted.met, counted.breached) == (Figure(2, (1, 6)), Figure(2, (2, 3)))
    assert (counted.overdue, counted.running, counted.undecided) == (
        Figure(1, (3,)),
        Figure(1, (4,)),
        Figure(1, (5,)),
    )
    assert counted.attainment == 0.5
    assert counted.clocks == 6


def test_attainment_is_unknown_while_nothing_is_decided() -> None:
    assert report(*opened(1), now=1).overall.attainment is None
    assert report().overall.attainment is None


def test_a_clock_belongs_to_the_period_it_started_in() -> None:
    assert report(*opened(1, -1), stopped(1, 1)).overall.clocks == 0
    assert report(*opened(1, 0), stopped(1, 200), now=300).overall.clocks == 1
    assert report(*opened(1, 24 * 7), now=300).overall.clocks == 0


def test_it_tells_first_from_next_response() -> None:
    story = (*opened(1), stopped(1, 5), started(1, 20, round_=2), stopped(1, 90, round_=2))
    first, following = report(*story).by_clock
    assert (first.name, first.met.count) == ("first response", 1)
    assert (following.name, following.breached.count) == ("next response", 1)


def test_two_rounds_of_a_ticket_count_two_and_lead_to_it_once() -> None:
    story = (*opened(1), stopped(1, 5), started(1, 20, round_=2), stopped(1, 25, round_=2))
    assert report(*story).overall.met == Figure(2, (1,))


def test_it_groups_by_queue_agent_and_day_of_the_deadline() -> None:
    counted = report(
        *opened(1),
        assigned(1, "alice"),
        *opened(2, kind="claim"),
        assigned(2, "bob"),
        *opened(3, 24),
    )
    assert [(row.name, row.breached.tickets) for row in counted.by_queue] == [
        ("case", (1, 3)),
        ("claim", (2,)),
    ]
    assert [(row.name, row.breached.tickets) for row in counted.by_agent] == [
        ("", (3,)),
        ("alice", (1,)),
        ("bob", (2,)),
    ]
    assert [(row.name, row.breached.tickets) for row in counted.by_day] == [
        ("2026-11-18", (1, 2)),
        ("2026-11-19", (3,)),
    ]


def test_days_and_hours_are_those_of_the_calendar() -> None:
    # Tuesday 05:00 UTC is Monday 21:00 in Los Angeles
    counted = report(*opened(1, 20))
    assert [
        (hour.weekday, hour.hour, hour.started.tickets, hour.breached.count) for hour in counted.hours
    ] == [(0, 21, (1,), 1)]
    assert [row.name for row in counted.by_day] == ["2026-11-18"]


def test_it_narrows_to_a_queue_and_an_agent() -> None:
    story = (
        *opened(1),
        stopped(1, 5),
        *opened(2, kind="claim"),
        *opened(3),
        stopped(3, 5, actor="agent:bob"),
    )
    assert report(*story, queue="claim").overall.breached.tickets == (2,)
    assert report(*story, agent="bob").overall.met.tickets == (3,)
    assert report(*story, agent="").overall.breached.tickets == (2,)
    assert report(*story, queue="claim", agent="bob").overall.clocks == 0


def test_times_are_median_p90_and_max() -> None:
    story = [part for n in range(1, 12) for part in (*opened(n), stopped(n, n))]
    (times,) = report(*story).times
    assert (times.name, times.answered.count) == ("first response", 11)
    assert (times.wall.median, times.wall.p90, times.wall.max) == (6 * HOUR, 10 * HOUR, 11 * HOUR)
    assert times.slowest.tickets == (10, 11)


def test_the_median_of_an_even_number_lies_between() -> None:
    (times,) = report(*opened(1), stopped(1, 1), *opened(2), stopped(2, 4)).times
    assert (times.wall.median, times.wall.p90) == (2.5 * HOUR, 4 * HOUR)


def test_business_time_leaves_out_the_weekend() -> None:
    # Friday 17:00 UTC to Monday 17:00 UTC
    (times,) = report(*opened(1, 104), stopped(1, 176), now=300).times
    assert (times.wall.max, times.business.max) == (72 * HOUR, 24 * HOUR)


def test_a_late_answer_is_among_the_times_but_an_open_clock_is_not() -> None:
    (times,) = report(*opened(1), stopped(1, 60), *opened(2)).times
    assert times.answered.tickets == (1,)


def test_ageing_looks_at_every_open_clock() -> None:
    counted = report(*opened(1, -500), *opened(2, 98), *opened(3, 60), *opened(4), stopped(4, 5))
    ages = {age.name: (age.in_time.tickets, age.overdue.tickets) for age in counted.ageing}
    assert ages.pop("over 7 days") == ((), (1,))
    assert ages.pop("under 4 hours") == ((2,), ())
    assert ages.pop("1 to 2 days") == ((3,), ())
    assert set(ages.values()) == {((), ())}


def test_it_counts_cases_that_became_claims() -> None:
    story = (*opened(1), event(1, 50, "escalated", by=2), *opened(2, kind="claim"), *opened(3))
    counted = report(*story)
    (entry,) = counted.became_claims
    assert (entry.case, entry.claim, entry.at, entry.answered) == (1, "2", at(50), None)
    assert counted.cases.tickets == (1, 3)
    assert report(*opened(1), event(1, 24 * 8, "escalated", by=2)).became_claims == ()


def test_it_counts_refusals_and_unverified_by_reason() -> None:
    counted = report(
        *opened(1, code="unverified"), *opened(2, code="unverified"), refusals=(("a", 1), ("b", 5))
    )
    assert counted.unverified == (("unverified", Figure(2, (1, 2))),)
    assert [(entry.code, entry.count) for entry in counted.refused] == [("b", 5), ("a", 1)]


def test_the_head_names_zone_calendar_and_readings() -> None:
    counted = report(*opened(1))
    assert (counted.zone, counted.calendar) == (ZONE, Calendar.default().describe())
    assert counted.terms == (("response", "2 business days", "elapsed"),)


NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "start", "end"),
    [
        ("2026-11-02", "2026-11-08", "2026-11-02T00:00-08:00", "2026-11-09T00:00-08:00"),
        ("2026-11-01", "2026-11-01", "2026-11-01T00:00-07:00", "2026-11-02T00:00-08:00"),  # a day of 25 hours
        ("", "2026-11-30", "2026-11-01T00:00-07:00", "2026-12-01T00:00-08:00"),
        ("", "", "2026-10-25T00:00-07:00", "2026-11-23T12:30-08:00"),
        ("2026-11-02T06:00:00Z", "", "2026-11-02T06:00Z", "2026-11-23T20:30Z"),
    ],
)
def test_a_period_is_whole_local_days_or_instants(since: str, until: str, start: str, end: str) -> None:
    found = report_period(since, until, ZONE, NOW)
    assert [moment.timestamp() for moment in found] == [
        datetime.fromisoformat(text).timestamp() for text in (start, end)
    ]


@pytest.mark.parametrize(
    ("since", "until", "sentence"),
    [
        ("2026-11-09", "2026-11-01", "before it begins"),
        ("yesterday", "", "'yesterday' is neither a day"),
        ("2026-13-01", "", "'2026-13-01' is neither a day"),
        ("2026-11-02T06:00:00", "", "no zone"),
        ("", "9999-12-31", "neither a day"),
    ],
)
def test_a_bad_period_is_a_sentence(since: str, until: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        report_period(since, until, ZONE, NOW)


def period(of: ReportScope) -> tuple[str, str]:
    return tuple(f"{moment.astimezone(ZONE):%m-%d %H:%M}" for moment in (of.since, of.until))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2026-11-02", "2026-11-08", ("10-26 00:00", "11-02 00:00")),  # a week; the clocks change within it
        ("2026-11-01", "2026-11-30", ("10-01 00:00", "11-01 00:00")),  # a month: the month before
        ("2026-10-01", "2026-11-30", ("08-01 00:00", "10-01 00:00")),  # two months: two
        ("2026-11-01", "2026-11-01", ("10-31 00:00", "11-01 00:00")),  # a day of 25 hours
        ("2027-01-01", "2027-01-31", ("12-01 00:00", "01-01 00:00")),
        ("2026-11-23", "", ("11-22 00:00", "11-22 12:30")),  # today, up to now
    ],
)
def test_the_period_before_is_as_long_on_the_wall(since: str, until: str, before: tuple[str, str]) -> None:
    scope = ReportScope(*report_period(since, until, ZONE, NOW), queue="case")
    assert period(scope.before(ZONE)) == before
    assert scope.before(ZONE).queue == "case"


def test_a_month_is_local_across_the_change_of_the_clocks() -> None:
    begin, end = month("2026-11", ZONE)
    assert (begin.isoformat(), end.isoformat()) == ("2026-11-01T00:00:00-07:00", "2026-12-01T00:00:00-08:00")
    assert period(ReportScope(*month("2026-12", ZONE))) == ("12-01 00:00", "01-01 00:00")


def test_a_clock_of_the_last_local_second_belongs_to_its_month() -> None:
    """Midnight in Los Angeles is 07:00 UTC before the change and 08:00 UTC after it."""
    scope = ReportScope(*month("2026-11", ZONE))
    inside = (datetime(2026, 11, 1, 7, tzinfo=UTC), datetime(2026, 12, 1, 7, 59, 59, tzinfo=UTC))
    outside = (datetime(2026, 11, 1, 6, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC))
    assert [scope.during(moment) for moment in (*inside, *outside)] == [True, True, False, False]


def test_last_week_is_monday_to_sunday() -> None:
    assert period(ReportScope(*last_week(ZONE, NOW))) == ("11-16 00:00", "11-23 00:00")


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "November", "0000-01", "2026-11-01"])
def test_a_month_that_is_none_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-11"):
        month(text, ZONE)


def test_it_compares_with_the_period_before_in_the_same_pass() -> None:
    story = (*opened(1, -100), stopped(1, -99), *opened(2), *opened(3), stopped(3, 5))
    scope = ReportScope(at(0), at(168))
    compared = figures(
        histories(story, at(100)),
        Door((("b", 1),)),
        scope,
        calendar=Calendar.default(),
        now=at(100),
        before=(scope.before(ZONE), Door((("a", 7),))),
    )
    assert compared.before is not None
    assert (compared.overall.attainment, compared.before.overall.attainment) == (0.5, 1.0)
    assert [entry.count for entry in compared.before.refused] == [7]
    assert compared.overall == report(*story).overall


def test_work_belongs_to_who_did_it_when_they_did_it() -> None:
    counted = report(
        *opened(1, -100),
        written(1, -3, by="bob"),
        *left(1, 2),  # written before the period, left in it
        event(1, 2, "closed", "agent:alice", undecided=[]),
        *opened(2),
        stopped(2, 5, actor="agent:carol", how="answered_outside"),
        *opened(3),
        event(3, 9, "closed", "agent:alice", undecided=[]),
        event(3, 200, "closed", "agent:alice", undecided=[]),
    )
    work = {
        entry.name: (entry.sent.tickets, entry.handled.tickets, entry.closed.tickets)
        for entry in counted.work
    }
    assert work == {"alice": ((), (), (1, 3)), "bob": ((1,), (), ()), "carol": ((), (2,), ())}
    assert counted.sent.count == 1


def test_open_tickets_are_those_of_now_and_narrowed_as_the_rest() -> None:
    tickets = [(1, "case", "alice"), (2, "claim", "alice"), (3, "case", "")]
    scope = ReportScope(at(0), at(168), queue="case")
    counted = figures((), Door(), scope, calendar=Calendar.default(), now=at(1), open_tickets=tickets)
    assert {entry.name: entry.open.tickets for entry in counted.work} == {"": (3,), "alice": (1,)}


def test_it_counts_bounces_and_withdrawn_breaches() -> None:
    counted = report(
        *opened(1),
        written(1, 1),
        *left(1, 2),
        bounced(1, 3),
        bounced(1, 4, hard=None),
        *opened(2),
        event(2, 60, "breach_withdrawn", clock="response", round=1),
    )
    assert dict(counted.bounced) == {"hard": Figure(1, (1,)), "unclear": Figure(1, (1,))}
    assert counted.withdrawn == Figure(1, (2,))


def test_bands_part_what_was_in_time_from_what_was_late() -> None:
    (times,) = report(*opened(1), stopped(1, 3), *opened(2), stopped(2, 60)).times
    bands = {band.name: (band.in_time.tickets, band.late.tickets) for band in times.bands}
    assert bands.pop("2 to 4") == ((1,), ())
    assert bands.pop("48 and more") == ((), (2,))
    assert set(bands.values()) == {((), ())}
    assert times.longest.tickets == (2,)


@pytest.mark.parametrize("seed", range(40))
def test_every_figure_has_a_name_that_finds_it_and_adds_up(seed: int) -> None:
    counted = report(*random_stories(seed), now=168)
    assert {name: figure(counted, name) is not None for name in every_name(counted)} == dict.fromkeys(
        every_name(counted), True
    )
    all_ = counted.overall
    for column in ("met", "breached", "overdue", "running", "undecided"):
        for rows in (counted.by_clock, counted.by_queue, counted.by_agent, counted.by_day):
            assert joined(getattr(row, column) for row in rows) == getattr(all_, column)
    assert len(counted.breaches) == all_.breached.count
    assert joined(hour.started for hour in counted.hours).count == all_.clocks
    assert joined(hour.breached for hour in counted.hours) == all_.breached
    assert figure(counted, "days:2026-01-01..2027-01-01:met") == all_.met
    for day in counted.by_day:
        assert figure(counted, f"days:{day.name}:running") == day.running
        assert figure(counted, f"days:{day.name}..{day.name}:breached") == day.breached
    for times in counted.times:
        bands = [part for band in times.bands for part in (band.in_time, band.late)]
        assert joined(bands) == times.answered


@pytest.mark.parametrize(
    "name", ["", "all", "all::nonsense", "nothing:case:met", "whole:x:cases", "days::count"]
)
def test_what_is_no_figure_is_none(name: str) -> None:
    assert figure(report(*opened(1)), name) is None
