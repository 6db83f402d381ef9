"""Saying of which kind a ticket is, and that it is junk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.clocks import close_ticket, follow_queue, reopen_ticket
from relaydesk.desk.config import DeskError, UnknownTicket
from relaydesk.desk.permissions import DeskPart, demand
from relaydesk.desk.ticket_acts import acting_on, demand_open, family_of, has_looked, tell
from relaydesk.events import JunkMarked, JunkUnmarked, TicketMoved, TicketSorted
from relaydesk.store import deadlines, links, tickets

if TYPE_CHECKING:
    from relaydesk.desk.permissions import Acting
    from relaydesk.events import Kind
    from relaydesk.policy import Planned
    from relaydesk.store import TicketRow

SORTED_AS: tuple[Kind, ...] = ("case", "claim", "chargeback", "notice")
"""The kinds that a person can say a ticket is of."""


@dataclass(frozen=True, slots=True)
class SortEffect:
    """What becomes of a ticket's clocks when somebody says of which kind it is.

    ``planned`` are the clocks that its queue promises; ``answerable``: by mail; ``ends`` says that a clock
    that runs now is promised no more, ``breached`` that one of its deadlines has passed, which stays so.
    """

    kind: Kind
    queue: str
    planned: tuple[Planned, ...]
    answerable: bool
    ends: bool
    breached: bool


class Sorting(DeskPart):
    """The acts of :class:`relaydesk.desk.tickets.Tickets` that say what a ticket is."""

    def sort_effects(self, ticket_id: int) -> tuple[SortEffect, ...]:
        """What saying each kind would do to the clocks of a ticket; a view."""
        with self.store.reading() as session:
            ticket = tickets.row(session, ticket_id)
            clocks = deadlines.of_tickets(session, [ticket_id])
        if ticket is None:
            raise UnknownTicket(f"There is no ticket {ticket_id}.")
        now, plan, answerable = self.clock(), self.config.plan(), bool(ticket.relay_address)
        running = [clock for clock in clocks if clock.running]
        breached = any(clock.due_at < now for clock in running)
        effects = []
        for kind in SORTED_AS:
            queue = self._queue(kind, ticket)
            planned = plan(queue, ticket.opened_at, relay=answerable, contact_reason=ticket.contact_reason)
            promised = {clock.clock for clock in planned}
            ends = any(clock.clock not in promised for clock in running)
            effects.append(SortEffect(kind, queue, planned, answerable, ends, breached))
        return tuple(effects)

    def sort(self, ticket_id: int, kind: Kind, *, by: str) -> None:
        """States of which kind an open ticket is: it goes to that queue, and its clocks follow the rules.

        They keep their start. A claim escalates the open cases of its order, as if it had come as one.
        """
        with acting_on(self, "sort", ticket_id, by) as (acting, ticket):
            if kind not in SORTED_AS:
                raise DeskError(f"A ticket cannot be sorted as {kind}; use one of {', '.join(SORTED_AS)}.")
            demand_open(ticket)
            if kind == ticket.kind:
                raise DeskError(f"Ticket {ticket_id} is a {kind} already.")
            queue = self._queue(kind, ticket)
            for member in family_of(acting, ticket):
                self._sort(acting, member, kind, queue)
            has_looked(acting, ticket)
            if kind == "claim" and ticket.verified:
                _escalate(acting, ticket.id)

    def _sort(self, acting: Acting, ticket: TicketRow, kind: Kind, queue: str) -> None:
        tickets.change(acting.session, ticket.id, kind=kind, queue=queue)
        tell(acting, ticket.id, TicketSorted(ticket.kind, kind))
        if queue != ticket.queue:
            tell(acting, ticket.id, TicketMoved(ticket.queue, queue, f"sorted as {kind}"))
        moved = replace(ticket, kind=kind)
        follow_queue(acting.session, moved, queue, plan=self.config.plan(), now=acting.now)

    def _queue(self, kind: Kind, ticket: TicketRow) -> str:
        return kind if kind in self.config.queues else ticket.queue

    def mark_junk(self, ticket_id: int, *, by: str) -> int:
        """Closes a ticket as junk: mail that nothing proves or no rule sorts; other mail needs a lead.

        Further mail of that relay address, or of that unproven sender, is marked for a person's look. The
        number of the event, by which it can be undone.
        """
        with acting_on(self, "mark_junk", ticket_id, by) as (acting, ticket):
            if ticket.verified and ticket.kind != "unsorted":
                demand(acting.session, "mark_proven_junk", by)
            if not ticket.open:
                raise DeskError(f"Ticket {ticket_id} is already closed.")
            has_looked(acting, ticket)
            close_ticket(acting.session, ticket.id, actor=acting.actor, now=acting.now)
            tickets.change(acting.session, ticket.id, junk_at=acting.now)
            return tell(acting, ticket.id, JunkMarked())

    def unmark_junk(self, ticket_id: int, *, by: str) -> None:
        """States that a ticket is no junk after all: it is open again, its clocks run on from their start."""
        with acting_on(self, "unmark_junk", ticket_id, by) as (acting, ticket):
            if ticket.junk_at is None:
                raise DeskError(f"Ticket {ticket_id} is not marked as junk.")
            take_junk_back(acting, ticket, "no junk")


def take_junk_back(acting: Acting, ticket: TicketRow, why: str) -> None:
    """A ticket is no junk: it is open again. DeskError where its relay address has another open ticket."""
    other = tickets.thread_is_open(acting.session, ticket.id)
    if other is not None:
        raise DeskError(f"Ticket {other} is open for the same relay address; continue there.")
    tell(acting, ticket.id, JunkUnmarked())
    reopen_ticket(acting.session, ticket.id, why, actor=acting.actor, at=acting.now, now=acting.now)


def _escalate(acting: Acting, ticket_id: int) -> None:
    related = links.of_same_orders(acting.session, ticket_id)
    cases = [number for number, kind in related if kind == "case"]
    others = [number for number, kind in related if kind != "case"]
    links.relate(acting.session, ticket_id, cases, others, at=acting.now, noted_at=acting.now)
