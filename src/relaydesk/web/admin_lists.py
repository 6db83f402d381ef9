"""What leads look after: the outbox and what was refused; and for admins the audit log."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.visitors import TheDesk, TheVisitor

router = APIRouter(prefix="/admin")
LINES = 100


@router.get("/outbox")
def outbox(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """What waits to be sent, and what became of the rest."""
    return admin_page(request, visitor, "outbox", part="outbox", board=desk.outbox.board(by=visitor.by))


@router.post("/outbox/{number}/take-back")
def take_back(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """An answer that has not left is not sent."""
    row = desk.answers.cancel(number, by=visitor.by)
    sentence = f"Answer {number} of ticket {row.ticket_id} is taken back; it was not sent."
    return done(request, "/admin/outbox", sentence, changed=["outbox", f"ticket-{row.ticket_id}"])


@router.post("/outbox/{number}/try-now")
def try_now(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """An answer is tried again at once."""
    row = desk.answers.retry(number, by=visitor.by)
    sentence = f"Answer {number} of ticket {row.ticket_id} is tried again now."
    return done(request, "/admin/outbox", sentence, changed=["outbox", f"ticket-{row.ticket_id}"])


@router.get("/refusals")
def refusals(request: Request, desk: TheDesk, visitor: TheVisitor, q: str = "") -> Response:
    """What was refused or deferred, by day, reason and network."""
    board = desk.refusals.board(q[:300], by=visitor.by)
    return admin_page(request, visitor, "refusals", part="refusals", board=board, q=q[:300])


@router.get("/audit")
def audit(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    before: int | None = None,
    actor: str = "",
    what: str = "",
) -> Response:
    """The audit log, newest first."""
    lines = desk.audit_log.page(
        by=visitor.by, before=before, actor=actor.strip(), what=what.strip(), limit=LINES
    )
    older = lines[-1].id if len(lines) == LINES else None
    return admin_page(
        request, visitor, "audit", part="lines", lines=lines, older=older, actor=actor, what=what
    )
