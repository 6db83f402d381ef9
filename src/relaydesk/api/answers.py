"""Answering, the outbox, and the reply templates."""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import Field

from relaydesk.api.callers import Reader, TheDesk, Writer
from relaydesk.api.once import OnceRoute
from relaydesk.api.tickets import Body, Number
from relaydesk.desk import Written, queued_value

router = APIRouter(route_class=OnceRoute, tags=["answers"])
LONGEST_TEXT = 1_000_000
LONGEST_FILE = 22_000_000  # characters of base64: 16 MB


class File(Body):
    name: str = Field(min_length=1, max_length=255)
    content: str = Field(max_length=LONGEST_FILE, description="base64")


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
    enclosures = desk.answers.enclosed([(file.name, _content(file)) for file in body.files])
    written = Written(text, body.order, body.no_order, enclosures, body.message)
    queued = desk.answers.write(ticket_id, written, seen=body.seen, by=caller.by, dry_run=body.dry_run)
    return queued_value(ticket_id, queued, dry_run=body.dry_run)


def _content(file: File) -> bytes:
    try:
        return base64.b64decode(file.content, validate=True)
    except (binascii.Error, ValueError):
        wrong = {"loc": ("body", "files", "content"), "msg": "this is not base64", "type": "value_error"}
        raise RequestValidationError([wrong]) from None


@router.get("/answers")
def answers(
    desk: TheDesk,
    caller: Reader,
    everything: Annotated[bool, Query(alias="all")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
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
        {"name": one.name, "title": one.title, "description": one.description, "needs": one.needs}
        for one in desk.templates.everything()
    ]
