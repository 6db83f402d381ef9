"""The API's own application, which the desk's pages mount at ``/api/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from relaydesk.api import answers, lists, problems, shop, tickets

if TYPE_CHECKING:
    from relaydesk.desk import Desk

VERSION = "1"
ABOUT = """Every request carries `Authorization: Bearer TOKEN`; agents make tokens on their account page.
Times are ISO 8601 in UTC. Lists give a `cursor` for the page after; errors are `application/problem+json`
with a sentence in `detail`. A write with an `Idempotency-Key` is done once, and answered so for a day."""
ROUTERS = (lists.router, tickets.router, answers.router, shop.router)


def create_api(desk: Desk) -> FastAPI:
    """The API over one desk."""
    api = FastAPI(title="relaydesk", version=VERSION, description=ABOUT, docs_url=None, redoc_url=None)
    api.state.desk = desk
    for router in ROUTERS:
        api.include_router(router)
    problems.attach(api)
    return api
