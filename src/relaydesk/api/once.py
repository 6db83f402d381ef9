"""Idempotency keys: a write that is sent again is not done again (draft-ietf-httpapi-idempotency-key-header).

The first request with a key is carried out and its reply kept for a day; the same request again gets that
reply, with ``Idempotent-Replay: true``. Another request with the same key is a mistake of the caller.
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from relaydesk.api.callers import caller_of, desk_of
from relaydesk.api.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request

HEADER = "idempotency-key"
LONGEST = 200  # characters of a key
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNFIT = f"An Idempotency-Key has 1 to {LONGEST} printable characters."
NUL = "An address must not hold the character NUL."
OTHER = "This Idempotency-Key was used for another request; use a new key for each."
UNDER_WAY = "The first request with this Idempotency-Key is still under way; ask again in a moment."


class OnceRoute(APIRoute):
    """A route whose writes are done once for each key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def once(request: Request) -> Response:
            if "\0" in request.url.path or "%00" in request.url.query:
                return problem(HTTPStatus.UNPROCESSABLE_ENTITY, NUL)
            if request.method not in WRITES:
                return await handler(request)
            await run_in_threadpool(caller_of, request)  # before the body: who sends much is somebody we know
            await request.body()
            key = request.headers.get(HEADER)
            if key is None:
                return await handler(request)
            if not key or len(key) > LONGEST or not key.isprintable():
                return problem(HTTPStatus.UNPROCESSABLE_ENTITY, UNFIT)
            return await _once(request, key, handler)

        return once


async def _once(
    request: Request, key: str, handler: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    desk, visitor = desk_of(request), caller_of(request)
    address = f"{request.url.path}?{request.url.query}".encode()
    asked = sha256(b"\0".join((request.method.encode(), address, await request.body())))
    kept = await run_in_threadpool(desk.api_replies.begin, key, asked.hexdigest(), by=visitor.by)
    if kept is not None:
        if kept.request_hash != asked.hexdigest():
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, OTHER)
        if not kept.status:
            return problem(HTTPStatus.CONFLICT, UNDER_WAY)
        replayed = {"Idempotent-Replay": "true"}
        return Response(
            kept.body or None, kept.status, replayed, media_type="application/json" if kept.body else None
        )
    try:
        response = await handler(request)
    except BaseException:
        await run_in_threadpool(desk.api_replies.forget, key, by=visitor.by)
        raise
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        await run_in_threadpool(desk.api_replies.forget, key, by=visitor.by)
        return response
    body = bytes(response.body).decode("utf-8", "replace")
    await run_in_threadpool(desk.api_replies.keep, key, response.status_code, body, by=visitor.by)
    return response
