"""How people write opening hours: ``"09:00-12:00"``, ``mon``, ``2026-11-26``, ``7h30m``.

Every reader here raises :class:`CalendarError` with a sentence that says what was found and how to write
it; :func:`blame` puts the file and the key in front.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_ZONE = "America/Los_Angeles"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_SECONDS = 24 * 3600
_SIXTY = range(60)  # minutes and seconds
_YEARS = range(1900, 2200)  # another one is a slip of the pen

_WINDOW = re.compile(r"\s*([^\s\u2013-]+)\s*[\u2013-]\s*([^\s\u2013-]+)\s*")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_LENGTH = re.compile(r"(?:([0-9]{1,2})\s*h)?\s*(?:([0-9]{1,4})\s*m(?:in)?)?", re.IGNORECASE)


Week = tuple[tuple["Window", ...], ...]


class CalendarError(ValueError):
    """A calendar that cannot be used; the text is one sentence naming the key and the remedy."""


class Window(NamedTuple):
    """Open from ``start`` to ``end``, in seconds of wall time after the midnight the date begins with.

    Half-open. ``end`` lies past 86,400 when the window runs into the next date.
    """

    start: int
    end: int

    def __str__(self) -> str:
        return f"{_wall(self.start)}-{_wall(self.end)}"


def _wall(seconds: int) -> str:
    if seconds > DAY_SECONDS:
        seconds -= DAY_SECONDS
    hours, rest = divmod(seconds, 3600)
    text = f"{hours:02}:{rest // 60:02}"
    return f"{text}:{rest % 60:02}" if rest % 60 else text


def _seconds(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise CalendarError(f'{text!r} is not a time of day; use one such as "09:00" or "24:00"')
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if minutes not in _SIXTY or seconds not in _SIXTY or total > DAY_SECONDS:
        raise CalendarError(f"{text!r} is not a time of day; it must be between 00:00 and 24:00")
    return total


def read_window(text: object) -> Window:
    """``"09:00-17:00"``; an end at or before the start lies on the next date (``"22:00-06:00"``)."""
    match = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise CalendarError(f'{text!r} is not a window; use one such as "09:00-17:00", in quotes')
    start, end = (_seconds(part) for part in match.groups())
    if start == DAY_SECONDS:
        raise CalendarError(f"{text!r} starts at 24:00; write it on the next day, starting at 00:00")
    return Window(start, end if end > start else end + DAY_SECONDS)


def read_windows(value: object) -> tuple[Window, ...]:
    """The windows of one date in order; an empty list is a closed day. Overlaps are an error."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        raise CalendarError(
            f'{value!r} is not a list of windows; use one such as ["09:00-17:00"], or [] when closed'
        )
    windows = tuple(sorted(read_window(text) for text in value))
    for earlier, later in pairwise(windows):
        if later.start < earlier.end:
            raise CalendarError(f"{earlier} and {later} overlap; write them as one window or part them")
    return windows


def overlap(day: tuple[Window, ...], following: tuple[Window, ...]) -> str:
    """A sentence when the windows of a date run into those of the next date, else ""."""
    if day and following and day[-1].end > DAY_SECONDS + following[0].start:
        return f"{day[-1]} runs past midnight into {following[0]} of the next day; shorten one of them"
    return ""


def read_weekday(value: object) -> int:
    """0 for Monday to 6, from ``mon`` or ``Monday`` in any case."""
    for number, name in enumerate(WEEKDAYS):
        if isinstance(value, str) and value.strip().lower() in (name[:3].lower(), name.lower()):
            return number
    raise CalendarError(f"{value!r} is not a weekday; use mon, tue, wed, thu, fri, sat or sun")


def read_date(value: object) -> date:
    """A date as YAML gives it (a ``date``) or as text (``2026-11-26``), in the years 1900 to 2199."""
    day = None
    if isinstance(value, date) and not isinstance(value, datetime):
        day = date(value.year, value.month, value.day)
    elif isinstance(value, str):
        with suppress(ValueError):
            day = date.fromisoformat(value.strip())
    if day is not None and day.year in _YEARS:
        return day
    raise CalendarError(f"{str(value)!r} is not a date; use year-month-day, such as 2026-11-26")


def read_length(value: object) -> timedelta:
    """The nominal length of a business day: ``8h``, ``7h30m``, ``450m``; above zero, at most 24 h."""
    match = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise CalendarError(f"{value!r} is not a length of a day; use one such as 8h or 7h30m")
    hours, minutes = (int(part or 0) for part in match.groups())
    length = timedelta(hours=hours, minutes=minutes)
    if not timedelta() < length <= timedelta(days=1):
        raise CalendarError(f"{value!r} must be more than 0 and at most 24h")
    return length


@contextmanager
def blame(key: str) -> Iterator[None]:
    """Put the key in front of a sentence about what is below it."""
    try:
        yield
    except CalendarError as error:
        raise CalendarError(f"{key}: {error}") from None


def read_table(value: object, keys: tuple[str, ...] = ()) -> Mapping[object, object]:
    """A mapping; with ``keys`` every other key is an error."""
    if not isinstance(value, Mapping):
        raise CalendarError(f"{value!r} is not a mapping; use lines of key: value")
    for key in value:
        if keys and key not in keys:
            raise CalendarError(f"{key!r} is not a known key; use one of {', '.join(keys)}")
    return value


def read_zone(name: object) -> ZoneInfo:
    """The zone of an IANA name."""
    # ZoneInfo raises each of these, by the shape of the name.
    with suppress(ValueError, OSError, LookupError):
        if isinstance(name, str):
            return ZoneInfo(name)
    raise CalendarError(f"{name!r} is not a time zone; use an IANA name such as {DEFAULT_ZONE}")


def read_week(value: object) -> Week:
    """The windows of Monday to Sunday from ``{mon: [...]}``; a day left out is closed."""
    days: dict[int, tuple[Window, ...]] = {}
    for key, windows in read_table(value).items():
        number = read_weekday(key)
        with blame(str(key)):
            if number in days:
                raise CalendarError(f"{WEEKDAYS[number]} is given twice; keep one line")
            days[number] = read_windows(windows)
    week = tuple(days.get(number, ()) for number in range(7))
    for number in range(7):
        with blame(WEEKDAYS[number][:3].lower()):
            if sentence := overlap(week[number], week[(number + 1) % 7]):
                raise CalendarError(sentence)
    return week


def read_special(value: object) -> dict[date, tuple[Window, ...]]:
    """The windows of single dates."""
    special: dict[date, tuple[Window, ...]] = {}
    for key, windows in read_table(value).items():
        day = read_date(key)
        with blame(str(day)):
            if day in special:
                raise CalendarError("the date is given twice; keep one line")
            special[day] = read_windows(windows)
    return special


def commonest_length(week: Week) -> timedelta:
    """The nominal business day: the length of the commonest open weekday, on a tie the longer one."""
    lengths = Counter(sum(w.end - w.start for w in windows) for windows in week if windows)
    if not lengths:
        raise CalendarError("no weekday has hours to take it from; add a line such as business_day: 8h")
    return timedelta(seconds=max(lengths, key=lambda seconds: (lengths[seconds], seconds)))
