"""What people do with tickets, and one ticket as they see it."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from relaydesk.clocks import close_ticket, follow_queue, reopen_ticket, stop_clock
from relaydesk.desk.config import DeskError, UnknownTicket
from relaydesk.desk.merging import Merging
from relaydesk.desk.permissions import active_agent, agent_actor, agent_name, demand
from relaydesk.desk.snoozing import Snoozing
from relaydesk.desk.sorting import Sorting
from relaydesk.desk.ticket_acts import acting_on, demand_open, family_of, has_looked, may_stop, tell
from relaydesk.desk.ticket_view import READ, attachments_of, read_message, whole_ticket
from relaydesk.desk.undoing import Undoing
from relaydesk.events import NoteAdded, OrderBound, OrderReleased, TicketAssigned, TicketClosed, TicketMoved
from relaydesk.message import index_words
from relaydesk.store import (
    audit,
    deadlines,
    events,
    merges,
    messages,
    named_tickets,
    search,
    threads,
    ticket_orders,
    tickets,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from relaydesk.desk.permissions import Acting
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket
    from relaydesk.events import ClockName
    from relaydesk.message import Attachment
    from relaydesk.store import DeadlineRow, TicketRow

HANDED_AT_ONCE = 1000


class Tickets(Merging, Snoozing, Sorting, Undoing):
    """Each act is one transaction, checked against the current state; ``by`` is ``agent:NAME``.

    What is impossible raises DeskError, what the actor may not do NotPermitted. StoreUnavailable and Conflict
    (another acted at the same moment: try again) come from the store. Times are aware.
    """

    # --- what there is to see

    def view(self, ticket_id: int, *, most: int | None = READ) -> WholeTicket:
        """One ticket with its latest ``most`` messages read (None: all). DeskError when there is none."""
        with self.store.reading() as session:
            view = whole_ticket(session, ticket_id, most)
        if view is None:
            raise UnknownTicket(f"There is no ticket {ticket_id}.")
        return view

    def latest_event(self, ticket_id: int) -> int:
        """The number of the ticket's latest event: who has this before them has seen all of it."""
        with self.store.reading() as session:
            numbered = tickets.events(session, ticket_id)
        if not numbered:
            raise UnknownTicket(f"There is no ticket {ticket_id}.")
        return numbered[-1][0]

    def message(self, ticket_id: int, message_id: int) -> ReadMessage:
        """One message as a person reads it. DeskError unless it is one of this ticket's."""
        with self.store.reading() as session:
            rows = {message.id: message for message in tickets.messages(session, ticket_id)}
            if message_id not in rows:
                raise _no_message(ticket_id, message_id, rows)
            return read_message(session, rows[message_id])

    def original(self, ticket_id: int, message_id: int, *, by: str) -> bytes:
        """A message's bytes exactly as received, which is put on record. DeskError unless it is this
        ticket's."""
        raw = self._raw(ticket_id, message_id)
        with self.acting("read_original", by) as acting:
            facts = {"ticket": ticket_id, "message": message_id}
            audit.append(acting.session, "raw_read", actor=acting.actor, now=acting.now, **facts)
        return raw

    def _raw(self, ticket_id: int, message_id: int) -> bytes:
        with self.store.reading() as session:
            if threads.message(session, merges.family_numbers(session, ticket_id), message_id) is None:
                rows = threads.latest_messages(session, merges.family_numbers(session, ticket_id), READ)
                raise _no_message(ticket_id, message_id, [row.id for row in rows])
            return tickets.raw(session, message_id) or b""

    def attachment(self, ticket_id: int, message_id: int, number: int) -> Attachment:
        """An attachment with its content, by its place in the message from 1 on."""
        attachments = attachments_of(self._raw(ticket_id, message_id))
        if not 1 <= number <= len(attachments):
            raise UnknownTicket(f"Message {message_id} of ticket {ticket_id} has no attachment {number}.")
        return attachments[number - 1]

    def attachments(
        self, ticket_id: int, message_id: int | None = None
    ) -> Iterator[tuple[int, int, Attachment]]:
        """Every attachment of a ticket, or of one message, with its message and its place there from 1 on.

        Read message by message: their contents are not all in memory at once.
        """
        with self.store.reading() as session:
            if tickets.row(session, ticket_id) is None:
                raise UnknownTicket(f"There is no ticket {ticket_id}.")
            numbers = [message.id for message in tickets.messages(session, ticket_id)]
        for number in numbers if message_id is None else [message_id]:
            for place, attachment in enumerate(attachments_of(self._raw(ticket_id, number)), 1):
                yield number, place, attachment

    def filed(self, delivery_key: str) -> WholeTicket | None:
        """The ticket that holds a delivery, None when it is not stored here."""
        with self.store.reading() as session:
            ticket_id = messages.filed_in(session, delivery_key)
            return None if ticket_id is None else whole_ticket(session, ticket_id)

    # --- what is done

    def state_answered_elsewhere(self, ticket_id: int, *, at: datetime, by: str) -> None:
        """States that the customer was answered elsewhere at ``at``: stops the response clock (rule 3).

        A moment before the deadline keeps it, also when the breach had been noticed already: it is withdrawn.
        """
        with acting_on(self, "state_answered_elsewhere", ticket_id, by) as (acting, ticket):
            for clock in _running(acting, ticket, ("response",), at):
                stop_clock(
                    acting.session, clock, "answered_outside", at=at, actor=acting.actor, now=acting.now
                )
            has_looked(acting, ticket)

    def state_handled(
        self, ticket_id: int, *, at: datetime, how: str, by: str, clock: ClockName | None = None
    ) -> None:
        """States what was done about a ticket that mail cannot answer: stops its handling clock (rule 4).

        If none runs (any more), the evidence clock; or the one named by ``clock``. One act never stops two.
        """
        with acting_on(self, "state_handled", ticket_id, by) as (acting, ticket):
            if not how.strip():
                raise DeskError(
                    "A handling clock stops only with a statement of what was done; use --how TEXT."
                )
            session, now = acting.session, acting.now
            names: tuple[ClockName, ...] = (clock,) if clock else ("handling", "evidence")
            for running in _running(acting, ticket, names, at):
                stop_clock(session, running, "handled", at=at, actor=acting.actor, now=now, text=how.strip())
            has_looked(acting, ticket)

    def mark_looked_at(self, ticket_id: int, *, by: str) -> None:
        """States that somebody has looked at a ticket that asks for it; the lists no longer show the mark."""
        with acting_on(self, "mark_looked_at", ticket_id, by) as (acting, ticket):
            if ticket.needs_look is None:
                raise DeskError(f"Nothing on ticket {ticket_id} waits to be looked at.")
            has_looked(acting, ticket)

    def close(self, ticket_id: int, *, by: str) -> int:
        """Closes a ticket. That stops no clock: one in time becomes undecided, a passed one is breached.

        The number of the event, by which it can be undone.
        """
        with acting_on(self, "close", ticket_id, by) as (acting, ticket):
            if not ticket.open:
                raise DeskError(f"Ticket {ticket_id} is already closed.")
            has_looked(acting, ticket)
            close_ticket(acting.session, ticket.id, actor=acting.actor, now=acting.now)
            return events.latest(acting.session, ticket.id, TicketClosed.what)

    def reopen(self, ticket_id: int, *, by: str, why: str = "") -> None:
        """Opens a closed ticket again; its undecided clocks run on from their start, as if never closed."""
        with acting_on(self, "reopen", ticket_id, by) as (acting, ticket):
            if ticket.open:
                raise DeskError(f"Ticket {ticket_id} is already open.")
            session, now = acting.session, acting.now
            open_ticket = tickets.thread_is_open(session, ticket_id)
            if open_ticket is not None:
                raise DeskError(f"Ticket {open_ticket} is open for the same relay address; continue there.")
            reopen_ticket(session, ticket_id, why, actor=acting.actor, at=now, now=now)

    def move(self, ticket_id: int, queue: str, *, by: str, why: str = "") -> None:
        """Moves an open ticket to another queue, whose clocks it gets (:func:`follow_queue`)."""
        with acting_on(self, "move", ticket_id, by) as (acting, ticket):
            self.config.demand_queue(queue)
            demand_open(ticket)
            if queue == ticket.queue:
                raise DeskError(f"Ticket {ticket_id} is already in queue {queue}.")
            for member in family_of(acting, ticket):
                tickets.change(acting.session, member.id, queue=queue)
                tell(acting, member.id, TicketMoved(member.queue, queue, why.strip()))
                follow_queue(acting.session, member, queue, plan=self.config.plan(), now=acting.now)

    def take(self, ticket_id: int, *, by: str) -> int:
        """Takes a ticket for oneself; from another agent a lead does. The event's number, to undo it."""
        with acting_on(self, "take", ticket_id, by) as (acting, ticket):
            return _assign(acting, ticket, agent_name(acting.actor), by)

    def assign(self, ticket_id: int, agent: str | None, *, by: str) -> int:
        """Gives a ticket to an active agent, or unassigns it (None). From another agent a lead takes it.

        The number of the event, by which it can be undone.
        """
        with acting_on(self, "assign", ticket_id, by) as (acting, ticket):
            assignee = active_agent(acting.session, agent).name if agent is not None else None
            return _assign(acting, ticket, assignee, by)

    def hand_over(self, name: str, to: str | None, *, by: str) -> int:
        """Gives the open tickets of an agent to another, or to nobody (None), each in a transaction of its
        own; how many, at most :data:`HANDED_AT_ONCE`."""
        self.demanding("hand_over_tickets", by)
        with self.store.reading() as session:
            to = active_agent(session, to).name if to is not None else None
            numbers = named_tickets.open_of(session, name, HANDED_AT_ONCE)
        for number in numbers:
            self.assign(number, to, by=by)
        return len(numbers)

    def note(self, ticket_id: int, text: str, *, by: str) -> None:
        """Adds an internal note. It stops no clock."""
        words = index_words((text,))
        with acting_on(self, "note", ticket_id, by) as (acting, _):
            if not text.strip():
                raise DeskError("The note is empty; give it a text.")
            tell(acting, ticket_id, NoteAdded(text))
            search.add(acting.session, ticket_id, words)

    def bind_order(self, ticket_id: int, order: str, *, by: str) -> None:
        """States that an order of the directory is this customer's."""
        with acting_on(self, "bind_order", ticket_id, by) as (acting, _):
            if not ticket_orders.in_directory(acting.session, order):
                raise DeskError(
                    f"Order {order} is not in the directory; import it with `relaydesk orders import`."
                )
            if not ticket_orders.bind(acting.session, ticket_id, order, acting.actor):
                raise DeskError(f"Order {order} is already bound to ticket {ticket_id}.")
            tell(acting, ticket_id, OrderBound(order, "agent"))

    def release_order(self, ticket_id: int, order: str, *, by: str) -> None:
        """States that an order is not this customer's; no later mail binds it to this ticket again."""
        with acting_on(self, "release_order", ticket_id, by) as (acting, _):
            if not ticket_orders.release(acting.session, ticket_id, order):
                raise DeskError(f"Order {order} is not bound to ticket {ticket_id}.")
            tell(acting, ticket_id, OrderReleased(order))

    def state_no_order(self, ticket_id: int, *, by: str) -> None:
        """States that none of the ticket's numbers is this customer's order; they bind nothing any more."""
        with acting_on(self, "state_no_order", ticket_id, by) as (acting, _):
            released = ticket_orders.release_all(acting.session, ticket_id)
            if not released:
                raise DeskError(f"Ticket {ticket_id} names no order number.")
            for order in released:
                tell(acting, ticket_id, OrderReleased(order))


