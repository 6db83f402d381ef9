"""The lists that there are: each with its address, its title, and what it holds before any filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.desk import NotThere, TicketFilter
from relaydesk.web.filters import Filters

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor

QUEUES = {
    "case": "Cases",
    "claim": "Claims",
    "chargeback": "Chargebacks",
    "unsorted": "Unsorted",
    "notice": "Notices",
}
VIEWS = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "waiting": "Waiting",
    "look": "Needs a look",
    "snoozed": "Snoozed",
    "closed": "Closed",
}


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A list. ``key`` says which empty state it has; a saved view has a number and ``filters`` of its own."""

    path: str
    title: str
    criteria: TicketFilter
    key: str
    view: int = 0
    shared: bool = False
    own: bool = True
    filters: Filters = NO_FILTERS


def queue_title(name: str) -> str:
    """How people call a queue; a shop's own by its name."""
    return QUEUES.get(name, name.replace("_", " ").capitalize())


def all_open(visitor: Visitor) -> ListPlace:
    """Every open ticket but what the visitor has snoozed."""
    return ListPlace("/", "All open", TicketFilter(awake_for=visitor.agent.name), "all")


def place_of(desk: Desk, visitor: Visitor, path: str) -> ListPlace | None:
    """The list of an address; None for an address of something else."""
    you = visitor.agent.name
    if path in ("", "/"):
        return all_open(visitor)
    kind, _, name = path.strip("/").partition("/")
    if kind == "queues" and name in desk.config.queues:
        return ListPlace(path, queue_title(name), TicketFilter(queue=name, awake_for=you), "queue")
    views = {
        "mine": TicketFilter(assignee=you, awake_for=you),
        "unassigned": TicketFilter(assignee="", awake_for=you),
        "waiting": TicketFilter(waiting=True),
        "look": TicketFilter(needs_look=True),
        "snoozed": TicketFilter(snoozed_by=you),
        "closed": TicketFilter(state="closed"),
    }
    if kind == "views" and name in views:
        return ListPlace(path, VIEWS[name], views[name], name)
    number = name.removeprefix("saved/")
    if kind == "views" and number != name and number.isascii() and number.isdigit():
        return _saved(desk, visitor, int(number[:18]))
    return None


def _saved(desk: Desk, visitor: Visitor, number: int) -> ListPlace | None:
    try:
        view = desk.saved_views.view(number, visitor.agent.name)
    except NotThere:
        return None
    below = None if view.place.startswith("/views/saved") else place_of(desk, visitor, view.place)
    if below is None:  # its queue is no longer in the settings
        below = all_open(visitor)
    return replace(
        below,
        path=f"/views/saved/{view.id}",
        title=view.name,
        view=view.id,
        shared=view.shared,
        own=view.owner == visitor.agent.name,
        filters=Filters.read(view.query),
    )
