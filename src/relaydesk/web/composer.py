"""Writing: the composer of a ticket, its draft and files, preview, sending, taking back, notes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.desk import AnswerRefused, DeskError, Visitor, Written, sent_message
from relaydesk.web.composing import Composer, Mode, composer_of, evidence_items, picked
from relaydesk.web.done import done
from relaydesk.web.ticket import demand_number, page_title
from relaydesk.web.trail import came_from, next_ticket
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Queued
    from relaydesk.web.pages import Pages

router = APIRouter()
Text = Annotated[str, Form(max_length=200_000)]
Short = Annotated[str, Form(max_length=2_000)]
Flag = Annotated[str, Form(max_length=10)]
Seen = Annotated[int, Form(ge=0, le=2**62)]
VALUE = "value."  # what the names of a template's own fields begin with
OWN_TEXT = "{}\n\n{}"


def _part(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    ticket_id: int,
    composer: Composer | None = None,
    *,
    mode: Mode = "answer",
    status: int = 200,
    **more: Any,
) -> HTMLResponse:
    """The composer alone for htmx, else a page of its own."""
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    ticket = desk.threads.open(ticket_id)
    context = {
        "composer": composer or composer_of(desk, visitor, ticket, mode),
        "ticket": ticket,
        "name": page_title(ticket),
        "came_from": came_from(request),
        "templates": desk.templates.everything(),
        "asked": None,
        "items": evidence_items(
            desk.config.evidence_list if ticket.ticket.kind == "chargeback" else (),
            desk.evidence.of_ticket(ticket_id),
        ),
        **more,
    }
    return pages.page(
        request, visitor, "composer_page.html", part="composer", status=status, headers=None, **context
    )


@router.get("/tickets/{ticket_id}/composer")
def composer_part(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, mode: Mode = "answer"
) -> HTMLResponse:
    """The composer of a ticket, opened to write an answer or a note."""
    return _part(request, desk, visitor, ticket_id, mode=mode)


@router.post("/tickets/{ticket_id}/draft")
def save_draft(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: Text = "",
    order: Short = "",
    no_order: Flag = "",
) -> Response:
    """Keeps what is written so far."""
    demand_number(ticket_id)
    desk.drafts.save(ticket_id, text, by=visitor.by, order=order or None, no_order=bool(no_order))
    kept = f"Draft saved {desk.clock().astimezone(visitor.zone):%H:%M}" if text.strip() else ""
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}", kept or "The draft is empty.")
    return HTMLResponse(kept)


@router.post("/tickets/{ticket_id}/draft/files")
def attach(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    file: Annotated[list[UploadFile], File()],
    text: Text = "",
    order: Short = "",
    no_order: Flag = "",
) -> Response:
    """Puts files to the draft, with the text as it stands."""
    demand_number(ticket_id)
    desk.drafts.save(ticket_id, text, by=visitor.by, order=order or None, no_order=bool(no_order))
    limit = desk.config.attachment_bytes + 1
    read = [(one.filename or "file", one.file.read(limit)) for one in file if one.filename]
    refusal = ""
    try:
        desk.drafts.attach(ticket_id, read, by=visitor.by)
    except DeskError as error:
        refusal = f"Not attached: {error}"
    return _written_on(request, desk, visitor, ticket_id, refusal)


@router.post("/tickets/{ticket_id}/draft/files/{file_id}/remove")
def detach(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    file_id: int,
    text: Text = "",
    order: Short = "",
    no_order: Flag = "",
) -> Response:
    """Takes a file away from the draft."""
    demand_number(ticket_id, file_id)
    desk.drafts.save(ticket_id, text, by=visitor.by, order=order or None, no_order=bool(no_order))
    desk.drafts.detach(ticket_id, file_id, by=visitor.by)
    return _written_on(request, desk, visitor, ticket_id)


@router.post("/tickets/{ticket_id}/draft/discard")
def discard(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Throws the draft away."""
    demand_number(ticket_id)
    desk.drafts.discard(ticket_id, by=visitor.by)
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}", "Draft discarded.")
    return _part(request, desk, visitor, ticket_id, mode="rest")


