"""Writing: the composer of a ticket, preview, sending and notes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from relaydesk.desk import AnswerRefused, DeskError, Visitor, Written, sent_message
from relaydesk.web.composing import (
    MOST_ID,
    AnswerForm,
    Composer,
    Mode,
    answer_form,
    change_lines,
    composer_of,
    evidence_items,
)
from relaydesk.web.done import done
from relaydesk.web.forms import LongText, ShortText, Uploads
from relaydesk.web.ticket import demand_number, page_title
from relaydesk.web.trail import came_from, next_ticket
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Queued
    from relaydesk.web.pages import Pages

router = APIRouter()
TheAnswerForm = Annotated[AnswerForm, Depends(answer_form)]
WrittenHere = Annotated[Literal["answer", "note", "record"], Form()]
Seen = Annotated[int, Query(ge=0, le=MOST_ID)]
REFUSED = " Your text is kept as a draft."


@router.get("/tickets/{ticket_id}/composer")
def composer_page(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    mode: Mode = "answer",
    seen: Seen = 0,
) -> HTMLResponse:
    """The composer of a ticket, opened to write an answer or a note. ``seen`` is the latest event that the
    page of the ticket shows."""
    return composer_part(request, desk, visitor, ticket_id, mode=mode, seen=seen)


@router.post("/tickets/{ticket_id}/composer")
def turn(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    form: TheAnswerForm,
    mode: Mode = "answer",
    writes: WrittenHere = "answer",
) -> Response:
    """Turns from an answer to a note or back, with what is written kept."""
    demand_number(ticket_id)
    if writes == "note":
        desk.drafts.save_note(ticket_id, form.text, by=visitor.by)
    else:
        save(desk, visitor, ticket_id, form)
    if "hx-request" not in request.headers:
        to = f"/tickets/{ticket_id}" + (f"/composer?mode={mode}" if mode != "rest" else "")
        return Response(status_code=303, headers={"Location": to})
    return composer_part(request, desk, visitor, ticket_id, mode=mode, came_from=form.place)


def composer_part(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    ticket_id: int,
    composer: Composer | None = None,
    *,
    mode: Mode = "answer",
    seen: int = 0,
    status: int = 200,
    **more: Any,
) -> HTMLResponse:
    """The composer alone for htmx, else a page of its own."""
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    ticket = desk.threads.open(ticket_id)
    listed = desk.config.evidence_list if ticket.ticket.kind == "chargeback" else ()
    context = {
        "composer": composer or composer_of(desk, visitor, ticket, mode, seen=seen),
        "ticket": ticket,
        "name": page_title(ticket),
        "came_from": came_from(request),
        "templates": desk.templates.everything(),
        "asked": None,
        "items": evidence_items(listed, desk.evidence.of_ticket(ticket_id)),
        "opened": mode != "rest",
        **more,
    }
    return pages.page(request, visitor, "composer_page.html", part="composer", status=status, **context)


def save(desk: Desk, visitor: Visitor, ticket_id: int, form: AnswerForm) -> None:
    """Keeps what the form says as the draft."""
    desk.drafts.save(
        ticket_id, form.text, by=visitor.by, order=form.order, no_order=form.no_order, token=form.token
    )


def attach_files(desk: Desk, visitor: Visitor, ticket_id: int, files: list[UploadFile] | None) -> str:
    """Puts files to the draft; why not, or ""."""
    limit = desk.config.attachment_bytes + 1
    added = [(file.filename, file.file.read(limit)) for file in files or [] if file.filename]
    try:
        desk.drafts.attach(ticket_id, added, by=visitor.by)
    except (DeskError, AnswerRefused) as error:
        return f"Not attached: {error}"
    return ""


@router.post("/tickets/{ticket_id}/preview")
def preview(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, form: TheAnswerForm
) -> HTMLResponse:
    """What would leave: the very message, made and checked as it would be sent."""
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    if "hx-request" not in request.headers:
        save(desk, visitor, ticket_id, form)  # the way back is a new page
    problem, message, queued = "", None, None
    try:
        queued = _write(desk, visitor, ticket_id, form, dry_run=True)
        message = sent_message(queued.raw)
    except (DeskError, AnswerRefused) as error:
        problem = str(error)
    return pages.page(
        request,
        visitor,
        "preview.html",
        part="preview",
        ticket_id=ticket_id,
        problem=problem,
        message=message,
        queued=queued,
        html=message.html if message else "",
    )


def _write(
    desk: Desk, visitor: Visitor, ticket_id: int, form: AnswerForm, then: str = "", *, dry_run: bool = False
) -> Queued:
    written = Written(
        form.text,
        form.order,
        form.no_order,
        desk.drafts.enclosed(ticket_id, by=visitor.by),
        token=form.token,
        closes=then == "close",
        on_page=True,
    )
    return desk.answers.write(ticket_id, written, seen=form.seen, by=visitor.by, dry_run=dry_run)


@router.post("/tickets/{ticket_id}/answer")
def send(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    form: TheAnswerForm,
    then: ShortText = "",
    file: Uploads = None,
) -> Response:
    """Sends the answer: it waits its undo time and leaves. A form that comes twice sends once."""
    demand_number(ticket_id)
    if form.token and desk.drafts.sent_as(form.token, by=visitor.by) is not None:
        return onward(request, desk, visitor, ticket_id, form.place)
    if not form.seen or not form.token:
        return _refused(request, desk, visitor, ticket_id, form, "The form is incomplete; send it once more.")
    if refusal := attach_files(desk, visitor, ticket_id, file):  # of a browser without a script
        return _refused(request, desk, visitor, ticket_id, form, refusal)
    try:
        queued = _write(desk, visitor, ticket_id, form, then)
    except AnswerRefused as refused:
        if desk.drafts.sent_as(form.token, by=visitor.by) is not None:  # at the same moment, by its twin
            return onward(request, desk, visitor, ticket_id, form.place)
        return _refused(request, desk, visitor, ticket_id, form, str(refused))
    return onward(request, desk, visitor, ticket_id, form.place, queued)


def _refused(
    request: Request, desk: Desk, visitor: Visitor, ticket_id: int, form: AnswerForm, why: str
) -> Response:
    """The text is kept; where the ticket moved on, what came is shown before anything is sent."""
    if form.text.strip():
        save(desk, visitor, ticket_id, form)
    ticket = desk.threads.open(ticket_id)
    changes = desk.answers.changes(ticket_id, form.seen, by=visitor.by) if ticket.ticket.open else ()
    composer = composer_of(desk, visitor, ticket, "answer", seen=form.seen, token=form.token)
    refused = replace(
        composer,
        mode="refused" if changes else composer.mode,
        refusal=why.removesuffix(REFUSED),
        changes=change_lines(desk, visitor, ticket, changes),
    )
    following = _following(desk, visitor, ticket_id, form.place) if changes else ""
    response = composer_part(
        request, desk, visitor, ticket_id, refused, status=409, came_from=form.place, following=following
    )
    if changes:
        response.headers["HX-Trigger"] = f'{{"ticket-{ticket_id}": {{}}}}'  # the thread shows what came
    return response


def _following(desk: Desk, visitor: Visitor, ticket_id: int, place: str) -> str:
    number = next_ticket(desk, visitor, place, ticket_id)
    return f"/tickets/{number}?in={quote(place, safe='')}" if number is not None else place


def onward(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    ticket_id: int,
    place: str,
    queued: Queued | None = None,
) -> Response:
    """Where an agent goes after sending, as they have chosen."""
    to = {
        "list": lambda: place,
        "next": lambda: _following(desk, visitor, ticket_id, place),
    }.get(visitor.preferences.after_send, lambda: f"/tickets/{ticket_id}?in={quote(place, safe='')}")()
    if "hx-request" in request.headers or queued is None:
        return _goes(request, to)  # the answers that still wait are shown by every page with a script
    left = max(0, round((queued.leaves_at - desk.clock()).total_seconds()))
    undo = f"/answers/{queued.answer}/undo" if left else ""
    return done(request, to, f"Answer {queued.answer} leaves in {left} seconds.", undo=undo, leaves=True)


def _goes(request: Request, to: str) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": to})
    return Response(status_code=303, headers={"Location": to})


@router.post("/tickets/{ticket_id}/note")
def note(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, text: LongText = ""
) -> Response:
    """Adds an internal note."""
    demand_number(ticket_id)
    desk.tickets.note(ticket_id, text.replace("\r\n", "\n"), by=visitor.by)
    desk.drafts.save_note(ticket_id, "", by=visitor.by)
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}", "Note added.")
    response = composer_part(request, desk, visitor, ticket_id, mode="rest")
    response.headers["HX-Trigger"] = f'{{"toast": {{"text": "Note added."}}, "ticket-{ticket_id}": {{}}}}'
    return response
