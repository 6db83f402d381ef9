"""The lists of tickets: queues, views, one row, and the rail beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.desk import TicketFilter
from relaydesk.web.forms import RowNumber
from relaydesk.web.listing import choices, filters_of, list_of, listed, orders_of, team_of
from relaydesk.web.places import place_of
from relaydesk.web.rail import rail_of
from relaydesk.web.trail import LONGEST_ADDRESS, keep_list
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor
    from relaydesk.web.pages import Pages

router = APIRouter()


@router.get("/")
def all_open(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """Every open ticket, by deadline."""
    return _page(request, desk, visitor)


@router.get("/queues/{queue}")
def of_queue(request: Request, desk: TheDesk, visitor: TheVisitor, queue: str) -> HTMLResponse:
    """The open tickets of a queue."""
    desk.config.demand_queue(queue)
    return _page(request, desk, visitor)


@router.get("/views/saved/{view_id}")
def saved(request: Request, desk: TheDesk, visitor: TheVisitor, view_id: RowNumber) -> HTMLResponse:
    """A list with the filters that somebody kept."""
    desk.saved_views.view(view_id, visitor.agent.name)
    return _page(request, desk, visitor)


@router.get("/views/{view}")
def of_view(request: Request, desk: TheDesk, visitor: TheVisitor, view: str) -> HTMLResponse:
    """A view: tickets of all queues that have something in common."""
    del view
    return _page(request, desk, visitor)


def _page(request: Request, desk: Desk, visitor: Visitor) -> HTMLResponse:
    place = place_of(desk, visitor, request.url.path)
    if place is None:
        raise HTTPException(404)
    query = request.query_params
    filters = filters_of(place, query)
    after, begun = query.get("after", "")[:LONGEST_ADDRESS], query.get("in", "")[:40]
    page = listed(desk, visitor, place, filters, after=after, begun=begun)
    pages: Pages = request.app.state.pages
    context: dict[str, Any] = {
        "title": place.title,
        "listed": page,
        "continued": bool(after),
        **choices(desk, visitor),
    }
    context["new_desk"] = not page.shown and place.key == "all" and not filters and _is_new(desk)
    part = "rows" if request.headers.get("hx-target", "").endswith("#more") else "list"
    response = pages.page(request, visitor, "list.html", part=part, **context)
    if not after:
        keep_list(request, response, page.address)
    return response


def _is_new(desk: Desk) -> bool:
    return not desk.queues.page(TicketFilter(state="closed"), limit=1).tickets


@router.get("/tickets/{ticket_id}/row")
def row(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: RowNumber) -> HTMLResponse:
    """One ticket as the row of a list, struck through where it is no longer one of that list."""
    page = desk.queues.rows((ticket_id,))
    if not page.tickets:
        raise HTTPException(404)
    ticket = page.tickets[0]
    path = urlsplit(request.headers.get("hx-current-url", "/")).path
    inside = path.startswith("/tickets/")
    criteria = list_of(desk, visitor, path).criteria
    gone = ticket.state != criteria.state or (criteria.queue or ticket.queue) != ticket.queue
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        visitor,
        "row.html",
        part="row",
        title=f"Ticket #{ticket_id}",
        ticket=ticket,
        orders=orders_of(page.numbers),
        beside=inside,
        gone=gone and not inside,
    )


@router.get("/lists/team")
def team(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """The names of the agents, to choose from while one is typed."""
    pages: Pages = request.app.state.pages
    return pages.page(request, visitor, "team.html", part="team", title="Agents", team=team_of(desk))


@router.get("/rail")
def rail(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """The queues and views with their counts, to refresh them on a page."""
    if "hx-request" not in request.headers:
        return RedirectResponse("/", status_code=303)
    path = urlsplit(request.headers.get("hx-current-url", "/")).path
    pages: Pages = request.app.state.pages
    return pages.page(
        request, visitor, "rail_part.html", part="rail", rail=rail_of(desk, visitor, path), path=path
    )
