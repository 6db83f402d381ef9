"""One's own account: name, preferences, password, authenticator, sessions, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from relaydesk.desk import DeskError, Preferences
from relaydesk.web.done import done
from relaydesk.web.entering import Text, Tick, demand_same, pages_of, refused, set_session
from relaydesk.web.visitors import TheDesk, TheDevice, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor

router = APIRouter(prefix="/account")
HERE = "/account"


@router.get("")
def account_page(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """All of it on one page."""
    return _page(request, desk, visitor)


@router.post("/name")
def change_name(request: Request, desk: TheDesk, visitor: TheVisitor, display_name: Text = "") -> Response:
    """The name that signs one's answers."""
    try:
        desk.accounts.change_name(display_name, by=visitor.by)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "name", refusal)
    return done(request, f"{HERE}#name", "Your answers are signed with that name from now on.")


@router.post("/preferences")
def change_preferences(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    zone: Text = "",
    after_send: Text = "next",
    keys: Tick = False,
    notify_browser: Tick = False,
    notify_mail: Tick = False,
) -> Response:
    """How the desk behaves for oneself."""
    chosen = Preferences(zone.strip(), after_send, keys, notify_browser, notify_mail)  # type: ignore[arg-type]
    try:
        desk.accounts.change_preferences(chosen, by=visitor.by)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "preferences", refusal)
    return done(request, f"{HERE}#preferences", "Your preferences are kept.")


@router.post("/password")
def change_password(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    device: TheDevice,
    former: Text = "",
    password: Text = "",
    again: Text = "",
) -> Response:
    """A new password; every other browser is signed out."""
    try:
        demand_same(password, again)
        outcome = desk.credentials.change_password(former, password, by=visitor.by, device=device)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "password", refusal)
    response = done(
        request, f"{HERE}#password", "The password is changed; every other browser is signed out."
    )
    set_session(request, response, outcome)
    return response


@router.get("/authenticator")
def authenticator_page(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """The key to be taken by an app, as long as it is not confirmed."""
    return _authenticator(request, desk, visitor)


@router.post("/authenticator")
def begin_authenticator(request: Request, desk: TheDesk, visitor: TheVisitor) -> HTMLResponse:
    """A new key."""
    desk.credentials.begin_authenticator(by=visitor.by)
    return _authenticator(request, desk, visitor)


@router.post("/authenticator/confirm")
def confirm_authenticator(
    request: Request, desk: TheDesk, visitor: TheVisitor, code: Text = ""
) -> HTMLResponse:
    """The app has the key: a code of it is asked for from now on. Shows the recovery codes, once."""
    try:
        codes = desk.credentials.confirm_authenticator(code, by=visitor.by)
    except DeskError as refusal:
        return _authenticator(request, desk, visitor, refusal)
    return pages_of(request).page(request, visitor, "recovery_codes.html", codes=codes)


@router.post("/authenticator/recovery")
def renew_recovery_codes(
    request: Request, desk: TheDesk, visitor: TheVisitor, device: TheDevice, code: Text = ""
) -> HTMLResponse:
    """New recovery codes, shown once."""
    try:
        codes = desk.credentials.renew_recovery_codes(code, by=visitor.by, device=device)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "authenticator", refusal)
    return pages_of(request).page(request, visitor, "recovery_codes.html", codes=codes)


@router.post("/authenticator/remove")
def remove_authenticator(
    request: Request, desk: TheDesk, visitor: TheVisitor, device: TheDevice, code: Text = ""
) -> Response:
    """No code is asked for any more."""
    try:
        desk.credentials.remove_authenticator(code, by=visitor.by, device=device)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "authenticator", refusal)
    return done(
        request, f"{HERE}#authenticator", "The authenticator is removed; your password alone lets you in."
    )


@router.post("/sessions/others/end")
def end_other_sessions(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """Signs every other browser out."""
    count = desk.accounts.end_other_sessions(visitor.session, by=visitor.by)
    sentence = f"{count} other {'browser is' if count == 1 else 'browsers are'} signed out."
    return done(request, f"{HERE}#sessions", sentence)


@router.post("/sessions/{number}/end")
def end_session(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """Signs one browser out."""
    try:
        desk.accounts.end_session(number, by=visitor.by)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "sessions", refusal)
    return done(request, f"{HERE}#sessions", "That browser is signed out.")


@router.post("/tokens")
def make_token(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: Text = "",
    scope: Annotated[list[str] | None, Form()] = None,
    days: Text = "90",
) -> HTMLResponse:
    """A token for a program, shown once."""
    try:
        good_for = int(days) if days.isascii() and days.isdigit() and len(days) < 6 else None  # noqa: PLR2004
        if days and good_for is None:
            raise DeskError("How long a token is good for is a number of days.")
        token = desk.credentials.make_token(name, scope or (), by=visitor.by, days=good_for)  # type: ignore[arg-type]
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "tokens", refusal)
    return _page(request, desk, visitor, token=token)


@router.post("/tokens/{number}/revoke")
def revoke_token(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """Refuses a token from now on."""
    try:
        desk.credentials.revoke_token(number, by=visitor.by)
    except DeskError as refusal:
        return _wrong(request, desk, visitor, "tokens", refusal)
    return done(request, f"{HERE}#tokens", "That token is refused from now on.")


def _wrong(request: Request, desk: Desk, visitor: Visitor, part: str, refusal: DeskError) -> HTMLResponse:
    """The page again, with the sentence at the form that it is about."""
    return _page(request, desk, visitor, status=refused(refusal), wrong=(part, str(refusal)))


def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    status: int = 200,
    wrong: tuple[str, str] = ("", ""),
    token: str = "",
) -> HTMLResponse:
    name = visitor.agent.name
    context: dict[str, Any] = {
        "wrong": wrong,
        "new_token": token,
        "login": desk.credentials.login(name),
        "sessions": desk.accounts.sessions(name),
        "session": visitor.session,
        "tokens": desk.credentials.tokens(name),
        "zones": desk.accounts.zones(),
        "calendar_zone": desk.config.calendar.zone.key,
    }
    return pages_of(request).page(request, visitor, "account.html", status=status, **context)


def _authenticator(
    request: Request, desk: Desk, visitor: Visitor, refusal: DeskError | None = None
) -> HTMLResponse:
    setup = desk.credentials.authenticator_setup(visitor.agent.name, shop=request.app.state.config.shop)
    return pages_of(request).page(
        request,
        visitor,
        "authenticator.html",
        status=refused(refusal) if refusal else 200,
        setup=setup,
        wrong=str(refusal or ""),
    )
