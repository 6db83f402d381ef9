"""What is known before a message is decided: short indexed reads, no transaction needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, or_, select

from relaydesk.policy import Known, KnownOrder, KnownTicket
from relaydesk.store import deadlines, ticket_orders
from relaydesk.store.contention import upsert
from relaydesk.store.tables import (
    FirstSeenTable,
    MessageTable,
    OrderTable,
    TicketOrderTable,
    TicketTable,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Row
    from sqlmodel import Session

M, T, F = table(MessageTable).c, table(TicketTable).c, table(FirstSeenTable).c
ORDER, NUMBER = table(OrderTable).c, table(TicketOrderTable).c

NEAREST = 10  # a thread or an order has one open ticket and few closed ones
DEFERRED_ROWS = 100_000  # first attempts remembered at most; the oldest stay, so that they come to an end
OF_STRANGERS = DEFERRED_ROWS // 2  # beyond it a place is kept for the listed senders

_STORED = select(M.delivery_key, M.ticket_id).where(
    or_(M.delivery_key == bindparam("delivery"), M.replay_key == bindparam("replay"))
)
_FIRST_SEEN = select(F.at).where(F.delivery_key == bindparam("delivery"))
_head = table(TicketTable).alias("head")
_STATE = func.coalesce(_head.c.state, T.state)  # a merged ticket is as open as the one that it is merged into
_TICKET = (T.id, T.kind, T.queue, _STATE.label("state"), T.sender, T.thread_key)
_OF_TICKETS = select(*_TICKET).select_from(table(TicketTable).outerjoin(_head, _head.c.id == T.merged_into))
_OPEN_FIRST = (_STATE == "open").desc()
_DIRECT_FIRST = T.merged_into.is_not(None)
_THREAD = (
    _OF_TICKETS.where(T.thread_key == bindparam("address"))
    .order_by(_OPEN_FIRST, _DIRECT_FIRST, T.id.desc())
    .limit(NEAREST)
)
_OF_ORDERS = (
    _OF_TICKETS.where(
        T.id.in_(
            select(NUMBER.ticket_id).where(
                NUMBER.what == "order",
                NUMBER.value.in_(bindparam("orders", expanding=True)),
                NUMBER.how.in_(("bound", "not_found")),
            )
        )
    )
    .order_by(_OPEN_FIRST, (T.sender == bindparam("sender")).desc(), T.id.desc())
    .limit(NEAREST)
)
_DIRECTORY = (
    select(ORDER.id, ORDER.merchant_ref, ORDER.relay_address)
    .where(
        or_(
            ORDER.id.in_(bindparam("orders", expanding=True)),
            ORDER.merchant_ref.in_(bindparam("refs", expanding=True)),
            ORDER.relay_address == bindparam("address"),
        )
    )
    .order_by(ORDER.id.desc())
    .limit(NEAREST * 5)
)
_BOUNCES = select(func.count(M.id)).where(M.ticket_id == bindparam("ticket"), M.kind == "bounce")


def known(  # noqa: PLR0913 - each is one key of the message
    session: Session,
    *,
    delivery_key: str,
    replay_key: str,
    relay_address: str,
    sender: str,
    order_ids: Sequence[str],
    merchant_refs: Sequence[str],
    bounce_ticket: int | None,
    bounce_answer: int = 0,
) -> Known:
    """What the store knows that bears on this message; short indexed reads only.

    Absent keys are "" and (). Tickets of an order are those bound to it and those that named it on a
    labelled line while it was not in the directory. Relay addresses are compared in lower case.
    """
    rows = (
        session.connection().execute(_STORED, {"delivery": delivery_key, "replay": replay_key or None}).all()
    )
    address = relay_address.lower()
    stored = next((row for row in rows if row.delivery_key == delivery_key), None)
    orders = _directory(session, order_ids, merchant_refs, address)
    bounces = _bounces(session, bounce_ticket) if bounce_ticket is not None else None
    return Known(
        first_seen=session.connection().execute(_FIRST_SEEN, {"delivery": delivery_key}).scalar(),
        stored=stored is not None,
        stored_ticket=stored.ticket_id if stored else None,
        replay_of=next((row.ticket_id for row in rows if row.delivery_key != delivery_key), None),
        bounced_ticket=bounce_ticket if bounces is not None else None,
        bounced_answer=bounce_answer if bounces is not None else 0,
        bounces=bounces or 0,
        tickets=_tickets(session, address, sender, {*order_ids, *(order.id for order in orders)}),
        orders=orders,
    )


def _directory(
    session: Session, order_ids: Sequence[str], refs: Sequence[str], address: str
) -> tuple[KnownOrder, ...]:
    if not (order_ids or refs or address):
        return ()
    keys = {"orders": list(order_ids), "refs": list(refs), "address": address or None}
    rows = session.connection().execute(_DIRECTORY, keys)
    return tuple(KnownOrder(row.id, row.merchant_ref or "", row.relay_address) for row in rows)


def _bounces(session: Session, ticket_id: int) -> int | None:
    """The bounces of a ticket so far; None when there is no such ticket."""
    if session.connection().execute(select(T.id).where(T.id == ticket_id)).first() is None:
        return None
    return session.connection().execute(_BOUNCES, {"ticket": ticket_id}).scalar_one()


def _tickets(session: Session, address: str, sender: str, orders: Iterable[str]) -> tuple[KnownTicket, ...]:
    connection = session.connection()
    rows = list(connection.execute(_THREAD, {"address": address})) if address else []
    if order_ids := sorted(orders):
        thread_ids = {row.id for row in rows}
        rows_of_orders = connection.execute(_OF_ORDERS, {"orders": order_ids, "sender": sender})
        rows += [row for row in rows_of_orders if row.id not in thread_ids]
    ids = [row.id for row in rows]
    timed, named = deadlines.of_tickets(session, ids), ticket_orders.of_tickets(session, ids)
    return tuple(_known_ticket(row, timed, named) for row in rows)


def _known_ticket(
    row: Row[*tuple[Any, ...]],
    timed: tuple[deadlines.DeadlineRow, ...],
    named: tuple[ticket_orders.TicketOrder, ...],
) -> KnownTicket:
    """A closed ticket's ``running`` clocks are those that would run on if it were reopened."""
    opened = row.state == "open"
    clocks = [clock for clock in timed if clock.ticket_id == row.id]
    return KnownTicket(
        id=row.id,
        kind=row.kind,
        queue=row.queue,
        open=opened,
        sender=row.sender,
        thread_key=row.thread_key or "",
        orders=tuple(
            n.value
            for n in named
            if n.ticket_id == row.id and n.what == "order" and n.how in ("bound", "not_found")
        ),
        running=tuple(clock.clock for clock in clocks if (clock.running if opened else clock.suspended)),
        rounds=max((clock.round for clock in clocks), default=0),
    )


def remember_attempt(
    session: Session, delivery_key: str, at: datetime, keep: timedelta, *, listed: bool
) -> None:
    """Remembers the first attempt of a delivery that is deferred, and forgets those older than ``keep``.

    A later attempt changes nothing. When the table is full a new one is not remembered: the oldest must
    reach their age, or an outage would defer for ever. ``listed`` says whether it claims to come from a
    listed sender: whoever makes look-ups of their own domain fail takes half of the table at most.
    """
    connection = session.connection()
    connection.execute(delete(table(FirstSeenTable)).where(F.at < at - keep))
    remembered = connection.execute(select(func.count()).select_from(table(FirstSeenTable))).scalar_one()
    if remembered >= (DEFERRED_ROWS if listed else OF_STRANGERS):
        return
    statement = upsert(session, FirstSeenTable).values(delivery_key=delivery_key, at=at)
    connection.execute(statement.on_conflict_do_nothing())
