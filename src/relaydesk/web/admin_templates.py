"""The reply templates: a list, an editor with preview and versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from relaydesk.desk import DeskError, NotPermitted, SettingChanged
from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.forms import TextField, VersionField
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor

router = APIRouter(prefix="/admin")
NEW = "---\ntitle: \ndescription: \n---\nHello {{ buyer.name or 'there' }},\n\n"


@dataclass(frozen=True, slots=True)
class TemplatePreview:
    """How a text reads, or the sentences that say why it cannot be used."""

    text: str = ""
    problem: str = ""
    about: str = "sample"


@router.get("/templates")
def templates(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """All templates."""
    listed = desk.settings.templates(by=visitor.by)
    stored = desk.settings.stored()
    return admin_page(
        request,
        visitor,
        "templates",
        templates=listed,
        newest={name.removeprefix("template."): row for name, row in stored.newest.items()},
        place=desk.settings.book.place("template.x"),
    )


@router.get("/templates/{name}")
def template(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """One template, to be changed; a name that is not there yet begins a new one."""
    return _page(request, desk, visitor, name)


@router.post("/templates")
def new(name: TextField) -> Response:
    """Begins a template of a new name."""
    return RedirectResponse(f"/admin/templates/{name.strip().lower().replace(' ', '-')}", status_code=303)


@router.post("/templates/{name}")
def store(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: str,
    value: TextField,
    version: VersionField = 0,
    why: TextField = "",
    act: TextField = "preview",
    ticket: TextField = "",
) -> Response:
    """Looks at a change, or stores it."""
    if act != "store":
        return _page(request, desk, visitor, name, text=value, why=why, ticket=ticket)
    try:
        desk.settings.store_value(f"template.{name}", value, version=version, by=visitor.by, why=why)
    except NotPermitted:
        raise
    except DeskError as problem:
        return _page(request, desk, visitor, name, text=value, why=why, ticket=ticket, refusal=problem)
    return done(request, f"/admin/templates/{name}", f"The template {name} is stored and in use.")


def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    name: str,
    *,
    text: str | None = None,
    why: str = "",
    ticket: str = "",
    refusal: DeskError | None = None,
) -> Response:
    editable = desk.settings.editable(f"template.{name}", by=visitor.by)
    shown = editable.text or NEW if text is None else text
    return admin_page(
        request,
        visitor,
        "templates",
        template="admin_template.html",
        part="preview",
        name=name,
        editable=editable,
        text=shown,
        why=why,
        ticket=ticket,
        problem=str(refusal or ""),
        newest=refusal.newest if isinstance(refusal, SettingChanged) else None,
        preview=_preview(desk, visitor, name, shown, ticket),
        meanings=desk.settings.template_variables(),
        status=409 if refusal else 200,
    )


def _preview(desk: Desk, visitor: Visitor, name: str, text: str, ticket: str) -> TemplatePreview:
    number = ticket.strip().removeprefix("#")
    try:
        about = int(number) if number else None
        filled = desk.settings.filled_template(name, text, about, by=visitor.by)
    except ValueError:
        return TemplatePreview(problem=f"{ticket} is not the number of a ticket.", about=ticket)
    except NotPermitted:
        raise
    except DeskError as problem:
        return TemplatePreview(problem=str(problem), about=ticket or "sample")
    return TemplatePreview(filled, about=f"ticket {number}" if number else "sample")
