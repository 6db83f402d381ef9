"""What people do with tickets, and one ticket as they see it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from relaydesk.clocks import follow_queue, reopen_ticket, stop_clock, suspend_clocks
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart, active_agent, agent_actor, demand
from relaydesk.desk.ticket_view import READ, attachments_of, read_message, whole_ticket
from relaydesk.events import (
    Event,
    NoteAdded,
    OrderBound,
    OrderReleased,
    TicketAssigned,
    TicketClosed,
    TicketMoved,
)
from relaydesk.message import index_words
from relaydesk.store import audit, deadlines, events, looks, messages, search, threads, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from relaydesk.desk.permissions import Act, Acting
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket
    from relaydesk.events import ClockName, Payload
    from relaydesk.message import Attachment
    from relaydesk.store import DeadlineRow, TicketRow


class Tickets(DeskPart):
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
            raise DeskError(f"There is no ticket {ticket_id}.")
        return view

    def latest_event(self, ticket_id: int) -> int:
        """The number of the ticket's latest event: who has this before them has seen all of it."""
        with self.store.reading() as session:
            numbered = tickets.events(session, ticket_id)
        if not numbered:
            raise DeskError(f"There is no ticket {ticket_id}.")
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
            audit.append(
                acting.session,
                "raw_read",
                actor=acting.actor,
                now=acting.now,
                ticket=ticket_id,
                message=message_id,
            )
        return raw

    def _raw(self, ticket_id: int, message_id: int) -> bytes:
        with self.store.reading() as session:
            if threads.message(session, (ticket_id,), message_id) is None:
                rows = threads.latest_messages(session, (ticket_id,), READ)
                raise _no_message(ticket_id, message_id, [row.id for row in rows])
            return tickets.raw(session, message_id) or b""

    def attachment(self, ticket_id: int, message_id: int, number: int) -> Attachment:
        """An attachment with its content, by its place in the message from 1 on."""
        attachments = attachments_of(self._raw(ticket_id, message_id))
        if not 1 <= number <= len(attachments):
            raise DeskError(f"Message {message_id} of ticket {ticket_id} has no attachment {number}.")
        return attachments[number - 1]

    def attachments(
        self, ticket_id: int, message_id: int | None = None
    ) -> Iterator[tuple[int, int, Attachment]]:
        """Every attachment of a ticket, or of one message, with its message and its place there from 1 on.

        Read message by message: their contents are not all in memory at once.
        """
        with self.store.reading() as session:
            if tickets.row(session, ticket_id) is None:
                raise DeskError(f"There is no ticket {ticket_id}.")
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
        with self._locked("state_answered_elsewhere", ticket_id, by) as (acting, ticket):
            clock = _running(acting, ticket, ("response",), at)
            stop_clock(acting.session, clock, "answered_outside", at=at, actor=acting.actor, now=acting.now)
            _has_looked(acting, ticket)

    def state_handled(
        self, ticket_id: int, *, at: datetime, how: str, by: str, clock: ClockName | None = None
    ) -> None:
        """States what was done about a ticket that mail cannot answer: stops its handling clock (rule 4).

        If none runs (any more), the evidence clock; or the one named by ``clock``. One act never stops two.
        """
        with self._locked("state_handled", ticket_id, by) as (acting, ticket):
            if not how.strip():
                raise DeskError(
                    "A handling clock stops only with a statement of what was done; use --how TEXT."
                )
            names: tuple[ClockName, ...] = (clock,) if clock else ("handling", "evidence")
            running = _running(acting, ticket, names, at)
            stop_clock(
                acting.session,
                running,
                "handled",
                at=at,
                actor=acting.actor,
                now=acting.now,
                text=how.strip(),
            )
            _has_looked(acting, ticket)

    def mark_looked_at(self, ticket_id: int, *, by: str) -> None:
        """States that somebody has looked at a ticket that asks for it; the lists no longer show the mark."""
        with self._locked("mark_looked_at", ticket_id, by) as (acting, ticket):
            if ticket.needs_look is None:
                raise DeskError(f"Nothing on ticket {ticket_id} waits to be looked at.")
            _has_looked(acting, ticket)

    def close(self, ticket_id: int, *, by: str) -> None:
        """Closes a ticket. That stops no clock: one in time becomes undecided, a passed one is breached."""
        with self._locked("close", ticket_id, by) as (acting, ticket):
            if not ticket.open:
                raise DeskError(f"Ticket {ticket_id} is already closed.")
            _has_looked(acting, ticket)
            undecided = suspend_clocks(acting.session, ticket_id, acting.now)
            tickets.change(acting.session, ticket_id, state="closed", closed_at=acting.now, next_due=None)
            _tell(acting, ticket_id, TicketClosed(undecided))

    def reopen(self, ticket_id: int, *, by: str, why: str = "") -> None:
        """Opens a closed ticket again; its undecided clocks run on from their start, as if never closed."""
        with self._locked("reopen", ticket_id, by) as (acting, ticket):
            if ticket.open:
                raise DeskError(f"Ticket {ticket_id} is already open.")
            session, now = acting.session, acting.now
            open_ticket = tickets.thread_is_open(session, ticket_id)
            if open_ticket is not None:
                raise DeskError(f"Ticket {open_ticket} is open for the same relay address; continue there.")
            reopen_ticket(session, ticket_id, why, actor=acting.actor, at=now, now=now)

    def move(self, ticket_id: int, queue: str, *, by: str) -> None:
        """Moves an open ticket to another queue, whose clocks it gets (:func:`follow_queue`)."""
        with self._locked("move", ticket_id, by) as (acting, ticket):
            self.config.demand_queue(queue)
            if not ticket.open:
                raise DeskError(f"Ticket {ticket_id} is closed; reopen it first.")
            if queue == ticket.queue:
                raise DeskError(f"Ticket {ticket_id} is already in queue {queue}.")
            tickets.change(acting.session, ticket_id, queue=queue)
            _tell(acting, ticket_id, TicketMoved(ticket.queue, queue))
            follow_queue(acting.session, ticket, queue, plan=self.config.plan(), now=acting.now)

    def assign(self, ticket_id: int, agent: str | None, *, by: str) -> None:
        """Gives a ticket to an active agent, or unassigns it (None). From another agent a lead takes it."""
        with self._locked("assign", ticket_id, by) as (acting, ticket):
            assignee = active_agent(acting.session, agent).name if agent is not None else None
            if ticket.assignee is not None and agent_actor(ticket.assignee) != acting.actor:
                demand(acting.session, "reassign", by)
            if ticket.assignee == assignee:
                raise DeskError(f"Ticket {ticket_id} is already assigned to {assignee or 'no one'}.")
            tickets.change(acting.session, ticket_id, assignee=assignee)
            _tell(acting, ticket_id, TicketAssigned(assignee))

    def note(self, ticket_id: int, text: str, *, by: str) -> None:
        """Adds an internal note. It stops no clock."""
        words = index_words((text,))
        with self._locked("note", ticket_id, by) as (acting, _):
            if not text.strip():
                raise DeskError("The note is empty; give it a text.")
            _tell(acting, ticket_id, NoteAdded(text))
            search.add(acting.session, ticket_id, words)

    def bind_order(self, ticket_id: int, order: str, *, by: str) -> None:
        """States that an order of the directory is this customer's."""
        with self._locked("bind_order", ticket_id, by) as (acting, _):
            if not ticket_orders.in_directory(acting.session, order):
                raise DeskError(
                    f"Order {order} is not in the directory; import it with `relaydesk orders import`."
                )
            if not ticket_orders.bind(acting.session, ticket_id, order, acting.actor):
                raise DeskError(f"Order {order} is already bound to ticket {ticket_id}.")
            _tell(acting, ticket_id, OrderBound(order, "agent"))

    def release_order(self, ticket_id: int, order: str, *, by: str) -> None:
        """States that an order is not this customer's; no later mail binds it to this ticket again."""
        with self._locked("release_order", ticket_id, by) as (acting, _):
            if not ticket_orders.release(acting.session, ticket_id, order):
                raise DeskError(f"Order {order} is not bound to ticket {ticket_id}.")
            _tell(acting, ticket_id, OrderReleased(order))

    @contextmanager
    def _locked(self, act: Act, ticket_id: int, by: str) -> Iterator[tuple[Acting, TicketRow]]:
        with self.acting(act, by) as acting:
            ticket = tickets.lock(acting.session, ticket_id)
            if ticket is None:
                raise DeskError(f"There is no ticket {ticket_id}.")
            yield acting, ticket


