"""One record of an import file → an order. Pure: the cells come in as text or parsed JSON.

Columns (CSV) or keys (JSON). Only ``order_id`` is required; names may be written with capitals, blanks or
hyphens, and Meta's own names (its API answers) are understood as well:

================== =============================================== =====================================
column             value                                           Meta's name
================== =============================================== =====================================
order_id           Facebook's order id, as text                    id
merchant_ref       the seller's own number, unique                 merchant_order_id
state              CREATED, IN_PROGRESS …, a word of up to 40      order_status.state
amount             a decimal with a point: ``1299.90``             estimated_payment_details.total_amount
currency           three letters, ISO 4217                         the same
created_at         ISO 8601 with a zone: ``2026-11-23T09:30:00Z``  created
ship_by            the same                                        ship_by_date
relay_address      the buyer's address at Meta                     buyer_details.email
marketing_opt_in   yes or no; empty is not known                   buyer_details.email_remarketing_option
items              ``SKU-1 x 2 @ 19.90; SKU-2`` or a JSON list     items
================== =============================================== =====================================

A column that the file lacks leaves the stored value alone; an empty cell clears it. A time without a zone
is refused rather than guessed, for a deadline hangs on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relaydesk.message import normal_address, plain_address
from relaydesk.order import Item, Order, OrderRow

if TYPE_CHECKING:
    from collections.abc import Callable

ALIASES = {
    "id": "order_id",
    "facebook_order_id": "order_id",
    "merchant_order_id": "merchant_ref",
    "merchant_order_reference": "merchant_ref",
    "created": "created_at",
    "ship_by_date": "ship_by",
    "email": "relay_address",
    "email_remarketing_option": "marketing_opt_in",
}
MOST_ITEMS = 1000

_SPREADSHEET = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d+|\d{10,}\.0+")
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_AMOUNT = re.compile(r"\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_ITEM = re.compile(r"(?P<retailer_id>.+?)(?:\s+x\s+(?P<quantity>\S+))?(?:\s+@\s+(?P<price>\S+))?")
_FLAGS = {"": None, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


class RowError(ValueError):
    """Why one record cannot be taken, as a sentence without the row's number."""


def column(name: str) -> str:
    """The documented name of a column or key: ``Merchant Order-ID`` is ``merchant_ref``."""
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    return ALIASES.get(plain, plain)


def read(record: Mapping[str, Any]) -> OrderRow:
    """The order in one record; RowError names the column and the remedy."""
    cells: dict[str, Any] = {}
    unknown = []
    for key, value in _flat(record).items():
        name = column(key)
        if name in COLUMNS:
            cells[name] = value
        else:
            unknown.append(key)
    if not _text(cells.get("order_id"), "order_id"):
        raise RowError("order_id is missing")
    values = {name: COLUMNS[name](value, name) for name, value in cells.items()}
    values["id"] = values.pop("order_id")
    return OrderRow(Order(**values), frozenset(values) - {"id"}, tuple(unknown))


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Meta's nested answer laid flat; a flat record passes as it is."""
    flat = dict(record)
    for outer in ("order_status", "buyer_details"):
        inner = flat.pop(outer, None)
        if isinstance(inner, Mapping):
            flat |= {key: value for key, value in inner.items() if column(key) in COLUMNS}
    payment = flat.pop("estimated_payment_details", None)
    if isinstance(payment, Mapping) and isinstance(payment.get("total_amount"), Mapping):
        flat |= {key: payment["total_amount"].get(key) for key in ("amount", "currency")}
    return flat


def _text(value: object, name: str, limit: int = 200) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(f"{name} must be plain text, not {type(value).__name__}")
    text = value.strip()
    if len(text) > limit:
        raise RowError(f"{name} is longer than {limit} characters")
    if _UNSTORABLE.search(text):
        raise RowError(f"{name} holds a control character")
    return text


