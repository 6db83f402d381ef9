"""What every act on one ticket has in common: the locked ticket, its event, and that somebody has looked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError, UnknownTicket
from relaydesk.events import Event
from relaydesk.store import events, looks, merges, tickets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.desk.permissions import Act, Acting, DeskPart
    from relaydesk.events import Payload
    from relaydesk.store import TicketRow


@contextmanager
def acting_on(  # noqa: PLR0913 - who does what to which ticket
    part: DeskPart, act: Act, ticket_id: int, by: str, *, others: tuple[int, ...] = (), merged: bool = False
) -> Iterator[tuple[Acting, TicketRow]]:
    """A transaction for one act on a ticket, which is locked with its family and with ``others``.

    DeskError where there is none; and where it is merged into another, unless the act is about that.
    """
    with part.acting(act, by) as acting:
        merges.lock(acting.session, ticket_id, *others)
        yield acting, ticket_of(acting, ticket_id, merged=merged)


def ticket_of(acting: Acting, ticket_id: int, *, merged: bool = False) -> TicketRow:
    """A ticket as it stands now. DeskError where there is none, or where it is merged into another."""
    ticket = tickets.row(acting.session, ticket_id)
    if ticket is None:
        raise UnknownTicket(f"There is no ticket {ticket_id}.")
    if ticket.merged_into is not None and not merged:
        raise DeskError(
            f"Ticket {ticket_id} is merged into ticket {ticket.merged_into}; work there, or take the merge "
            f"back: `relaydesk ticket {ticket_id} --unmerge`."
        )
    return ticket


def demand_open(ticket: TicketRow) -> None:
    """DeskError for a closed ticket."""
    if not ticket.open:
        raise DeskError(f"Ticket {ticket.id} is closed; reopen it first.")


def tell(acting: Acting, ticket_id: int, payload: Payload) -> int:
    """Writes the act's event; its number, by which the act can be undone."""
    events.append(acting.session, [Event(ticket_id, acting.now, payload, acting.actor)], acting.now)
    return events.latest(acting.session, ticket_id, payload.what)


def family_of(acting: Acting, ticket: TicketRow) -> tuple[TicketRow, ...]:
    """The ticket and those that are merged into it."""
    members = (tickets.row(acting.session, number) for number in merges.members(acting.session, ticket.id))
    return (ticket, *(member for member in members if member is not None))


def has_looked(acting: Acting, ticket: TicketRow) -> None:
    """Whoever did this has seen what a person had to look at."""
    if ticket.needs_look is not None:
        looks.clear(acting.session, ticket.id, actor=acting.actor, now=acting.now)
