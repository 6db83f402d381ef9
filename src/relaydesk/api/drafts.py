"""What the caller is writing: one draft on each ticket, with files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from relaydesk.api.callers import Body, Number, Reader, TheDesk, Writer
from relaydesk.api.files import File
from relaydesk.api.once import OnceRoute
from relaydesk.desk import Desk, Visitor

router = APIRouter(route_class=OnceRoute, tags=["drafts"])


class DraftText(Body):
    text: str = Field(max_length=200_000)
    order: str | None = Field(default=None, max_length=100)
    no_order: bool = False


class Files(Body):
    files: list[File] = Field(min_length=1, max_length=20)


def _draft(desk: Desk, caller: Visitor, ticket_id: int) -> dict[str, Any]:
    row = desk.drafts.read(ticket_id, by=caller.by)
    return {"draft": asdict(row) if row is not None else None}


@router.get("/tickets/{ticket_id}/draft")
def draft(desk: TheDesk, caller: Reader, ticket_id: Number) -> dict[str, Any]:
    """The caller's draft on a ticket; null where there is none."""
    return _draft(desk, caller, ticket_id)


@router.put("/tickets/{ticket_id}/draft")
def save_draft(desk: TheDesk, caller: Writer, ticket_id: Number, body: DraftText) -> dict[str, Any]:
    """Keeps the text as it stands; an empty one is no draft."""
    desk.drafts.save(ticket_id, body.text, by=caller.by, order=body.order, no_order=body.no_order)
    return _draft(desk, caller, ticket_id)


@router.delete("/tickets/{ticket_id}/draft")
def discard_draft(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """Throws the draft away, with its files."""
    desk.drafts.discard(ticket_id, by=caller.by)
    return _draft(desk, caller, ticket_id)


@router.post("/tickets/{ticket_id}/draft/files", status_code=201)
def attach(desk: TheDesk, caller: Writer, ticket_id: Number, body: Files) -> dict[str, Any]:
    """Puts files to the draft."""
    desk.drafts.attach(ticket_id, [(file.name, file.data) for file in body.files], by=caller.by)
    return _draft(desk, caller, ticket_id)


@router.delete("/tickets/{ticket_id}/draft/files/{file_id}")
def detach(desk: TheDesk, caller: Writer, ticket_id: Number, file_id: Number) -> dict[str, Any]:
    """Takes a file away from the draft."""
    desk.drafts.detach(ticket_id, file_id, by=caller.by)
    return _draft(desk, caller, ticket_id)
