"""What the shop has: agents, orders, and what was refused at its door."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from relaydesk.api.callers import Admin, Body, Moment, Reader, Rows, TheDesk
from relaydesk.api.once import OnceRoute

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
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Rows = 200,
) -> list[dict[str, Any]]:
    """What was refused or deferred at the SMTP port, added up by day, reason, network and From domain."""
    del caller
    rows = desk.refusals.search(text, since=since, until=until, limit=limit)
    return [asdict(row) for row in rows]
