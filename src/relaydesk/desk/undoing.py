"""Undoing an act of a moment ago by its reverse, with an event of its own: history only grows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.clocks import reopen_ticket
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart
from relaydesk.desk.sorting import take_junk_back
from relaydesk.desk.ticket_acts import tell, ticket_of
from relaydesk.events import UNDONE, JunkMarked, LookedAt, TicketAssigned, TicketClosed
from relaydesk.store import events, looks, merges, tickets

if TYPE_CHECKING:
    from relaydesk.desk.permissions import Acting
    from relaydesk.events import Event
    from relaydesk.store import TicketRow

UNDO = timedelta(seconds=10)
ON_THE_WAY = timedelta(seconds=3)  # a press in the last second still has to arrive


class Undoing(DeskPart):
    """Part of :class:`relaydesk.desk.tickets.Tickets`."""

    def undo(self, event: int, *, by: str, of: int | None = None) -> int:
        """Undoes one's own close, junk, take or assignment, by the number of its event, within 10 seconds.

        The number of the ticket, which is ``of`` where that is given. DeskError, with why, when it is too
        late or something else happened since.
        """
        with self.acting("undo", by) as acting:
            act = events.one(acting.session, event)
            if act is None or of not in (None, act.ticket_id):
                raise DeskError("There is nothing to undo.")
            merges.lock(acting.session, act.ticket_id)
            ticket = ticket_of(acting, act.ticket_id)
            _demand_undoable(acting, event, act)
            self._reverse(acting, ticket, event, act)
            return ticket.id

    def _reverse(self, acting: Acting, ticket: TicketRow, number: int, act: Event) -> None:
        match act.payload:
            case TicketClosed():
                _reopen(acting, ticket)
                _ask_again(acting, ticket, number, act)
            case JunkMarked():
                if ticket.junk_at is None:
                    raise DeskError(f"Ticket {ticket.id} is not marked as junk any more.")
                take_junk_back(acting, ticket, UNDONE)
                _ask_again(acting, ticket, number, act)
            case TicketAssigned(agent=agent):
                if ticket.assignee != agent:
                    raise DeskError(_since(ticket.id))
                before = events.before(acting.session, ticket.id, TicketAssigned.what, number)
                earlier = (
                    before.payload.agent if before and isinstance(before.payload, TicketAssigned) else None
                )
                for member in (ticket.id, *merges.members(acting.session, ticket.id)):
                    tickets.change(acting.session, member, assignee=earlier)
                    tell(acting, member, TicketAssigned(earlier, UNDONE))
            case _:
                raise DeskError("This cannot be undone.")


def _demand_undoable(acting: Acting, number: int, act: Event) -> None:
    if act.actor != acting.actor:
        raise DeskError("Only who did it can undo it.")
    if acting.now - act.at > UNDO + ON_THE_WAY:
        raise DeskError(
            f"It is too late to undo it: that is possible for {UNDO.seconds} seconds. Ticket {act.ticket_id} "
            "is as you left it; change it back by hand."
        )
    others = events.since(acting.session, act.ticket_id, number)
    if any(other.actor != "relaydesk" and not _same_act(other, act) for other in others):
        raise DeskError(_since(act.ticket_id))


def _same_act(other: Event, act: Event) -> bool:
    return (other.at, other.actor) == (act.at, act.actor)


def _since(ticket_id: int) -> str:
    return f"Something else happened on ticket {ticket_id} since, so this was not undone; look at it again."


def _reopen(acting: Acting, ticket: TicketRow) -> None:
    if ticket.open:
        raise DeskError(f"Ticket {ticket.id} is open already.")
    other = tickets.thread_is_open(acting.session, ticket.id)
    if other is not None:
        raise DeskError(f"Ticket {other} is open for the same relay address; continue there.")
    reopen_ticket(acting.session, ticket.id, UNDONE, actor=acting.actor, at=acting.now, now=acting.now)


def _ask_again(acting: Acting, ticket: TicketRow, number: int, act: Event) -> None:
    """Closing counted as looking; undone, the ticket asks for a look as before."""
    looked = events.before(acting.session, ticket.id, LookedAt.what, number)
    if looked is None or not _same_act(looked, act) or not isinstance(looked.payload, LookedAt):
        return
    if looked.payload.reason:
        looks.mark(acting.session, ticket.id, looked.payload.reason, looked.payload.since or act.at)