def _id(value: object, name: str) -> str:
    text = _text(value, name, 64).removeprefix("#")
    if _SPREADSHEET.fullmatch(text):
        raise RowError(
            f"{name} {text} was turned into a rounded number by a spreadsheet; "
            "format that column as text and export again"
        )
    if re.search(r"\s", text):
        raise RowError(f"{name} {text!r} contains a space")
    return text


def _state(value: object, name: str) -> str:
    return _text(value, name, 40)


def _amount(value: object, name: str) -> str:
    text = _text(value, name, 40)
    if text and not _AMOUNT.fullmatch(text):
        raise RowError(
            f"{name} {text!r} is not a plain decimal; use one such as 1299.90, without sign, unit or commas"
        )
    return text


def _currency(value: object, name: str) -> str:
    text = _text(value, name, 40).upper()
    if text and not re.fullmatch("[A-Z]{3}", text):
        raise RowError(f"{name} {text!r} is not a three-letter code such as USD")
    return text


def _moment(value: object, name: str) -> datetime | None:
    text = _text(value, name, 40)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowError(f"{name} {text!r} is not an ISO 8601 time such as 2026-11-23T09:30:00Z") from None
    raise RowError(f"{name} {text!r} has no zone; add Z for UTC or an offset such as -08:00")


def _address(value: object, name: str) -> str:
    text = _text(value, name, 320)
    if text and plain_address(text) is None:
        raise RowError(f"{name} {text!r} is not an email address")
    return normal_address(text)


def _flag(value: object, name: str) -> bool | None:
    if isinstance(value, bool):
        return value
    text = _text(value, name, 40).lower()
    if text not in _FLAGS:
        raise RowError(f"{name} {text!r} is neither yes nor no")
    return _FLAGS[text]


def _items(value: object, name: str) -> tuple[Item, ...]:
    if isinstance(value, Mapping):  # an edge of the Graph API wraps its list
        value = value.get("data")
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json_list(value, name)
    if isinstance(value, list):
        entries = value
    else:
        entries = [_short_item(part) for part in _text(value, name, 20_000).split(";") if part.strip()]
    if len(entries) > MOST_ITEMS:
        raise RowError(f"{name} holds more than {MOST_ITEMS} entries")
    items = tuple(_item(entry) for entry in entries)
    ids = [item.id for item in items if item.id]
    if len(ids) != len(set(ids)):
        raise RowError(f"{name} holds an item id twice")
    return items


def _json_list(text: str, name: str) -> object:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise RowError(f"{name} starts like a JSON list but is not one") from None


def _short_item(text: str) -> dict[str, str | None]:
    match = _ITEM.fullmatch(text.strip())
    if match is None:
        raise RowError(f"item {text!r} is not of the form SKU x QUANTITY @ PRICE")
    return match.groupdict()


def _item(entry: object) -> Item:
    if not isinstance(entry, Mapping):
        raise RowError(f"item {entry!r} is not an object with retailer_id and quantity")
    price = entry.get("price", entry.get("price_per_unit"))
    if isinstance(price, Mapping):
        price = price.get("amount")
    quantity = _text(entry.get("quantity"), "item quantity", 40) or "1"
    if not re.fullmatch(r"[1-9]\d{0,6}", quantity, re.ASCII):
        raise RowError(f"item quantity {quantity!r} is not a whole number from 1 to 9999999")
    item = Item(
        id=_id(entry.get("id"), "item id"),
        retailer_id=_text(entry.get("retailer_id"), "item retailer_id"),
        name=_text(entry.get("name", entry.get("product_name")), "item name", 500),
        quantity=int(quantity),
        price=_amount(price, "item price"),
    )
    if not (item.id or item.retailer_id):
        raise RowError("an item has neither id nor retailer_id")
    return item


COLUMNS: dict[str, Callable[[Any, str], Any]] = {
    "order_id": _id,
    "merchant_ref": _id,
    "state": _state,
    "amount": _amount,
    "currency": _currency,
    "created_at": _moment,
    "ship_by": _moment,
    "relay_address": _address,
    "marketing_opt_in": _flag,
    "items": _items,
}
