"""Sending: an answer leaves after its undo time; until then it can be taken back. And notes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.desk import AnswerRefused, Visitor
from relaydesk.web.composer import composer_response, write_answer
from relaydesk.web.composing import composer_of
from relaydesk.web.done import done
from relaydesk.web.forms import Flag, LongText, SeenEvent, ShortText
from relaydesk.web.lists import next_ticket
from relaydesk.web.ticket import demand_number
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.web.pages import Pages

router = APIRouter()


@router.post("/tickets/{ticket_id}/answer")
def send(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: LongText = "",
    order: ShortText = "",
    no_order: Flag = "",
    seen: SeenEvent = 0,
    token: ShortText = "",
    then: ShortText = "",
    place: Annotated[str, Form(alias="in", max_length=2_000)] = "/",
) -> Response:
    """Sends the answer: it waits its undo time and leaves. A form that comes twice sends once."""
    demand_number(ticket_id)
    already = desk.drafts.sent_as(token, by=visitor.by) if token else None
    if already is None:
        try:
            write_answer(desk, visitor, ticket_id, text, order, no_order, seen, token)
        except AnswerRefused as refused:
            return _refused(request, desk, visitor, ticket_id, text, order, no_order, seen, str(refused))
        if then == "close":
            desk.tickets.close(ticket_id, by=visitor.by)
    return _onward(request, desk, visitor, ticket_id, place)


def _refused(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    ticket_id: int,
    text: str,
    order: str,
    no_order: str,
    seen: int,
    why: str,
) -> Response:
    """The text is kept; where the ticket moved on, what came is shown before anything is sent."""
    if text.strip():
        desk.drafts.save(ticket_id, text, by=visitor.by, order=order or None, no_order=bool(no_order))
    changes = desk.answers.changes(ticket_id, seen, by=visitor.by)
    composer = composer_of(desk, visitor, desk.threads.open(ticket_id), "answer")
    refused = replace(
        composer,
        mode="refused" if changes else "answer",
        refusal=why.removesuffix(" Your text is kept as a draft."),
        changes=tuple(changes),
    )
    return composer_response(request, desk, visitor, ticket_id, refused, status=409)


def _onward(request: Request, desk: Desk, visitor: Visitor, ticket_id: int, place: str) -> Response:
    """Where an agent goes after sending, as they have chosen."""
    choice = visitor.preferences.after_send
    to = f"/tickets/{ticket_id}"
    if choice == "list":
        to = place if place.startswith("/") and not place.startswith("//") else "/"
    elif choice == "next":
        number = next_ticket(desk, visitor, place, ticket_id)
        to = f"/tickets/{number}?in={place}" if number is not None else "/"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


@router.get("/answers/leaving")
def leaving(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """One's answers that can still be taken back: they stand on every page until they have left."""
    pages: Pages = request.app.state.pages
    waiting = desk.drafts.leaving(by=visitor.by)
    names = {row.id: row for row in desk.queues.rows([answer.ticket_id for answer in waiting]).tickets}
    return pages.page(
        request, visitor, "leaving.html", part="leaving", leaving=waiting, names=names, title="Leaving"
    )


@router.post("/answers/{answer_id}/undo")
def take_back(request: Request, desk: TheDesk, visitor: TheVisitor, answer_id: int) -> Response:
    """Takes an answer back before it leaves, and opens its ticket with the text and files."""
    demand_number(answer_id)
    row = desk.answers.cancel(answer_id, by=visitor.by)
    to = f"/tickets/{row.ticket_id}#composer"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


@router.post("/answers/{answer_id}/retry")
def retry(request: Request, desk: TheDesk, visitor: TheVisitor, answer_id: int) -> Response:
    """Has an answer tried again at once, the same bytes."""
    demand_number(answer_id)
    row = desk.answers.retry(answer_id, by=visitor.by)
    changed = [f"ticket-{row.ticket_id}", "outbox", "counts"]
    return done(request, f"/tickets/{row.ticket_id}", f"Answer {answer_id} is tried again.", changed=changed)


@router.post("/tickets/{ticket_id}/note")
def note(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, text: LongText = ""
) -> Response:
    """Adds an internal note."""
    demand_number(ticket_id)
    desk.tickets.note(ticket_id, text, by=visitor.by)
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}", "Note added.")
    response = composer_response(request, desk, visitor, ticket_id, mode="rest")
    response.headers["HX-Trigger"] = f'{{"toast": {{"text": "Note added."}}, "ticket-{ticket_id}": {{}}}}'
    return response
