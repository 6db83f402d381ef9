"""What is done with a ticket: one POST each, of a form, answered by what was done and how to undo it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError, RuleWords, TicketFilter
from relaydesk.web.done import done
from relaydesk.web.visitors import TheDesk, TheVisitor
from relaydesk.web.wording import moment

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor, WholeTicket
    from relaydesk.events import Kind

router = APIRouter()
Text = Annotated[str, Form()]
NEAREST = 20  # tickets among which the next one is looked for


def changed(*ticket_ids: int) -> list[str]:
    """What shows a ticket shows it anew."""
    return [*(f"ticket-{number}" for number in ticket_ids), "tickets", "counts"]


def ticket_number(text: str) -> int:
    """The ticket that a person names: 41 or #41. DeskError for anything else."""
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:  # noqa: PLR2004 - what a column holds
        raise DeskError(f"{text.strip() or 'Nothing'} is no number of a ticket; write it as 41 or #41.")
    return int(digits)


def next_page(desk: Desk, visitor: Visitor, ticket: WholeTicket) -> str:
    """Where an agent goes on who is done with a ticket: as they prefer, by default the next deadline.

    The next one of the same queue, else of any, that nobody else has; the lists where there is none.
    """
    wanted = visitor.preferences.after_send
    if wanted == "stay":
        return f"/tickets/{ticket.ticket.id}"
    if wanted == "next":
        for queue in (ticket.ticket.queue, None):
            criteria = TicketFilter(queue=queue, awake_for=visitor.agent.name)
            for row in desk.queues.page(criteria, limit=NEAREST).tickets:
                if row.assignee in (None, visitor.agent.name) and row.id != ticket.ticket.id:
                    return f"/tickets/{row.id}"
    return f"/queues/{ticket.ticket.queue}" if wanted == "list" else "/"


@router.post("/tickets/{ticket_id}/take")
def take(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Takes a ticket for who asks."""
    event = desk.tickets.take(ticket_id, by=visitor.by)
    return done(
        request,
        f"/tickets/{ticket_id}",
        f"You have #{ticket_id} now.",
        undo=f"/undo/{event}",
        changed=changed(ticket_id),
    )


@router.post("/tickets/{ticket_id}/assign")
def assign(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, agent: Text = ""
) -> Response:
    """Gives it to an agent; an empty name to nobody."""
    event = desk.tickets.assign(ticket_id, agent.strip() or None, by=visitor.by)
    whose = "Nobody has" if not agent else "You have" if agent == visitor.agent.name else f"{agent} has"
    return done(
        request,
        f"/tickets/{ticket_id}",
        f"{whose} #{ticket_id} now.",
        undo=f"/undo/{event}",
        changed=changed(ticket_id),
    )


@router.post("/tickets/{ticket_id}/close")
def close(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Closes it, and goes on to the next one."""
    ticket = desk.tickets.view(ticket_id, most=0)
    event = desk.tickets.close(ticket_id, by=visitor.by)
    to = next_page(desk, visitor, ticket)
    return done(
        request,
        to,
        f"#{ticket_id} closed{_undecided(desk, ticket)}.",
        undo=f"/undo/{event}",
        changed=changed(ticket_id),
        leaves=to != f"/tickets/{ticket_id}",
    )


def _undecided(desk: Desk, ticket: WholeTicket) -> str:
    """What closing does to the clocks that ran."""
    running = [clock for clock in ticket.clocks if clock.running]
    if any(clock.due_at < desk.clock() for clock in running):
        return "; its deadline had passed, and that stays on record"
    return "; its clock counts as undecided, neither met nor breached" if running else ""


@router.post("/tickets/{ticket_id}/reopen")
def reopen(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, why: Text = "") -> Response:
    """Opens it again, with a reason."""
    ticket = desk.tickets.view(ticket_id, most=0)
    if ticket.ticket.junk_at is not None:
        desk.tickets.unmark_junk(ticket_id, by=visitor.by)
    else:
        desk.tickets.reopen(ticket_id, by=visitor.by, why=why.strip())
    sentence = f"#{ticket_id} is open again; its clocks run on from their start."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id))


