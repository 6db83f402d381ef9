"""The rail of every page: queues and views with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor

NAMES = {
    "case": "Cases",
    "claim": "Claims",
    "chargeback": "Chargebacks",
    "unsorted": "Unsorted",
    "notice": "Notices",
}


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One line of the rail: where it leads, its icon, and how many are past the deadline, due today, open."""

    path: str
    name: str
    icon: str
    over: int = 0
    today: int = 0
    open: int | None = None
    current: bool = False


def rail_of(desk: Desk, visitor: Visitor, path: str) -> tuple[RailEntry, ...]:
    """The queues, all of them together first."""
    del visitor
    counts = desk.queues.counts()
    queues = [
        RailEntry(
            f"/queues/{count.queue}",
            NAMES.get(count.queue, count.queue),
            count.queue if count.queue in NAMES else "all",
            count.overdue,
            count.due_today,
            count.open,
            current=path == f"/queues/{count.queue}",
        )
        for count in counts
    ]
    together = RailEntry(
        "/",
        "All open",
        "all",
        sum(entry.over for entry in queues),
        sum(entry.today for entry in queues),
        sum(entry.open or 0 for entry in queues),
        current=path == "/",
    )
    return (together, *queues)
