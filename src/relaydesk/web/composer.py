"""Writing: the composer of a ticket, its draft and files, preview, sending, taking back, notes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.desk import AnswerRefused, DeskError, Visitor, Written, sent_message
from relaydesk.web.composing import Composer, Mode, composer_of, evidence_items, picked
from relaydesk.web.done import done
from relaydesk.web.forms import Flag, LongText, SeenEvent, ShortText
from relaydesk.web.lists import came_from
from relaydesk.web.ticket import demand_number, page_title
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Queued
    from relaydesk.web.pages import Pages

router = APIRouter()
VALUE = "value."  # what the names of a template's own fields begin with
OWN_TEXT = "{}\n\n{}"


def composer_response(
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
    return composer_response(request, desk, visitor, ticket_id, mode=mode)


@router.post("/tickets/{ticket_id}/draft")
def save_draft(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: LongText = "",
    order: ShortText = "",
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
    text: LongText = "",
    order: ShortText = "",
    no_order: Flag = "",
) -> Response:
    """Puts files to the draft, with the text as it stands."""
    demand_number(ticket_id)
    desk.drafts.save(ticket_id, text, by=visitor.by, order=order or None, no_order=bool(no_order))
    limit = desk.config.attachment_bytes + 1
    read = [(upload.filename or "file", upload.file.read(limit)) for upload in file if upload.filename]
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
    text: LongText = "",
    order: ShortText = "",
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
    return composer_response(request, desk, visitor, ticket_id, mode="rest")


def _written_on(
    request: Request, desk: Desk, visitor: Visitor, ticket_id: int, refusal: str = ""
) -> Response:
    """The composer with the draft as it stands now."""
    if "hx-request" not in request.headers and not refusal:
        return RedirectResponse(f"/tickets/{ticket_id}#composer", 303)
    composer = composer_of(desk, visitor, desk.threads.open(ticket_id), "answer")
    return composer_response(request, desk, visitor, ticket_id, replace(composer, refusal=refusal))


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
        return composer_response(request, desk, visitor, ticket_id, asked=chosen)
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
    text: LongText = "",
    order: ShortText = "",
    no_order: Flag = "",
    seen: SeenEvent = 0,
) -> HTMLResponse:
    """What would leave: the very message, made and checked as it would be sent."""
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    problem, message, queued = "", None, None
    try:
        queued = write_answer(desk, visitor, ticket_id, text, order, no_order, seen, dry_run=True)
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


def write_answer(
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
