"""Errors as problem details (RFC 9457): what did not happen, why, and what to do, in ``detail``."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from relaydesk.api.callers import ScopeNeeded, TokenNeeded
from relaydesk.desk import AnswerRefused, DeskError, NotPermitted, NotThere
from relaydesk.logs import log_exception
from relaydesk.store import Conflict, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

MOST_FIELDS, LONGEST_PLACE = 20, 100
MEDIA_TYPE = "application/problem+json"
TOKEN = (
    "Send `Authorization: Bearer TOKEN` with a token that is valid; agents make them on their account page."  # noqa: S105 - words
)
STORE = "The database cannot be reached just now, so nothing was changed; try again in a moment."
CONFLICT = "Somebody changed the same thing at the same moment, so nothing was changed; try again."
OURS = "Something went wrong in relaydesk and has been written to its log. Nothing was changed; try again."
NOT_FOUND = "There is nothing at this address; see /api/v1/openapi.json."


class Problem(BaseModel):
    """What every error holds. ``fields``, where the request is wrong, names each of its parts that is."""

    type: str
    title: str
    status: int
    detail: str
    fields: list[dict[str, str]] | None = None


_DESCRIBED: dict[int | str, str] = {
    401: "No good token",
    403: "The token's scope or the agent's role does not allow it",
    404: "There is no such thing",
    409: "Not possible as things stand",
    422: "The request is wrong",
    "default": "Any other error",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, description in _DESCRIBED.items()
}
"""How errors stand in the description of the API."""


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """One problem as a response."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse({**body, **more}, status, headers, media_type=MEDIA_TYPE)


def attach(api: FastAPI) -> None:
    """Tells the application how each kind of error is answered."""

    def add(kind: type[Exception], status: int, detail: str = "") -> None:
        def answer(_: Request, error: Exception) -> JSONResponse:
            return problem(status, detail or str(error))

        api.add_exception_handler(kind, answer)

    add(ScopeNeeded, HTTPStatus.FORBIDDEN)
    add(NotPermitted, HTTPStatus.FORBIDDEN)
    add(NotThere, HTTPStatus.NOT_FOUND)
    add(AnswerRefused, HTTPStatus.CONFLICT)
    add(DeskError, HTTPStatus.CONFLICT)
    add(Conflict, HTTPStatus.CONFLICT, CONFLICT)
    add(StoreError, HTTPStatus.SERVICE_UNAVAILABLE, STORE)
    api.add_exception_handler(TokenNeeded, _token_needed)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(Exception, _ours)


def _token_needed(_: Request, __: Exception) -> JSONResponse:
    return problem(HTTPStatus.UNAUTHORIZED, TOKEN, headers={"WWW-Authenticate": "Bearer"})


def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    detail = NOT_FOUND if status == HTTPStatus.NOT_FOUND else HTTPStatus(status).description + "."
    return problem(status, detail, headers=headers)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Names each field that is wrong and never repeats what was sent: it may hold anything."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [{"at": _place(entry["loc"]), "problem": entry["msg"]} for entry in errors[:MOST_FIELDS]]
    detail = (
        "; ".join(f"{field['at']}: {field['problem']}" for field in fields[:5]) or "The request is wrong."
    )
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields=fields)


def _place(parts: Iterable[object]) -> str:
    """Names that were sent may be long, and hold what cannot be written."""
    return ".".join(map(str, parts)).encode("utf-8", "replace").decode()[:LONGEST_PLACE]


def _ours(_: Request, __: Exception) -> JSONResponse:
    log_exception("api_failed")
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, OURS)
