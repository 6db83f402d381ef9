"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relaydesk.desk import DeskError, Entered, SignInPaused
from relaydesk.web.cookies import (
    COOKIE,
    MARK_COOKIE,
    MARK_SECONDS,
    STEP_COOKIE,
    STEP_SECONDS,
    cookie,
    delete_cookie,
    set_cookie,
)
from relaydesk.web.own_path import own_path
from relaydesk.web.pages import THEME_COOKIE, THEMES
from relaydesk.web.visitors import SignInNeeded, TheDesk, TheDevice, visitor_of

if TYPE_CHECKING:
    from relaydesk.desk import CodeNeeded, Desk
    from relaydesk.web.pages import Pages

router = APIRouter()
THEME_SECONDS = 366 * 24 * 3600
Text = Annotated[str, Form()]
Tick = Annotated[bool, Form()]


@router.get("/sign-in")
def sign_in_page(request: Request, desk: TheDesk, to: str = "") -> Response:
    """The page of who is not signed in; whoever is goes on."""
    try:
        visitor_of(request)
    except SignInNeeded:
        return _sign_in_page(request, desk, to)
    return RedirectResponse(own_path(to), status_code=303)


@router.post("/sign-in")
def sign_in(
    request: Request,
    desk: TheDesk,
    device: TheDevice,
    name: Text = "",
    password: Text = "",
    stay: Tick = False,
    to: Text = "",
) -> Response:
    """By name and password."""
    try:
        outcome = desk.sign_in.by_password(name, password, device, stays=stay)
    except DeskError as refusal:
        return _sign_in_page(
            request, desk, to, status=refused(refusal), wrong=str(refusal), name=name, stay=stay
        )
    return entered(request, outcome, to)


@router.get("/sign-in/code")
def code_page(request: Request, desk: TheDesk, to: str = "") -> Response:
    """The second step; who has not taken the first goes back to it."""
    if desk.sign_in.awaited(cookie(request, STEP_COOKIE)) is None:
        return RedirectResponse("/sign-in", status_code=303)
    return pages_of(request).outside(request, "sign_in_code.html", to=own_path(to), wrong="")


@router.post("/sign-in/code")
def code(request: Request, desk: TheDesk, device: TheDevice, code: Text = "", to: Text = "") -> Response:
    """By the code of an authenticator, or a recovery code."""
    step = cookie(request, STEP_COOKIE)
    try:
        outcome = desk.sign_in.by_code(step, code, device)
    except DeskError as refusal:
        if desk.sign_in.awaited(step) is None:
            return _sign_in_page(request, desk, to, status=refused(refusal), wrong=str(refusal))
        return pages_of(request).outside(
            request, "sign_in_code.html", status=refused(refusal), to=own_path(to), wrong=str(refusal)
        )
    return entered(request, outcome, to)


@router.post("/sign-out")
def sign_out(request: Request, desk: TheDesk) -> Response:
    """Ends this browser's session."""
    token = cookie(request, COOKIE)
    desk.accounts.sign_out(token)
    desk.presence.live.feed.sign_out(token)
    response = RedirectResponse("/sign-in", status_code=303)
    delete_cookie(request, response, COOKIE)
    return response


@router.get("/enter/{link}")
def link_page(request: Request, desk: TheDesk, device: TheDevice, link: str) -> Response:
    """What a link asks, which uses up nothing: mail scanners open links too. A direct one lets in at once."""
    kind = desk.sign_in.link(link)
    if kind.kind == "direct":
        return entered(request, desk.sign_in.by_link(link, device), "/")
    return pages_of(request).outside(
        request, "enter.html", link=link, kind=kind.kind, name=kind.agent, wrong=""
    )


@router.post("/enter/{link}")
def enter(
    request: Request, desk: TheDesk, device: TheDevice, link: str, password: Text = "", again: Text = ""
) -> Response:
    """Uses a link up: by the password that is chosen, or by the one button."""
    kind = desk.sign_in.link(link)
    if kind.kind != "password":
        return entered(request, desk.sign_in.by_link(link, device), "/")
    try:
        demand_same(password, again)
        outcome = desk.sign_in.choose_password(link, password, device)
    except DeskError as refusal:
        return pages_of(request).outside(
            request,
            "enter.html",
            status=refused(refusal),
            link=link,
            kind=kind.kind,
            name=kind.agent,
            wrong=str(refusal),
        )
    return entered(request, outcome, "/")


@router.post("/theme")
def theme(request: Request, theme: Text = "", to: Text = "") -> Response:
    """The colours of this browser: light, dark, or as the system."""
    asked = "hx-request" in request.headers
    response = Response(status_code=204) if asked else RedirectResponse(own_path(to), status_code=303)
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=THEME_SECONDS, httponly=True, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE)
    return response


def entered(request: Request, outcome: Entered | CodeNeeded, to: str) -> Response:
    """Goes on to the page, or to the second step."""
    if not isinstance(outcome, Entered):
        response = RedirectResponse(f"/sign-in/code?to={quote(own_path(to), safe='')}", status_code=303)
        set_cookie(request, response, STEP_COOKIE, outcome.token, lasts=STEP_SECONDS)
        return response
    response = RedirectResponse(own_path(to), status_code=303)
    set_session(request, response, outcome)
    delete_cookie(request, response, STEP_COOKIE)
    return response


def set_session(request: Request, response: Response, outcome: Entered) -> None:
    """The browser keeps its session, and that this agent was signed in here."""
    set_cookie(request, response, COOKIE, outcome.token, lasts=outcome.lasts)
    set_cookie(request, response, MARK_COOKIE, outcome.mark, lasts=MARK_SECONDS)


def demand_same(password: str, again: str) -> None:
    """DeskError where a new password was not typed twice alike."""
    if password != again:
        raise DeskError("The two passwords differ; type the same one twice.")


def refused(refusal: DeskError) -> int:
    """The status of a refusal: too many tries, or this one was wrong."""
    return 429 if isinstance(refusal, SignInPaused) else 403


def pages_of(request: Request) -> Pages:
    """What makes pages."""
    pages: Pages = request.app.state.pages
    return pages


def _sign_in_page(
    request: Request,
    desk: Desk,
    to: str,
    *,
    status: int = 200,
    wrong: str = "",
    name: str = "",
    stay: bool = False,
) -> HTMLResponse:
    return pages_of(request).outside(
        request,
        "sign_in.html",
        status=status,
        wrong=wrong,
        name=name[:100],
        stay=stay,
        to=own_path(to),
        days=round(desk.config.sign_in.stays.total_seconds() / 86_400),
        company=desk.sign_in.has_company,
    )
