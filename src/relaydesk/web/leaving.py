"""Answers that were sent and have not left: shown on every page, taken back, tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from relaydesk.web.done import done
from relaydesk.web.ticket import demand_number
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.web.pages import Pages

router = APIRouter()


@router.get("/answers/leaving")
def leaving(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """One's answers that can still be taken back: the latest stands on every page until it has left."""
    pages: Pages = request.app.state.pages
    waiting = desk.drafts.leaving(by=visitor.by)
    names = {row.id: row for row in desk.queues.rows([answer.ticket_id for answer in waiting]).tickets}
    return pages.page(request, visitor, "leaving.html", part="leaving", leaving=waiting, names=names)


@router.post("/answers/{number}/undo")
def take_back(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """Takes an answer back before it leaves, or makes one that was lost a draft again; opens its ticket with
    the text and files."""
    demand_number(number)
    row = desk.answers.take_back(number, by=visitor.by)
    words = (
        "Taken back: it was not sent."
        if row.state == "cancelled"
        else "Its text and files are a draft again."
    )
    return done(request, f"/tickets/{row.ticket_id}#composer", words, leaves=True)


@router.post("/answers/{number}/retry")
def retry(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """Has an answer tried again at once, the same bytes."""
    demand_number(number)
    row = desk.answers.retry(number, by=visitor.by)
    changed = [f"ticket-{row.ticket_id}", "outbox", "counts"]
    return done(request, f"/tickets/{row.ticket_id}", f"Answer {number} is tried again.", changed=changed)
