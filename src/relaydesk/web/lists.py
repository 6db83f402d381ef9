"""The lists of tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from relaydesk.desk import TicketFilter
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.web.pages import Pages

router = APIRouter()
ROWS = 40


@router.get("/")
def all_open(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """Every open ticket, by deadline."""
    pages: Pages = request.app.state.pages
    page = desk.queues.page(TicketFilter(awake_for=visitor.agent.name), limit=ROWS)
    return pages.page(request, visitor, "list.html", part="list", title="All open", page=page)
