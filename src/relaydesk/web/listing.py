"""What the page of a list shows: its rows in groups, what narrows it, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from relaydesk.desk import cursor_text, read_cursor
from relaydesk.web.filters import Filters
from relaydesk.web.groups import Group, Horizon, grouped
from relaydesk.web.places import all_open, place_of, queue_title
from relaydesk.web.wording import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import QueryParams

    from relaydesk.desk import Desk, Visitor
    from relaydesk.store import AllCounts, Page, TicketOrder
    from relaydesk.web.places import ListPlace

ROWS = 40
FEW = 12  # agents that a list of choices may have
_RANK = {"bound": 0, "not_found": 1, "mentioned": 2}
GROUPED = frozenset({"all", "queue", "mine", "unassigned", "look", "snoozed"})


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list. ``orders`` are the numbers that rows show, each with whether it is bound; ``more``
    is the address of the next page, "" for none; ``address`` that of this list, filters and all."""

    place: ListPlace
    filters: Filters
    address: str
    groups: tuple[Group, ...]
    orders: dict[int, tuple[str, bool]]
    more: str
    shown: int
    total: int | None
    sum: str

    @property
    def closed(self) -> bool:
        return self.place.criteria.state == "closed"


def listed(
    desk: Desk,
    visitor: Visitor,
    place: ListPlace,
    filters: Filters,
    *,
    after: str = "",
    begun: str = "",
    rows: int = ROWS,
) -> ListPage:
    """A page of a list; ``after`` is where the one before ended and ``begun`` in which group."""
    criteria = filters.narrowed(place.criteria, visitor.agent.name)
    page = desk.queues.page(criteria, after=read_cursor(after), limit=rows)
    groups = _groups(desk, visitor, place, page, begun)
    if page.after is not None and place.key in GROUPED and not groups[-1].begun:
        last = groups[-1]  # it goes on behind this page
        count = desk.queues.due_between(criteria, last.since, last.until)
        groups = (*groups[:-1], replace(last, count=count))
    base = f"{place.path}?{_explicit(place, filters)}".rstrip("?")
    joint = "&" if "?" in base else "?"
    ended = f"&in={groups[-1].key}" if groups else ""
    counts = desk.queues.all_counts(visitor.zone)
    return ListPage(
        place,
        filters,
        base,
        groups,
        orders_of(page.numbers),
        f"{base}{joint}after={cursor_text(page.after)}{ended}" if page.after else "",
        len(page.tickets),
        *_sums(place, filters, counts, visitor.agent.name),
    )


def _explicit(place: ListPlace, filters: Filters) -> str:
    """A saved view has filters of its own: others are said, even where there are none."""
    if not place.view:
        return filters.text
    return "" if filters == place.filters else f"f=1&{filters.text}".rstrip("&")


def _groups(desk: Desk, visitor: Visitor, place: ListPlace, page: Page, begun: str) -> tuple[Group, ...]:
    if place.key in GROUPED:
        return grouped(page.tickets, horizon_of(desk, visitor), begun)
    if not page.tickets:
        return ()
    title = {"waiting": "Waiting for the customer", "closed": "Closed"}.get(place.key, "")
    note = {"waiting": "the longest first", "closed": "the newest first"}.get(place.key, "")
    group = Group(place.key, "met" if place.key == "closed" else "none", title, note)
    return (replace(group, tickets=page.tickets, begun=begun == group.key, count=-1),)


def horizon_of(desk: Desk, visitor: Visitor) -> Horizon:
    """What the groups of an agent's lists go by."""
    now, calendar = desk.clock(), desk.config.calendar
    return Horizon(now, visitor.zone, desk.queues.soon(), calendar.closed_because)


def orders_of(numbers: Iterable[TicketOrder]) -> dict[int, tuple[str, bool]]:
    """The number that a row shows, by ticket, and whether it is bound; bound ones first."""
    shown: dict[int, tuple[str, bool]] = {}
    for number in sorted(numbers, key=lambda number: _RANK.get(number.how, 0)):
        if number.what == "order" and number.how != "released":
            shown.setdefault(number.ticket_id, (number.value, number.how == "bound"))
    return shown


def _sums(place: ListPlace, filters: Filters, counts: AllCounts, you: str) -> tuple[int | None, str]:
    """How many tickets a list has, and the line beside its title; nothing where filters narrow it."""
    if filters or place.view or place.key in ("closed", "snoozed"):
        return None, ""
    if place.key in ("waiting", "look"):
        number = counts.waiting if place.key == "waiting" else counts.look
        return number, f"{number:,} open"
    if place.key in ("mine", "unassigned"):
        counted = [counts.of(you if place.key == "mine" else None)]
        open_, today, over = counted[0].open, counted[0].due_today, counted[0].overdue
    else:
        queues = [count for count in counts.queues if place.criteria.queue in (None, count.queue)]
        open_ = sum(count.open for count in queues)
        today, over = sum(count.due_today for count in queues), sum(count.overdue for count in queues)
    figures = ((open_, "open"), (today, "due today"), (over, "past the deadline"))
    return open_, " \u00b7 ".join(f"{n:,} {name}" for n, name in figures if n or name == "open")


def team_of(desk: Desk) -> list[str]:
    """Whom a ticket can be given to."""
    return [agent.name for agent in desk.agents.everybody() if agent.active]


def choices(desk: Desk, visitor: Visitor) -> dict[str, Any]:
    """What the filters and the bulk bar offer; ``team`` is empty where it is too large to be listed."""
    team = team_of(desk)
    return {
        "team": team if len(team) <= FEW else [],
        "reasons": {code: names[1] for code, names in REASONS.items()},
        "queues": [(name, queue_title(name)) for name in desk.config.queues],
        "snoozes": desk.tickets.snooze_choices(visitor.zone),
    }


def filters_of(place: ListPlace, query: QueryParams) -> Filters:
    """What an address narrows its list to; a saved view's own filters where it says nothing."""
    return Filters.of(query) if not place.view or "f" in query else place.filters


def list_of(desk: Desk, visitor: Visitor, path: str) -> ListPlace:
    """The list of an address, all open tickets for an address of something else."""
    return place_of(desk, visitor, path) or all_open(visitor)
