"""The application: its routes, what goes with every response, and how errors are told."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import FastAPI

from relaydesk.api import create_api, problem
from relaydesk.web import (
    account,
    acts,
    admin_agents,
    admin_allowlist,
    admin_calendar,
    admin_health,
    admin_lists,
    admin_rules,
    admin_settings,
    admin_templates,
    bulk,
    company,
    composer,
    drafting,
    entering,
    files,
    finding,
    keys,
    leaving,
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
from relaydesk.web.security import API, TOO_LONG, BodyTooLong, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response

    from relaydesk.desk import Desk, DeskConfig
    from relaydesk.web.config import WebConfig

if TYPE_CHECKING:
    Checks = Callable[[Any], list[Callable[[], Iterable[Mapping[str, str]]]]]

ROUTERS = (
    static.router,
    entering.router,
    lists.router,
    admin_agents.router,
    admin_calendar.router,
    admin_templates.router,
    admin_rules.router,
    admin_allowlist.router,
    admin_lists.router,
    admin_health.router,
    admin_settings.router,
    company.router,
    account.router,
    saving.router,
    bulk.router,
    finding.router,
    composer.router,
    drafting.router,
    leaving.router,
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


def create_app(desk: Desk, config: WebConfig, *, checks: Mapping[str, Checks] | None = None) -> FastAPI:
    """The pages over one desk. What they share is in ``app.state``: ``desk``, ``config``, ``pages``, and
    ``checks``, which give the steps of the checks that an admin can begin by their names."""
    app = FastAPI(title="relaydesk", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk, app.state.config = desk, config
    app.state.pages, app.state.checks = Pages(config), checks or {}
    for router in ROUTERS:
        app.include_router(router)
    app.state.api = _api(desk)
    app.mount(API, app.state.api)
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


def change_settings(app: FastAPI, config: DeskConfig) -> None:
    """Requests from now on work under other settings; those under way keep theirs."""
    app.state.desk = app.state.desk.under(config)
    app.state.api.state.desk = app.state.desk
    app.state.pages.zone = config.calendar.zone
