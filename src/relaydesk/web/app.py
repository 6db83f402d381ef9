"""The application: its routes, what goes with every response, and how errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from relaydesk.web import acts, bulk, entering, finding, lists, problems, saving, sheets, static
from relaydesk.web.pages import Pages
from relaydesk.web.security import Guard

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.web.config import WebConfig

ROUTERS = (
    static.router,
    entering.router,
    lists.router,
    saving.router,
    bulk.router,
    finding.router,
    sheets.router,
    acts.router,
)


def create_app(desk: Desk, config: WebConfig) -> FastAPI:
    """The pages over one desk. What they share is in ``app.state``: ``desk``, ``config``, ``pages``."""
    app = FastAPI(title="relaydesk", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk, app.state.config = desk, config
    app.state.pages = Pages(desk, config)
    for router in ROUTERS:
        app.include_router(router)
    problems.attach(app)
    app.add_middleware(Guard)
    return app
