"""The lists of tickets: queues, views, search, and what is done with many tickets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import APIRouter, Form, Path
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from relaydesk.desk import DeskError, TicketFilter, Visitor, cursor_text, read_cursor
from relaydesk.web.done import done
from relaydesk.web.filters import Filters, active_names
from relaydesk.web.groups import Group, grouped
from relaydesk.web.rail import NAMES
from relaydesk.web.visitors import TheDesk, TheVisitor
from relaydesk.web.wording import REASONS

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.web.pages import Pages

router = APIRouter()
ROWS = 40
ROWS_BESIDE = 8  # an open ticket
MOST_AT_ONCE = 200  # tickets of one bulk act
VIEWS = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "waiting": "Waiting",
    "look": "Needs a look",
    "snoozed": "Snoozed",
    "closed": "Closed",
}
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@dataclass(frozen=True, slots=True)
class Place:
    """A list: its address, title, and the tickets it begins with before any filter."""

    path: str
    title: str
    criteria: TicketFilter
    empty: str = ""


def place_of(path: str, you: str, queues: tuple[str, ...]) -> Place | None:
    """The list of an address; None for an address of something else."""
    if path in ("", "/"):
        return Place("/", "All open", TicketFilter(awake_for=you), "all")
    kind, _, name = path.strip("/").partition("/")
    if kind == "queues" and name in queues:
        return Place(
            f"/queues/{name}", NAMES.get(name, name), TicketFilter(queue=name, awake_for=you), "queue"
        )
    views = {
        "mine": TicketFilter(assignee=you, awake_for=you),
        "unassigned": TicketFilter(assignee="", awake_for=you),
        "snoozed": TicketFilter(snoozed_by=you),
        "waiting": TicketFilter(waiting=True),
        "look": TicketFilter(needs_look=True),
        "closed": TicketFilter(state="closed"),
    }
    if kind == "views" and name in views:
        return Place(f"/views/{name}", VIEWS[name], views[name], name)
    return None


@router.get("/")
def all_open(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """Every open ticket, by deadline."""
    return _list(request, desk, visitor, "/")


@router.get("/queues/{name}")
def queue(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> HTMLResponse:
    """The open tickets of a queue."""
    desk.config.demand_queue(name)
    return _list(request, desk, visitor, f"/queues/{name}")


@router.get("/views/saved/{view_id}")
def saved(desk: TheDesk, visitor: TheVisitor, view_id: Number) -> Response:
    """A view that was kept: goes on to its list with its filters."""
    view = desk.saved_views.view(view_id, by=visitor.by)
    query = {name: values for name, values in view.query.items() if name != "place"}
    place = (view.query.get("place") or ["/"])[0]
    to = f"{place}?{urlencode({**query, 'view': [str(view.id)]}, doseq=True)}"
    return Response(status_code=303, headers={"Location": to if to.startswith("/") else "/"})


@router.get("/views/{name}")
def view(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> HTMLResponse:
    """A view: tickets of all queues that have something in common."""
    if name not in VIEWS:
        raise HTTPException(404)
    return _list(request, desk, visitor, f"/views/{name}")


def _list(request: Request, desk: Desk, visitor: Visitor, path: str) -> HTMLResponse:
    pages: Pages = request.app.state.pages
    you = visitor.agent.name
    place = place_of(path, you, desk.config.queues)
    if place is None:
        raise HTTPException(404)
    filters = Filters.of(request.query_params)
    criteria = filters.narrowed(place.criteria, you)
    page = desk.queues.page(criteria, after=read_cursor(request.query_params.get("after")), limit=ROWS)
    zone = visitor.zone
    groups = grouped(page.tickets, desk.clock(), zone, desk.config.calendar)
    counts = desk.queues.all_counts()
    context: dict[str, Any] = {
        "title": place.title,
        "place": place,
        "here": _address(place.path, filters),
        "filters": filters,
        "groups": groups,
        "orders": _orders(page.numbers),
        "more": cursor_text(page.after),
        "first": "after" not in request.query_params,
        "sum": _sum(place, counts) if not filters else "",
        "team": active_names((agent.name, agent.active) for agent in desk.agents.everybody()),
        "reasons": REASONS,
        "queues": [(name, NAMES.get(name, name)) for name in desk.config.queues],
        "present": {},
    }
    part = "rows" if request.headers.get("hx-target", "").endswith("more") else "list"
    return pages.page(request, visitor, "list.html", part=part, **context)


def _address(path: str, filters: Filters) -> str:
    return f"{path}?{filters.text}" if filters else path


def _orders(numbers: Any) -> dict[int, tuple[str, bool]]:
    """The order that a row shows, by ticket, and whether it is bound; bound ones first."""
    shown: dict[int, tuple[str, bool]] = {}
    for number in sorted(numbers, key=lambda number: number.how != "bound"):
        if number.what == "order" and number.how != "released":
            shown.setdefault(number.ticket_id, (number.value, number.how == "bound"))
    return shown


def _sum(place: Place, counts: Any) -> str:
    """The line beside a list's title."""
    if place.empty in ("waiting", "look"):
        return f"{counts.waiting if place.empty == 'waiting' else counts.look} open"
    if place.empty == "closed":
        return ""
    criteria = place.criteria
    if criteria.assignee is not None:
        counted = [counts.of(criteria.assignee or None)]
    else:
        counted = [count for count in counts.queues if criteria.queue in (None, count.queue)]
    figures = (
        (sum(count.open for count in counted), "open"),
        (sum(count.due_today for count in counted), "due today"),
        (sum(count.overdue for count in counted), "past the deadline"),
    )
    return " · ".join(f"{number} {name}" for number, name in figures if number or name == "open")


