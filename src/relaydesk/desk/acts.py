"""The desk: what people can do with tickets. Each act is one transaction, checked against the current state.

Web, API and command line are doors to these functions. ``actor`` is ``agent:NAME``; ``now`` and the other
times are aware. What is impossible raises :class:`DeskError` with a sentence; StoreUnavailable and
Conflict (somebody else acted at the same moment: try again) come from the store.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from relaydesk.clocks import rederive_deadline, reopen_ticket, stop_clock, suspend_clocks
from relaydesk.events import (
    Event,
    NoteAdded,
    OrderBound,
    OrderReleased,
    Payload,
    TicketAssigned,
    TicketClosed,
    TicketMoved,
)
from relaydesk.store import agents as agent_rows
from relaydesk.store import deadlines, events, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import ClockName
    from relaydesk.policy import Plan
    from relaydesk.store import AgentRow, DeadlineRow, Store, TicketRow


class DeskError(Exception):
    """The act is not possible now; the text says why and what to do instead."""


@contextmanager
def _ticket(store: Store, ticket_id: int) -> Iterator[tuple[Session, TicketRow]]:
    with store.transaction() as session:
        ticket = tickets.lock(session, ticket_id)
        if ticket is None:
            raise DeskError(f"There is no ticket {ticket_id}.")
        yield session, ticket


def answered_outside(store: Store, ticket_id: int, *, at: datetime, actor: str, now: datetime) -> None:
    """States that the customer was answered elsewhere at ``at``: stops the response clock (rule 3).

    A moment before the deadline keeps it, also when the breach had been noticed already: it is withdrawn.
    """
    with _ticket(store, ticket_id) as (session, ticket):
        clock = _running(session, ticket, ("response",), at, now)
        stop_clock(session, clock, "answered_outside", at=at, actor=actor, now=now)


def handled(  # noqa: PLR0913 - a statement on record: what, when, by whom
    store: Store,
    ticket_id: int,
    *,
    at: datetime,
    how: str,
    actor: str,
    now: datetime,
    clock: ClockName | None = None,
) -> None:
    """States what was done about a ticket that cannot be answered by mail: stops its handling clock (rule 4).

    If none runs (any more), the evidence clock; or the one named by ``clock``. One act never stops two.
    """
    if not how.strip():
        raise DeskError("Say what was done: a handling clock stops only on an explicit statement.")
    with _ticket(store, ticket_id) as (session, ticket):
        names: tuple[ClockName, ...] = (clock,) if clock else ("handling", "evidence")
        running = _running(session, ticket, names, at, now)
        stop_clock(session, running, "handled", at=at, actor=actor, now=now, text=how.strip())


def _running(
    session: Session, ticket: TicketRow, names: tuple[ClockName, ...], at: datetime, now: datetime
) -> DeadlineRow:
    """The first of the named clocks that runs; DeskError unless it can stop ``at``."""
    existing = deadlines.of_tickets(session, [ticket.id])
    running = {clock.clock: clock for clock in existing if clock.running}
    clock = next((running[name] for name in names if name in running), None)
    if clock is not None:
        _may_stop(clock, at, now)
        return clock
    wanted = " or ".join(names)
    if not ticket.open:
        raise DeskError(f"No {wanted} clock runs on ticket {ticket.id}, which is closed; reopen it first.")
    others = ", ".join(sorted(running)) or "none"
    raise DeskError(f"No {wanted} clock runs on ticket {ticket.id} (running: {others}).")


def _may_stop(clock: DeadlineRow, at: datetime, now: datetime) -> None:
    if at > now:
        raise DeskError(f"{at.isoformat()} lies in the future; a clock stops when it has been done.")
    if at < clock.started_at:
        raise DeskError(f"{at.isoformat()} lies before the clock started ({clock.started_at.isoformat()}).")


def close(store: Store, ticket_id: int, *, actor: str, now: datetime) -> None:
    """Closes a ticket. That stops no clock: one still in time becomes undecided, a passed one is breached."""
    with _ticket(store, ticket_id) as (session, ticket):
        if not ticket.open:
            raise DeskError(f"Ticket {ticket_id} is closed already.")
        undecided = suspend_clocks(session, ticket_id, now)
        tickets.change(session, ticket_id, state="closed", closed_at=now, next_due=None)
        _tell(session, ticket_id, TicketClosed(undecided), actor, now)


def reopen(store: Store, ticket_id: int, *, actor: str, now: datetime, why: str = "") -> None:
    """Opens a closed ticket again; its undecided clocks run on from their start, as if never closed."""
    with _ticket(store, ticket_id) as (session, ticket):
        if ticket.open:
            raise DeskError(f"Ticket {ticket_id} is open.")
        other = tickets.thread_is_open(session, ticket_id)
        if other is not None:
            raise DeskError(f"The same relay address has an open ticket, {other}; go on there.")
        reopen_ticket(session, ticket_id, why, actor=actor, at=now, now=now)


def move(  # noqa: PLR0913
    store: Store, ticket_id: int, queue: str, *, plan: Plan, actor: str, now: datetime
) -> None:
    """Moves an open ticket to another queue, whose targets apply from the same start.

    A running clock that the new queue has no target for, or whose deadline has passed, runs on unchanged
    (rules 8 and 10); one that this ticket never had starts when the ticket was opened.
    """
    with _ticket(store, ticket_id) as (session, ticket):
        if not ticket.open:
            raise DeskError(f"Ticket {ticket_id} is closed; reopen it first.")
        if queue == ticket.queue:
            raise DeskError(f"Ticket {ticket_id} is in queue {queue} already.")
        tickets.change(session, ticket_id, queue=queue)
        _tell(session, ticket_id, TicketMoved(ticket.queue, queue), actor, now)
        _replan(session, ticket, queue, plan, now)


def _replan(session: Session, ticket: TicketRow, queue: str, plan: Plan, now: datetime) -> None:
    existing = deadlines.of_tickets(session, [ticket.id])
    for clock in existing:
        if clock.running and clock.due_at > now:  # a breach that happened is no other queue's to undo
            rederive_deadline(session, clock, ticket, queue, plan=plan, now=now)
    had = {clock.clock for clock in existing}
    answerable = bool(ticket.relay_address)
    fresh = plan(queue, ticket.opened_at, relay=answerable, contact_reason=ticket.contact_reason)
    wanted = [planned for planned in fresh if planned.clock not in had]
    deadlines.start(session, ticket.id, queue, wanted, now=now, existing=existing)
    deadlines.refresh_next_due(session, ticket.id)


def assign(store: Store, ticket_id: int, agent: str | None, *, actor: str, now: datetime) -> None:
    """Gives a ticket to an active agent, or to nobody (None)."""
    with _ticket(store, ticket_id) as (session, ticket):
        if ticket.assignee == agent:
            raise DeskError(f"Ticket {ticket_id} is assigned to {agent or 'nobody'} already.")
        if agent is not None:
            _active(session, agent)
        tickets.change(session, ticket_id, assignee=agent)
        _tell(session, ticket_id, TicketAssigned(agent), actor, now)


def note(store: Store, ticket_id: int, text: str, *, actor: str, now: datetime) -> None:
    """Adds an internal note. It stops no clock."""
    if not text.strip():
        raise DeskError("The note is empty.")
    with _ticket(store, ticket_id) as (session, _):
        _tell(session, ticket_id, NoteAdded(text), actor, now)


def bind_order(store: Store, ticket_id: int, order: str, *, actor: str, now: datetime) -> None:
    """States that an order of the directory is this customer's."""
    with _ticket(store, ticket_id) as (session, _):
        if not ticket_orders.in_directory(session, order):
            raise DeskError(
                f"Order {order} is not in the directory; bring it in with `relaydesk orders import`."
            )
        if not ticket_orders.bind(session, ticket_id, order, actor):
            raise DeskError(f"Order {order} is bound to ticket {ticket_id} already.")
        _tell(session, ticket_id, OrderBound(order, "agent"), actor, now)


