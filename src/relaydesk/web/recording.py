"""Recording what was done outside: an answer given elsewhere, a claim or chargeback handled, evidence."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from relaydesk.desk import DeskError
from relaydesk.message import safe_name
from relaydesk.web.done import done
from relaydesk.web.files import KEPT_NOT, archive, download_headers
from relaydesk.web.forms import LongText, ShortText, Uploads
from relaydesk.web.ticket import demand_number
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.desk import Desk

router = APIRouter()
LARGEST = 16_000_001
DONE = "What was done"  # the item of evidence that is recorded with a statement


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
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, at: ShortText = ""
) -> Response:
    """Records that the customer was answered elsewhere."""
    demand_number(ticket_id)
    moment = moment_of(at, visitor.zone, desk.clock())
    desk.tickets.state_answered_elsewhere(ticket_id, at=moment, by=visitor.by)
    words = "Recorded: answered elsewhere."
    return done(request, f"/tickets/{ticket_id}", words, changed=_changed(ticket_id))


@router.post("/tickets/{ticket_id}/handled")
def handled(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    text: LongText = "",
    what: ShortText = "",
    at: ShortText = "",
    clock: ShortText = "",
    file: Uploads = None,
) -> Response:
    """Records what was done about what mail cannot answer, with files, and stops its clock."""
    demand_number(ticket_id)
    moment = moment_of(at, visitor.zone, desk.clock())
    how = ": ".join(part.strip() for part in (what, text) if part.strip())
    which = clock if clock in ("handling", "evidence") else None
    add_files(desk, ticket_id, DONE, file, by=visitor.by)
    desk.tickets.state_handled(ticket_id, at=moment, how=how, clock=which, by=visitor.by)  # type: ignore[arg-type]
    desk.drafts.finish(ticket_id, by=visitor.by)
    stopped = f"Recorded, and the {which or 'handling'} clock stopped."
    return done(request, f"/tickets/{ticket_id}", stopped, changed=_changed(ticket_id), leaves=True)


def add_files(desk: Desk, ticket_id: int, item: str, files: list[UploadFile] | None, *, by: str) -> int:
    """Keeps each as evidence; how many."""
    added = [file for file in files or [] if file.filename]
    for file in added:
        desk.evidence.add(ticket_id, item, file.filename or "file", file.file.read(LARGEST), by=by)
    return len(added)


def _changed(ticket_id: int) -> list[str]:
    return [f"ticket-{ticket_id}", "tickets", "counts"]


@router.post("/tickets/{ticket_id}/evidence")
def add_evidence(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    item: ShortText = "",
    state: ShortText = "",
    file: Uploads = None,
) -> Response:
    """Adds files to an item of the evidence list, or says how it stands."""
    demand_number(ticket_id)
    count = add_files(desk, ticket_id, item, file, by=visitor.by)
    if not count:
        if not state:
            raise DeskError("No file was chosen, so nothing was added.")
        desk.evidence.mark(ticket_id, item, state, by=visitor.by)  # type: ignore[arg-type]
    added = f"{count} files added" if count > 1 else "file added"
    sentence = f"{item}: {added if count else state.replace('_', ' ')}."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=[f"ticket-{ticket_id}"])


@router.get("/files/evidence/{number}")
def evidence_file(desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """A file of the evidence, as a download that no browser shows."""
    del visitor
    demand_number(number)
    row, content = desk.evidence.file(number)
    kind = "application/octet-stream"
    return Response(content, headers=download_headers(safe_name(row.name, 1), kind, KEPT_NOT))


@router.get("/files/evidence/{ticket_id}/all.zip")
def evidence_archive(desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> StreamingResponse:
    """Every file of a ticket's evidence, as one archive that is made while it is sent."""
    del visitor
    demand_number(ticket_id)
    desk.threads.open(ticket_id)
    files = (
        (f"{row.id}-{row.item[:60]}-{row.name}", content) for row, content in desk.evidence.files(ticket_id)
    )
    headers = download_headers(f"evidence-{ticket_id}.zip", "application/zip", KEPT_NOT)
    return StreamingResponse(archive(files), headers=headers)