@dataclass(frozen=True, slots=True)
class Strip:
    """The list beside an open ticket: where it leads back to, and the rows around."""

    title: str
    path: str
    count: int | None
    groups: tuple[Group, ...]
    orders: dict[int, tuple[str, bool]]
    here: str


def strip_of(request: Request, desk: Desk, visitor: Visitor) -> Strip:
    """The list that an agent came from (``?in=``), by default the tickets that are due first."""
    split = urlsplit(request.query_params.get("in", "/"))
    you = visitor.agent.name
    place = place_of(split.path, you, desk.config.queues) or Place("/", "All open", TicketFilter(), "all")
    filters = Filters.of(QueryParams(split.query[:2_000]))
    page = desk.queues.page(filters.narrowed(place.criteria, you), limit=ROWS_BESIDE)
    groups = grouped(page.tickets, desk.clock(), visitor.zone, desk.config.calendar)
    here = _address(place.path, filters)
    return Strip(place.title, here, len(page.tickets), groups, _orders(page.numbers), here)


def next_ticket(desk: Desk, visitor: Visitor, came_from: str, ticket_id: int) -> int | None:
    """The ticket that is due first in the list an agent came from, but for the one they leave."""
    split = urlsplit(came_from or "/")
    you = visitor.agent.name
    place = place_of(split.path, you, desk.config.queues) or Place("/", "All open", TicketFilter())
    criteria = Filters.of(QueryParams(split.query[:2_000])).narrowed(place.criteria, you)
    rows = desk.queues.page(criteria, limit=2).tickets
    return next((row.id for row in rows if row.id != ticket_id), None)


@router.get("/tickets/{ticket_id}/row")
def row(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: Number) -> HTMLResponse:
    """One ticket as the row of a list."""
    pages: Pages = request.app.state.pages
    page = desk.queues.rows([ticket_id])
    if not page.tickets:
        raise DeskError(f"There is no ticket {ticket_id}.")
    return pages.page(
        request,
        visitor,
        "row.html",
        part="row",
        ticket=page.tickets[0],
        orders=_orders(page.numbers),
        here=request.query_params.get("in", "/")[:2_000],
        present={},
        title=f"Ticket {ticket_id}",
    )