@router.post("/tickets/{ticket_id}/move")
def move(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, queue: Text = "", why: Text = ""
) -> Response:
    """Moves it to another queue; the reason is kept."""
    if not why.strip():
        raise DeskError(f"Ticket {ticket_id} was not moved: say why, so that others understand it.")
    desk.tickets.move(ticket_id, queue, by=visitor.by, why=why)
    due = desk.tickets.view(ticket_id, most=0).ticket.next_due
    then = f", due {moment(due, visitor.zone)}" if due else ", where no clock runs"
    return done(
        request, f"/tickets/{ticket_id}", f"#{ticket_id} is in {queue} now{then}.", changed=changed(ticket_id)
    )


@router.post("/tickets/{ticket_id}/looked")
def looked(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """States that somebody has looked."""
    desk.tickets.mark_looked_at(ticket_id, by=visitor.by)
    sentence = f"#{ticket_id} no longer waits for a look."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id))


@router.post("/tickets/{ticket_id}/snooze")
def snooze(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, choice: Text = "", until: Text = ""
) -> Response:
    """Hides it from one's own lists: one of the moments that are offered, or a local time of one's own."""
    zone = visitor.zone
    choices = {offered.key: offered.until for offered in desk.tickets.snooze_choices(zone)}
    wanted = choices.get(choice)
    if wanted is None:
        try:
            wanted = datetime.fromisoformat(until)
        except ValueError:
            raise DeskError(f"Ticket {ticket_id} was not snoozed: choose until when.") from None
        wanted = wanted if wanted.tzinfo is not None else wanted.replace(tzinfo=zone)
    ticket = desk.tickets.view(ticket_id, most=0)
    desk.tickets.snooze(ticket_id, wanted, by=visitor.by)
    to = next_page(desk, visitor, ticket)
    return done(
        request,
        to,
        f"#{ticket_id} is back in your lists {moment(wanted, zone)}, or sooner if something happens.",
        undo=f"/tickets/{ticket_id}/wake",
        changed=changed(ticket_id),
        leaves=to != f"/tickets/{ticket_id}",
    )


@router.post("/tickets/{ticket_id}/wake")
def wake(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Shows it in one's own lists again."""
    desk.tickets.wake(ticket_id, by=visitor.by)
    sentence = f"#{ticket_id} is in your lists again."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id))


@router.post("/undo/{event}")
def undo(request: Request, desk: TheDesk, visitor: TheVisitor, event: int) -> Response:
    """Undoes one's own act of a moment ago."""
    ticket_id = desk.tickets.undo(event, by=visitor.by)
    to = f"/tickets/{ticket_id}"
    elsewhere = not request.headers.get("hx-current-url", "").partition("?")[0].endswith((to, f"{to}/acts"))
    sentence = f"Undone: #{ticket_id} is as it was."
    return done(request, to, sentence, changed=changed(ticket_id), leaves=elsewhere)


@router.post("/tickets/{ticket_id}/sort")
def sort(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    kind: Text = "",
    rule: Text = "",
    message: Text = "",
    sender: Text = "",
    subject: Text = "",
) -> Response:
    """States of which kind it is, and proposes a rule where that is wanted."""
    sorted_as: Kind = kind  # type: ignore[assignment]  # the desk refuses what is no kind
    if not kind:
        raise DeskError("Choose what it is.")
    proposal = None
    if rule:
        number = int(message) if message.isdigit() else None
        words = RuleWords(sender, subject)
        proposal = desk.rules.propose(ticket_id, number, words, sorted_as, by=visitor.by)
    desk.tickets.sort(ticket_id, sorted_as, by=visitor.by)
    sentence = f"#{ticket_id} is a {kind} now."
    if proposal is not None:
        sentence += f" Rule {proposal} is proposed; a lead or an admin puts it in force."
    return done(request, f"/tickets/{ticket_id}", sentence, changed=changed(ticket_id), leaves=True)


@router.post("/tickets/{ticket_id}/junk")
def junk(request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> Response:
    """Marks it as junk, and goes on to the next one."""
    ticket = desk.tickets.view(ticket_id, most=0)
    event = desk.tickets.mark_junk(ticket_id, by=visitor.by)
    return done(
        request,
        next_page(desk, visitor, ticket),
        f"#{ticket_id} is closed as junk.",
        undo=f"/undo/{event}",
        changed=changed(ticket_id),
        leaves=True,
    )
