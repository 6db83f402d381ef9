"""What is done with one ticket. Each act answers with the ticket as it is then.

Where ``undo`` stands beside it, that is the number of the act's event, by which it can be undone for some
seconds.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from relaydesk.api.callers import ApiDesk, Instant, RequestBody, RowKey, Writer
from relaydesk.api.once import OnceRoute
from relaydesk.api.tickets import current_ticket

router = APIRouter(route_class=OnceRoute, tags=["acts"])
LONGEST = 100_000  # characters of a note or a statement


class Assignment(RequestBody):
    agent: str | None = Field(max_length=100, description="the agent's name; null: nobody")


class Note(RequestBody):
    text: str = Field(min_length=1, max_length=LONGEST)


class Move(RequestBody):
    queue: str = Field(max_length=100)
    why: str = Field(default="", max_length=1_000)


class Reopening(RequestBody):
    why: str = Field(default="", max_length=1_000)


class Elsewhere(RequestBody):
    at: Instant = Field(description="when the customer was answered")


class Handling(RequestBody):
    at: Instant = Field(description="when it was done")
    how: str = Field(min_length=1, max_length=LONGEST, description="what was done")
    clock: Literal["handling", "evidence"] | None = None


class Snooze(RequestBody):
    until: Instant


class SortedAs(RequestBody):
    kind: Literal["case", "claim", "chargeback", "notice"]


@router.post("/tickets/{ticket_id}/take")
def take(desk: ApiDesk, caller: Writer, ticket_id: RowKey) -> dict[str, Any]:
    """The ticket is the caller's from now on."""
    event = desk.tickets.take(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/assign")
def assign(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Assignment) -> dict[str, Any]:
    """Gives the ticket to an agent, or to nobody. From another agent a lead takes it."""
    event = desk.tickets.assign(ticket_id, body.agent, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/note")
def note(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Note) -> dict[str, Any]:
    """Adds an internal note."""
    desk.tickets.note(ticket_id, body.text, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/close")
def close(desk: ApiDesk, caller: Writer, ticket_id: RowKey) -> dict[str, Any]:
    """Closes the ticket; its running clocks count as undecided."""
    event = desk.tickets.close(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/reopen")
def reopen(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Reopening) -> dict[str, Any]:
    """Opens a closed ticket again; its clocks run on from their start."""
    desk.tickets.reopen(ticket_id, why=body.why, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/move")
def move(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Move) -> dict[str, Any]:
    """Moves the ticket to another queue, whose clocks it gets."""
    desk.tickets.move(ticket_id, body.queue, by=caller.by, why=body.why)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/elsewhere")
def elsewhere(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Elsewhere) -> dict[str, Any]:
    """Records an answer given elsewhere: stops the response clock at that moment."""
    desk.tickets.state_answered_elsewhere(ticket_id, at=body.at, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/handled")
def handled(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Handling) -> dict[str, Any]:
    """Records what was done about a ticket that mail cannot answer: stops its handling or evidence clock."""
    desk.tickets.state_handled(ticket_id, at=body.at, how=body.how, clock=body.clock, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/looked")
def looked(desk: ApiDesk, caller: Writer, ticket_id: RowKey) -> dict[str, Any]:
    """States that somebody has looked at what asked for it."""
    desk.tickets.mark_looked_at(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/snooze")
def snooze(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: Snooze) -> dict[str, Any]:
    """Hides the ticket from the caller's own lists until a moment, or until something happens."""
    desk.tickets.snooze(ticket_id, body.until, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/wake")
def wake(desk: ApiDesk, caller: Writer, ticket_id: RowKey) -> dict[str, Any]:
    """Shows a snoozed ticket in the caller's own lists again."""
    desk.tickets.wake(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/sort")
def sort(desk: ApiDesk, caller: Writer, ticket_id: RowKey, body: SortedAs) -> dict[str, Any]:
    """States of which kind the ticket is: it goes to that queue, and its clocks follow."""
    desk.tickets.sort(ticket_id, body.kind, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/junk")
def junk(desk: ApiDesk, caller: Writer, ticket_id: RowKey) -> dict[str, Any]:
    """Closes the ticket as junk. Mail that is proven and sorted takes a lead."""
    event = desk.tickets.mark_junk(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id, undo=event)


@router.post("/tickets/{ticket_id}/not-junk")
def not_junk(desk: ApiDesk, caller: Writer, ticket_id: RowKey) -> dict[str, Any]:
    """States that the ticket is no junk after all: it is open again."""
    desk.tickets.unmark_junk(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/undo/{event}")
def undo(desk: ApiDesk, caller: Writer, ticket_id: RowKey, event: RowKey) -> dict[str, Any]:
    """Undoes the caller's own act of a moment ago, by its event."""
    desk.tickets.undo(event, by=caller.by, of=ticket_id)
    return current_ticket(desk, ticket_id)
