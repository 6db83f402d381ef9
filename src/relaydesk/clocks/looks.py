"""What a person must look at stands in a list: its ticket is marked, and opened again if it was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.clocks.stops import reopen_ticket
from relaydesk.events import Event, LookNeeded
from relaydesk.store import Conflict, events, looks, merges, outbox, tickets

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.store import Claimed

AGAIN = "a person must look at it"


def demand_look(  # noqa: PLR0913 - at which ticket, for which reason, of what, when
    session: Session,
    ticket_id: int,
    reason: str,
    *,
    answer: int = 0,
    message: int = 0,
    at: datetime,
    now: datetime,
) -> None:
    """A person must look at a locked ticket, for ``reason`` (a code), because of an answer or a message.

    A closed one is opened again, its clocks running on. If its relay address has another open ticket, where
    the buyer is being talked to, that one is marked instead. Conflict when that was closed meanwhile.
    """
    shown = merges.head(session, ticket_id)
    ticket = tickets.row(session, shown)
    marked = shown
    if ticket is not None and not ticket.open:
        marked = tickets.thread_is_open(session, ticket_id) or shown
        if marked == shown:
            reopen_ticket(session, ticket_id, AGAIN, actor="relaydesk", at=at, now=now)
    if not looks.mark(session, marked, reason, at):
        raise Conflict(f"Ticket {marked} was closed meanwhile.")
    needed = LookNeeded(reason, answer, message, of=ticket_id if marked != ticket_id else 0)
    events.append(session, [Event(marked, at, needed)], now)


def look_by_answer(session: Session, claimed: Claimed, now: datetime) -> None:
    """An agent's answer has left: whoever wrote it had the ticket's mark before them, if it is older."""
    shown = merges.head(session, claimed.ticket_id)
    ticket, row = tickets.row(session, shown), outbox.row(session, claimed.id)
    if ticket is None or row is None or ticket.needs_look_since is None:
        return
    if row.author.startswith("agent:") and ticket.needs_look_since <= row.created_at:
        looks.clear(session, ticket.id, actor=row.author, now=now)
    else:  # a 250 that was written down late
        looks.clear_if_sent_again(session, ticket.id, actor=row.author, now=now)
