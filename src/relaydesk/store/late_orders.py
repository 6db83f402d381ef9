"""Orders that come to the directory after the mail that names them: bound then, by the rules of the intake.

A ticket of proven mail is bound to an order that a line labelled by Meta's form named, or a claim's Subject,
by its id or by the seller's reference, while the directory did not have it; or whose relay address is the
ticket's own. A number that was merely mentioned binds nothing, one that an agent released stays released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, bindparam, select, union, update

from relaydesk.events import Event, OrderBound
from relaydesk.store import events as journal
from relaydesk.store import links
from relaydesk.store.contention import upsert
from relaydesk.store.tables import OrderTable, TicketOrderTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

T, N, O = table(TicketTable).c, table(TicketOrderTable).c, table(OrderTable).c  # noqa: E741 - O for order

AT_ONCE = 10_000  # tickets bound in one transaction; the next import of the same orders goes on
NEAREST = 10  # other tickets of an order that are looked at

_ORDERS = O.id.in_(bindparam("orders", expanding=True))
_UNFOUND = and_(N.ticket_id == T.id, N.how == "not_found")
_BY_NUMBER = (
    select(T.id.label("ticket"), O.id.label("order"))
    .join_from(table(OrderTable), table(TicketOrderTable), and_(N.what == "order", N.value == O.id))
    .join(table(TicketTable), _UNFOUND)
    .where(_ORDERS, T.verified)
)
_BY_REFERENCE = (
    select(T.id.label("ticket"), O.id.label("order"))
    .join_from(
        table(OrderTable), table(TicketOrderTable), and_(N.what == "merchant_ref", N.value == O.merchant_ref)
    )
    .join(table(TicketTable), _UNFOUND)
    .where(_ORDERS, T.verified)
)
_BY_ADDRESS = (
    select(T.id.label("ticket"), O.id.label("order"))
    .join_from(table(OrderTable), table(TicketTable), T.thread_key == O.relay_address)
    .outerjoin(table(TicketOrderTable), and_(N.ticket_id == T.id, N.what == "order", N.value == O.id))
    .where(_ORDERS, O.relay_address != "", N.how.is_(None) | N.how.in_(("mentioned", "not_found")))
)
_TO_BIND = union(_BY_NUMBER, _BY_REFERENCE, _BY_ADDRESS)
_OF_ORDER = (
    select(T.id, T.kind, T.state)
    .join(table(TicketOrderTable), N.ticket_id == T.id)
    .where(N.what == "order", N.value == bindparam("order"), N.how.in_(("bound", "not_found")))
    .order_by((T.state == "open").desc(), T.id.desc())
    .limit(NEAREST)
)


class Bound(NamedTuple):
    """A ticket that is bound to an order from now on."""

    ticket: int
    order: str


def bind_late(session: Session, orders: Iterable[str], now: datetime) -> list[Bound]:
    """Binds the tickets, open or closed, that named these orders of the directory before it had them.

    A claim for a case that is open escalates it then, and other open tickets of the order are linked, as if
    the order had been known. In the caller's transaction, after the orders were written.
    """
    statement = _TO_BIND.order_by(_TO_BIND.selected_columns.ticket.desc()).limit(AT_ONCE)
    pairs = [Bound(*row) for row in session.connection().execute(statement, {"orders": sorted(orders)})]
    bound = [pair for pair in pairs if _bind(session, pair)]
    recorded = (Event(pair.ticket, now, OrderBound(pair.order, "directory")) for pair in bound)
    journal.append(session, recorded, now)
    for pair in bound:
        _relate(session, pair, now)
    return bound


def _bind(session: Session, pair: Bound) -> bool:
    """False when it is bound already, or was released."""
    new = upsert(session, TicketOrderTable).values(
        ticket_id=pair.ticket, what="order", value=pair.order, how="bound", label="", place=""
    )
    binding = new.on_conflict_do_update(
        index_elements=[N.ticket_id, N.what, N.value],
        set_={"how": "bound"},
        where=N.how.in_(("mentioned", "not_found")),
    )
    connection = session.connection()
    done = connection.execute(binding.returning(N.ticket_id)).first() is not None
    this = (N.ticket_id == pair.ticket) & (N.what == "order") & (N.value == pair.order)
    if done or connection.execute(select(N.how).where(this)).scalar() == "bound":
        reference = select(O.merchant_ref).where(O.id == pair.order).scalar_subquery()
        named = (N.ticket_id == pair.ticket) & (N.what == "merchant_ref") & (N.value == reference)
        connection.execute(
            update(table(TicketOrderTable)).where(named, N.how == "not_found").values(how="bound")
        )
    return done


def _relate(session: Session, pair: Bound, now: datetime) -> None:
    """The later of two tickets would have been related to the earlier one, if that is open, when it came."""
    rows = {row.id: row for row in session.connection().execute(_OF_ORDER, {"order": pair.order})}
    ours = rows.pop(pair.ticket, None)
    for other in rows.values():
        if ours is None:
            continue
        earlier, later = sorted((ours, other), key=lambda row: row.id)
        if earlier.state != "open":
            continue
        related = (earlier.id,)
        escalates = related if (earlier.kind, later.kind) == ("case", "claim") else ()
        links.relate(session, later.id, escalates, () if escalates else related, at=now, noted_at=now)
