"""The order directory's queries: put a batch of orders in, find orders by key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BindParameter, bindparam, delete, insert, or_, select, update

from relaydesk.order import Item, Order
from relaydesk.store import late_orders
from relaydesk.store.contention import in_turns
from relaydesk.store.tables import OrderItemTable, OrderTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlmodel import Session

    from relaydesk.order import OrderRow
    from relaydesk.store.engine import Store

_ORDER = table(OrderTable)
_ITEM = table(OrderItemTable)
FIRST_ORDERS = 200
"""In the first turn of a batch; 1,000 take 65 ms where nobody else works."""
_COLUMNS = ("state", "amount", "currency", "created_at", "ship_by", "relay_address", "marketing_opt_in")


@dataclass(frozen=True, slots=True)
class Put:
    """What became of one order; ``why`` tells why it was refused, ``tied`` are the tickets bound to it."""

    fate: Literal["added", "updated", "unchanged", "refused"]
    why: str = ""
    tied: tuple[int, ...] = ()


def put(store: Store, rows: Sequence[OrderRow], now: datetime) -> list[Put]:
    """Put orders in, in small turns; fields that a row does not speak of keep their stored value.

    Tickets whose mail named an order before are bound to it now, whether it is new or not.
    Refused is only an order whose seller's reference belongs to another one. StoreUnavailable when others
    keep writing the same orders.
    """
    done: list[Put] = []
    tied: dict[str, tuple[int, ...]] = {}
    turns = in_turns(store, rows, lambda session, part: _put(session, part, now), first=FIRST_ORDERS)
    for results, late in turns:
        done += results
        for pair in late_orders.bind_rest(store, late, now):
            tied[pair.order] = (*tied.get(pair.order, ()), pair.ticket)
    return [
        result if result.fate == "refused" else replace(result, tied=tied.pop(row.order.id, ()))
        for row, result in zip(rows, done, strict=True)
    ]


def _put(
    session: Session, rows: Sequence[OrderRow], now: datetime
) -> tuple[list[Put], late_orders.BoundLate]:
    before = {order.id: order for order in _read(session, _ORDER.c.id.in_({row.order.id for row in rows}))}
    after = dict(before)
    holders = _holders(session, {row.order.merchant_ref for row in rows} - {""})
    holders |= {order.merchant_ref: order.id for order in before.values() if order.merchant_ref}
    done = []
    for row in rows:
        old = after.get(row.order.id)
        new = (
            row.order
            if old is None
            else replace(old, **{name: getattr(row.order, name) for name in row.given})
        )
        holder = holders.get(new.merchant_ref, new.id)
        if holder != new.id:
            done.append(Put("refused", f"merchant_ref {new.merchant_ref} belongs to order {holder} already"))
            continue
        if old is not None and old.merchant_ref:
            holders.pop(old.merchant_ref, None)
        if new.merchant_ref:
            holders[new.merchant_ref] = new.id
        after[new.id] = new
        done.append(Put("added" if old is None else "unchanged" if _same(old, new) else "updated"))
    _write(session, before, after, now)
    accepted = {row.order.id for row, result in zip(rows, done, strict=True) if result.fate != "refused"}
    return done, late_orders.bind_late(session, accepted, now)


def _holders(session: Session, refs: set[str]) -> dict[str, str]:
    rows = session.execute(select(_ORDER.c.merchant_ref, _ORDER.c.id).where(_ORDER.c.merchant_ref.in_(refs)))
    return {row.merchant_ref: row.id for row in rows}


def _same(old: Order, new: Order) -> bool:
    return replace(old, items=()) == replace(new, items=()) and _keyed(old) == _keyed(new)


def _keyed(order: Order) -> dict[str, Item]:
    """Items by the id they are stored under; those without one get their place."""
    return {item.id or f"#{place:04}": item for place, item in enumerate(order.items, 1)}


def _write(session: Session, before: dict[str, Order], after: dict[str, Order], now: datetime) -> None:
    added = [order for key, order in after.items() if key not in before]
    changed = [order for key, order in after.items() if key in before and not _same(before[key], order)]
    # references may change hands within a batch: all are let go before any is taken
    freed = [order.id for order in changed if before[order.id].merchant_ref not in ("", order.merchant_ref)]
    if freed:
        session.execute(update(_ORDER).where(_ORDER.c.id.in_(freed)).values(merchant_ref=None))
    if changed:
        columns: dict[str, BindParameter[Any]] = {
            name: bindparam(f"new_{name}") for name in _cells(changed[0], now)
        }
        statement = update(_ORDER).where(_ORDER.c.id == bindparam("new_id")).values(columns)
        cells = [{f"new_{name}": value for name, value in _cells(order, now).items()} for order in changed]
        session.connection().execute(statement, cells)
    if added:
        session.execute(insert(_ORDER), [_cells(order, now) for order in added])
    relisted = [order for order in changed if _keyed(before[order.id]) != _keyed(order)]
    if relisted:
        session.execute(delete(_ITEM).where(_ITEM.c.order_id.in_([order.id for order in relisted])))
    items = [cells for order in (*added, *relisted) for cells in _item_cells(order)]
    if items:
        session.execute(insert(_ITEM), items)


def _cells(order: Order, now: datetime) -> dict[str, Any]:
    cells = {name: getattr(order, name) for name in _COLUMNS}
    return cells | {"id": order.id, "merchant_ref": order.merchant_ref or None, "updated_at": now}


def _item_cells(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.id,
            "item_id": key,
            "retailer_id": item.retailer_id,
            "name": item.name,
            "quantity": item.quantity,
            "price": item.price,
        }
        for key, item in _keyed(order).items()
    ]


def find(session: Session, key: str) -> list[Order]:
    """The orders with this Facebook id, seller's reference or relay address, newest first."""
    columns = _ORDER.c
    orders = _read(
        session, or_(columns.id == key, columns.merchant_ref == key, columns.relay_address == key.lower())
    )
    return sorted(
        orders,
        key=lambda order: (order.created_at or datetime.min.replace(tzinfo=UTC), order.id),
        reverse=True,
    )


def by_id(session: Session, order_id: str) -> Order | None:
    """The order with this Facebook id."""
    return next(iter(_read(session, _ORDER.c.id == order_id)), None)


def _read(session: Session, condition: Any) -> list[Order]:
    rows = session.execute(select(_ORDER).where(condition)).all()
    items = _items(session, [row.id for row in rows])
    return [
        Order(
            id=row.id,
            merchant_ref=row.merchant_ref or "",
            items=items.get(row.id, ()),
            **{name: getattr(row, name) for name in _COLUMNS},
        )
        for row in rows
    ]


def _items(session: Session, orders: Iterable[str]) -> dict[str, tuple[Item, ...]]:
    statement = (
        select(_ITEM).where(_ITEM.c.order_id.in_(list(orders))).order_by(_ITEM.c.order_id, _ITEM.c.item_id)
    )
    items: dict[str, tuple[Item, ...]] = {}
    for row in session.execute(statement):
        own_id = "" if row.item_id.startswith("#") else row.item_id
        item = Item(own_id, row.retailer_id, row.name, row.quantity, row.price)
        items[row.order_id] = (*items.get(row.order_id, ()), item)
    return items
