"""What a ticket belongs to: orders of the directory, and other tickets."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from relaydesk.api.callers import Body, Number, TheDesk, Writer
from relaydesk.api.once import OnceRoute
from relaydesk.api.tickets import current_ticket

router = APIRouter(route_class=OnceRoute, tags=["acts"])


class OrderNumber(Body):
    order: str = Field(min_length=1, max_length=100)


class OtherTicket(Body):
    ticket: int = Field(ge=1, le=2**63 - 1)


@router.post("/tickets/{ticket_id}/order")
def order(desk: TheDesk, caller: Writer, ticket_id: Number, body: OrderNumber) -> dict[str, Any]:
    """States that an order of the directory is this customer's."""
    desk.tickets.bind_order(ticket_id, body.order, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/release")
def release(desk: TheDesk, caller: Writer, ticket_id: Number, body: OrderNumber) -> dict[str, Any]:
    """States that an order is not this customer's."""
    desk.tickets.release_order(ticket_id, body.order, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/no-order")
def no_order(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """States that none of the ticket's numbers is this customer's order."""
    desk.tickets.state_no_order(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/link")
def link(desk: TheDesk, caller: Writer, ticket_id: Number, body: OtherTicket) -> dict[str, Any]:
    """States that two tickets belong together; each shows the other."""
    desk.tickets.link(ticket_id, body.ticket, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/unlink")
def unlink(desk: TheDesk, caller: Writer, ticket_id: Number, body: OtherTicket) -> dict[str, Any]:
    """States that two tickets have nothing to do with each other."""
    desk.tickets.unlink(ticket_id, body.ticket, by=caller.by)
    return current_ticket(desk, ticket_id)


@router.post("/tickets/{ticket_id}/merge")
def merge(desk: TheDesk, caller: Writer, ticket_id: Number, body: OtherTicket) -> dict[str, Any]:
    """Shows the ticket in the thread of another from now on; answers with that one."""
    desk.tickets.merge(ticket_id, body.ticket, by=caller.by)
    return current_ticket(desk, body.ticket)


@router.post("/tickets/{ticket_id}/unmerge")
def unmerge(desk: TheDesk, caller: Writer, ticket_id: Number) -> dict[str, Any]:
    """Takes a merge back: the ticket stands for itself again."""
    desk.tickets.unmerge(ticket_id, by=caller.by)
    return current_ticket(desk, ticket_id)
