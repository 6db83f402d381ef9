"""Deadlines: the readings, their explanation, warnings, and business time between two instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.business_time.deadlines import (
    Target,
    check_reading,
    deadline,
    earliest_deadline,
    explain_due,
    warning_time,
)
from relaydesk.business_time.open_time import open_time_between

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
WEEK = ("mon", "tue", "wed", "thu", "fri")
DEFAULT = Calendar.default()
OFFICE = Calendar.from_mapping({"hours": {key: ["09:00-17:00"] for key in WEEK}})
LUNCH = Calendar.from_mapping({"hours": {key: ["09:00-12:00", "13:00-17:00"] for key in WEEK}})
NIGHT = Calendar.from_mapping({"hours": {key: ["22:00-06:00"] for key in WEEK}})
SHOP = Calendar.from_mapping(
    {
        "hours": {key: ["09:00-17:00"] for key in WEEK},
        "holidays": {"region": "US"},
        "special": {"2026-11-27": []},
    }
)
TWO_DAYS = Target.parse("2 business days")


def at(text: str, zone: ZoneInfo = LOS_ANGELES) -> datetime:
    """A wall time of the week of Monday 23 November 2026: ``Tue 12:00``, ``+Tue`` a week later."""
    day, clock = text.removeprefix("+").split()
    number = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day) + 7 * text.startswith("+")
    on = date(2026, 11, 23) + timedelta(days=number)
    return datetime.fromisoformat(f"{on}T{clock}").replace(tzinfo=zone)


def due(start: str, target: str, calendar: Calendar, reading: str = "elapsed") -> datetime:
    found = deadline(at(start), Target.parse(target), calendar, reading)
    assert found.due.tzinfo is UTC
    assert found.reading == reading
    return found.due


@pytest.mark.parametrize(
    ("start", "target", "calendar", "reading", "expected"),
    [
        # the default calendar, both readings
        ("Tue 12:00", "2 business days", DEFAULT, "elapsed", "Thu 12:00"),
        ("Fri 15:00", "2 business days", DEFAULT, "elapsed", "+Tue 15:00"),
        ("Sat 10:00", "2 business days", DEFAULT, "elapsed", "+Wed 00:00"),
        ("Tue 12:00", "2 business days", DEFAULT, "end_of_day", "Fri 00:00"),
        ("Sat 10:00", "2 business days", DEFAULT, "end_of_day", "+Thu 00:00"),
        # Saturday 10:00 with 09 to 17: the readings lie a day apart
        ("Sat 10:00", "16 business hours", OFFICE, "elapsed", "+Tue 17:00"),
        ("Sat 10:00", "2 business days", OFFICE, "elapsed", "+Tue 17:00"),
        ("Sat 10:00", "2 business days", OFFICE, "end_of_day", "+Wed 17:00"),
        # day 0: before the opening, in the lunch break, at and after the last closing
        ("Tue 07:00", "1 business days", LUNCH, "end_of_day", "Wed 17:00"),
        ("Tue 12:30", "1 business days", LUNCH, "end_of_day", "Wed 17:00"),
        ("Tue 16:59:59", "1 business days", LUNCH, "end_of_day", "Wed 17:00"),
        ("Tue 17:00", "1 business days", LUNCH, "end_of_day", "Thu 17:00"),
        ("Tue 20:00", "1 business days", LUNCH, "end_of_day", "Thu 17:00"),
        # end_of_day changes business days only
        ("Sat 10:00", "16 business hours", OFFICE, "end_of_day", "+Tue 17:00"),
        ("Tue 12:00", "10 days", OFFICE, "end_of_day", "+Fri 12:00"),
        # a night shift belongs to the date it starts on
        ("Tue 02:00", "1 business day", NIGHT, "end_of_day", "Wed 06:00"),
        ("Tue 07:00", "1 business day", NIGHT, "end_of_day", "Thu 06:00"),
        ("Sat 02:00", "2 business hours", NIGHT, "elapsed", "Sat 04:00"),
        ("Sat 05:00", "2 business hours", NIGHT, "elapsed", "+Mon 23:00"),
        # an exact fit ends at the closing, one second more at the next opening
        ("Fri 16:00", "1 business hour", OFFICE, "elapsed", "Fri 17:00"),
        ("Fri 16:00", "3601 business seconds", OFFICE, "elapsed", "+Mon 09:00:01"),
        ("Tue 11:00", "1 business hour", LUNCH, "elapsed", "Tue 12:00"),
        ("Tue 11:00", "90 business minutes", LUNCH, "elapsed", "Tue 13:30"),
        # nothing: the first open instant at or after the receipt
        ("Tue 10:00", "0 business hours", OFFICE, "elapsed", "Tue 10:00"),
        ("Tue 17:00", "0 business hours", OFFICE, "elapsed", "Wed 09:00"),
        ("Sat 10:00", "0 business days", OFFICE, "elapsed", "+Mon 09:00"),
        ("Sat 10:00", "0 business days", OFFICE, "end_of_day", "+Mon 09:00"),
        # holidays and special hours: Thursday is Thanksgiving, Friday closed by hand
        ("Wed 12:00", "2 business days", SHOP, "elapsed", "+Tue 12:00"),
        ("Wed 12:00", "2 business days", SHOP, "end_of_day", "+Tue 17:00"),
        # plain time runs through it all
        ("Wed 12:00", "48 hours", SHOP, "elapsed", "Fri 12:00"),
        ("Wed 12:00", "10 days", SHOP, "elapsed", "+Sat 12:00"),
        ("Sat 10:00", "0 days", SHOP, "elapsed", "Sat 10:00"),
    ],
)
def test_it_reads_a_target(start: str, target: str, calendar: Calendar, reading: str, expected: str) -> None:
    assert due(start, target, calendar, reading) == at(expected)


def test_it_counts_real_seconds_over_a_change_of_time() -> None:
    # Los Angeles: 1 November 2026 has 25 hours, 8 March 23.
    whole = Calendar.from_mapping({"hours": {key: ["00:00-24:00"] for key in (*WEEK, "sat", "sun")}})
    for day, expected in (("2026-10-31", "2026-11-01T11:00"), ("2026-03-07", "2026-03-08T13:00")):
        start = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=LOS_ANGELES)
        found = deadline(start, Target.parse("1 business day"), whole)
        assert found.due == datetime.fromisoformat(expected).replace(tzinfo=LOS_ANGELES)


def test_it_counts_days_of_the_configured_length() -> None:
    one = Calendar.from_mapping({"business_day": "8h"})
    assert deadline(at("Tue 12:00"), TWO_DAYS, one).due == at("Wed 04:00")


def test_it_keeps_the_microseconds_of_the_receipt_and_tells_whole_seconds() -> None:
    start = at("Tue 16:30") + timedelta(microseconds=123_457)
    assert deadline(start, Target.parse("1 business hour"), OFFICE).due == at("Wed 09:30") + timedelta(
        microseconds=123_457
    )
    assert deadline(start, Target.parse("1 business hour"), OFFICE).explanation == (
        "1 business hour: 1 h of open time",
        "Tue 24 Nov 30 min",
        "Wed 25 Nov 30 min",
        "due Wed 25 Nov 2026 09:30:00 PST (2026-11-25T17:30:00+00:00)",
    )


def test_it_takes_a_receipt_in_any_zone() -> None:
    tokyo = at("Tue 12:00").astimezone(ZoneInfo("Asia/Tokyo"))
    assert deadline(tokyo, TWO_DAYS, DEFAULT).due == at("Thu 12:00")


def test_it_steps_over_a_date_that_the_zone_skipped() -> None:
    # Samoa left out Friday 30 December 2011; the night shift of the 29th ends on the 31st.
    hours = {key: ["22:00-06:00"] for key in (*WEEK, "sat", "sun")}
    one = Calendar.from_mapping({"zone": "Pacific/Apia", "hours": hours})
    start = datetime(2011, 12, 30, 9, tzinfo=UTC)  # 29 December 23:00
    found = deadline(start, Target.parse("8 business hours"), one)
    assert found.due == datetime(2011, 12, 31, 9, tzinfo=UTC)  # 31 December 23:00
    assert found.explanation[1:-1] == (
        "Thu 29 Dec 7 h",
        "Fri 30 Dec skipped (a change of the zone's time)",
        "Sat 31 Dec 1 h",
    )

    early = datetime(2011, 12, 30, 12, tzinfo=UTC)  # 31 December 02:00: still the shift of the 29th
    assert deadline(early, Target.parse("4 business hours"), one).due == early + timedelta(hours=4)


def test_it_waits_out_a_long_closure() -> None:
    closed = [date(2026, 11, 24) + timedelta(days=n) for n in range(390)]
    one = Calendar.from_mapping({"holidays": {"add": closed}})
    monday = datetime(2027, 12, 20, 12, tzinfo=LOS_ANGELES)  # the 390 days end with Saturday the 18th
    assert deadline(at("Mon 12:00"), Target.parse("1 business day"), one).due == monday


def test_it_explains_from_the_arrival_on() -> None:
    assert deadline(at("Sat 10:00"), Target.parse("1 business hour"), OFFICE).explanation == (
        "1 business hour: 1 h of open time",
        "Sat 28 Nov skipped (closed weekday)",
        "Sun 29 Nov skipped (closed weekday)",
        "Mon 30 Nov 1 h",
        "due Mon 30 Nov 2026 10:00:00 PST (2026-11-30T18:00:00+00:00)",
    )
    by_night = deadline(at("Sat 02:00"), Target.parse("1 business hour"), NIGHT)
    assert by_night.explanation[1:-1] == ("Fri 27 Nov 1 h",)  # the shift belongs to Friday


def test_it_keeps_order_where_a_gap_moves_a_window_past_midnight() -> None:
    # Nuuk, 2026-03-28: 23:00 to 24:00 is missing, so 23:15-23:45 means 00:15-00:45 of the 29th.
    hours = {"sat": ["23:15-23:45"], "sun": ["00:00-00:20", "01:00-02:00"]}
    one = Calendar.from_mapping({"zone": "America/Nuuk", "hours": hours})
    midnight = datetime(2026, 3, 29, 1, tzinfo=UTC)
    for minutes, later in ((20, 20), (30, 30), (45, 45), (46, 61)):
        found = deadline(midnight, Target(minutes, "minute", True), one)
        assert found.due - midnight == timedelta(minutes=later)
    assert open_time_between(midnight, midnight + timedelta(hours=2), one) == timedelta(minutes=105)


def test_it_explains_every_date() -> None:
    lunch = Calendar.from_mapping(
        {"hours": {key: ["09:00-12:00", "13:00-17:00"] for key in WEEK}, "holidays": {"region": "US"}}
    )
    found = deadline(at("Tue 12:10"), Target.parse("20 business hours"), lunch)
    assert found.explanation == (
        "20 business hours: 20 h of open time",
        "Tue 24 Nov 4 h",
        "Wed 25 Nov 7 h",
        "Thu 26 Nov skipped (Thanksgiving Day)",
        "Fri 27 Nov 7 h",
        "Sat 28 Nov skipped (closed weekday)",
        "Sun 29 Nov skipped (closed weekday)",
        "Mon 30 Nov 2 h",
        "due Mon 30 Nov 2026 11:00:00 PST (2026-11-30T19:00:00+00:00)",
    )
    assert found.target == "20 business hours"


def test_it_explains_the_days_of_end_of_day() -> None:
    found = deadline(at("Tue 18:00"), TWO_DAYS, SHOP, "end_of_day")
    assert found.explanation == (
        "2 business days: until the last closing of business day 2 after the day of arrival",
        "Tue 24 Nov skipped (after closing)",
        "Wed 25 Nov is day 0",
        "Thu 26 Nov skipped (Thanksgiving Day)",
        "Fri 27 Nov skipped (special hours)",
        "Sat 28 Nov skipped (closed weekday)",
        "Sun 29 Nov skipped (closed weekday)",
        "Mon 30 Nov is day 1",
        "Tue 1 Dec is day 2",
        "due Tue 1 Dec 2026 17:00:00 PST (2026-12-02T01:00:00+00:00)",
    )


def test_it_explains_plain_time() -> None:
    assert deadline(at("Sat 10:00"), Target.parse("10 days"), SHOP).explanation == (
        "10 days: 240 h on the wall clock, closed days included",
        "due Tue 8 Dec 2026 10:00:00 PST (2026-12-08T18:00:00+00:00)",
    )


def test_it_leaves_the_middle_of_a_long_explanation_out() -> None:
    # 3,660 business days from a Monday morning are 732 whole weeks of five.
    found = deadline(at("Mon 09:00"), Target.parse("3660 business days"), OFFICE)
    friday = date(2026, 11, 23) + timedelta(weeks=731, days=4)
    assert found.due == datetime(friday.year, friday.month, friday.day, 17, tzinfo=LOS_ANGELES)
    assert len(found.explanation) == 1 + 21 + 1 + 3 + 1
    assert found.explanation[22].startswith(f"{731 * 7 + 5 - 24} more dates, to Tue ")
    assert [line.split()[0] for line in found.explanation[-4:]] == ["Wed", "Thu", "Fri", "due"]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2 business days", "2 business days"),
        (" 1 Business  Day ", "1 business day"),
        ("16 business hours", "16 business hours"),
        ("90 business minutes", "90 business minutes"),
        ("3600 business seconds", "3600 business seconds"),
        ("10 days", "10 days"),
        ("48 hours", "48 hours"),
        ("0 days", "0 days"),
    ],
)
def test_it_parses_targets(text: str, canonical: str) -> None:
    assert str(Target.parse(text)) == canonical
    assert Target.parse(canonical) == Target.parse(text)


@pytest.mark.parametrize(
    "text", ["", "2", "two business days", "-1 days", "1.5 days", "2 businessdays", "2 weeks"]
)
def test_it_names_the_accepted_forms(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a target; use a whole number and a unit, such as 2 business days"
    ):
        Target.parse(text)


def test_it_bounds_targets() -> None:
    assert Target.parse("3660 business days")
    with pytest.raises(ValueError, match="too long for a target; write at most 3660 days"):
        Target.parse("3661 days")


def test_it_wants_a_known_reading_and_aware_instants() -> None:
    with pytest.raises(ValueError, match="'fast' is not a reading; use elapsed or end_of_day"):
        deadline(at("Tue 12:00"), TWO_DAYS, DEFAULT, "fast")
    assert check_reading("end_of_day") == "end_of_day"
    naive = datetime(2026, 11, 24, 12)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="has no offset"):
        deadline(naive, TWO_DAYS, DEFAULT)
    with pytest.raises(ValueError, match="has no offset"):
        warning_time(at("Tue 12:00"), naive, TWO_DAYS, DEFAULT)
    with pytest.raises(ValueError, match="has no offset"):
        open_time_between(naive, at("Tue 12:00"), DEFAULT)


@pytest.mark.parametrize("reading", ["elapsed", "end_of_day"])
def test_it_falls_back_to_the_wall_clock(reading: str) -> None:
    once = Calendar.from_mapping(
        {"hours": {}, "special": {"2026-11-24": ["09:00-12:00"]}, "business_day": "3h"}, "desk.yaml"
    )
    found = deadline(at("Wed 12:00"), TWO_DAYS, once, reading)
    assert found.due == at("Fri 12:00")
    assert found.explanation[0].startswith("business time could not be counted (no open time in 400 days")
    assert found.explanation[0].endswith("2 business days taken as 48 h of wall-clock time")
    last = datetime(9999, 12, 31, 20, tzinfo=UTC)
    assert deadline(last, TWO_DAYS, DEFAULT, reading).due == datetime.max.replace(tzinfo=UTC)


def test_it_uses_the_open_time_before_a_long_closure() -> None:
    once = Calendar.from_mapping(
        {"hours": {}, "special": {"2026-11-24": ["09:00-12:00"]}, "business_day": "3h"}, "desk.yaml"
    )
    assert due("Tue 08:00", "1 business day", once) == at("Tue 12:00")
    assert open_time_between(at("Mon 00:00"), at("+Mon 00:00"), once) == timedelta(hours=3)


@pytest.mark.parametrize(
    ("start", "end", "before", "expected"),
    [
        ("Thu 10:00", "+Mon 10:00", "2 business hours", "Fri 16:00"),
        (
            "Thu 10:00",
            "+Mon 11:00",
            "2 business hours",
            "+Mon 09:00",
        ),  # not Friday's closing, which is closed
        ("Thu 10:00", "Fri 17:00", "1 business day", "Fri 09:00"),
        (
            "Thu 10:00",
            "+Sun 10:00",
            "4 hours",
            "+Fri 13:00",
        ),  # a deadline in closed time, warned in open time
        ("Thu 10:00", "Thu 12:00", "4 business hours", "Thu 10:00"),  # never before the start
        ("Sat 10:00", "+Mon 10:00", "4 business hours", "+Mon 09:00"),
        ("Sat 10:00", "+Mon 09:00", "4 business hours", None),  # no open time left between
        ("Sat 10:00", "Sun 10:00", "1 hour", None),
        ("Thu 10:00", "Fri 10:00", "0 hours", None),
        ("Fri 10:00", "Thu 10:00", "1 hour", None),
    ],
)
def test_it_warns_in_business_time(start: str, end: str, before: str, expected: str | None) -> None:
    found = warning_time(at(start), at(end), Target.parse(before), OFFICE)
    assert found == (expected and at(expected))


def test_it_measures_business_time() -> None:
    assert open_time_between(at("Fri 16:00"), at("+Mon 10:00"), OFFICE) == timedelta(hours=2)
    assert open_time_between(at("Tue 11:30"), at("Tue 13:30"), LUNCH) == timedelta(hours=1)
    assert open_time_between(at("Sat 10:00"), at("Sun 10:00"), OFFICE) == timedelta()
    assert open_time_between(at("Wed 10:00"), at("Tue 10:00"), OFFICE) == timedelta()
    assert open_time_between(at("Wed 16:00"), at("+Mon 10:00"), SHOP) == timedelta(hours=2)


def test_it_chooses_the_earliest() -> None:
    """A return request on Friday: 48 hours come before 2 business days; on Tuesday both are one instant."""
    days, hours = (
        deadline(at("Fri 15:00"), Target.parse(t), DEFAULT) for t in ("2 business days", "48 hours")
    )
    chosen = earliest_deadline([days, hours])
    assert (chosen.due, chosen.target) == (at("Sun 15:00"), "48 hours")
    assert chosen.explanation[-1] == (
        "earlier than 2 business days, due Tue 1 Dec 2026 15:00:00 PST (2026-12-01T23:00:00+00:00)"
    )
    with pytest.raises(ValueError, match="no deadline"):
        earliest_deadline([])


def test_it_answers_the_command_line() -> None:
    answer = explain_due("2026-11-28T18:00:00Z", "2 business days", "elapsed", DEFAULT)
    assert answer["due"] == "2026-12-02T08:00:00+00:00"
    assert answer["reading"] == "elapsed"
    assert isinstance(answer["explanation"], list)


@pytest.mark.parametrize(
    ("received", "target", "reading", "sentence"),
    [
        ("yesterday", "2 days", "elapsed", "'yesterday' is not a time; use date, time and offset"),
        ("2026-11-28T18:00:00", "2 days", "elapsed", "'2026-11-28T18:00:00' is not a time; use date"),
        ("0001-01-01T00:00:00+10:00", "2 days", "elapsed", "is not a time"),
        ("2026-11-28T18:00:00Z", "soon", "elapsed", "'soon' is not a target"),
        ("2026-11-28T18:00:00Z", "2 days", "soon", "'soon' is not a reading"),
        (
            "2026-11-28T18:00:00Z",
            "2 business days",
            "elapsed",
            "no open time in the 400 days from 2026-11-28",
        ),
    ],
)
def test_it_answers_the_command_line_with_a_sentence(
    received: str, target: str, reading: str, sentence: str
) -> None:
    once = Calendar.from_mapping(
        {"hours": {}, "special": {"2026-11-24": ["09:00-12:00"]}, "business_day": "3h"}
    )
    with pytest.raises(ValueError, match=sentence):
        explain_due(received, target, reading, once)
