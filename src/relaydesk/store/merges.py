"""Merged tickets: one is shown in the thread of another and stays what it is.

A merge moves nothing. The merged ticket is closed and points to the other one, its head; its messages,
answers and clocks remain its own, so that an answer still goes to the relay address of the message answered,
each promise is counted once, and taking the merge back is to take the pointer away. What is one for both (the
state, the mark, the next deadline in lists) stands on the head. A head has no head: a family is a head and
its members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from relaydesk.events import Event, TicketMerged, TicketReopened
from relaydesk.store import deadlines
from relaydesk.store import events as journal
from relaydesk.store.events import read_event
from relaydesk.store.tables import MessageTable, TicketEventTable, TicketOrderTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlmodel import Session

    from relaydesk.store.lists import TicketState

T, M, E, N = (table(model).c for model in (TicketTable, MessageTable, TicketEventTable, TicketOrderTable))
_LABELLED = ("bound", "not_found")


def head(session: Session, ticket_id: int) -> int:
    """The ticket in whose thread this one is shown: itself, if it is not merged."""
    into = session.connection().execute(select(T.merged_into).where(T.id == ticket_id)).scalar()
    return into if into is not None else ticket_id


def family(ticket_id: int) -> Select[tuple[int]]:
    """The numbers of a ticket and of those that are merged into it, as a subquery."""
    rows = table(TicketTable).alias("family")
    return select(rows.c.id).where(or_(rows.c.id == ticket_id, rows.c.merged_into == ticket_id))


def members(session: Session, ticket_id: int) -> tuple[int, ...]:
    """The numbers of the tickets that are merged into this one."""
    statement = select(T.id).where(T.merged_into == ticket_id).order_by(T.id)
    return tuple(session.connection().execute(statement).scalars())


def family_numbers(session: Session, ticket_id: int) -> tuple[int, ...]:
    """The ticket and those that are merged into it."""
    return (ticket_id, *members(session, ticket_id))


def is_live(session: Session, ticket_id: int) -> bool:
    """Whether a ticket, or the one that it is merged into, is open."""
    state = select(T.state).where(T.id == head(session, ticket_id))
    return session.connection().execute(state).scalar() == "open"


def lock(session: Session, *ticket_ids: int) -> None:
    """Locks these tickets and their heads till the transaction ends, in the order of their numbers."""
    heads = select(T.merged_into).where(T.id.in_(ticket_ids), T.merged_into.is_not(None))
    statement = (
        select(T.id)
        .where(or_(T.id.in_(ticket_ids), T.id.in_(heads)))
        .order_by(T.id)
        .with_for_update(key_share=True)
    )
    session.connection().execute(statement).all()


def common_orders(session: Session, ticket_id: int, other: int) -> tuple[str, ...]:
    """The orders that both tickets are bound to, or named on a labelled line."""

    def orders(number: int) -> Select[tuple[str]]:
        return select(N.value).where(N.ticket_id == number, N.what == "order", N.how.in_(_LABELLED))

    statement = orders(ticket_id).where(N.value.in_(orders(other))).order_by(N.value)
    return tuple(row.value for row in session.connection().execute(statement))


def join(session: Session, ticket_id: int, into: int, now: datetime) -> None:
    """Points a locked ticket to its head. Its clocks count for the head's next deadline from now on."""
    connection = session.connection()
    columns = (T.message_count, T.last_message_at)
    count, latest = connection.execute(select(*columns).where(T.id == ticket_id)).one()
    connection.execute(
        update(table(TicketTable))
        .where(T.id == ticket_id)
        .values(state="closed", closed_at=func.coalesce(T.closed_at, now), merged_into=into, next_due=None)
    )
    earlier = connection.execute(select(T.last_message_at).where(T.id == into)).scalar_one()
    connection.execute(
        update(table(TicketTable))
        .where(T.id == into)
        .values(message_count=T.message_count + count, last_message_at=max(latest, earlier))
    )
    deadlines.refresh_next_due(session, into)


