"""Drafts: kept while an agent writes, with files and filled templates; thrown away and brought back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.desk import AnswerRefused, DeskError, Visitor
from relaydesk.web.composer import TheAnswerForm, attach_files, composer_part, save
from relaydesk.web.composing import AnswerForm, composer_of, picked
from relaydesk.web.done import done
from relaydesk.web.forms import LongText, Uploads
from relaydesk.web.ticket import demand_number
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.web.pages import Pages

router = APIRouter()
VALUE = "value."  # what the names of a template's own fields begin with


@router.post("/tickets/{ticket_id}/draft")
def save_draft(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, form: TheAnswerForm
) -> Response:
    """Keeps what is written so far."""
    demand_number(ticket_id)
    save(desk, visitor, ticket_id, form)
    return _kept(request, desk, visitor, ticket_id, form.text)


@router.post("/tickets/{ticket_id}/note/draft")
def save_note(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, text: LongText = ""
) -> Response:
    """Keeps what is written of a note."""
    demand_number(ticket_id)
    desk.drafts.save_note(ticket_id, text.replace("\r\n", "\n"), by=visitor.by)
    return _kept(request, desk, visitor, ticket_id, text)


def _kept(request: Request, desk: Desk, visitor: Visitor, ticket_id: int, text: str) -> Response:
    words = f"Draft saved {desk.clock().astimezone(visitor.zone):%H:%M}" if text.strip() else ""
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}#composer", words or "The draft is empty.")
    return HTMLResponse(words)


@router.post("/tickets/{ticket_id}/draft/files")
def attach(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    form: TheAnswerForm,
    file: Uploads = None,
) -> Response:
    """Puts files to the draft, with the text as it stands."""
    demand_number(ticket_id)
    save(desk, visitor, ticket_id, form)
    refusal = attach_files(desk, visitor, ticket_id, file)
    return _files(request, desk, visitor, ticket_id, form, refusal)


@router.post("/tickets/{ticket_id}/draft/files/{number}/remove")
def detach(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, number: int, form: TheAnswerForm
) -> Response:
    """Takes a file away from the draft."""
    demand_number(ticket_id, number)
    save(desk, visitor, ticket_id, form)
    desk.drafts.detach(ticket_id, number, by=visitor.by)
    return _files(request, desk, visitor, ticket_id, form)


def _files(
    request: Request, desk: Desk, visitor: Visitor, ticket_id: int, form: AnswerForm, refusal: str = ""
) -> Response:
    """The files alone for htmx, so that nothing moves under who writes on; else the page of the ticket."""
    if "hx-request" not in request.headers and not refusal:
        return RedirectResponse(f"/tickets/{ticket_id}#composer", 303)
    ticket = desk.threads.open(ticket_id)
    composer = composer_of(desk, visitor, ticket, "answer", seen=form.seen, token=form.token)
    if "hx-request" not in request.headers:
        refused = replace(composer, refusal=refusal)
        return composer_part(request, desk, visitor, ticket_id, refused, status=409)
    pages: Pages = request.app.state.pages
    return pages.page(
        request, visitor, "composer_files.html", part="files", composer=composer, not_attached=refusal
    )


@router.post("/tickets/{ticket_id}/draft/discard")
def discard(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Throws the draft away; it can be brought back."""
    demand_number(ticket_id)
    discarded = desk.drafts.discard(ticket_id, by=visitor.by)
    words, undo = "Draft discarded.", f"/tickets/{ticket_id}/draft/restore" if discarded else ""
    if "hx-request" not in request.headers:
        return done(request, f"/tickets/{ticket_id}", words, undo=undo)
    response = composer_part(request, desk, visitor, ticket_id, mode="rest")
    response.headers["HX-Trigger"] = f'{{"toast": {{"text": "{words}", "undo": "{undo}"}}}}'
    return response


@router.post("/tickets/{ticket_id}/draft/restore")
def restore(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Brings a discarded draft back, and opens it."""
    demand_number(ticket_id)
    desk.drafts.restore(ticket_id, by=visitor.by)
    return done(request, f"/tickets/{ticket_id}#composer", "The draft is back.", leaves=True)


@router.post("/tickets/{ticket_id}/template")
async def template(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, form: TheAnswerForm
) -> Response:
    """Fills a reply template and puts it into the draft; asks first for what the ticket does not know."""
    fields = await request.form(max_files=20, max_fields=100)
    named = {name: value[:2_000] for name, value in fields.items() if isinstance(value, str)}
    return await run_in_threadpool(_template, request, desk, visitor, ticket_id, form, named)


def _template(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    ticket_id: int,
    form: AnswerForm,
    fields: dict[str, str],
) -> Response:
    demand_number(ticket_id)
    save(desk, visitor, ticket_id, form)
    chosen = picked(desk.templates.everything(), fields.get("template", ""))
    if chosen is None:
        raise DeskError("There is no such template; it may have been removed.")
    values = {
        name.removeprefix(VALUE): value.strip()
        for name, value in fields.items()
        if name.startswith(VALUE) and value.strip()
    }
    refusal, asked = "", None
    if [need for need in chosen.needs if need not in values]:
        asked = chosen
    else:
        try:
            filled = desk.answers.filled(ticket_id, chosen.name, values, by=visitor.by, order=form.order)
            form = replace(form, text=inserted(form.text, filled, form.cursor))
            save(desk, visitor, ticket_id, form)
        except AnswerRefused as error:
            refusal = f"Not filled: {error}"
    composer = composer_of(
        desk, visitor, desk.threads.open(ticket_id), "answer", seen=form.seen, token=form.token
    )
    return composer_part(
        request,
        desk,
        visitor,
        ticket_id,
        replace(composer, refusal=refusal),
        came_from=form.place,
        asked=asked,
        asked_values=values,
        asked_cursor=form.cursor,
    )


def inserted(text: str, filled: str, at: int) -> str:
    """``filled`` in place of an empty text, else at the cursor, as paragraphs of its own."""
    before, after = text[:at].rstrip(), text[at:].strip()
    return "\n\n".join(part for part in (before, filled.strip("\n"), after) if part)
