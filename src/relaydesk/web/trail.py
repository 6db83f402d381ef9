"""The list that an agent works through: it stands beside a ticket, leads back, and has the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.datastructures import QueryParams

from relaydesk.desk import PageKey, cursor_text
from relaydesk.web.listing import filters_of, list_of, listed
from relaydesk.web.places import NO_FILTERS, place_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relaydesk.desk import Desk, Visitor
    from relaydesk.store import TicketRow
    from relaydesk.web.filters import Filters
    from relaydesk.web.listing import ListPage
    from relaydesk.web.places import ListPlace

LIST_COOKIE = "relaydesk_list"
LONGEST_ADDRESS = 1_000
KEPT_SECONDS = 12 * 3600
ROWS = 12
NEAREST = 20  # tickets among which the next one is looked for


def keep_list(request: Request, response: Response, address: str) -> None:
    """Remembers the list that an agent has before them."""
    if len(address) <= LONGEST_ADDRESS:
        secure = request.app.state.config.secure
        response.set_cookie(
            LIST_COOKIE,
            quote(address),
            max_age=KEPT_SECONDS,
            httponly=True,
            samesite="lax",
            secure=secure,
        )


def came_from(request: Request) -> str:
    """The address of the list that an agent came from: what the page says of it, else their last one."""
    named = parse_qs(urlsplit(request.headers.get("hx-current-url", "")).query).get("in", [""])[0]
    kept = unquote(request.cookies.get(LIST_COOKIE, "")[: 3 * LONGEST_ADDRESS])
    address = (request.query_params.get("in") or named or kept)[:LONGEST_ADDRESS]
    return address if address.startswith("/") and not address.startswith("//") else "/"


def _list_at(desk: Desk, visitor: Visitor, address: str) -> tuple[ListPlace, Filters] | None:
    split = urlsplit(address)
    place = place_of(desk, visitor, split.path)
    return None if place is None else (place, filters_of(place, QueryParams(split.query)))


def next_ticket(desk: Desk, visitor: Visitor, address: str, ticket_id: int) -> int | None:
    """The ticket that is due first in the list of an address, but for the one that is left and those that
    somebody else has; None where there is none."""
    place, filters = _list_at(desk, visitor, address) or (list_of(desk, visitor, "/"), NO_FILTERS)
    you = visitor.agent.name
    rows = desk.queues.page(filters.narrowed(place.criteria, you), limit=NEAREST).tickets
    theirs = filters.own.startswith("@")
    return next(
        (row.id for row in rows if row.id != ticket_id and (theirs or row.assignee in (None, you))), None
    )


@dataclass(frozen=True, slots=True)
class Strip:
    """``back`` is the address of the whole list, ``count`` how many it has, None where nobody counted."""

    title: str
    back: str
    count: int | None
    listed: ListPage


def strip_of(request: Request, desk: Desk, visitor: Visitor, ticket: TicketRow) -> Strip:
    """The list that the agent came from, by default the ticket's queue: its beginning, or from the ticket on
    where that stands further down."""
    address = came_from(request)
    known = (
        None if address == "/" and LIST_COOKIE not in request.cookies else _list_at(desk, visitor, address)
    )
    place, filters = known or (list_of(desk, visitor, f"/queues/{ticket.queue}"), NO_FILTERS)
    page = listed(desk, visitor, place, filters, rows=ROWS)
    if page.more and ticket.id not in {row.id for group in page.groups for row in group.tickets}:
        moment = ticket.waiting_since if place.criteria.waiting else ticket.next_due
        key = PageKey(moment, ticket.id + (1 if place.criteria.state == "closed" else -1))
        further = listed(desk, visitor, place, filters, after=cursor_text(key) or "", rows=ROWS)
        page = further if further.shown else page
    return Strip(place.title, page.address, page.total, replace(page, more=""))
