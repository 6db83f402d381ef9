"""What a person must look at: the mark of a ticket, and of the answers that gave rise to it.

A ticket bears one mark, that of the first reason since somebody looked; its events tell the others. Only open
tickets are marked, so that each list of open ones shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from relaydesk.events import Event, LookedAt
from relaydesk.store import events
from relaydesk.store.tables import OutboxTable, TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

T, O = table(TicketTable).c, table(OutboxTable).c  # noqa: E741 - O for outbox


def mark(session: Session, ticket_id: int, reason: str, since: datetime) -> bool:
    """A person must look at an open ticket, for ``reason`` (a code). False when it is no longer open."""
    statement = (
        update(table(TicketTable))
        .where(T.id == ticket_id, T.state == "open")
        .values(
            needs_look=func.coalesce(T.needs_look, reason),
            needs_look_since=func.coalesce(T.needs_look_since, since),
        )
    )
    return session.connection().execute(statement).rowcount == 1


def hide(session: Session, ticket_id: int) -> None:
    """The mark stands on another ticket from now on; that is no look at it."""
    unmarked = {"needs_look": None, "needs_look_since": None}
    session.connection().execute(update(table(TicketTable)).where(T.id == ticket_id).values(unmarked))


def clear_if_sent_again(session: Session, ticket_id: int, *, actor: str, now: datetime) -> None:
    """Somebody has an answer tried again: that was looking, if it was all there was to look at."""
    waits = select(O.id).where(O.ticket_id == ticket_id, O.needs_look_since.is_not(None))
    row = session.connection().execute(select(T.needs_look).where(T.id == ticket_id)).first()
    if (
        row is not None
        and row.needs_look == "not_sent"
        and session.connection().execute(waits).first() is None
    ):
        clear(session, ticket_id, actor=actor, now=now)


def clear(session: Session, ticket_id: int, *, actor: str, now: datetime) -> None:
    """Somebody has looked at a marked ticket, and so at its answers that came back or did not leave.

    Those of earlier tickets of its relay address go with it: their mark stands on the one that is open.
    """
    connection = session.connection()
    mark = connection.execute(select(T.needs_look, T.needs_look_since).where(T.id == ticket_id)).first()
    looked_at = LookedAt(mark.needs_look or "", mark.needs_look_since) if mark is not None else LookedAt()
    unmarked = {"needs_look": None, "needs_look_since": None}
    connection.execute(update(table(TicketTable)).where(T.id == ticket_id).values(unmarked))
    key = select(T.thread_key).where(T.id == ticket_id).scalar_subquery()
    of_thread = select(T.id).where(or_(T.thread_key == key, T.merged_into == ticket_id))
    connection.execute(
        update(table(OutboxTable))
        .where(O.needs_look_since.is_not(None), or_(O.ticket_id == ticket_id, O.ticket_id.in_(of_thread)))
        .values(needs_look_since=None)
    )
    events.append(session, [Event(ticket_id, now, looked_at, actor)], now)
