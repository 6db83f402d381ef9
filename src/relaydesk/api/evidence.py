"""Evidence of claims and chargebacks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from relaydesk.api.callers import Body, Number, Reader, TheDesk, Writer
from relaydesk.api.files import BYTES, File, download
from relaydesk.api.once import OnceRoute

router = APIRouter(route_class=OnceRoute, tags=["evidence"])


class EvidenceMark(Body):
    """An item of the evidence list with a file, or how it stands without one."""

    item: str = Field(min_length=1, max_length=200)
    state: Literal["there", "missing", "not_needed"] = "there"
    file: File | None = None


@router.get("/tickets/{ticket_id}/evidence")
def entries(desk: TheDesk, caller: Reader, ticket_id: Number) -> list[dict[str, Any]]:
    """Every entry of a ticket, oldest first; the newest of an item says how it stands."""
    del caller
    desk.tickets.latest_event(ticket_id)  # which knows whether there is such a ticket
    return [asdict(row) for row in desk.evidence.of_ticket(ticket_id)]


@router.post("/tickets/{ticket_id}/evidence", status_code=201)
def add(desk: TheDesk, caller: Writer, ticket_id: Number, body: EvidenceMark) -> dict[str, Any]:
    """Keeps a file as evidence of an item, or says how the item stands; the entry's number."""
    if body.file is not None:
        number = desk.evidence.add(ticket_id, body.item, body.file.name, body.file.data, by=caller.by)
    else:
        number = desk.evidence.mark(ticket_id, body.item, body.state, by=caller.by)
    return {"id": number}


@router.get("/evidence/{evidence_id}", response_class=Response, responses=BYTES)
def evidence_file(desk: TheDesk, caller: Reader, evidence_id: Number) -> Response:
    """The file of an entry."""
    del caller
    row, content = desk.evidence.file(evidence_id)
    return download(row.name, content)
