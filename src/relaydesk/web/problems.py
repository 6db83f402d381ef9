"""How what goes wrong is told: what did not happen, why, and what to do. Never a trace.

A page that htmx asked for gets the sentence as a part (``#problem``), anybody else a page of its own.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from relaydesk.desk import AnswerRefused, DeskError, NotPermitted, NotThere
from relaydesk.logs import log_exception
from relaydesk.store import Conflict, StoreError
from relaydesk.web.security import HEADERS
from relaydesk.web.visitors import SignInNeeded

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

SENTENCES = {
    404: "There is no such page. It may have moved; go back to the lists.",
    405: "This address does not take that kind of request.",
    422: "The form was not filled in as this page expects it; check it and try again.",
}
STORE = "The database cannot be reached just now, so nothing was changed; try again in a moment."
CONFLICT = "Somebody changed the same thing at the same moment, so nothing was changed; try again."
OURS = "Something went wrong in relaydesk and has been written to its log. Nothing was changed; try again."


def attach(app: FastAPI) -> None:
    """Tells the application how each kind of error is answered."""

    def desk_error(request: Request, error: Exception) -> Response:
        return _told(request, HTTPStatus.CONFLICT, str(error))

    def not_found(request: Request, error: Exception) -> Response:
        return _told(request, HTTPStatus.NOT_FOUND, str(error))

    def not_permitted(request: Request, error: Exception) -> Response:
        return _told(request, HTTPStatus.FORBIDDEN, str(error))

    def conflict(request: Request, _: Exception) -> Response:
        return _told(request, HTTPStatus.CONFLICT, CONFLICT)

    def store_error(request: Request, _: Exception) -> Response:
        return _told(request, HTTPStatus.SERVICE_UNAVAILABLE, STORE)

    def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        return _told(request, status, SENTENCES.get(status, HTTPStatus(status).phrase + "."))

    def ours(request: Request, _: Exception) -> Response:
        log_exception("page_failed", path=request.scope.get("route", request.url).path)
        response = _told(request, HTTPStatus.INTERNAL_SERVER_ERROR, OURS)
        response.headers.update(HEADERS)  # it is sent outside of the guard
        return response

    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(NotPermitted, not_permitted)
    app.add_exception_handler(NotThere, not_found)
    app.add_exception_handler(AnswerRefused, desk_error)
    app.add_exception_handler(DeskError, desk_error)
    app.add_exception_handler(Conflict, conflict)
    app.add_exception_handler(StoreError, store_error)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, http)
    app.add_exception_handler(Exception, ours)


def _told(request: Request, status: int, sentence: str) -> Response:
    pages = request.app.state.pages
    response: Response = pages.problem(request, status, sentence)
    return response


def _sign_in(request: Request, _: Exception) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    to = f"/sign-in?to={quote(asked, safe='')}" if request.method == "GET" and asked != "/" else "/sign-in"
    return RedirectResponse(to, status_code=303)
