"""One cell of an import file → a value, or a :class:`CellError` that says what is wrong with it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, tzinfo

from relaydesk.characters import CONTROLS, DIRECTION
from relaydesk.message import normal_address, plain_address
from relaydesk.order import Item

MOST_ITEMS = 1000
LONGEST_SHOWN = 60

_SPREADSHEET = re.compile(r"\d+(?:[.,]\d+)?[eE]\+?\d+|\d{10,}[.,]0+", re.ASCII)
_UNSTORABLE = re.compile(f"[\t\n{CONTROLS}{DIRECTION}]")
_BLANKS = " \t\r\n\xa0\u2007\u202f\u200b\u2060\ufeff"
_AS_TEXT = re.compile(r'="([^"]*)"')  # how a spreadsheet keeps a number as text; or by an apostrophe
_AMOUNT = re.compile(r"\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_SECONDS, _SECONDS_LONG = re.compile(r"\d{9,10}|\d{13}", re.ASCII), 10
_FLAGS = {"": None, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


class CellError(ValueError):
    """Why a cell cannot be taken, as a sentence that names the column and the remedy."""


def shown(text: str) -> str:
    """A value in a sentence: quoted, on one line, cut."""
    return repr(text[:LONGEST_SHOWN])


def text(value: object, name: str, limit: int = 200) -> str:
    """Plain text without the blanks around it; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise CellError(f"{name} must be plain text, not {type(value).__name__}")
    stripped = value.strip(_BLANKS)
    if len(stripped) > limit:
        raise CellError(f"{name} is longer than {limit} characters")
    if _UNSTORABLE.search(stripped):
        raise CellError(f"{name} holds a control character")
    return stripped


def number(value: object, name: str) -> str:
    """An order's or item's number, freed of what a spreadsheet or a person put around it."""
    written = text(value, name, 64)
    if as_text := _AS_TEXT.fullmatch(written):
        written = as_text[1]
    written = written.strip(_BLANKS).lstrip("'\u2019").removeprefix("#").strip(_BLANKS)
    if _SPREADSHEET.fullmatch(written):
        raise CellError(
            f"{name} {written} was turned into a rounded number by a spreadsheet (by the number format "
            "General of Excel); format that column as text and export again"
        )
    if re.search(r"\s", written):
        raise CellError(f"{name} {shown(written)} contains a space; write it without")
    return written


def word(value: object, name: str) -> str:
    """A word of up to 40 characters, such as a state."""
    return text(value, name, 40)


def amount(value: object, name: str) -> str:
    """A decimal, exactly as written."""
    decimal = text(value, name, 40)
    if decimal and not _AMOUNT.fullmatch(decimal):
        raise CellError(
            f"{name} {shown(decimal)} is not a plain decimal; use one such as 1299.90, without sign, unit or "
            "commas"
        )
    return decimal


def currency(value: object, name: str) -> str:
    """A code of ISO 4217, in capitals."""
    code = text(value, name, 40).upper()
    if code and not re.fullmatch("[A-Z]{3}", code):
        raise CellError(f"{name} {shown(code)} is not a three-letter code such as USD")
    return code


def moment(value: object, name: str, zone: tzinfo, at: time) -> datetime | None:
    """An instant in UTC: ISO 8601 with a zone, seconds since 1970, or a day of ``zone``, then ``at``."""
    written = text(value, name, 40)
    if not written:
        return None
    try:
        if _SECONDS.fullmatch(written):
            return datetime.fromtimestamp(int(written[:_SECONDS_LONG]), UTC)
        if day := _day(written):
            return datetime.combine(day, at, zone).astimezone(UTC)
        instant = datetime.fromisoformat(written)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellError(
            f"{name} {shown(written)} is not an ISO 8601 time such as 2026-11-23T09:30:00Z or 2026-11-23"
        ) from None
    raise CellError(f"{name} {shown(written)} has no zone; add Z for UTC or an offset such as -08:00")


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def address(value: object, name: str) -> str:
    """A mailbox, in lower case."""
    mailbox = text(value, name, 320)
    if mailbox and plain_address(mailbox) is None:
        raise CellError(f"{name} {shown(mailbox)} is not an email address")
    return normal_address(mailbox)


def flag(value: object, name: str) -> bool | None:
    """Yes, no, or None for an empty cell."""
    if isinstance(value, bool):
        return value
    answer = text(value, name, 40).lower()
    if answer not in _FLAGS:
        raise CellError(f"{name} {shown(answer)} is neither yes nor no")
    return _FLAGS[answer]


def items(value: object, name: str) -> tuple[Item, ...]:
    """The lines of an order: in the short form, as a JSON list, or as the Graph API wraps it."""
    if isinstance(value, Mapping):  # an edge of the Graph API wraps its list
        value = value.get("data")
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json_list(value, name)
    if isinstance(value, list):
        entries = value
    else:
        entries = [_short_item(part) for part in text(value, name, 20_000).split(";") if part.strip()]
    if len(entries) > MOST_ITEMS:
        raise CellError(f"{name} holds more than {MOST_ITEMS} entries")
    lines = tuple(_item(entry) for entry in entries)
    ids = [item.id for item in lines if item.id]
    if len(ids) != len(set(ids)):
        raise CellError(f"{name} holds an item id twice")
    return lines


def _json_list(written: str, name: str) -> object:
    try:
        return json.loads(written, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise CellError(f"{name} starts like a JSON list but is not one") from None


def _short_item(written: str) -> dict[str, str | None]:
    """``SKU x QUANTITY @ PRICE``, of which quantity and price may lack."""
    rest, price = _parted(written.strip(), "@")
    retailer_id, quantity = _parted(rest, "x")
    return {"retailer_id": retailer_id, "quantity": quantity, "price": price}


def _parted(written: str, mark: str) -> tuple[str, str | None]:
    """What stands before a mark and the one word behind it; the word is None where there is none."""
    before = written.rsplit(maxsplit=2)
    return (before[0], before[2]) if before[1:2] == [mark] and before[2:] else (written, None)


def _item(entry: object) -> Item:
    if not isinstance(entry, Mapping):
        raise CellError(f"item {shown(str(entry))} is not an object with retailer_id and quantity")
    price = entry.get("price", entry.get("price_per_unit"))
    if isinstance(price, Mapping):
        price = price.get("amount")
    quantity = text(entry.get("quantity"), "item quantity", 40) or "1"
    if not re.fullmatch(r"[1-9]\d{0,6}", quantity, re.ASCII):
        raise CellError(f"item quantity {shown(quantity)} is not a whole number from 1 to 9999999")
    item = Item(
        id=number(entry.get("id"), "item id"),
        retailer_id=text(entry.get("retailer_id"), "item retailer_id"),
        name=text(entry.get("name", entry.get("product_name")), "item name", 500),
        quantity=int(quantity),
        price=amount(price, "item price"),
    )
    if not (item.id or item.retailer_id):
        raise CellError("an item has neither id nor retailer_id")
    return item
