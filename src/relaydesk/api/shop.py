"""What admins look after, and what they look at: agents, webhooks, orders, refusals, the report."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, Field

from relaydesk.api.callers import Admin, Reader, TheDesk
from relaydesk.api.once import OnceRoute
from relaydesk.api.tickets import Body, Number

router = APIRouter(route_class=OnceRoute, tags=["shop"])
Role = Literal["agent", "lead", "admin"]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class NewAgent(Body):
    name: Name
    display_name: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=254)
    role: Role = "agent"


class AgentChange(Body):
    display_name: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=254)
    role: Role | None = None


class NewWebhook(Body):
    url: str = Field(max_length=2_000)
    events: list[str] | None = Field(default=None, max_length=50)


class WebhookChange(Body):
    url: str | None = Field(default=None, max_length=2_000)
    events: list[str] | None = Field(default=None, max_length=50)
    active: bool | None = None


@router.get("/agents")
def agents(desk: TheDesk, caller: Reader) -> list[dict[str, Any]]:
    """All agents by name, former ones too."""
    del caller
    return [asdict(agent) for agent in desk.agents.everybody()]


@router.post("/agents", status_code=201)
def add_agent(desk: TheDesk, caller: Admin, body: NewAgent) -> dict[str, Any]:
    """Adds an agent, or takes a former one back."""
    desk.agents.add(body.name, display_name=body.display_name, email=body.email, role=body.role, by=caller.by)
    return {"name": body.name}


@router.patch("/agents/{name}")
def change_agent(desk: TheDesk, caller: Admin, name: str, body: AgentChange) -> dict[str, Any]:
    """Changes what is given of an active agent."""
    desk.agents.change(name, display_name=body.display_name, email=body.email, role=body.role, by=caller.by)
    return {"name": name}


@router.post("/agents/{name}/deactivate")
def deactivate_agent(desk: TheDesk, caller: Admin, name: str) -> dict[str, Any]:
    """An agent leaves: keeps what is on record and can do nothing more."""
    desk.agents.deactivate(name, by=caller.by)
    return {"name": name}


@router.get("/webhooks")
def webhooks(desk: TheDesk, caller: Admin) -> list[dict[str, Any]]:
    """The webhooks, without their secrets."""
    return [asdict(hook) for hook in desk.webhooks.everything(by=caller.by)]


@router.post("/webhooks", status_code=201)
def add_webhook(desk: TheDesk, caller: Admin, body: NewWebhook) -> dict[str, Any]:
    """A new webhook, with its secret, which is told once."""
    hooks = desk.webhooks
    if body.events is None:
        number, secret = hooks.add(body.url, by=caller.by)
    else:
        number, secret = hooks.add(body.url, body.events, by=caller.by)
    return {"id": number, "secret": secret}


@router.patch("/webhooks/{webhook_id}")
def change_webhook(desk: TheDesk, caller: Admin, webhook_id: Number, body: WebhookChange) -> dict[str, Any]:
    """Changes what is given; ``active`` stops it or starts it again."""
    desk.webhooks.change(webhook_id, url=body.url, events=body.events, active=body.active, by=caller.by)
    return {"id": webhook_id}


@router.post("/webhooks/{webhook_id}/test", status_code=202)
def test_webhook(desk: TheDesk, caller: Admin, webhook_id: Number) -> dict[str, Any]:
    """Sends it a test; the deliveries tell what it answered."""
    desk.webhooks.try_out(webhook_id, by=caller.by)
    return {"id": webhook_id}


@router.get("/deliveries")
def deliveries(
    desk: TheDesk,
    caller: Admin,
    webhook: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """What was delivered or waits, newest first: of one webhook, or all, digests by mail too."""
    return [asdict(row) for row in desk.webhooks.log(webhook, by=caller.by, limit=limit)]


@router.post("/deliveries/{delivery_id}/again", status_code=202)
def deliver_again(desk: TheDesk, caller: Admin, delivery_id: Number) -> dict[str, Any]:
    """Sends a delivery that has ended once more."""
    desk.webhooks.again(delivery_id, by=caller.by)
    return {"id": delivery_id}


@router.get("/orders")
def orders(
    desk: TheDesk, caller: Reader, q: Annotated[str, Query(min_length=1, max_length=200)]
) -> list[dict[str, Any]]:
    """Orders whose Facebook id, seller's reference or relay address is ``q``, newest first."""
    del caller
    return [asdict(order) for order in desk.orders.find(q)]


@router.get("/refusals")
def refusals(
    desk: TheDesk,
    caller: Reader,
    text: Annotated[str, Query(max_length=200)] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[dict[str, Any]]:
    """What was refused or deferred at the SMTP port, added up by day, reason, network and From domain."""
    del caller
    rows = desk.refusals.search(text, since=since, until=until, limit=limit)
    return [asdict(row) for row in rows]


@router.get("/report/sla")
def report(
    desk: TheDesk,
    caller: Reader,
    since: Annotated[str, Query(max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
    queue: str | None = None,
    agent: str | None = None,
) -> dict[str, Any]:
    """The SLA report, the same figures as ``relaydesk report sla --format json``."""
    try:
        scope = desk.reports.scope(since, until, queue=queue, agent=agent)
    except ValueError as error:
        wrong = {"loc": ("query", "since"), "msg": str(error), "type": "value_error"}
        raise RequestValidationError([wrong]) from None
    out = io.StringIO()
    desk.reports.sla(scope, out, "json", by=caller.by)
    figures: dict[str, Any] = json.loads(out.getvalue())
    return figures