@router.get("/rail")
def rail(request: Request, visitor: TheVisitor) -> HTMLResponse:
    """The queues and views with their counts."""
    pages: Pages = request.app.state.pages
    current = urlsplit(request.headers.get("hx-current-url", "/")).path
    return pages.page(request, visitor, "rail_page.html", part="rail", at=current)


@router.get("/search")
def search(
    request: Request, desk: TheDesk, visitor: TheVisitor, q: str = "", state: str = ""
) -> HTMLResponse:
    """Tickets, open and closed, that hold a text; newest first."""
    pages: Pages = request.app.state.pages
    text = q.strip()[:300]
    chosen = state if state in ("open", "closed") else None
    page = desk.search.tickets(text, state=chosen, limit=ROWS) if text else None  # type: ignore[arg-type]
    groups = (Group("found", "none", "", "", page.tickets),) if page is not None and page.tickets else ()
    return pages.page(
        request,
        visitor,
        "search.html",
        part="list",
        title="Search",
        q=text,
        state=chosen or "",
        groups=groups,
        orders=_orders(page.numbers) if page else {},
        here=f"/search?q={quote(text)}",
        present={},
    )


@router.post("/views/saved")
def save_view(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: Annotated[str, Form()],
    here: Annotated[str, Form()] = "/",
    shared: Annotated[str, Form()] = "",
) -> Response:
    """Keeps the list with its filters by a name."""
    split = urlsplit(here)
    query = {"place": [split.path or "/"], **Filters.of(QueryParams(split.query)).query}
    number = desk.saved_views.save(name, query, by=visitor.by, shared=bool(shared))
    return done(request, f"/views/saved/{number}", f"View “{name}” saved.", changed=["counts"])


@router.post("/views/saved/{view_id}/remove")
def remove_view(request: Request, desk: TheDesk, visitor: TheVisitor, view_id: Number) -> Response:
    """A kept view is not wanted any more."""
    desk.saved_views.remove(view_id, by=visitor.by)
    return done(request, "/", "View removed.", changed=["counts"])


@router.post("/bulk")
def bulk(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    act: Annotated[str, Form()],
    ticket: Annotated[list[int] | None, Form()] = None,
    agent: Annotated[str, Form()] = "",
    queue: Annotated[str, Form()] = "",
    here: Annotated[str, Form()] = "/",
) -> Response:
    """One act on every ticket that was ticked; each is an act of its own, and says why it was not done."""
    tickets, by = desk.tickets, visitor.by
    works: dict[str, Any] = {
        "take": lambda number: tickets.assign(number, visitor.agent.name, by=by),
        "assign": lambda number: tickets.assign(number, agent or None, by=by),
        "close": lambda number: tickets.close(number, by=by),
        "move": lambda number: tickets.move(number, queue, by=by),
        "looked": lambda number: tickets.mark_looked_at(number, by=by),
    }
    if act not in works:
        raise HTTPException(404)
    chosen = list(dict.fromkeys(ticket or []))[:MOST_AT_ONCE]
    if not chosen:
        raise DeskError("No ticket is ticked; tick the ones that you mean.")
    refused: list[str] = []
    for number in chosen:
        try:
            works[act](number)
        except DeskError as error:
            refused.append(f"#{number}: {error}")
    words = {"take": "taken", "assign": "assigned", "close": "closed", "move": "moved", "looked": "looked at"}
    count = len(chosen) - len(refused)
    sentence = f"{count} ticket{'s' * (count != 1)} {words[act]}."
    if refused:
        sentence += f" {len(refused)} not: {' '.join(refused[:3])}"
    to = here if here.startswith("/") and not here.startswith("//") else "/"
    changed = ["tickets", "counts", *(f"ticket-{number}" for number in chosen)]
    return done(request, to, sentence, changed=changed)


def came_from(request: Request) -> str:
    """The list that the page of a ticket was opened from, as its address says (``?in=``)."""
    referred = parse_qs(urlsplit(request.headers.get("hx-current-url", "")).query)
    return request.query_params.get("in") or (referred.get("in") or ["/"])[0]