def _no_message(ticket_id: int, message_id: int, existing: Iterable[int]) -> DeskError:
    listed = ", ".join(map(str, existing)) or "none"
    return DeskError(f"Ticket {ticket_id} has no message {message_id} (it has {listed}).")


def _running(acting: Acting, ticket: TicketRow, names: tuple[ClockName, ...], at: datetime) -> DeadlineRow:
    """The first of the named clocks that runs; DeskError unless it can stop ``at``."""
    existing = deadlines.of_tickets(acting.session, [ticket.id])
    running = {clock.clock: clock for clock in existing if clock.running}
    clock = next((running[name] for name in names if name in running), None)
    if clock is not None:
        _may_stop(clock, at, acting.now)
        return clock
    clock_names = " or ".join(names)
    if not ticket.open:
        raise DeskError(
            f"No {clock_names} clock runs on ticket {ticket.id}, which is closed; reopen it first."
        )
    running_names = ", ".join(sorted(running)) or "none"
    raise DeskError(f"No {clock_names} clock runs on ticket {ticket.id} (running: {running_names}).")


def _may_stop(clock: DeadlineRow, at: datetime, now: datetime) -> None:
    if at > now:
        raise DeskError(f"{_seconds(at)} is in the future; give the time when it was done.")
    if at < clock.started_at:
        # Rounded up: what the sentence names must be taken.
        first = clock.started_at + timedelta(microseconds=-clock.started_at.microsecond % 1_000_000)
        raise DeskError(f"{_seconds(at)} is before the clock started; use {_seconds(first)} or later.")


def _seconds(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _has_looked(acting: Acting, ticket: TicketRow) -> None:
    if ticket.needs_look is not None:
        looks.clear(acting.session, ticket.id, actor=acting.actor, now=acting.now)


def _tell(acting: Acting, ticket_id: int, payload: Payload) -> None:
    events.append(acting.session, [Event(ticket_id, acting.now, payload, acting.actor)], acting.now)
