"""The API's own application, which the desk's pages mount at ``/api/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from relaydesk.api import (
    acts,
    administration,
    answers,
    drafts,
    evidence,
    joining,
    lists,
    problems,
    reports,
    rules,
    saved_views,
    shop,
    tickets,
    webhooks,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from relaydesk.desk import Desk

VERSION = "1"
ABOUT = """Every request carries `Authorization: Bearer TOKEN`; agents make tokens on their account page.
Times are ISO 8601 in UTC. Lists give a `cursor` for the page after; errors are `application/problem+json`
with a sentence in `detail`. A write with an `Idempotency-Key` is done once, and answered so for a day."""
ROUTERS = (
    lists.router,
    tickets.router,
    acts.router,
    joining.router,
    answers.router,
    drafts.router,
    evidence.router,
    rules.router,
    saved_views.router,
    reports.router,
    shop.router,
    webhooks.router,
    administration.router,
)


def create_api(desk: Desk) -> FastAPI:
    """The API over one desk. ``openapi.json`` is for anybody: it tells nothing of the shop."""
    api = FastAPI(
        title="relaydesk",
        version=VERSION,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        responses=problems.ERRORS,
    )
    api.state.desk = desk
    for router in ROUTERS:
        api.include_router(router)
    problems.attach(api)
    api.add_middleware(HeadOfGet)
    return api


class HeadOfGet:
    """ASGI middleware: HEAD is answered as GET is; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
