"""Search: a page of what matches, and a short list of hits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from relaydesk.web.filters import LONGEST
from relaydesk.web.listing import choices, orders_of
from relaydesk.web.rail import rail_of
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.web.pages import Pages

router = APIRouter()
ROWS = 40
HITS, PLACES = 8, 6
SearchText = Annotated[str, Query(max_length=4_000)]


@router.get("/search")
def search(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    q: SearchText = "",
    state: Literal["", "open", "closed"] = "",
) -> HTMLResponse:
    """Tickets, open and closed, that hold a text; newest first."""
    text = q.strip()[:LONGEST]
    page = desk.search.tickets(text, state=state or None, limit=ROWS)
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        visitor,
        "search.html",
        part="hits",
        title=f"Search: {text}" if text else "Search",
        q=text,
        state=state,
        tickets=page.tickets,
        orders=orders_of(page.numbers),
        most=ROWS,
        address=str(request.url.path + ("?" + request.url.query if request.url.query else "")),
        **choices(desk, visitor),
    )


@router.get("/search/jump")
def jump(request: Request, desk: TheDesk, visitor: TheVisitor, q: SearchText = "") -> HTMLResponse:
    """Where a few letters may lead: tickets, queues, views, pages."""
    text = q.strip()[:LONGEST]
    wanted = text.casefold().split()
    places = [
        entry
        for entry in rail_of(desk, visitor, "")
        if all(any(word.startswith(part) for word in entry.name.casefold().split()) for part in wanted)
    ]
    page = desk.search.tickets(text, limit=HITS)
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        visitor,
        "jump.html",
        part="hits",
        title="Jump",
        q=text,
        places=places[:PLACES],
        tickets=page.tickets,
    )
