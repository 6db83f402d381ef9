"""What is done with many tickets at once, and the views that agents keep."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError
from relaydesk.web.done import done
from relaydesk.web.filters import Filters
from relaydesk.web.forms import RowNumber
from relaydesk.web.visitors import TheDesk, TheVisitor

router = APIRouter()
MOST_AT_ONCE = 200  # tickets of one bulk act


@router.post("/views/saved")
def save_view(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: Annotated[str, Form()],
    listed: Annotated[str, Form(alias="here")] = "/",
    shared: Annotated[str, Form()] = "",
) -> Response:
    """Keeps the list with its filters by a name."""
    split = urlsplit(listed)
    query = {"place": [split.path or "/"], **Filters.of(QueryParams(split.query)).query}
    number = desk.saved_views.save(name, query, by=visitor.by, shared=bool(shared))
    return done(request, f"/views/saved/{number}", f"View “{name}” saved.", changed=["counts"])


@router.post("/views/saved/{view_id}/remove")
def remove_view(request: Request, desk: TheDesk, visitor: TheVisitor, view_id: RowNumber) -> Response:
    """A kept view is not wanted any more."""
    desk.saved_views.remove(view_id, by=visitor.by)
    return done(request, "/", "View removed.", changed=["counts"])


@router.post("/bulk")
def bulk(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    act: Annotated[str, Form()],
    ticket: Annotated[list[int] | None, Form()] = None,
    agent: Annotated[str, Form()] = "",
    queue: Annotated[str, Form()] = "",
    listed: Annotated[str, Form(alias="here")] = "/",
) -> Response:
    """One act on every ticket that was ticked; each is an act of its own, and says why it was not done."""
    tickets, by = desk.tickets, visitor.by
    works: dict[str, Any] = {
        "take": lambda number: tickets.assign(number, visitor.agent.name, by=by),
        "assign": lambda number: tickets.assign(number, agent or None, by=by),
        "close": lambda number: tickets.close(number, by=by),
        "move": lambda number: tickets.move(number, queue, by=by),
        "looked": lambda number: tickets.mark_looked_at(number, by=by),
    }
    if act not in works:
        raise HTTPException(404)
    chosen = list(dict.fromkeys(ticket or []))[:MOST_AT_ONCE]
    if not chosen:
        raise DeskError("No ticket is ticked; tick the ones that you mean.")
    refused: list[str] = []
    for number in chosen:
        try:
            works[act](number)
        except DeskError as error:
            refused.append(f"#{number}: {error}")
    words = {"take": "taken", "assign": "assigned", "close": "closed", "move": "moved", "looked": "looked at"}
    count = len(chosen) - len(refused)
    sentence = f"{count} ticket{'s' * (count != 1)} {words[act]}."
    if refused:
        sentence += f" {len(refused)} not: {' '.join(refused[:3])}"
    to = listed if listed.startswith("/") and not listed.startswith("//") else "/"
    changed = ["tickets", "counts", *(f"ticket-{number}" for number in chosen)]
    return done(request, to, sentence, changed=changed)
