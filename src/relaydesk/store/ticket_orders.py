"""The numbers of a ticket: which order it is bound to, which were not found, which are only mentioned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from sqlalchemy import bindparam, select, update

from relaydesk.store.contention import engine_of, upsert, upsert_for
from relaydesk.store.tables import OrderTable, TicketOrderTable, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Insert
    from sqlmodel import Session

    from relaydesk.classify import Candidate, NumberKind

N, O = table(TicketOrderTable).c, table(OrderTable).c  # noqa: E741 - N for number, O for order

_OF_TICKETS = (
    select(table(TicketOrderTable))
    .where(N.ticket_id.in_(bindparam("tickets", expanding=True)))
    .order_by(N.ticket_id, N.how, N.what, N.value)
)
_BY_REFERENCE = select(O.merchant_ref, O.id).where(O.merchant_ref.in_(bindparam("refs", expanding=True)))


NumberHow = Literal["bound", "not_found", "mentioned", "released"]
"""``bound``: the order exists and is this buyer's; ``not_found``: labelled, and not in the directory;
``mentioned``: only named; ``released``: an agent untied it for good."""


@dataclass(frozen=True, slots=True)
class TicketOrder:
    """A number that a ticket names: an order's, or the seller's reference to one."""

    ticket_id: int
    what: NumberKind
    value: str
    how: NumberHow
    label: str = ""
    place: str = ""


def of_tickets(session: Session, tickets: Sequence[int]) -> tuple[TicketOrder, ...]:
    """All numbers of these tickets, bound ones first."""
    if not tickets:
        return ()
    rows = session.connection().execute(_OF_TICKETS, {"tickets": list(tickets)})
    return tuple(TicketOrder(*row) for row in rows)


def of_family(session: Session, tickets: Sequence[int]) -> tuple[TicketOrder, ...]:
    """The numbers of a ticket and those merged into it: each counts once, bound before all."""
    numbers: dict[tuple[str, str], TicketOrder] = {}
    for number in of_tickets(session, tickets):
        earlier = numbers.get((number.what, number.value))
        if earlier is None or (earlier.how != "bound" and number.how == "bound"):
            numbers[number.what, number.value] = number
    return tuple(numbers.values())


def note(session: Session, ticket_id: int, candidates: Sequence[Candidate], bound: Sequence[str]) -> None:
    """Writes what a message named. Binding wins over mentioning; a released number stays released."""
    refs = [c.value for c in candidates if c.what == "merchant_ref"]
    rows = session.connection().execute(_BY_REFERENCE, {"refs": refs}) if refs else ()
    orders = {row.merchant_ref: row.id for row in rows}
    numbers: dict[tuple[NumberKind, str], TicketOrder] = {
        ("order", order): TicketOrder(ticket_id, "order", order, "bound") for order in bound
    }
    for candidate in candidates:
        kind, value = candidate.what, candidate.value
        order = orders.get(value) if kind == "merchant_ref" else value
        unbound: NumberHow = "not_found" if candidate.sure == "labelled" else "mentioned"
        how = "bound" if order in bound else unbound
        earlier = numbers.get((kind, value))
        if earlier is None or not earlier.label:
            best = earlier.how if earlier and _RANK[earlier.how] < _RANK[how] else how
            numbers[kind, value] = TicketOrder(ticket_id, kind, value, best, candidate.label, candidate.where)
    _write(session, list(numbers.values()))


_RANK: dict[NumberHow, int] = {"bound": 0, "not_found": 1, "mentioned": 2}


def _write(session: Session, numbers: list[TicketOrder]) -> None:
    if not numbers:
        return
    rows = [
        {
            "ticket_id": n.ticket_id,
            "what": n.what,
            "value": n.value,
            "how": n.how,
            "label": n.label,
            "place": n.place,
        }
        for n in numbers
    ]
    session.connection().execute(_noting(engine_of(session)), rows)


@cache
def _noting(engine: str) -> Insert:
    """Built once an engine: this runs for nearly every message."""
    statement = upsert_for(engine, TicketOrderTable)
    new = statement.excluded
    weaker = (N.how == "mentioned") | ((N.how == "not_found") & (new.how == "bound"))
    return statement.on_conflict_do_update(
        index_elements=[N.ticket_id, N.what, N.value],
        set_={"how": new.how, "label": new.label, "place": new.place},
        where=weaker,
    )


def bind(session: Session, ticket_id: int, order: str, label: str) -> bool:
    """An agent binds an order; False when it is bound already."""
    statement = upsert(session, TicketOrderTable).values(
        ticket_id=ticket_id, what="order", value=order, how="bound", label=label, place=""
    )
    statement = statement.on_conflict_do_update(
        index_elements=[N.ticket_id, N.what, N.value],
        set_={"how": "bound", "label": label},
        where=N.how != "bound",
    )
    return session.connection().execute(statement.returning(N.ticket_id)).first() is not None


def release(session: Session, ticket_id: int, order: str) -> bool:
    """An agent unbinds an order for good; False when it is not bound."""
    bound = (N.ticket_id == ticket_id) & (N.what == "order") & (N.value == order) & (N.how == "bound")
    return (
        session.connection()
        .execute(update(table(TicketOrderTable)).where(bound).values(how="released"))
        .rowcount
        == 1
    )


def release_all(session: Session, ticket_id: int) -> tuple[str, ...]:
    """An agent says that no number of a ticket is this customer's order: which ones that were."""
    held = (N.ticket_id == ticket_id) & (N.how != "released")
    orders = select(N.value).where(held, N.what == "order").order_by(N.value)
    released = tuple(row.value for row in session.connection().execute(orders))
    session.connection().execute(update(table(TicketOrderTable)).where(held).values(how="released"))
    return released


def in_directory(session: Session, order: str) -> bool:
    """Whether the local directory holds this Facebook order id."""
    return session.connection().execute(select(O.id).where(O.id == order)).first() is not None


def tickets_naming(session: Session, value: str, limit: int) -> tuple[int, ...]:
    """The newest tickets that name this order id or seller's reference, in whatever way."""
    statement = (
        select(N.ticket_id)
        .where(N.what.in_(("order", "merchant_ref")), N.value == value)
        .order_by(N.ticket_id.desc())
        .limit(limit)
    )
    return tuple(session.connection().execute(statement).scalars())
