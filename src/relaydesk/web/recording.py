"""Recording what was done outside: an answer given elsewhere, a claim or chargeback handled, evidence."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError
from relaydesk.web.done import done
from relaydesk.web.ticket import demand_number
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


router = APIRouter()
Text = Annotated[str, Form(max_length=100_000)]
Short = Annotated[str, Form(max_length=300)]
LARGEST = 16_000_001
DOWNLOAD = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def moment_of(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """What a field of a date and time says, in the agent's zone; empty is now. DeskError for none."""
    if not text.strip():
        return now
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise DeskError(f"{text[:40]} is not a time; give date and time as 2026-11-25T10:42.") from None
    return local if local.tzinfo is not None else local.replace(tzinfo=zone)


@router.post("/tickets/{ticket_id}/elsewhere")
def elsewhere(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, at: Short = ""
) -> Response:
    """Records that the customer was answered elsewhere."""
    demand_number(ticket_id)
    moment = moment_of(at, visitor.zone, desk.clock())
    desk.tickets.state_answered_elsewhere(ticket_id, at=moment, by=visitor.by)
    changed = [f"ticket-{ticket_id}", "tickets", "counts"]
    return done(request, f"/tickets/{ticket_id}", "Recorded: answered elsewhere.", changed=changed)


@router.post("/tickets/{ticket_id}/handled")
def handled(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: Text = "",
    what: Short = "",
    at: Short = "",
    clock: Short = "",
) -> Response:
    """Records what was done about what mail cannot answer, and stops its clock."""
    demand_number(ticket_id)
    moment = moment_of(at, visitor.zone, desk.clock())
    how = ": ".join(part.strip() for part in (what, text) if part.strip())
    which = clock if clock in ("handling", "evidence") else None
    desk.tickets.state_handled(ticket_id, at=moment, how=how, clock=which, by=visitor.by)  # type: ignore[arg-type]
    changed = [f"ticket-{ticket_id}", "tickets", "counts"]
    return done(request, f"/tickets/{ticket_id}", "Recorded, and the clock stopped.", changed=changed)


@router.post("/tickets/{ticket_id}/evidence")
def add_evidence(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    item: Short = "",
    state: Short = "",
    file: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """Adds files to an item of the evidence list, or says how it stands."""
    demand_number(ticket_id)
    added = [one for one in file or [] if one.filename]
    for one in added:
        desk.evidence.add(ticket_id, item, one.filename or "file", one.file.read(LARGEST), by=visitor.by)
    if not added:
        desk.evidence.mark(ticket_id, item, state, by=visitor.by)  # type: ignore[arg-type]
    sentence = f"{item}: {'file added' if added else state.replace('_', ' ')}."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=[f"ticket-{ticket_id}"])


@router.get("/files/evidence/{evidence_id}")
def evidence_file(desk: TheDesk, visitor: TheVisitor, evidence_id: int) -> Response:
    """A file of the evidence, as a download that no browser shows."""
    del visitor
    demand_number(evidence_id)
    row, content = desk.evidence.file(evidence_id)
    headers = {**DOWNLOAD, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)
