"""The application: its routes, what goes with every response, and how errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from relaydesk.web import (
    account,
    acts,
    bulk,
    company,
    composer,
    entering,
    files,
    finding,
    keys,
    lists,
    live,
    palette,
    problems,
    recording,
    report,
    saving,
    sheets,
    static,
    ticket,
)
from relaydesk.web.pages import Pages
from relaydesk.web.proxies import ClientAddress
from relaydesk.web.security import Guard

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.web.config import WebConfig

ROUTERS = (
    static.router,
    entering.router,
    company.router,
    account.router,
    lists.router,
    saving.router,
    bulk.router,
    finding.router,
    composer.router,
    recording.router,
    sheets.router,
    acts.router,
    report.router,
    ticket.router,
    files.router,
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
    problems.attach(app)
    app.add_middleware(Guard, config=config)
    app.add_middleware(ClientAddress, proxies=config.proxies)
    return app
