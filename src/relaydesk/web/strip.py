"""The list beside an open ticket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.desk import PageKey, cursor_text
from relaydesk.web.listing import list_of, listed
from relaydesk.web.lists import kept_list

if TYPE_CHECKING:
    from starlette.requests import Request

    from relaydesk.desk import Desk, Visitor
    from relaydesk.store import TicketRow
    from relaydesk.web.listing import Listed

ROWS = 24


@dataclass(frozen=True, slots=True)
class Strip:
    """``back`` is the address of the whole list, ``count`` how many it has, None where nobody counted."""

    title: str
    back: str
    count: int | None
    listed: Listed


def strip_of(request: Request, desk: Desk, visitor: Visitor, ticket: TicketRow) -> Strip:
    """The list that the agent came from, by default the ticket's queue: its beginning, or from the ticket on
    where that stands further down."""
    place, filters = kept_list(request, desk, visitor) or (
        list_of(desk, visitor, f"/queues/{ticket.queue}"),
        list_of(desk, visitor, "/").filters,
    )
    page = listed(desk, visitor, place, filters, rows=ROWS)
    if page.more and ticket.id not in {row.id for group in page.groups for row in group.tickets}:
        moment = ticket.waiting_since if place.criteria.waiting else ticket.next_due
        key = PageKey(moment, ticket.id + (1 if place.criteria.state == "closed" else -1))
        further = listed(desk, visitor, place, filters, after=cursor_text(key) or "", rows=ROWS)
        page = further if further.shown else page
    return Strip(place.title, page.address, page.total, replace(page, more=""))