def part(session: Session, ticket_id: int, into: int, state: TicketState) -> None:
    """Takes the pointer away; the ticket is in ``state`` then. Conflict where another holds its address."""
    connection = session.connection()
    reopened = {"closed_at": None} if state == "open" else {}
    connection.execute(
        update(table(TicketTable)).where(T.id == ticket_id).values(state=state, merged_into=None, **reopened)
    )
    count = connection.execute(select(T.message_count).where(T.id == ticket_id)).scalar_one()
    customer_mail = (M.duplicate_of.is_(None), M.kind != "bounce")
    latest = select(func.max(M.received_at)).where(M.ticket_id.in_(family(into)), *customer_mail)
    values = {
        "message_count": T.message_count - count,
        "last_message_at": func.coalesce(latest.scalar_subquery(), T.last_message_at),
    }
    connection.execute(update(table(TicketTable)).where(T.id == into).values(values))
    deadlines.refresh_next_due(session, ticket_id)
    deadlines.refresh_next_due(session, into)


def latest_merge(session: Session, ticket_id: int) -> TicketMerged | None:
    """How a ticket came to be merged, by its last event of that kind."""
    columns = (E.ticket_id, E.at, E.what, E.actor, E.data)
    statement = (
        select(*columns)
        .where(E.ticket_id == ticket_id, E.what == TicketMerged.what)
        .order_by(E.id.desc())
        .limit(20)
    )
    for row in session.connection().execute(statement):
        payload = read_event(*row).payload
        if isinstance(payload, TicketMerged) and payload.source == ticket_id:
            return payload
    return None


def reopen(  # noqa: PLR0913 - which tickets, why, by whom, when
    session: Session, head_id: int, why: str, *, actor: str, at: datetime, now: datetime
) -> None:
    """Opens a closed head with its members; the clocks that its closing suspended run on from their start.

    What a member's own closing had suspended, before it was merged, stays so.
    """
    connection = session.connection()
    closed_at = connection.execute(select(T.closed_at).where(T.id == head_id)).scalar()
    tickets = (head_id, *members(session, head_id))
    connection.execute(
        update(table(TicketTable)).where(T.id == head_id).values(state="open", closed_at=None, junk_at=None)
    )
    journal.append(session, [Event(ticket, at, TicketReopened(why), actor) for ticket in tickets], now)
    _revive(session, tickets, head_id, closed_at, "the ticket was reopened", at=at, noted_at=now)
    deadlines.refresh_next_due(session, head_id)


def reopen_others(
    session: Session, head_id: int, ticket_id: int, *, at: datetime, noted_at: datetime
) -> None:
    """A further message of ``ticket_id`` opens its closed family: what is to be done for the others in it."""
    family = (head_id, *members(session, head_id))
    others = [ticket for ticket in family if ticket != ticket_id]
    if not others:
        return
    closed_at = session.connection().execute(select(T.closed_at).where(T.id == head_id)).scalar()
    why = "a further message"
    journal.append(session, [Event(ticket, at, TicketReopened(why), "mail") for ticket in others], noted_at)
    _revive(session, others, head_id, closed_at, why, at=at, noted_at=noted_at)


def _revive(  # noqa: PLR0913 - whose clocks, since when, why
    session: Session,
    tickets: Sequence[int],
    head_id: int,
    closed_at: datetime | None,
    why: str,
    *,
    at: datetime,
    noted_at: datetime,
) -> None:
    suspended = [
        clock
        for clock in deadlines.of_tickets(session, tickets)
        if clock.suspended and (clock.ticket_id == head_id or _since(clock.undecided_at, closed_at))
    ]
    deadlines.revive(session, suspended, why, at=at, noted_at=noted_at)


def _since(suspended: datetime | None, closed: datetime | None) -> bool:
    return suspended is not None and closed is not None and suspended >= closed
