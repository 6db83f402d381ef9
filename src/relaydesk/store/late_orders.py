"""Orders that come to the directory after the mail that names them: bound then, by the rules of the intake.

A ticket of proven mail is bound to an order that a line labelled by Meta's form named, or a claim's Subject,
by its id or by the seller's reference, while the directory did not have it; or whose relay address is the
ticket's own. A number that was merely mentioned binds nothing, one that an agent released stays released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, bindparam, select, tuple_, union, update

from relaydesk.events import Event, OrderBound
from relaydesk.store import events as journal
from relaydesk.store import links
from relaydesk.store.contention import until_settled, upsert
from relaydesk.store.tables import OrderTable, TicketOrderTable, TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.store.engine import Store

T, N, O = table(TicketTable).c, table(TicketOrderTable).c, table(OrderTable).c  # noqa: E741 - O for order

AT_ONCE = 100  # tickets bound in one transaction
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
_PAIRS = union(_BY_NUMBER, _BY_REFERENCE, _BY_ADDRESS)
_TO_BIND = _PAIRS.order_by(*(column.desc() for column in _PAIRS.selected_columns)).limit(AT_ONCE)
_SAME = _PAIRS.subquery()
_FURTHER = (
    select(_SAME)
    .where(tuple_(_SAME.c.ticket, _SAME.c.order) < tuple_(bindparam("t"), bindparam("o")))
    .order_by(_SAME.c.ticket.desc(), _SAME.c.order.desc())
    .limit(AT_ONCE)
)
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


@dataclass(frozen=True, slots=True)
class BoundLate:
    """What one transaction bound of the tickets that named ``orders``; ``last`` is where to go on, if so."""

    orders: frozenset[str]
    bound: tuple[Bound, ...]
    last: Bound | None


def bind_late(
    session: Session, orders: Iterable[str], now: datetime, after: Bound | None = None
) -> BoundLate:
    """Binds the latest tickets, open or closed, that named these orders before the directory had them.

    A claim for a case that is open escalates it then, and other open tickets of the order are linked, as if
    the order had been known. In the caller's transaction, after the orders were written; at most
    :data:`AT_ONCE`, those ``after`` a pair where one is given.
    """
    values: dict[str, object] = {"orders": sorted(orders)}
    if after is not None:
        values |= {"t": after.ticket, "o": after.order}
    rows = session.connection().execute(_TO_BIND if after is None else _FURTHER, values)
    pairs = [Bound(*row) for row in rows]
    bound = [pair for pair in pairs if _bind(session, pair)]
    recorded = (Event(pair.ticket, now, OrderBound(pair.order, "directory")) for pair in bound)
    journal.append(session, recorded, now)
    for pair in bound:
        _relate(session, pair, now)
    return BoundLate(frozenset(orders), tuple(bound), pairs[-1] if len(pairs) == AT_ONCE else None)


def bind_rest(store: Store, begun: BoundLate, now: datetime) -> Iterator[Bound]:
    """What was bound, and the rest in further turns. One that is broken off, the next import goes on with."""
    yield from begun.bound
    while (last := begun.last) is not None:

        def attempt(orders: frozenset[str] = begun.orders, last: Bound = last) -> BoundLate:
            with store.turn() as session:
                return bind_late(session, orders, now, last)

        begun = until_settled(attempt)
        yield from begun.bound


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
