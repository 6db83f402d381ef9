"""One record of an import file → an order. Pure: the cells come in as text or parsed JSON.

Columns (CSV) or keys (JSON). Only ``order_id`` is required; a bad cell of another column costs that cell,
not the order. Names may be written with capitals, blanks or hyphens, and Meta's own names (its API answers)
are understood as well:

================== =============================================== =====================================
column             value                                           Meta's name
================== =============================================== =====================================
order_id           Facebook's order id, as text                    id
merchant_ref       the seller's own number, unique                 merchant_order_id
state              CREATED, IN_PROGRESS …, a word of up to 40      order_status.state
amount             a decimal with a point: ``1299.90``             estimated_payment_details.total_amount
currency           three letters, ISO 4217                         the same
created_at         ISO 8601 with a zone: ``2026-11-23T09:30:00Z``, created
                   a day, or seconds since 1970
ship_by            the same                                        ship_by_date
relay_address      the buyer's address at Meta                     buyer_details.email
marketing_opt_in   yes or no; empty is not known                   buyer_details.email_remarketing_option
items              ``SKU-1 x 2 @ 19.90; SKU-2`` or a JSON list     items
================== =============================================== =====================================

A column that the file lacks leaves the stored value alone; an empty cell clears it. A time of day without a
zone is refused rather than guessed, for a deadline hangs on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, time, tzinfo
from functools import partial
from typing import Any

from relaydesk.order import BadCell, Order, OrderRow
from relaydesk.orders import cells
from relaydesk.orders.cells import LONGEST_SHOWN, CellError, shown

#: Other names of a column, as shops and their programs write them.
SYNONYMS = {
    "order_id": "id order order_no order_nr order_num order_number facebook_order_id facebook_order_number"
    " fb_order_id fb_order_number meta_order_id meta_order_number instagram_order_id",
    "merchant_ref": "merchant_order_id merchant_order_reference merchant_order_number merchant_reference"
    " seller_order_id seller_order_number seller_reference shop_order_id shop_order_number reference ref"
    " order_reference external_order_id our_number",
    "state": "status order_state order_status",
    "amount": "total total_amount order_total grand_total order_amount",
    "currency": "currency_code",
    "created_at": "created created_time created_on order_date order_created ordered_at placed_at"
    " purchase_date",
    "ship_by": "ship_by_date ship_before latest_ship_date ship_deadline",
    "relay_address": "email buyer_email customer_email relay_email buyer_relay_address",
    "marketing_opt_in": "email_remarketing_option marketing marketing_consent opt_in",
    "items": "order_items line_items products",
}
ALIASES = {alias: name for name, aliases in SYNONYMS.items() for alias in aliases.split()}
COLUMNS: dict[str, Callable[..., Any]] = {
    "order_id": cells.number,
    "merchant_ref": cells.number,
    "state": cells.word,
    "amount": cells.amount,
    "currency": cells.currency,
    "created_at": partial(cells.moment, zone=UTC, at=time()),
    "ship_by": partial(cells.moment, zone=UTC, at=time(23, 59, 59)),
    "relay_address": cells.address,
    "marketing_opt_in": cells.flag,
    "items": cells.items,
}
_ORDER_ID = re.compile(r"[0-9]{10,20}")


class RowError(ValueError):
    """Why a record cannot be taken, as a sentence without the row's number."""


def column(name: str) -> str:
    """The documented name of a column or key: ``Merchant Order-ID`` is ``merchant_ref``."""
    plain = _plain(name)
    return ALIASES.get(plain, plain)


def named_twice(names: Iterable[str]) -> list[str]:
    """The columns that several of these names mean, none or more than one of them by the documented name."""
    plain: dict[str, list[str]] = {}
    for name in names:
        plain.setdefault(column(name), []).append(_plain(name))
    return sorted(
        title for title, meant in plain.items() if title and len(meant) > 1 and meant.count(title) != 1
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


def has_order_shape(text: str) -> bool:
    """Whether a text may be an order id by the shipped sorting rules (their ``values.order``)."""
    return _ORDER_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads records as orders. A plain day is one of ``zone``; ``has_shape`` says what may be an order id."""

    zone: tzinfo = UTC
    has_shape: Callable[[str], bool] = has_order_shape
    columns: dict[str, Callable[..., Any]] = field(init=False)

    def __post_init__(self) -> None:
        moments = {name: partial(COLUMNS[name], zone=self.zone) for name in ("created_at", "ship_by")}
        object.__setattr__(self, "columns", COLUMNS | moments)

    def read(self, record: Mapping[str, Any]) -> OrderRow:
        """The order in one record. RowError, which names the remedy, where its id is missing or bad."""
        written: dict[str, Any] = {}
        unknown = []
        flat = _flat(record)
        exact = {_plain(key) for key in flat}
        for key, value in flat.items():
            name = column(key)
            if name in self.columns and (_plain(key) == name or name not in exact):
                written[name] = value
            else:
                unknown.append(key)
        values: dict[str, Any] = {"id": self._order_id(written.pop("order_id", None))}
        bad: list[BadCell] = []
        for name, value in written.items():
            try:
                values[name] = self.columns[name](value, name)
            except CellError as error:
                bad.append(_bad_cell(name, value, str(error)))
        return OrderRow(Order(**values), frozenset(values) - {"id"}, tuple(unknown), tuple(bad))

    def _order_id(self, value: object) -> str:
        try:
            number = cells.number(value, "order_id")
        except CellError as error:
            raise RowError(str(error)) from None
        if not number:
            raise RowError("order_id is missing")
        if not self.has_shape(number):
            raise RowError(
                f"order_id {shown(number)} is not a Facebook order id: it has not the shape that the sorting "
                "rules name in values.order, 10 to 20 digits as shipped"
            )
        return number


def _bad_cell(name: str, value: object, why: str) -> BadCell:
    written = value if isinstance(value, str) else json.dumps(value, default=str)
    return BadCell(name, written[:LONGEST_SHOWN], why)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Meta's nested answer laid flat; a flat record passes as it is."""
    flat = dict(record)
    for outer in ("order_status", "buyer_details"):
        if isinstance(inner := flat.get(outer), Mapping):
            del flat[outer]
            flat |= {key: value for key, value in inner.items() if column(key) in COLUMNS}
    if isinstance(payment := flat.get("estimated_payment_details"), Mapping):
        del flat["estimated_payment_details"]
        if isinstance(total := payment.get("total_amount"), Mapping):
            flat |= {key: total.get(key) for key in ("amount", "currency")}
    return flat
