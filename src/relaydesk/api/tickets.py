"""One ticket: what it holds, its messages and files, and what happened on it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from relaydesk.api.callers import Number, Reader, Rows, TheDesk
from relaydesk.api.files import BYTES, download
from relaydesk.api.once import OnceRoute
from relaydesk.desk import Desk, event_value, message_value, ticket_value

router = APIRouter(route_class=OnceRoute, tags=["tickets"])


def current_ticket(desk: Desk, ticket_id: int, **more: object) -> dict[str, Any]:
    """A ticket as it is now: what every act answers with."""
    return {**ticket_value(desk.tickets.view(ticket_id)), **more}


@router.get("/tickets/{ticket_id}")
def ticket(desk: TheDesk, caller: Reader, ticket_id: Number) -> dict[str, Any]:
    """A ticket with its latest messages, answers, deadlines, orders and events."""
    del caller
    return current_ticket(desk, ticket_id)


@router.get("/tickets/{ticket_id}/messages/{message_id}")
def message(desk: TheDesk, caller: Reader, ticket_id: Number, message_id: Number) -> dict[str, Any]:
    """A message as a person reads it, in full length."""
    del caller
    return message_value(desk.threads.message(ticket_id, message_id))


@router.get(
    "/tickets/{ticket_id}/messages/{message_id}/attachments/{number}",
    response_class=Response,
    responses=BYTES,
)
def attachment(
    desk: TheDesk, caller: Reader, ticket_id: Number, message_id: Number, number: Number
) -> Response:
    """The content of an attachment, by its place in the message from 1 on."""
    del caller
    part = desk.tickets.attachment(ticket_id, message_id, number)
    return download(part.name or f"attachment-{number}", part.content)


@router.get("/tickets/{ticket_id}/messages/{message_id}/raw", response_class=Response, responses=BYTES)
def original(desk: TheDesk, caller: Reader, ticket_id: Number, message_id: Number) -> Response:
    """A message exactly as it was received; that it was read goes on record."""
    raw = desk.tickets.original(ticket_id, message_id, by=caller.by)
    return download(f"ticket-{ticket_id}-message-{message_id}.eml", raw)


@router.get("/tickets/{ticket_id}/messages/{message_id}/headers")
def headers(desk: TheDesk, caller: Reader, ticket_id: Number, message_id: Number) -> list[dict[str, str]]:
    """The fields of a message's header, decoded, top first."""
    del caller
    return [{"name": name, "value": value} for name, value in desk.threads.headers(ticket_id, message_id)]


@router.get("/tickets/{ticket_id}/events")
def history(
    desk: TheDesk,
    caller: Reader,
    ticket_id: Number,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="the cursor")] = None,
    limit: Rows = 100,
) -> dict[str, Any]:
    """What happened on a ticket, newest first. ``cursor`` leads to the page after, as ``before``."""
    del caller
    desk.tickets.latest_event(ticket_id)  # which knows whether there is such a ticket
    noted = desk.threads.history(ticket_id, limit, before=before)
    shown = [{"id": entry.number, **event_value(entry.event)} for entry in noted]
    return {"events": shown, "cursor": noted[-1].number if len(noted) == limit else None}
