"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.web.visitors import COOKIE, TheDesk

if TYPE_CHECKING:
    from relaydesk.web.config import WebConfig
    from relaydesk.web.pages import Pages

router = APIRouter()


@router.get("/sign-in")
def sign_in(request: Request) -> HTMLResponse:
    """The page of who is not signed in."""
    pages: Pages = request.app.state.pages
    return pages.outside(request, "sign_in.html")


@router.get("/enter/{link}")
def enter(request: Request, desk: TheDesk, link: str) -> Response:
    """A link that lets in once."""
    client = request.client.host if request.client else ""
    token = desk.accounts.enter(link, address=client, browser=request.headers.get("user-agent", "")[:200])
    response = RedirectResponse("/", status_code=303)
    config: WebConfig = request.app.state.config
    response.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=config.secure, path="/")
    return response
