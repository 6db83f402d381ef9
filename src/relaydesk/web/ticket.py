"""One ticket: the page with head, thread, composer and panel, and each of its parts by the same address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.web.pages import Pages

router = APIRouter()
PARTS = ("head", "thread", "panel", "order", "clocks", "evidence", "others", "history", "composer")
_ID = re.compile(r"#([\w-]+)$")


@router.get("/tickets/{ticket_id}")
def ticket_page(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> HTMLResponse:
    """A ticket, or the part of its page that htmx names as its target."""
    pages: Pages = request.app.state.pages
    ticket = desk.tickets.view(ticket_id)
    return pages.page(request, visitor, "ticket.html", part=wanted_part(request), ticket=ticket)


def wanted_part(request: Request) -> str:
    """The block that the target of htmx asks for; the whole of what changes for any other."""
    target = _ID.search(request.headers.get("hx-target", ""))
    return target[1] if target and target[1] in PARTS else "thread"
