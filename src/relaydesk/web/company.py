"""Signing in with the company's account: to its provider and back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from relaydesk.desk import CompanyVisit, DeskError
from relaydesk.web.cookies import (
    STEP_SECONDS,
    VISIT_COOKIE,
    cookie,
    delete_cookie,
    packed,
    set_cookie,
    unpacked,
)
from relaydesk.web.entering import entered, pages_of, refused
from relaydesk.web.own_path import own_path
from relaydesk.web.visitors import TheDesk, TheDevice

if TYPE_CHECKING:
    from relaydesk.desk import Desk

router = APIRouter()
BACK = "/sign-in/company/back"


@router.get("/sign-in/company")
def to_company(request: Request, desk: TheDesk, to: str = "", *, stay: bool = False) -> Response:
    """To the provider. What must come back the same is kept in a cookie until then."""
    try:
        visit = desk.sign_in.company_visit(_back(request))
    except DeskError as refusal:
        return _refused(request, desk, refusal)
    response = RedirectResponse(visit.address, status_code=303)
    kept = {"state": visit.state, "nonce": visit.nonce, "verifier": visit.verifier}
    values = packed({**kept, "to": own_path(to), "stay": stay})
    set_cookie(request, response, VISIT_COOKIE, values, lasts=STEP_SECONDS)
    return response


@router.get(BACK)
def from_company(
    request: Request, desk: TheDesk, device: TheDevice, state: str = "", code: str = "", error: str = ""
) -> Response:
    """Back from the provider, with a code or an error."""
    kept = unpacked(cookie(request, VISIT_COOKIE))
    visit = CompanyVisit("", *(str(kept.get(name, "")) for name in ("state", "nonce", "verifier")))
    try:
        if error:
            raise DeskError(
                "The company's account did not let you in; try again, or sign in with a password."
            )
        outcome = desk.sign_in.by_company(
            _back(request), visit, state=state, code=code, device=device, stays=kept.get("stay") is True
        )
    except DeskError as refusal:
        response = _refused(request, desk, refusal)
    else:
        response = entered(request, outcome, str(kept.get("to", "/")))
    delete_cookie(request, response, VISIT_COOKIE)
    return response


def _back(request: Request) -> str:
    """Our address as the provider knows it: that of the settings, whatever a request calls us."""
    return f"{request.app.state.config.address}{BACK}"


def _refused(request: Request, desk: Desk, refusal: DeskError) -> Response:
    del desk
    return pages_of(request).outside(
        request, "company_refused.html", status=refused(refusal), wrong=str(refusal), to=quote("/", safe="")
    )
