"""The rail of every page: queues and views with their counts, and what leads elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from relaydesk.web.places import QUEUES, queue_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from relaydesk.desk import Desk, Visitor
    from relaydesk.store import AllCounts

IN_BAR = 4  # queues in the bar at the foot of a phone
LEADS = ("lead", "admin")
_KEYS = {"case": "c", "claim": "l", "chargeback": "b", "unsorted": "q"}


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One line of the rail: where it leads, its icon, and how many are past the deadline, due today, open
    (None: not counted). ``key`` is what to press after g; ``in_bar``: it stands in the bar of a phone."""

    path: str
    name: str
    icon: str
    over: int = 0
    today: int = 0
    open: int | None = None
    key: str = ""
    in_bar: bool = False
    current: bool = False


@dataclass(frozen=True, slots=True)
class Rail:
    """The queues, all of them together first; the views; what leads elsewhere."""

    queues: tuple[RailEntry, ...] = ()
    views: tuple[RailEntry, ...] = ()
    foot: tuple[RailEntry, ...] = field(default=())

    def __iter__(self) -> Iterator[RailEntry]:
        yield from (*self.queues, *self.views, *self.foot)


def rail_of(desk: Desk, visitor: Visitor, path: str) -> Rail:
    """Where this visitor may go, seen from the page at ``path``."""
    counts = desk.queues.all_counts(visitor.zone)
    foot = []
    if visitor.agent.role in LEADS:
        foot.append(RailEntry("/report", "Report", "report", key="r"))
    if visitor.agent.role == "admin":
        foot.append(RailEntry("/admin", "Admin", "admin"))
    return Rail(
        _marked(_queues(counts), path), _marked(_views(desk, visitor, counts), path), _marked(foot, path)
    )


def _marked(entries: Iterable[RailEntry], path: str) -> tuple[RailEntry, ...]:
    return tuple(
        replace(
            entry, current=path == entry.path or (entry.path != "/" and path.startswith(entry.path + "/"))
        )
        for entry in entries
    )


def _queues(counts: AllCounts) -> Iterator[RailEntry]:
    queues = counts.queues
    yield RailEntry(
        "/",
        "All open",
        "all",
        sum(count.overdue for count in queues),
        sum(count.due_today for count in queues),
        sum(count.open for count in queues),
        key="a",
    )
    for place, count in enumerate(queues):
        yield RailEntry(
            f"/queues/{count.queue}",
            queue_title(count.queue),
            count.queue if count.queue in QUEUES else "all",
            count.overdue,
            count.due_today,
            count.open,
            key=_KEYS.get(count.queue, ""),
            in_bar=place < IN_BAR,
        )


def _views(desk: Desk, visitor: Visitor, counts: AllCounts) -> Iterator[RailEntry]:
    you = visitor.agent.name
    yours, nobodys = counts.of(you), counts.of(None)
    yield RailEntry("/views/mine", "Mine", "mine", yours.overdue, yours.due_today, yours.open, key="m")
    yield RailEntry(
        "/views/unassigned", "Unassigned", "take", nobodys.overdue, nobodys.due_today, nobodys.open
    )
    yield RailEntry("/views/waiting", "Waiting", "wait", open=counts.waiting, key="w")
    yield RailEntry("/views/look", "Needs a look", "eye", open=counts.look, key="x")
    yield RailEntry("/views/snoozed", "Snoozed", "clock", open=desk.queues.snoozed(you))
    yield RailEntry("/views/closed", "Closed", "close")
    for view in desk.saved_views.visible(you):
        yield RailEntry(f"/views/saved/{view.id}", view.name, "all")
