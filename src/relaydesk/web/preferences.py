"""The key sheet and the colours: what each may set for themselves where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.web.visitors import TheVisitor

if TYPE_CHECKING:
    from relaydesk.web.config import WebConfig
    from relaydesk.web.pages import Pages

router = APIRouter()
YEAR = 365 * 24 * 3600  # seconds
THEME_COOKIE, KEYS_COOKIE = "relaydesk_theme", "relaydesk_keys"


@router.get("/keys")
def keys(request: Request, visitor: TheVisitor) -> HTMLResponse:
    """Every key, and the switch that turns single letters off."""
    pages: Pages = request.app.state.pages
    return pages.page(request, visitor, "keys.html", part="sheet")


@router.post("/preferences/keys")
def switch_keys(request: Request, visitor: TheVisitor, on: Annotated[str, Form()] = "") -> Response:
    """Single-letter keys on, or off: a form without the tick."""
    del visitor
    return _kept(request, KEYS_COOKIE, "" if on else "off", "/keys")


@router.post("/preferences/theme")
def choose_theme(
    request: Request,
    visitor: TheVisitor,
    theme: Annotated[Literal["", "light", "dark"], Form()] = "",
    to: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Colours: the system's, light or dark, in this browser."""
    del visitor
    inside = to.startswith("/") and not to.startswith(("//", "/\\"))
    return _kept(request, THEME_COOKIE, theme, to if inside else "/")


def _kept(request: Request, cookie: str, value: str, to: str) -> Response:
    response: Response
    response = Response(status_code=204) if "hx-request" in request.headers else RedirectResponse(to, 303)
    config: WebConfig = request.app.state.config
    if value:
        response.set_cookie(cookie, value, max_age=YEAR, httponly=True, samesite="lax", secure=config.secure)
    else:
        response.delete_cookie(cookie)
    return response