def _assign(acting: Acting, ticket: TicketRow, assignee: str | None, by: str) -> int:
    if ticket.assignee is not None and agent_actor(ticket.assignee) != acting.actor:
        demand(acting.session, "reassign", by)
    if ticket.assignee == assignee:
        raise DeskError(f"Ticket {ticket.id} is already assigned to {assignee or 'no one'}.")
    number = 0
    for member in reversed(family_of(acting, ticket)):  # the ticket's own event last: it is the act's number
        tickets.change(acting.session, member.id, assignee=assignee)
        number = tell(acting, member.id, TicketAssigned(assignee))
    return number


def _no_message(ticket_id: int, message_id: int, existing: Iterable[int]) -> DeskError:
    listed = ", ".join(map(str, existing)) or "none"
    return UnknownTicket(f"Ticket {ticket_id} has no message {message_id} (it has {listed}).")


def _running(
    acting: Acting, ticket: TicketRow, names: tuple[ClockName, ...], at: datetime
) -> tuple[DeadlineRow, ...]:
    """The first of the named clocks that runs; DeskError unless it can stop ``at``.

    Where tickets are merged, that clock of each of them that had started by then: what is stated of the one
    thread holds for all that is in it.
    """
    family = [member.id for member in family_of(acting, ticket)]
    running = [clock for clock in deadlines.of_tickets(acting.session, family) if clock.running]
    name = next((name for name in names if any(clock.clock == name for clock in running)), None)
    if name is not None:
        named = [clock for clock in running if clock.clock == name]
        may_stop(min(named, key=attrgetter("started_at")), at, acting.now)
        return tuple(clock for clock in named if clock.started_at <= at)
    clock_names = " or ".join(names)
    if not ticket.open:
        raise DeskError(
            f"No {clock_names} clock runs on ticket {ticket.id}, which is closed; reopen it first."
        )
    running_names = ", ".join(sorted({clock.clock for clock in running})) or "none"
    raise DeskError(f"No {clock_names} clock runs on ticket {ticket.id} (running: {running_names}).")
