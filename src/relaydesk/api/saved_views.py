"""Lists with their filters, kept by a name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from relaydesk.api.callers import ApiDesk, ReadCaller, RequestBody, RowKey, Writer
from relaydesk.api.once import OnceRoute

router = APIRouter(route_class=OnceRoute, tags=["views"])
ViewValue = Annotated[str, Field(max_length=500)]


class NewView(RequestBody):
    """``query`` are the filters as a list's page has them in its address, each with its values; ``place``
    among them is that page, such as ``/queues/case``."""

    name: str = Field(min_length=1, max_length=60)
    query: dict[Annotated[str, Field(max_length=50)], Annotated[list[ViewValue], Field(max_length=20)]] = (
        Field(max_length=20)
    )
    shared: bool = False


class Sharing(RequestBody):
    shared: bool


@router.get("/views")
def views(desk: ApiDesk, caller: ReadCaller) -> list[dict[str, Any]]:
    """The caller's own views and the shared ones, by name."""
    return [asdict(view) for view in desk.saved_views.visible(caller.agent.name)]


@router.post("/views", status_code=201)
def save(desk: ApiDesk, caller: Writer, body: NewView) -> dict[str, Any]:
    """Keeps a view; sharing it takes a lead."""
    query = {name: values for name, values in body.query.items() if name != "place"}
    place = (body.query.get("place") or ["/"])[0]
    number = desk.saved_views.save(body.name, place, query, by=caller.by, shared=body.shared)
    return asdict(desk.saved_views.view(number, caller.agent.name))


@router.patch("/views/{view_id}")
def share(desk: ApiDesk, caller: Writer, view_id: RowKey, body: Sharing) -> dict[str, Any]:
    """Shares a view with everybody, or keeps it to its owner again; a lead does."""
    desk.saved_views.share(view_id, by=caller.by, shared=body.shared)
    return {"id": view_id, "shared": body.shared}


@router.delete("/views/{view_id}")
def remove(desk: ApiDesk, caller: Writer, view_id: RowKey) -> dict[str, Any]:
    """Removes one's own view; another's takes a lead."""
    desk.saved_views.remove(view_id, by=caller.by)
    return {"id": view_id}
