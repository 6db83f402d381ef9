"""What is in force: every setting with its value, where it comes from, who stored it; and its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError, NotPermitted, SettingChanged
from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.forms import TextField, VersionField
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor

router = APIRouter(prefix="/admin")
PAGES = {"calendar": "calendar", "queues": "queues", "rules": "rules", "allowlist": "allowlist"}
IN_FORCE = "{} is stored. Every process takes it within a few seconds."


@router.get("/settings")
def settings(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """Every setting."""
    in_force = desk.settings.in_force(by=visitor.by)
    stored = desk.settings.stored()
    return admin_page(
        request,
        visitor,
        "settings",
        in_force=in_force,
        left_out=desk.settings.book.problems(stored.values),
        editors=PAGES,
        processes=desk.health.now(by=visitor.by).processes,
        newest=stored.mark[0],
    )


@router.get("/settings/{name}")
def setting(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """One setting as text, with its versions."""
    return edit_page(request, desk, visitor, name)


@router.post("/settings/{name}")
def store(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: str,
    value: TextField,
    version: VersionField,
    why: TextField = "",
) -> Response:
    """A new version."""
    try:
        desk.settings.store_value(name, value, version=version, by=visitor.by, why=why)
    except NotPermitted:
        raise
    except DeskError as problem:
        return edit_page(request, desk, visitor, name, problem=problem, text=value, why=why)
    return done(request, back_to(name), IN_FORCE.format(name))


@router.post("/settings/{name}/versions/{version}")
def put_back(request: Request, desk: TheDesk, visitor: TheVisitor, name: str, version: int) -> Response:
    """An earlier version is in force again."""
    desk.settings.put_back(name, version, by=visitor.by)
    which = f"Version {version}" if version else "The default"
    return done(request, back_to(name), f"{which} of {name} is in force again.")


def back_to(name: str) -> str:
    """The page of a setting."""
    if name.startswith("template."):
        return f"/admin/templates/{name.removeprefix('template.')}"
    return f"/admin/{PAGES[name]}" if name in PAGES else "/admin/settings"


def edit_page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    name: str,
    *,
    problem: DeskError | None = None,
    text: str | None = None,
    why: str = "",
) -> Response:
    """The text of a setting in a field. A change that was refused keeps its text; somebody else's stands
    beside it, and sending again builds on that."""
    editable = desk.settings.editable(name, by=visitor.by)
    return admin_page(
        request,
        visitor,
        "settings",
        template="admin_setting.html",
        editable=editable,
        problem=str(problem or ""),
        newest=problem.newest if isinstance(problem, SettingChanged) else None,
        text=editable.text if text is None else text,
        why=why,
        status=409 if problem else 200,
        back=back_to(name),
    )
