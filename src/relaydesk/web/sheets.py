"""The forms of acts that need a choice: each a page of its own, and a dialog over the page of the ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from relaydesk.desk import DeskError, RuleWords
from relaydesk.web.acts import changed, ticket_number
from relaydesk.web.done import done
from relaydesk.web.forms import TextField
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.desk import Desk, RuleTrial, Visitor, WholeTicket
    from relaydesk.events import Kind
    from relaydesk.store import TicketRow
    from relaydesk.web.pages import Pages

router = APIRouter()
NEAR = 8  # tickets of the same order or address that are offered


def _team(desk: Desk, _: Visitor, __: WholeTicket) -> dict[str, Any]:
    return {"team": team_of(desk)}


def _queues(desk: Desk, _: Visitor, __: WholeTicket) -> dict[str, Any]:
    return {"queues": desk.config.queues}


def _choices(desk: Desk, visitor: Visitor, _: WholeTicket) -> dict[str, Any]:
    return {"choices": desk.tickets.snooze_choices(visitor.zone)}


def _near(desk: Desk, _: Visitor, ticket: WholeTicket) -> dict[str, Any]:
    return {"near": near_tickets(desk, ticket)}


def _candidates(_: Desk, __: Visitor, ticket: WholeTicket) -> dict[str, Any]:
    numbers = [number for number in ticket.numbers if number.what == "order" and number.how != "released"]
    return {"candidates": numbers}


def _sort(desk: Desk, _: Visitor, ticket: WholeTicket) -> dict[str, Any]:
    return {"sort": sorting_of(desk, ticket)}


def _nothing(_: Desk, __: Visitor, ___: WholeTicket) -> dict[str, Any]:
    return {}


SHEETS: dict[str, tuple[str, Callable[[Desk, Visitor, WholeTicket], dict[str, Any]]]] = {
    "assign": ("Assign #{}", _team),
    "elsewhere": ("#{} was answered elsewhere", _nothing),
    "move": ("Move #{} to another queue", _queues),
    "snooze": ("Snooze #{} for yourself", _choices),
    "merge": ("Link or merge #{}", _near),
    "unmerge": ("Take the merge of #{} back", _nothing),
    "order": ("Choose the order of #{}", _candidates),
    "sort": ("Say what #{} is", _sort),
    "junk": ("Mark #{} as junk", _nothing),
    "reopen": ("Reopen #{}", _nothing),
}


def team_of(desk: Desk) -> tuple[Any, ...]:
    """The agents to whom a ticket can be given."""
    return tuple(agent for agent in desk.agents.everybody() if agent.active)


def near_tickets(desk: Desk, ticket: WholeTicket) -> tuple[TicketRow, ...]:
    """Other tickets of the same order or relay address, the newest few."""
    row = ticket.ticket
    keys = [number.value for number in ticket.numbers if number.how in ("bound", "not_found")]
    keys += [row.relay_address] if row.relay_address else []
    rows = {other.id: other for key in keys[:3] for other in desk.search.tickets(key, limit=NEAR).tickets}
    return tuple(other for number, other in sorted(rows.items(), reverse=True) if number != row.id)[:NEAR]


def sorting_of(desk: Desk, ticket: WholeTicket) -> dict[str, Any]:
    """What the question "What is it?" shows: what each kind would do, and a rule for the next mail."""
    row = ticket.ticket
    offered: dict[str, Any] = {"effects": desk.tickets.sort_effects(row.id), "kind": "", "message": ""}
    offered |= {"words": None, "trial": None, "problem": ""}
    if ticket.messages:
        offered["message"] = ticket.messages[-1].row.id
        offered["words"] = desk.rules.draft(row.id, ticket.messages[-1].row.id)
        offered |= _tried(desk, offered["words"], "claim")
    return offered


def _tried(desk: Desk, words: RuleWords, kind: Kind) -> dict[str, Any]:
    try:
        trial: RuleTrial = desk.rules.try_on(words, kind)
    except DeskError as problem:
        return {"trial": None, "problem": str(problem)}
    return {"trial": trial, "problem": ""}


def whole_acts(desk: Desk, visitor: Visitor, ticket: WholeTicket) -> dict[str, Any]:
    """What the acts of a ticket's page need beside the ticket."""
    unsorted = ticket.ticket.kind == "unsorted" and ticket.ticket.open
    return {
        "ticket": ticket,
        "team": team_of(desk),
        "snoozed": desk.tickets.snoozed_until(ticket.ticket.id, visitor.agent.name),
        "sort": sorting_of(desk, ticket) if unsorted else None,
    }


