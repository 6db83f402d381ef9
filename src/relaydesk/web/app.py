"""The application: its routes, what goes with every response, and how errors are told."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import FastAPI

from relaydesk.api import create_api, problem
from relaydesk.web import (
    account,
    acts,
    company,
    composer,
    entering,
    files,
    keys,
    lists,
    live,
    palette,
    problems,
    recording,
    report,
    sheets,
    static,
    ticket,
)
from relaydesk.web.pages import Pages
from relaydesk.web.proxies import ClientAddress
from relaydesk.web.security import API, TOO_LONG, BodyTooLong, Guard

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relaydesk.desk import Desk
    from relaydesk.web.config import WebConfig

ROUTERS = (
    static.router,
    entering.router,
    company.router,
    account.router,
    lists.router,
    composer.router,
    recording.router,
    ticket.router,
    files.router,
    sheets.router,
    acts.router,
    report.router,
    live.router,
    palette.router,
    keys.router,
)


def create_app(desk: Desk, config: WebConfig) -> FastAPI:
    """The pages over one desk. What they share is in ``app.state``: ``desk``, ``config``, ``pages``."""
    app = FastAPI(title="relaydesk", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk, app.state.config = desk, config
    app.state.pages = Pages(desk, config)
    for router in ROUTERS:
        app.include_router(router)
    app.mount(API, _api(desk))
    problems.attach(app)
    app.add_middleware(Guard, config=config)
    app.add_middleware(ClientAddress, proxies=config.proxies)
    return app


def _api(desk: Desk) -> FastAPI:
    """The API; what the guard finds too long while it is read is told as its other errors are."""
    api = create_api(desk)

    def too_long(_: Request, __: Exception) -> Response:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LONG)

    api.add_exception_handler(BodyTooLong, too_long)
    return api
