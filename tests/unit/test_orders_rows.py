"""One record of an import file → an order, or the reason why not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from relaydesk.order import Item, Order, OrderRow
from relaydesk.orders.row import RowError, column, read

FULL = {
    "order_id": "368508827392800",
    "merchant_ref": "SHOP-17",
    "state": "CREATED",
    "amount": "1299.90",
    "currency": "usd",
    "created_at": "2026-11-23T01:30:00-08:00",
    "ship_by": "2026-11-25T00:00:00Z",
    "relay_address": "5OGUV2ft0e@Shopping.Instagram.com",
    "marketing_opt_in": "no",
    "items": "SKU-1 x 2 @ 19.90; blue shirt x 1; SKU-3",
}
ORDER = Order(
    id="368508827392800",
    merchant_ref="SHOP-17",
    state="CREATED",
    amount="1299.90",
    currency="USD",
    created_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    ship_by=datetime(2026, 11, 25, tzinfo=UTC),
    relay_address="5oguv2ft0e@shopping.instagram.com",
    marketing_opt_in=False,
    items=(
        Item(retailer_id="SKU-1", quantity=2, price="19.90"),
        Item(retailer_id="blue shirt", quantity=1),
        Item(retailer_id="SKU-3"),
    ),
)
# an answer of Meta's API
GRAPH = {
    "id": "64000841784004",
    "order_status": {"state": "IN_PROGRESS"},
    "created": "2026-11-20T12:47:06+0000",
    "last_updated": "2026-11-21T12:47:06+0000",
    "ship_by_date": "2026-11-24T08:00:00+0000",
    "merchant_order_id": "5678",
    "channel": "Instagram",
    "items": {
        "data": [
            {
                "id": "2082596341811586",
                "product_id": "1213131231",
                "retailer_id": "external_product_1234",
                "quantity": "2",
                "price_per_unit": {"amount": "20.00", "currency": "USD"},
            }
        ]
    },
    "estimated_payment_details": {
        "subtotal": {"items": {"amount": "40.00", "currency": "USD"}},
        "total_amount": {"amount": "45.05", "currency": "USD"},
    },
    "buyer_details": {
        "name": "A. Buyer",
        "email": "n8miblde3i@marketplace.facebook.com",
        "email_remarketing_option": True,
    },
}


def test_it_reads_every_column() -> None:
    row = read(FULL)
    assert row.order == ORDER
    assert row.given == set(FULL) - {"order_id"}
    assert row.unknown == ()


def test_it_reads_an_answer_of_the_api() -> None:
    row = read(GRAPH)
    assert row.order == Order(
        id="64000841784004",
        merchant_ref="5678",
        state="IN_PROGRESS",
        amount="45.05",
        currency="USD",
        created_at=datetime(2026, 11, 20, 12, 47, 6, tzinfo=UTC),
        ship_by=datetime(2026, 11, 24, 8, tzinfo=UTC),
        relay_address="n8miblde3i@marketplace.facebook.com",
        marketing_opt_in=True,
        items=(Item("2082596341811586", "external_product_1234", "", 2, "20.00"),),
    )
    assert row.unknown == ("last_updated", "channel")


def test_it_knows_which_fields_a_record_speaks_of() -> None:
    row = read({"order_id": "1", "state": "", "amount": None})
    assert row == OrderRow(Order("1"), frozenset({"state", "amount"}))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Order ID", "order_id"),
        ("id", "order_id"),
        (" Merchant-Order-Id ", "merchant_ref"),
        ("ORDER_ID", "order_id"),
    ],
)
def test_it_takes_other_spellings_of_a_column(written: str, name: str) -> None:
    assert column(written) == name


def test_items_may_be_a_json_list() -> None:
    text = '[{"retailer_id": "A;x 2", "quantity": 3, "price": 1.10, "id": "9"}]'
    assert read({"order_id": "1", "items": text}).order.items == (Item("9", "A;x 2", "", 3, "1.10"),)


@pytest.mark.parametrize("amount", ["0.10", "123456789012345.123456", "7", "0"])
def test_an_amount_stays_exactly_as_written(amount: str) -> None:
    assert read({"order_id": "1", "amount": amount}).order.amount == amount


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"order_id": ""}, "order_id is missing"),
        ({"order_id": "3.68509E+14"}, "spreadsheet"),
        ({"order_id": "3,68509e+14"}, "spreadsheet"),
        ({"order_id": "368508827392800.0"}, "spreadsheet"),
        ({"order_id": "12 34"}, "contains a space"),
        ({"order_id": "1" * 65}, "longer than 64"),
        ({"order_id": ["1"]}, "plain text"),
        ({"merchant_ref": "1.0E+12"}, "spreadsheet"),
        ({"state": "CRE\0ATED"}, "control character"),
        ({"state": "\ud800"}, "control character"),
        ({"amount": "12,50"}, "1299.90"),
        ({"amount": "$12"}, "1299.90"),
        ({"amount": "NaN"}, "1299.90"),
        ({"amount": "1e3"}, "1299.90"),
        ({"amount": "-5"}, "1299.90"),
        ({"currency": "dollars"}, "three-letter code"),
        ({"created_at": "2026-11-23T09:30:00"}, "created_at .* has no zone"),
        ({"ship_by": "2026-11-23"}, "ship_by .* has no zone"),
        ({"created_at": "23/11/2026"}, "ISO 8601"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "ISO 8601"),
        ({"relay_address": "nobody"}, "not an email address"),
        ({"relay_address": "a@b@c.example"}, "not an email address"),
        ({"marketing_opt_in": "maybe"}, "neither yes nor no"),
        ({"items": "SKU x 0"}, "quantity '0'"),
        ({"items": "SKU x two"}, "quantity 'two'"),
        ({"items": "SKU x 1 @ free"}, "item price 'free'"),
        ({"items": "[{}"}, "JSON list"),
        ({"items": [{"quantity": "1"}]}, "neither id nor retailer_id"),
        ({"items": ["SKU"]}, "not an object"),
        ({"items": [{"id": "7"}, {"id": "7"}]}, "twice"),
        ({"items": "a;" * 1001}, "more than 1000"),
    ],
)
def test_a_bad_cell_is_a_sentence_naming_it(cells: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RowError, match=sentence):
        read({"order_id": "1"} | cells)


@pytest.mark.parametrize(
    ("text", "answer"), [("yes", True), ("TRUE", True), ("1", True), ("0", False), ("", None)]
)
def test_opting_in_is_yes_no_or_unknown(text: str, answer: bool | None) -> None:
    assert read({"order_id": "1", "marketing_opt_in": text}).order.marketing_opt_in is answer
