"""An order of the directory, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order. ``price`` is the price of one piece, a decimal as written; "" when not known."""

    id: str = ""
    retailer_id: str = ""
    name: str = ""
    quantity: int = 1
    price: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An order. ``id`` is Facebook's order id, a string whatever it looks like.

    ``merchant_ref`` is the seller's own number, ``relay_address`` the buyer's address at Meta, lower case.
    ``amount`` is a decimal kept exactly as written. Times are aware UTC. Absent values are "", None, ().
    ``marketing_opt_in`` is the buyer's yes or no; None, not known, allows as little as no.
    """

    id: str
    merchant_ref: str = ""
    state: str = ""
    amount: str = ""
    currency: str = ""
    created_at: datetime | None = None
    ship_by: datetime | None = None
    relay_address: str = ""
    marketing_opt_in: bool | None = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that could not be read: its column, its value (cut), and why, with the remedy."""

    column: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as far as its record goes.

    The fields it has are ``given``, its other columns ``unknown``. A cell in ``bad`` is not given: what is
    stored stays.
    """

    order: Order
    given: frozenset[str]
    unknown: tuple[str, ...] = ()
    bad: tuple[BadCell, ...] = ()
