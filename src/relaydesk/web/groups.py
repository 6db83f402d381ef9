"""The rows of a list in groups, by when they are due. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date
    from zoneinfo import ZoneInfo

    from relaydesk.store import TicketRow

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Horizon:
    """What groups go by: the moment, the zone of the reader, until when a deadline is near, and of a local
    date why nobody is on duty ("" where somebody is)."""

    now: datetime
    zone: ZoneInfo
    soon: datetime
    closed: Callable[[date], str]

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """The beginning of a day."""
        return datetime.combine(day, time(), self.zone)


@dataclass(frozen=True, slots=True)
class Group:
    """Tickets that are due alike: from ``since`` to before ``until`` (None: without an end).

    ``key`` is good for an id, ``state`` names shape and colour, ``note`` stands behind the count (None: not
    counted). ``begun``: its head stands on the page before.
    """

    key: str
    state: str
    title: str
    note: str = ""
    since: datetime | None = None
    until: datetime | None = None
    tickets: tuple[TicketRow, ...] = ()
    count: int | None = None
    begun: bool = False


def group_of(due: datetime | None, horizon: Horizon) -> Group:
    """The group of a deadline, still without tickets."""
    now, soon = horizon.now, max(horizon.soon, horizon.now)
    if due is None:
        return Group("none", "none", "No clock")
    if due < now:
        return Group("over", "over", "Past the deadline", until=now)
    if due <= soon:
        return Group("soon", "soon", _near(now, soon), since=now, until=soon + timedelta(microseconds=1))
    day = due.astimezone(horizon.zone).date()
    since, until = max(horizon.midnight(day), soon), horizon.midnight(day + DAY)
    why = horizon.closed(day)
    duty = f"{why}: nobody is on duty" if why else ""
    if day == horizon.today:
        return Group("today", "today", "Due today", day_name(day), since, until)
    if day == horizon.today + DAY:
        note = ", ".join(filter(None, (day_name(day), duty)))
        return Group(f"d-{day}", "later", "Due tomorrow", note, since, until)
    return Group(f"d-{day}", "later", f"Due {day_name(day)}", duty, since, until)


def grouped(tickets: Iterable[TicketRow], horizon: Horizon, begun: str = "") -> tuple[Group, ...]:
    """Open tickets, which come by deadline, in groups. ``begun`` is the one that the page before ended in."""
    groups = []
    for group, rows in groupby(tickets, lambda row: group_of(row.next_due, horizon)):
        held = tuple(rows)
        groups.append(replace(group, tickets=held, count=len(held), begun=group.key == begun))
    return tuple(groups)


def _near(now: datetime, soon: datetime) -> str:
    """Business hours may reach over a night; then they are no hours of the clock."""
    hours = round((soon - now) / HOUR)
    return f"Due in the next {hours} hours" if 1 < hours < 24 else "Due soon"  # noqa: PLR2004 - a day


def day_name(day: date) -> str:
    """``Wed 25 Nov``."""
    return f"{day:%a} {day.day} {day:%b}"
