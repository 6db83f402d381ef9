"""Answering, the outbox, and the reply templates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from relaydesk.api.callers import Body, Number, Reader, Rows, TheDesk, Writer
from relaydesk.api.files import File
from relaydesk.api.once import OnceRoute
from relaydesk.desk import Written, queued_value

router = APIRouter(route_class=OnceRoute, tags=["answers"])
LONGEST_TEXT = 1_000_000


class Answer(Body):
    """``text`` or ``template`` with its ``values``; ``seen`` is the latest event of the ticket that whoever
    wrote it had before them."""

    text: str = Field(default="", max_length=LONGEST_TEXT)
    template: str = Field(default="", max_length=100)
    values: dict[str, str] = Field(default_factory=dict)
    order: str | None = Field(default=None, max_length=100)
    no_order: bool = False
    message: int | None = Field(default=None, ge=1, le=2**63 - 1)
    seen: int = Field(ge=1, le=2**63 - 1)
    files: list[File] = Field(default_factory=list, max_length=20)
    dry_run: bool = False


@router.post("/tickets/{ticket_id}/answers", status_code=201)
def answer(desk: TheDesk, caller: Writer, ticket_id: Number, body: Answer) -> dict[str, Any]:
    """Lays an answer in the outbox; it leaves when its undo time is over; ``dry_run`` keeps nothing."""
    text = body.text
    if body.template:
        text = desk.answers.filled(ticket_id, body.template, body.values, by=caller.by, order=body.order)
    enclosures = desk.answers.enclosed([(file.name, file.data) for file in body.files])
    written = Written(text, body.order, body.no_order, enclosures, body.message)
    queued = desk.answers.write(ticket_id, written, seen=body.seen, by=caller.by, dry_run=body.dry_run)
    return queued_value(ticket_id, queued, dry_run=body.dry_run)


@router.get("/answers")
def answers(
    desk: TheDesk,
    caller: Reader,
    everything: Annotated[bool, Query(alias="all")] = False,
    limit: Rows = 200,
) -> list[dict[str, Any]]:
    """The outbox: what a person must look at and what waits; with ``all`` everything, newest first."""
    del caller
    rows = desk.outbox.newest(limit) if everything else desk.outbox.waiting(limit)
    return [asdict(row) for row in rows]


@router.post("/answers/{answer_id}/cancel")
def cancel(desk: TheDesk, caller: Writer, answer_id: Number) -> dict[str, Any]:
    """Takes an answer back before it leaves."""
    return asdict(desk.answers.cancel(answer_id, by=caller.by))


@router.post("/answers/{answer_id}/retry")
def retry(desk: TheDesk, caller: Writer, answer_id: Number) -> dict[str, Any]:
    """Has a deferred, refused or failed answer tried again at once, the same bytes."""
    return asdict(desk.answers.retry(answer_id, by=caller.by))


@router.get("/templates")
def templates(desk: TheDesk, caller: Reader) -> list[dict[str, Any]]:
    """The reply templates, what each is for and needs."""
    del caller
    return [
        {
            "name": template.name,
            "title": template.title,
            "description": template.description,
            "needs": template.needs,
        }
        for template in desk.templates.everything()
    ]
