"""The key sheet: every key, and the switch that turns single letters off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from relaydesk.web.done import done
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.web.pages import Pages

router = APIRouter()


@router.get("/keys")
def keys(request: Request, visitor: TheVisitor) -> HTMLResponse:
    """The sheet, over the page by the script, else a page."""
    pages: Pages = request.app.state.pages
    return pages.page(request, visitor, "keys.html", part="sheet")


@router.post("/preferences/keys")
def switch_keys(
    request: Request, desk: TheDesk, visitor: TheVisitor, on: Annotated[str, Form()] = ""
) -> Response:
    """Single letters on, or off: a form without the tick."""
    desk.accounts.change_preferences(replace(visitor.preferences, keys=bool(on)), by=visitor.by)
    return done(request, "/keys", f"Single-letter keys are {'on' if on else 'off'}.")
