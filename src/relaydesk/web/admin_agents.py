"""The agents: add one, change one, make a link, let one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from relaydesk.desk import DeskError, NotPermitted
from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.forms import TextField
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor
    from relaydesk.web.config import WebConfig

router = APIRouter(prefix="/admin")
AGENTS = "/admin/agents"
RoleField = Literal["agent", "lead", "admin"]


@router.get("")
def first(visitor: TheVisitor) -> Response:
    """The first page that the visitor may see; who may see none is told by it."""
    return RedirectResponse(AGENTS if visitor.agent.role == "admin" else "/admin/outbox", status_code=303)


@router.get("/agents")
def agents(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """Who works here."""
    return _agents(request, desk, visitor)


@router.post("/agents")
def add(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: TextField = "",
    role: Annotated[RoleField, Form()] = "agent",
    display_name: TextField = "",
    email: TextField = "",
) -> Response:
    """A new agent; their link is shown once, on this answer alone."""
    try:
        desk.agents.add(name.strip(), by=visitor.by, display_name=display_name, email=email, role=role)
    except NotPermitted:
        raise
    except DeskError as problem:
        text = {"name": name, "role": role, "display_name": display_name, "email": email}
        return _agents(request, desk, visitor, problem=str(problem), text=text, status=409)
    return _link(request, desk, visitor, name.strip())


@router.get("/agents/{name}")
def agent(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """One agent, to be changed."""
    roster = desk.agents.roster(by=visitor.by)
    chosen = next((each for each in roster if each.agent.name == name), None)
    if chosen is None:
        raise DeskError(f"There is no agent {name}.")
    others = [each.agent.name for each in roster if each.agent.active and each.agent.name != name]
    return admin_page(request, visitor, "agents", template="admin_agent.html", chosen=chosen, others=others)


@router.post("/agents/{name}/change")
def change(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: str,
    role: Annotated[RoleField | None, Form()] = None,
    display_name: TextField = "",
    email: TextField = "",
) -> Response:
    """Another role, display name or address."""
    desk.agents.change(name, by=visitor.by, display_name=display_name, email=email, role=role)
    sentence = (
        f"{name} is {'an admin' if role == 'admin' else 'a lead' if role == 'lead' else 'an agent'} now."
    )
    return done(request, AGENTS, sentence if role and not display_name else f"{name} has been changed.")


@router.post("/agents/{name}/link")
def link(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """A new link, shown once."""
    return _link(request, desk, visitor, name)


@router.post("/agents/{name}/deactivate")
def deactivate(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: str,
    tickets: TextField = "keep",
    to: TextField = "",
) -> Response:
    """An agent leaves. Their open tickets stay theirs, go to nobody, or to another."""
    if tickets == "give" and not to:
        raise DeskError("Nobody was chosen to take the tickets; choose an agent, or leave them unassigned.")
    desk.agents.deactivate(name, by=visitor.by)
    handed = desk.tickets.hand_over(name, to or None, by=visitor.by) if tickets != "keep" else 0
    where = f" Their {handed} open tickets are {f'with {to}' if to else 'unassigned'} now." if handed else ""
    return done(request, AGENTS, f"{name} is no longer active.{where}", changed=["tickets", "counts"])


@router.post("/agents/{name}/reactivate")
def reactivate(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """A former agent comes back."""
    desk.agents.add(name, by=visitor.by)
    return _link(request, desk, visitor, name)


def _link(request: Request, desk: Desk, visitor: Visitor, name: str) -> Response:
    token = desk.accounts.link(name, by=visitor.by)
    config: WebConfig = request.app.state.config
    address = (config.address or str(request.base_url)).rstrip("/")
    return _agents(request, desk, visitor, link=f"{address}/enter/{quote(token)}", link_of=name)


def _agents(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    problem: str = "",
    text: dict[str, str] | None = None,
    link: str = "",
    link_of: str = "",
    status: int = 200,
) -> Response:
    return admin_page(
        request,
        visitor,
        "agents",
        roster=desk.agents.roster(by=visitor.by),
        problem=problem,
        text=text or {},
        link=link,
        link_of=link_of,
        status=status,
    )