@router.get("/tickets/{ticket_id}/acts")
def acts(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> HTMLResponse:
    """What can be done with a ticket; the part of its page that is fetched anew when the ticket changes."""
    pages: Pages = request.app.state.pages
    ticket = desk.tickets.view(ticket_id, most=1)
    return pages.page(request, visitor, "acts.html", part="acts", **whole_acts(desk, visitor, ticket))


@router.get("/tickets/{ticket_id}/ruling")
def ruling(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    sender: str = "",
    subject: str = "",
    kind: str = "claim",
) -> HTMLResponse:
    """What a rule of these words would have matched, while they are being written."""
    pages: Pages = request.app.state.pages
    ticket = desk.tickets.view(ticket_id, most=0)
    words = RuleWords(sender, subject)
    offered = {**sorting_of(desk, ticket), **_tried(desk, words, kind), "words": words}  # type: ignore[arg-type]
    return pages.page(request, visitor, "ruling.html", part="trial", ticket=ticket, sort=offered)


@router.get("/tickets/{ticket_id}/{act}")
def sheet(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, act: str) -> HTMLResponse:
    """The form of one act."""
    if act not in SHEETS:
        raise HTTPException(404)
    heading, further = SHEETS[act]
    ticket = desk.tickets.view(ticket_id, most=1)
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        visitor,
        "act.html",
        part="sheet",
        act=act,
        heading=heading.format(ticket_id),
        floating="hx-request" in request.headers,
        ticket=ticket,
        **further(desk, visitor, ticket),
    )


@router.post("/tickets/{ticket_id}/link")
def link(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    other: TextField = "",
    merge: TextField = "",
) -> Response:
    """Links two tickets; with ``merge`` merges this one into the other."""
    if merge:
        return merged(request, desk, visitor, ticket_id, other)
    number = ticket_number(other)
    desk.tickets.link(ticket_id, number, by=visitor.by)
    sentence = f"#{ticket_id} and #{number} are linked."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id, number))


@router.post("/tickets/{ticket_id}/unlink")
def unlink(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, other: TextField = ""
) -> Response:
    """States that two tickets have nothing to do with each other."""
    number = ticket_number(other)
    desk.tickets.unlink(ticket_id, number, by=visitor.by)
    sentence = f"#{ticket_id} and #{number} are no longer linked."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id, number))


@router.post("/tickets/{ticket_id}/merge")
def merged(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, other: TextField = ""
) -> Response:
    """Shows it in the thread of another, and goes there."""
    into = ticket_number(other)
    desk.tickets.merge(ticket_id, into, by=visitor.by)
    return done(
        request,
        f"/tickets/{into}",
        f"#{ticket_id} is merged into #{into}; both clocks run on.",
        undo=f"/tickets/{ticket_id}/unmerge",
        changed=changed(ticket_id, into),
        leaves=True,
    )


@router.post("/tickets/{ticket_id}/unmerge")
def unmerge(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Takes a merge back, and goes to the ticket that stands for itself again."""
    desk.tickets.unmerge(ticket_id, by=visitor.by)
    sentence = f"#{ticket_id} stands for itself again."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id), leaves=True)


@router.post("/tickets/{ticket_id}/order")
def order(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    order: TextField = "",
    other: TextField = "",
) -> Response:
    """Binds the right order: one that the mail names, or another of the directory."""
    number = other.strip() or order.strip()
    if not number:
        raise DeskError("No order was bound: choose one, or write its number.")
    desk.tickets.bind_order(ticket_id, number, by=visitor.by)
    sentence = f"Order {number} is bound to #{ticket_id}."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id))


@router.post("/tickets/{ticket_id}/release")
def release(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, order: TextField = ""
) -> Response:
    """Unbinds an order; ``*`` states that none of the numbers is this customer's order."""
    if order == "*":
        desk.tickets.state_no_order(ticket_id, by=visitor.by)
        sentence = f"#{ticket_id} has no order, as you state."
    else:
        desk.tickets.release_order(ticket_id, order, by=visitor.by)
        sentence = f"Order {order} is no longer bound to #{ticket_id}."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id))
