"""Webhooks and what was delivered to them; admins look after them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from relaydesk.api.callers import Admin, Body, Number, Rows, TheDesk
from relaydesk.api.once import OnceRoute

router = APIRouter(route_class=OnceRoute, tags=["webhooks"])


class NewWebhook(Body):
    url: str = Field(max_length=2_000)
    events: list[str] | None = Field(default=None, max_length=50)


class WebhookChange(Body):
    url: str | None = Field(default=None, max_length=2_000)
    events: list[str] | None = Field(default=None, max_length=50)
    active: bool | None = None


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
    limit: Rows = 100,
) -> list[dict[str, Any]]:
    """What was delivered or waits, newest first: of one webhook, or all, digests by mail too."""
    return [asdict(row) for row in desk.webhooks.log(webhook, by=caller.by, limit=limit)]


@router.post("/deliveries/{delivery_id}/again", status_code=202)
def deliver_again(desk: TheDesk, caller: Admin, delivery_id: Number) -> dict[str, Any]:
    """Sends a delivery that has ended once more."""
    desk.webhooks.again(delivery_id, by=caller.by)
    return {"id": delivery_id}


@router.post("/webhooks/{webhook_id}/secret")
def new_secret(desk: TheDesk, caller: Admin, webhook_id: Number) -> dict[str, Any]:
    """Another secret, which is told once; the old one signs nothing from now on."""
    return {"id": webhook_id, "secret": desk.webhooks.new_secret(webhook_id, by=caller.by)}
