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
IN_BAR = 4  # queues in the bar at the foot of a phone


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One line of the rail: where it leads, its icon, and how many are past the deadline, due today, open
    (None: not counted). ``in_bar`` stands in the bar of a phone, ``key`` is what to press after g."""

    path: str
    name: str
    icon: str
    over: int = 0
    today: int = 0
    open: int | None = None
    in_bar: bool = False
    key: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class Rail:
    """The queues, then the views, then what leads elsewhere."""

    queues: tuple[RailEntry, ...]
    views: tuple[RailEntry, ...]
    foot: tuple[RailEntry, ...]


_KEYS = {"case": "c", "claim": "l", "chargeback": "b", "unsorted": "q"}


def rail_of(desk: Desk, visitor: Visitor, path: str) -> Rail:
    """What this visitor may go to from the page at ``path``."""
    counts, you = desk.queues.all_counts(), visitor.agent
    queues = [
        RailEntry(
            f"/queues/{count.queue}",
            NAMES.get(count.queue, count.queue),
            f"i-{count.queue if count.queue in NAMES else 'all'}",
            count.overdue,
            count.due_today,
            count.open,
            in_bar=place < IN_BAR,
            key=_KEYS.get(count.queue, ""),
        )
        for place, count in enumerate(counts.queues)
    ]
    together = RailEntry(
        "/",
        "All open",
        "i-all",
        sum(entry.over for entry in queues),
        sum(entry.today for entry in queues),
        sum(entry.open or 0 for entry in queues),
        key="a",
    )
    yours, nobodys = counts.of(you.name), counts.of(None)
    views = [
        RailEntry("/views/mine", "Mine", "i-mine", yours.overdue, yours.due_today, yours.open, key="m"),
        RailEntry(
            "/views/unassigned", "Unassigned", "i-take", nobodys.overdue, nobodys.due_today, nobodys.open
        ),
        RailEntry("/views/waiting", "Waiting", "i-wait", open=counts.waiting, key="w"),
    ]
    if counts.look:  # never hidden when not empty, and no line of calm
        views.append(RailEntry("/views/look", "Needs a look", "i-eye", open=counts.look, key="x"))
    views.append(RailEntry("/views/snoozed", "Snoozed", "i-clock"))
    views.append(RailEntry("/views/closed", "Closed", "i-close"))
    views += [
        RailEntry(f"/views/saved/{view.id}", view.name, "i-all")
        for view in desk.saved_views.visible(by=visitor.by)
    ]
    foot = [RailEntry("/report", "Report", "i-report", key="r")] * (you.role != "agent")
    foot += [RailEntry("/admin", "Admin", "i-admin")] * (you.role != "agent")
    return Rail(*(_marked(entries, path) for entries in ((together, *queues), views, foot)))


def _marked(entries: tuple[RailEntry, ...] | list[RailEntry], path: str) -> tuple[RailEntry, ...]:
    return tuple(
        RailEntry(
            entry.path,
            entry.name,
            entry.icon,
            entry.over,
            entry.today,
            entry.open,
            entry.in_bar,
            entry.key,
            current=path == entry.path
            or (entry.path in ("/report", "/admin") and path.startswith(entry.path)),
        )
        for entry in entries
    )