def release_order(store: Store, ticket_id: int, order: str, *, actor: str, now: datetime) -> None:
    """States that an order is not this customer's; no later mail binds it to this ticket again."""
    with _ticket(store, ticket_id) as (session, _):
        if not ticket_orders.release(session, ticket_id, order):
            raise DeskError(f"Order {order} is not bound to ticket {ticket_id}.")
        _tell(session, ticket_id, OrderReleased(order), actor, now)


def add_agent(store: Store, name: str, email: str = "", *, now: datetime) -> None:
    """Adds an agent, or takes a former one back (with the new ``email`` if one is given)."""
    if not name or name != name.strip() or not name.isprintable() or ":" in name:
        raise DeskError("An agent's name is printable, without a colon and without space around it.")
    with store.transaction() as session:
        known = agent_rows.row(session, name)
        if known is None:
            agent_rows.add(session, name, email, now)
        elif known.active:
            raise DeskError(f"There is an agent {name} already.")
        else:
            agent_rows.change(session, name, active=True, email=email or known.email)


def deactivate_agent(store: Store, name: str) -> None:
    """An agent leaves: keeps what is assigned and on record, is given nothing new."""
    with store.transaction() as session:
        _active(session, name)
        agent_rows.change(session, name, active=False)


def agents(store: Store) -> tuple[AgentRow, ...]:
    """All agents by name, former ones too."""
    with store.reading() as session:
        return agent_rows.rows(session)


def _active(session: Session, name: str) -> None:
    known = agent_rows.row(session, name)
    if known is None:
        raise DeskError(f"There is no agent {name}; add one with `relaydesk agents add`.")
    if not known.active:
        raise DeskError(f"Agent {name} is no longer active; `relaydesk agents add` takes them back.")


def _tell(session: Session, ticket_id: int, payload: Payload, actor: str, at: datetime) -> None:
    events.append(session, [Event(ticket_id, at, payload, actor)], at)
