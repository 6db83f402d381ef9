"""One ticket: what it holds, and what is done with it. Each act answers with the ticket as it is then."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from relaydesk.api.callers import Reader, TheDesk, Writer
from relaydesk.api.once import OnceRoute
from relaydesk.desk import Desk, message_value, ticket_value

router = APIRouter(route_class=OnceRoute, tags=["tickets"])
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
LONGEST = 100_000  # characters of a note or a statement


class Body(BaseModel):
    """What a request carries; a name that is not known is an error, never passed over."""

    model_config = ConfigDict(extra="forbid")


class Assignment(Body):
    agent: str | None = Field(max_length=100, description="the agent's name; null: nobody")


class Note(Body):
    text: str = Field(min_length=1, max_length=LONGEST)


class Move(Body):
    queue: str = Field(max_length=100)


class Reopening(Body):
    why: str = Field(default="", max_length=1_000)


class Elsewhere(Body):
    at: AwareDatetime = Field(description="when the customer was answered")


class Handling(Body):
    at: AwareDatetime = Field(description="when it was done")
    how: str = Field(min_length=1, max_length=LONGEST, description="what was done")
    clock: Literal["handling", "evidence"] | None = None


class OrderNumber(Body):
    order: str = Field(min_length=1, max_length=100)


def _now(desk: Desk, ticket_id: int) -> dict[str, Any]:
    return ticket_value(desk.tickets.view(ticket_id))


@router.get("/tickets/{ticket_id}")
def ticket(desk: TheDesk, caller: Reader, ticket_id: Number) -> dict[str, Any]:
    """A ticket with its latest messages, answers, deadlines, orders and events."""
    del caller
    return _now(desk, ticket_id)


@router.get("/tickets/{ticket_id}/messages/{message_id}")
def message(desk: TheDesk, caller: Reader, ticket_id: Number, message_id: Number) -> dict[str, Any]:
    """A message as a person reads it, in full length."""
    del caller
    return message_value(desk.tickets.message(ticket_id, message_id))


@router.get(
    "/tickets/{ticket_id}/messages/{message_id}/attachments/{number}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def attachment(
    desk: TheDesk, caller: Reader, ticket_id: Number, message_id: Number, number: Number
) -> Response:
    """The content of an attachment, by its place in the message from 1 on."""
    del caller
    part = desk.tickets.attachment(ticket_id, message_id, number)
    name = quote(part.name or f"attachment-{number}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(part.content, media_type="application/octet-stream", headers=headers)


@router.post("/tickets/{ticket_id}/take")
def take(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """The ticket is the caller's from now on."""
    desk.tickets.assign(ticket_id, caller.agent.name, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/assign")
def assign(desk: TheDesk, caller: Writer, ticket_id: Number, body: Assignment) -> dict[str, Any]:
    """Gives the ticket to an agent, or to nobody. From another agent a lead takes it."""
    desk.tickets.assign(ticket_id, body.agent, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/note")
def note(desk: TheDesk, caller: Writer, ticket_id: Number, body: Note) -> dict[str, Any]:
    """Adds an internal note."""
    desk.tickets.note(ticket_id, body.text, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/close")
def close(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """Closes the ticket; its running clocks count as undecided."""
    desk.tickets.close(ticket_id, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/reopen")
def reopen(desk: TheDesk, caller: Writer, ticket_id: Number, body: Reopening) -> dict[str, Any]:
    """Opens a closed ticket again; its clocks run on from their start."""
    desk.tickets.reopen(ticket_id, why=body.why, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/move")
def move(desk: TheDesk, caller: Writer, ticket_id: Number, body: Move) -> dict[str, Any]:
    """Moves the ticket to another queue, whose clocks it gets."""
    desk.tickets.move(ticket_id, body.queue, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/elsewhere")
def elsewhere(desk: TheDesk, caller: Writer, ticket_id: Number, body: Elsewhere) -> dict[str, Any]:
    """Records an answer given elsewhere: stops the response clock at that moment."""
    desk.tickets.state_answered_elsewhere(ticket_id, at=body.at, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/handled")
def handled(desk: TheDesk, caller: Writer, ticket_id: Number, body: Handling) -> dict[str, Any]:
    """Records what was done about a ticket that mail cannot answer: stops its handling or evidence clock."""
    desk.tickets.state_handled(ticket_id, at=body.at, how=body.how, clock=body.clock, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/looked")
def looked(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """States that somebody has looked at what asked for it."""
    desk.tickets.mark_looked_at(ticket_id, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/order")
def order(desk: TheDesk, caller: Writer, ticket_id: Number, body: OrderNumber) -> dict[str, Any]:
    """States that an order of the directory is this customer's."""
    desk.tickets.bind_order(ticket_id, body.order, by=caller.by)
    return _now(desk, ticket_id)


@router.post("/tickets/{ticket_id}/release")
def release(desk: TheDesk, caller: Writer, ticket_id: Number, body: OrderNumber) -> dict[str, Any]:
    """States that an order is not this customer's."""
    desk.tickets.release_order(ticket_id, body.order, by=caller.by)
    return _now(desk, ticket_id)
