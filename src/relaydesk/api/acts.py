"""What is done with one ticket. Each act answers with the ticket as it is then.

Where ``undo`` stands beside it, that is the number of the act's event, by which it can be undone for some
seconds.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from relaydesk.api.callers import Body, Moment, Number, TheDesk, Writer
from relaydesk.api.once import OnceRoute
from relaydesk.api.tickets import current_ticket

router = APIRouter(route_class=OnceRoute, tags=["acts"])
LONGEST = 100_000  # characters of a note or a statement


class Assignment(Body):
    agent: str | None = Field(max_length=100, description="the agent's name; null: nobody")


class Note(Body):
    text: str = Field(min_length=1, max_length=LONGEST)


class Move(Body):
    queue: str = Field(max_length=100)
    why: str = Field(default="", max_length=1_000)


class Reopening(Body):
    why: str = Field(default="", max_length=1_000)


class Elsewhere(Body):
    at: Moment = Field(description="when the customer was answered")


class Handling(Body):
    at: Moment = Field(description="when it was done")
    how: str = Field(min_length=1, max_length=LONGEST, description="what was done")
    clock: Literal["handling", "evidence"] | None = None


class Snooze(Body):
    until: Moment


class SortedAs(Body):
    kind: Literal["case", "claim", "chargeback", "notice"]


@router.post("/tickets/{ticket_id}/take")
def take(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """The ticket is the caller's from now on."""
    event = desk.tickets.take(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/assign")
def assign(desk: TheDesk, caller: Writer, ticket_id: Number, body: Assignment) -> dict[str, Any]:
    """Gives the ticket to an agent, or to nobody. From another agent a lead takes it."""
    event = desk.tickets.assign(ticket_id, body.agent, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/note")
def note(desk: TheDesk, caller: Writer, ticket_id: Number, body: Note) -> dict[str, Any]:
    """Adds an internal note."""
    desk.tickets.note(ticket_id, body.text, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/close")
def close(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """Closes the ticket; its running clocks count as undecided."""
    event = desk.tickets.close(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/reopen")
def reopen(desk: TheDesk, caller: Writer, ticket_id: Number, body: Reopening) -> dict[str, Any]:
    """Opens a closed ticket again; its clocks run on from their start."""
    desk.tickets.reopen(ticket_id, why=body.why, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/move")
def move(desk: TheDesk, caller: Writer, ticket_id: Number, body: Move) -> dict[str, Any]:
    """Moves the ticket to another queue, whose clocks it gets."""
    desk.tickets.move(ticket_id, body.queue, by=caller.by, why=body.why)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/elsewhere")
def elsewhere(desk: TheDesk, caller: Writer, ticket_id: Number, body: Elsewhere) -> dict[str, Any]:
    """Records an answer given elsewhere: stops the response clock at that moment."""
    desk.tickets.state_answered_elsewhere(ticket_id, at=body.at, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/handled")
def handled(desk: TheDesk, caller: Writer, ticket_id: Number, body: Handling) -> dict[str, Any]:
    """Records what was done about a ticket that mail cannot answer: stops its handling or evidence clock."""
    desk.tickets.state_handled(ticket_id, at=body.at, how=body.how, clock=body.clock, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/looked")
def looked(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """States that somebody has looked at what asked for it."""
    desk.tickets.mark_looked_at(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/snooze")
def snooze(desk: TheDesk, caller: Writer, ticket_id: Number, body: Snooze) -> dict[str, Any]:
    """Hides the ticket from the caller's own lists until a moment, or until something happens."""
    desk.tickets.snooze(ticket_id, body.until, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/wake")
def wake(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """Shows a snoozed ticket in the caller's own lists again."""
    desk.tickets.wake(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/sort")
def sort(desk: TheDesk, caller: Writer, ticket_id: Number, body: SortedAs) -> dict[str, Any]:
    """States of which kind the ticket is: it goes to that queue, and its clocks follow."""
    desk.tickets.sort(ticket_id, body.kind, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/junk")
def junk(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """Closes the ticket as junk. Mail that is proven and sorted takes a lead."""
    event = desk.tickets.mark_junk(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/not-junk")
def not_junk(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """States that the ticket is no junk after all: it is open again."""
    desk.tickets.unmark_junk(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/undo/{event}")
def undo(desk: TheDesk, caller: Writer, ticket_id: Number, event: Number) -> dict[str, Any]:
    """Undoes the caller's own act of a moment ago, by its event."""
    desk.tickets.undo(event, by=caller.by, of=ticket_id)
    return current_ticket(desk, ticket_id)