def _written_on(
    request: Request, desk: Desk, visitor: Visitor, ticket_id: int, refusal: str = ""
) -> Response:
    """The composer with the draft as it stands now."""
    if "hx-request" not in request.headers and not refusal:
        return RedirectResponse(f"/tickets/{ticket_id}#composer", 303)
    composer = composer_of(desk, visitor, desk.threads.open(ticket_id), "answer")
    return _part(request, desk, visitor, ticket_id, replace(composer, refusal=refusal))


@router.post("/tickets/{ticket_id}/template")
async def template(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Fills a reply template and puts it into the draft; asks first for what the ticket does not know."""
    form = await request.form(max_files=20, max_fields=100)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_template, request, desk, visitor, ticket_id, fields)


def _template(
    request: Request, desk: Desk, visitor: Visitor, ticket_id: int, fields: dict[str, str]
) -> Response:
    demand_number(ticket_id)
    text, order = fields.get("text", "")[:200_000], fields.get("order", "")[:200]
    desk.drafts.save(
        ticket_id, text, by=visitor.by, order=order or None, no_order=bool(fields.get("no_order"))
    )
    chosen = picked(desk.templates.everything(), fields.get("template", ""))
    if chosen is None:
        raise DeskError("There is no such template; it may have been removed.")
    values = {
        name.removeprefix(VALUE): value.strip()
        for name, value in fields.items()
        if name.startswith(VALUE) and value.strip()
    }
    if [need for need in chosen.needs if need not in values]:
        return _part(request, desk, visitor, ticket_id, asked=chosen)
    try:
        filled = desk.answers.filled(ticket_id, chosen.name, values, by=visitor.by, order=order or None)
    except AnswerRefused as error:
        return _written_on(request, desk, visitor, ticket_id, f"Not filled: {error}")
    whole = OWN_TEXT.format(text.rstrip(), filled) if text.strip() else filled
    desk.drafts.save(
        ticket_id, whole, by=visitor.by, order=order or None, no_order=bool(fields.get("no_order"))
    )
    return _written_on(request, desk, visitor, ticket_id)


@router.post("/tickets/{ticket_id}/preview")
def preview(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: Text = "",
    order: Short = "",
    no_order: Flag = "",
    seen: Seen = 0,
) -> HTMLResponse:
    """What would leave: the very message, made and checked as it would be sent."""
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    problem, message, queued = "", None, None
    try:
        queued = _write(desk, visitor, ticket_id, text, order, no_order, seen, dry_run=True)
        message = sent_message(queued.raw)
    except DeskError as error:
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
    )


def _write(
    desk: Desk,
    visitor: Visitor,
    ticket_id: int,
    text: str,
    order: str,
    no_order: str,
    seen: int,
    token: str = "",
    *,
    dry_run: bool = False,
) -> Queued:
    enclosures = desk.drafts.enclosed(ticket_id, by=visitor.by)
    written = Written(text, order or None, bool(no_order), enclosures, None, token)
    return desk.answers.write(ticket_id, written, seen=seen, by=visitor.by, dry_run=dry_run)


@router.post("/tickets/{ticket_id}/answer")
def send(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: Text = "",
    order: Short = "",
    no_order: Flag = "",
    seen: Seen = 0,
    token: Short = "",
    then: Short = "",
    place: Annotated[str, Form(alias="in", max_length=2_000)] = "/",
) -> Response:
    """Sends the answer: it waits its undo time and leaves. A form that comes twice sends once."""
    demand_number(ticket_id)
    already = desk.drafts.sent_as(token, by=visitor.by) if token else None
    if already is None:
        try:
            _write(desk, visitor, ticket_id, text, order, no_order, seen, token)
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
    return _part(request, desk, visitor, ticket_id, refused, status=409)


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
    names = {row.id: row for row in desk.queues.rows([one.ticket_id for one in waiting]).tickets}
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
def note(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, text: Text = "") -> Response:
    """Adds an internal note."""
    demand_number(ticket_id)
    desk.tickets.note(ticket_id, text, by=visitor.by)
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}", "Note added.")
    response = _part(request, desk, visitor, ticket_id, mode="rest")
    response.headers["HX-Trigger"] = f'{{"toast": {{"text": "Note added."}}, "ticket-{ticket_id}": {{}}}}'
    return response
