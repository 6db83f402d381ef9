"""Keeping a list with its filters as a view, renaming, sharing and removing it."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.web.done import done
from relaydesk.web.filters import Filters
from relaydesk.web.forms import RowNumber, ShortText
from relaydesk.web.listing import filters_of, list_of
from relaydesk.web.visitors import TheDesk, TheVisitor

router = APIRouter()


@router.post("/views/saved")
def save(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: ShortText,
    place: ShortText = "/",
    shared: ShortText = "",
) -> Response:
    """Keeps the list at the address ``place``."""
    split = urlsplit(place)
    kept = list_of(desk, visitor, split.path)
    filters: Filters = filters_of(kept, QueryParams(split.query))
    base = desk.saved_views.view(kept.view, visitor.agent.name).place if kept.view else kept.path
    number = desk.saved_views.save(name, base, filters.query, by=visitor.by, shared=bool(shared))
    whose = " for everybody" if shared else ""
    sentence = f"{' '.join(name.split())} is kept under Views{whose}."
    return done(request, f"/views/saved/{number}", sentence, changed=["counts"], leaves=True)


@router.post("/views/saved/{view_id}")
def change(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    view_id: RowNumber,
    name: ShortText,
    shared: ShortText = "",
) -> Response:
    """Renames a view, and shares it or no longer."""
    desk.saved_views.change(view_id, name, by=visitor.by, shared=bool(shared))
    whose = " and is everybody\u2019s" if shared else ""
    sentence = f"The view is called {' '.join(name.split())}{whose} now."
    return done(request, f"/views/saved/{view_id}", sentence, changed=["counts"], leaves=True)


@router.post("/views/saved/{view_id}/remove")
def remove(request: Request, desk: TheDesk, visitor: TheVisitor, view_id: RowNumber) -> Response:
    """A kept view is not wanted any more."""
    name = desk.saved_views.view(view_id, visitor.agent.name).name
    desk.saved_views.remove(view_id, by=visitor.by)
    return done(request, "/", f"The view {name} is removed. No ticket has changed.", leaves=True)
