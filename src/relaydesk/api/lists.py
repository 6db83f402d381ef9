"""Lists: the queues, the tickets in them, search."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from relaydesk.api.callers import Moment, Reader, TheDesk
from relaydesk.api.once import OnceRoute
from relaydesk.desk import TicketFilter, cursor_text, page_values, read_cursor

router = APIRouter(route_class=OnceRoute, tags=["lists"])
Limit = Annotated[int, Query(ge=1, le=200, description="rows of a page")]
State = Literal["open", "closed"]
Kind = Literal["case", "claim", "chargeback", "notice", "unsorted", "bounce"]


@router.get("/me")
def me(caller: Reader) -> dict[str, Any]:
    """The agent whose token this is, and what it may be used for."""
    agent = caller.agent
    return {
        "name": agent.name,
        "display_name": agent.display_name,
        "role": agent.role,
        "scopes": sorted(caller.scopes or ()),
    }


@router.get("/queues")
def queues(desk: TheDesk, caller: Reader) -> list[dict[str, Any]]:
    """Every queue: how many tickets are open, due today, past their deadline, and to look at."""
    del caller
    return [asdict(count) for count in desk.queues.counts()]


@router.get("/tickets")
def tickets(  # what a list can be narrowed to
    desk: TheDesk,
    caller: Reader,
    queue: str | None = None,
    state: State = "open",
    assignee: Annotated[str | None, Query(description="an agent's name; empty: nobody has it")] = None,
    kind: Kind | None = None,
    verified: bool | None = None,
    needs_look: bool | None = None,
    due_before: Moment | None = None,
    text: Annotated[str, Query(max_length=500)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Tickets: open ones by deadline, closed ones newest first. ``cursor`` leads to the page after."""
    del caller
    criteria = TicketFilter(
        queue=queue,
        state=state,
        assignee=assignee,
        kind=kind,
        verified=verified,
        text=text,
        due_before=due_before,
        needs_look=needs_look,
    )
    page = desk.queues.page(criteria, after=read_cursor(cursor), limit=limit)
    return {"tickets": list(page_values(page)), "cursor": cursor_text(page.after)}


@router.get("/search")
def search(
    desk: TheDesk,
    caller: Reader,
    q: Annotated[str, Query(min_length=1, max_length=500)],
    state: State | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Tickets, open and closed, newest first: by order, reference, number, address, name or words."""
    del caller
    page = desk.search.tickets(q, state=state, limit=limit)
    return {"tickets": list(page_values(page)), "cursor": None}
