"""The calendar: what its configuration may say, and which UTC windows come of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.business_time.hours import CalendarError

OFFICE = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def calendar(zone: str = "America/Los_Angeles", **keys: object) -> Calendar:
    return Calendar.from_mapping({"zone": zone, **keys})


def windows(one: Calendar, day: str) -> list[tuple[str, str]]:
    """The windows of a date as UTC texts, ``11-26 08:00``."""
    spans = one.windows(date.fromisoformat(day))
    assert all(instant.tzinfo is UTC for span in spans for instant in span)
    return [(f"{opens:%m-%d %H:%M}", f"{closes:%m-%d %H:%M}") for opens, closes in spans]


def test_it_is_open_monday_to_friday_whole_days_in_los_angeles_by_default() -> None:
    one = Calendar.default()
    assert one.zone.key == "America/Los_Angeles"
    assert windows(one, "2026-11-27") == [("11-27 08:00", "11-28 08:00")]
    assert windows(one, "2026-11-28") == windows(one, "2026-11-29") == []
    assert windows(one, "2026-11-26") != []  # Thanksgiving: no region, no holiday
    assert one.business_day == timedelta(hours=24)
    assert Calendar.from_mapping(None) == Calendar.from_mapping({}) == one


def test_it_reads_a_whole_configuration() -> None:
    one = Calendar.from_mapping(
        {
            "zone": "Europe/Berlin",
            "hours": {"Mon": ["09:00-12:00", "13:00-24:00"], "tuesday": "22:00 \u2013 06:00", "WED": []},
            "holidays": {"region": "US-CA", "add": [date(2026, 11, 30)], "remove": ["2026-11-26"]},
            "special": {date(2026, 11, 24): [], "2026-11-25": ["8:00-09:30:15"]},
            "business_day": "7h30m",
        }
    )
    assert windows(one, "2026-11-23") == [("11-23 08:00", "11-23 11:00"), ("11-23 12:00", "11-23 23:00")]
    assert windows(one, "2026-12-01") == [("12-01 21:00", "12-02 05:00")]
    assert windows(one, "2026-11-24") == windows(one, "2026-11-30") == windows(one, "2026-12-02") == []
    assert one.windows(date(2026, 11, 25))[0][1] == datetime(2026, 11, 25, 8, 30, 15, tzinfo=UTC)
    assert one.business_day == timedelta(hours=7, minutes=30)
    assert one.describe() == (
        "Europe/Berlin; Mon 09:00-12:00 13:00-24:00, Tue 22:00-06:00; "
        "holidays US-CA (1 added, 1 removed, 2 special days)"
    )


def test_it_describes_equal_days_as_a_run() -> None:
    assert calendar(hours=OFFICE | {"sun": ["10:00-12:00"]}).describe() == (
        "America/Los_Angeles; Mon-Fri 09:00-17:00, Sun 10:00-12:00; "
        "no public holidays (0 added, 0 removed, 0 special days)"
    )


def test_it_closes_on_public_holidays_and_names_them() -> None:
    one = calendar(hours=OFFICE, holidays={"region": "us", "add": ["2026-11-27"]})
    assert windows(one, "2026-11-26") == []
    assert one.closed_because(date(2026, 11, 26)) == "Thanksgiving Day"
    assert one.closed_because(date(2026, 7, 3)) == "Independence Day (observed)"
    assert one.closed_because(date(2026, 11, 27)) == "holiday"
    assert one.closed_because(date(2026, 11, 28)) == "closed weekday"
    assert one.closed_because(date(2026, 11, 25)) == ""


def test_it_lets_special_hours_beat_holidays() -> None:
    special = {"2026-11-26": ["10:00-12:00"], "2026-11-25": []}
    one = calendar(hours=OFFICE, holidays={"region": "US"}, special=special)
    assert windows(one, "2026-11-26") == [("11-26 18:00", "11-26 20:00")]
    assert one.closed_because(date(2026, 11, 25)) == "special hours"


def test_it_opens_on_a_removed_holiday_and_warns_of_a_removal_without_effect() -> None:
    holidays = {"region": "US", "remove": ["2026-11-26", "2026-11-27"]}
    one = calendar(hours=OFFICE, holidays=holidays)
    assert windows(one, "2026-11-26") == [("11-26 17:00", "11-27 01:00")]
    assert one.warnings == ("holidays: remove: 2026-11-27 is not a holiday, so the line has no effect",)
    assert calendar(hours=OFFICE).warnings == ()


@pytest.mark.parametrize(
    ("hours", "length"),
    [
        ({"mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "sat": ["00:00-24:00"]}, 8),  # the commonest
        ({"mon": ["09:00-17:00"], "sat": ["10:00-14:00"]}, 8),  # a tie: the longer
        ({"mon": ["09:00-12:00", "13:00-17:00"]}, 7),
        ({"mon": ["00:00-24:00"]}, 24),
        ({"mon": ["22:00-06:00"]}, 8),
        ({"mon": ["09:00-09:00"]}, 24),
    ],
)
def test_it_takes_the_business_day_from_the_commonest_weekday(hours: dict[str, object], length: int) -> None:
    assert calendar(hours=hours).business_day == timedelta(hours=length)


def test_it_opens_and_closes_at_the_first_of_two_equal_wall_times() -> None:
    # Berlin, 2026-10-25: 02:00 to 03:00 comes twice, first in summer time (UTC+2).
    one = calendar("Europe/Berlin", hours={"sun": ["01:00-02:30", "02:45-04:00"]})
    assert windows(one, "2026-10-25") == [("10-24 23:00", "10-25 00:30"), ("10-25 00:45", "10-25 03:00")]


def test_it_moves_a_missing_wall_time_forward_by_the_gap() -> None:
    # Berlin, 2026-03-29: 02:00 to 03:00 is missing; 02:30 means 03:30 summer time, 01:30 UTC.
    one = calendar("Europe/Berlin", hours={"sun": ["02:30-05:00"]})
    assert windows(one, "2026-03-29") == [("03-29 01:30", "03-29 03:00")]


def test_it_drops_a_window_that_a_gap_leaves_empty() -> None:
    one = calendar("Europe/Berlin", hours={"sun": ["02:30-03:15"]})
    assert windows(one, "2026-03-29") == []
    assert one.closed_because(date(2026, 3, 29)) == "a change of the zone's time"
    assert windows(one, "2026-04-05") == [("04-05 00:30", "04-05 01:15")]


def test_it_counts_open_time_once_where_a_gap_makes_windows_overlap() -> None:
    one = calendar("Europe/Berlin", hours={"sun": ["01:00-02:30", "03:00-04:00"]})
    assert windows(one, "2026-03-29") == [("03-29 00:00", "03-29 01:30"), ("03-29 01:30", "03-29 02:00")]


def test_it_keeps_order_where_a_gap_moves_a_window_past_the_next() -> None:
    one = calendar("Europe/Berlin", hours={"sun": ["02:30-02:45", "03:00-03:20"]})
    assert windows(one, "2026-03-29") == [("03-29 01:00", "03-29 01:20"), ("03-29 01:30", "03-29 01:45")]


def test_it_has_no_windows_on_a_date_that_the_zone_skipped() -> None:
    # Samoa went from 29 to 31 December 2011.
    hours = {key: ["09:00-17:00"] for key in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    one = calendar("Pacific/Apia", hours=hours)
    assert windows(one, "2011-12-29") == [("12-29 19:00", "12-30 03:00")]
    assert windows(one, "2011-12-30") == []
    assert windows(one, "2011-12-31") == [("12-30 19:00", "12-31 03:00")]


def test_it_makes_whole_days_of_23_and_25_hours() -> None:
    one = calendar("Europe/Berlin", hours={"sun": ["00:00-24:00"]})
    for day, length in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 1), 24)):
        ((opens, closes),) = one.windows(day)
        assert closes - opens == timedelta(hours=length)


def test_it_remembers_windows_without_mixing_calendars() -> None:
    first, second = calendar(hours=OFFICE), calendar("Europe/Berlin", hours=OFFICE)
    day = date(2026, 11, 24)
    assert first.windows(day) == first.windows(day) != second.windows(day)
    assert hash(first) == hash(calendar(hours=OFFICE))
    assert first == calendar(hours=OFFICE)


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("zone: UTC", "'zone: UTC' is not a mapping; use lines of key: value"),
        ([], "[] is not a mapping"),
        ({"holiday": {}}, "'holiday' is not a known key; use one of zone, hours, holidays, special"),
        ({"zone": "Mars/Olympus"}, "zone: 'Mars/Olympus' is not a time zone; use an IANA name such as"),
        ({"zone": "America"}, "zone: 'America' is not a time zone"),
        ({"zone": "/etc/passwd"}, "zone: '/etc/passwd' is not a time zone"),
        ({"zone": 1}, "zone: 1 is not a time zone"),
        ({"hours": None}, "hours: None is not a mapping"),
        ({"hours": {}}, "hours: the calendar is never open; give at least one weekday a window"),
        ({"hours": {"mon": None}}, "hours: mon: None is not a list of windows"),
        ({"hours": {"moon": []}}, "hours: 'moon' is not a weekday; use mon, tue"),
        ({"hours": {"mon": [], "Monday": []}}, "hours: Monday: Monday is given twice; keep one line"),
        ({"hours": {"mon": [900]}}, 'hours: mon: 900 is not a window; use one such as "09:00-17:00"'),
        ({"hours": {"mon": ["9-17"]}}, "hours: mon: '9' is not a time of day; use one such as \"09:00\""),
        ({"hours": {"mon": ["09:00-17:60"]}}, "hours: mon: '17:60' is not a time of day; it must be"),
        ({"hours": {"mon": ["09:00-24:01"]}}, "hours: mon: '24:01' is not a time of day; it must be"),
        ({"hours": {"mon": ["24:00-06:00"]}}, "hours: mon: '24:00-06:00' starts at 24:00; write it on"),
        (
            {"hours": {"mon": ["13:00-17:00", "09:00-13:01"]}},
            "hours: mon: 09:00-13:01 and 13:00-17:00 overlap",
        ),
        (
            {"hours": {"sun": ["22:00-06:00"], "mon": ["05:59-12:00"]}},
            "hours: sun: 22:00-06:00 runs past midnight into 05:59-12:00 of the next day",
        ),
        (
            {"hours": OFFICE, "special": {"2026-11-28": ["20:00-10:00"], "2026-11-29": ["09:00-12:00"]}},
            "special: 2026-11-28: 20:00-10:00 runs past midnight into 09:00-12:00",
        ),
        (
            {"hours": {"mon": ["20:00-10:00"]}, "special": {"2026-11-24": ["09:00-12:00"]}},
            "special: 2026-11-24: 20:00-10:00 runs past midnight into 09:00-12:00",
        ),
        ({"special": {"24.12.2026": []}}, "special: '24.12.2026' is not a date; use year-month-day"),
        (
            {"special": {datetime(2026, 1, 1, tzinfo=UTC): []}},
            "special: '2026-01-01 00:00:00+00:00' is not a date",
        ),
        ({"special": {"9999-12-31": []}}, "special: '9999-12-31' is not a date"),
        (
            {"special": {"2026-12-24": [], date(2026, 12, 24): []}},
            "special: 2026-12-24: the date is given twice",
        ),
        ({"holidays": {"region": "XX"}}, "holidays: region: 'XX' is not a region with known holidays; use a"),
        ({"holidays": {"region": "US-ZZ"}}, "holidays: region: 'US-ZZ' is not a region"),
        ({"holidays": {"region": False}}, "holidays: region: False is not a region"),
        ({"holidays": {"add": "2026-12-24"}}, "holidays: add: '2026-12-24' is not a list of dates"),
        (
            {"holidays": {"country": "US"}},
            "holidays: 'country' is not a known key; use one of region, add, remove",
        ),
        (
            {"holidays": {"add": ["2026-12-24"], "remove": ["2026-12-24"]}},
            "holidays: 2026-12-24 is in both",
        ),
        ({"business_day": 8}, "business_day: 8 is not a length of a day; use one such as 8h or 7h30m"),
        ({"business_day": "0h"}, "business_day: '0h' must be more than 0 and at most 24h"),
        ({"business_day": "25h"}, "business_day: '25h' must be more than 0"),
        (
            {"hours": {}, "special": {"2026-12-24": ["09:00-12:00"]}},
            "business_day: no weekday has hours to take it from; add a line such as business_day: 8h",
        ),
    ],
)
def test_it_names_the_key_and_the_mend(mapping: Any, sentence: str) -> None:
    with pytest.raises(CalendarError) as caught:
        Calendar.from_mapping(mapping, "desk.yaml")
    assert str(caught.value).startswith(f"desk.yaml: {sentence}")


def test_it_lets_windows_touch() -> None:
    one = calendar(hours={"mon": ["22:00-06:00"], "tue": ["06:00-12:00", "12:00-17:00"]})
    assert windows(one, "2026-11-23") == [("11-24 06:00", "11-24 14:00")]
    assert windows(one, "2026-11-24") == [("11-24 14:00", "11-24 20:00"), ("11-24 20:00", "11-25 01:00")]


def test_it_refuses_a_closure_of_400_days() -> None:
    closed = [date(2026, 1, 1) + timedelta(days=n) for n in range(401)]
    with pytest.raises(
        CalendarError, match=r"desk: the calendar has no open time in the 400 days from 2026-01-01"
    ):
        Calendar.from_mapping({"holidays": {"add": closed}}, "desk")
    assert calendar(holidays={"add": closed[:390]})
    with pytest.raises(CalendarError, match="no open time"):
        calendar(special={key: [] for key in closed})


def test_it_wants_special_days_to_last_400_days_on() -> None:
    one = calendar(hours={}, special={"2026-12-24": ["09:00-12:00"]}, business_day="3h")
    one.require_open_time(date(2026, 12, 24))
    one.require_open_time(date(2025, 11, 20))
    for since in (date(2026, 12, 25), date(2025, 11, 19)):
        with pytest.raises(CalendarError, match=f"400 days from {since}; add hours"):
            one.require_open_time(since)
