"""The rows of a list in groups, by when they are due. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.web.wording import due_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from relaydesk.desk import Calendar, TicketRow

NAMES = {
    "over": "Past the deadline",
    "soon": "Due soon",
    "today": "Due today",
    "none": "No clock",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Tickets that are due alike. ``state`` names shape and colour, ``note`` stands beside the title: a day,
    or why nobody works on it. ``key`` is good for an id."""

    key: str
    state: str
    title: str
    note: str
    tickets: tuple[TicketRow, ...]


def grouped(
    tickets: Iterable[TicketRow], now: datetime, zone: ZoneInfo, calendar: Calendar
) -> tuple[Group, ...]:
    """Open tickets, which come by deadline, in their groups; closed ones are one group without a title."""
    groups: dict[tuple[str, date | None], list[TicketRow]] = {}
    for ticket in tickets:
        if not ticket.open:
            groups.setdefault(("closed", None), []).append(ticket)
            continue
        state = due_of(ticket.next_due, ticket.next_warn, now, zone).state
        day = ticket.next_due.astimezone(zone).date() if state == "later" and ticket.next_due else None
        groups.setdefault((state, day), []).append(ticket)
    return tuple(
        _group(state, day, rows, now.astimezone(zone).date(), calendar)
        for (state, day), rows in groups.items()
    )


def _group(state: str, day: date | None, rows: list[TicketRow], today: date, calendar: Calendar) -> Group:
    if day is None:
        note = day_name(today) if state == "today" else ""
        return Group(state, state, NAMES.get(state, ""), note, tuple(rows))
    closed = calendar.closed_because(day)
    why = f"{closed}: nobody is on duty" if closed else ""
    if day == today + timedelta(days=1):
        note = f"{day_name(day)}, {why}" if why else day_name(day)
        return Group(f"day-{day}", state, "Due tomorrow", note, tuple(rows))
    return Group(f"day-{day}", state, f"Due {day_name(day)}", why, tuple(rows))


def day_name(day: date) -> str:
    """``Wed 25 Nov``."""
    return f"{day:%a} {day.day} {day:%b}"
