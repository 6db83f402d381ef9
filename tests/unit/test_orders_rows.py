"""One record of an import file → an order, or the reason why not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relaydesk.config import parts
from relaydesk.config.settings import Settings
from relaydesk.order import BadCell, Item, Order, OrderRow
from relaydesk.orders.row import RowError, RowReader, column, has_order_shape

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
ID = "64000841784004"
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


def read(record: dict[str, Any], zone: str = "UTC") -> OrderRow:
    return RowReader(ZoneInfo(zone)).read(record)


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
    row = read({"order_id": ID, "state": "", "amount": None})
    assert row == OrderRow(Order(ID), frozenset({"state", "amount"}))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Order ID", "order_id"),
        ("id", "order_id"),
        (" Merchant-Order-Id ", "merchant_ref"),
        ("ORDER_ID", "order_id"),
        ("Order #", "order_id"),
        ("Order No.", "order_id"),
        ("Facebook Order ID", "order_id"),
        ("Status", "state"),
        ("Order total", "amount"),
        ("Buyer E-mail", "buyer_e_mail"),
        ("Customer Email", "relay_address"),
        ("Ship by date", "ship_by"),
    ],
)
def test_it_takes_other_spellings_of_a_column(written: str, name: str) -> None:
    assert column(written) == name


def test_items_may_be_a_json_list() -> None:
    text = '[{"retailer_id": "A;x 2", "quantity": 3, "price": 1.10, "id": "9"}]'
    assert read({"order_id": ID, "items": text}).order.items == (Item("9", "A;x 2", "", 3, "1.10"),)


@pytest.mark.parametrize("amount", ["0.10", "123456789012345.123456", "7", "0"])
def test_an_amount_stays_exactly_as_written(amount: str) -> None:
    assert read({"order_id": ID, "amount": amount}).order.amount == amount


@pytest.mark.parametrize(
    ("order_id", "sentence"),
    [
        ("", "order_id is missing"),
        (None, "order_id is missing"),
        ("\xa0 ", "order_id is missing"),
        ("3.68509E+14", "number format General of Excel"),
        ("3,68509e+14", "number format General of Excel"),
        ("1e15", "number format General of Excel"),
        ("1E15", "number format General of Excel"),
        ("3.68509E14", "number format General of Excel"),
        ("368508827392800.0", "number format General of Excel"),
        ("368508827392800,00", "number format General of Excel"),
        ("36850 8827392800", "contains a space"),
        ("1" * 65, "longer than 64"),
        (["1"], "plain text"),
        ("1001", "not a Facebook order id"),
        ("#1001", "not a Facebook order id"),
        ("123456789", "not a Facebook order id"),
        ("1" * 21, "not a Facebook order id"),
        ("SHOP-1001", "not a Facebook order id"),
        ("\u0661" * 15, "not a Facebook order id"),
        ("368,508,827,392,800", "not a Facebook order id"),
        ("36850882739280\x07", "control character"),
    ],
)
def test_a_bad_order_id_costs_the_row(order_id: object, sentence: str) -> None:
    with pytest.raises(RowError, match=sentence):
        read({"order_id": order_id, "state": "CREATED"})


@pytest.mark.parametrize(
    "written",
    [ID, f" {ID} ", f"'{ID}", f"\u2019{ID}", f"#{ID}", f"\xa0{ID}\xa0", f'="{ID}"', f"\ufeff{ID}\u200b"],
)
def test_what_stands_around_an_order_id_does_not_matter(written: str) -> None:
    assert read({"order_id": written}).order.id == ID


def test_the_shape_of_an_order_id_is_that_of_the_sorting_rules() -> None:
    form = parts.rules(Settings()).form
    for text in ("1" * 9, "1" * 10, "1" * 20, "1" * 21, "A123456789", ID, "\u0661" * 15):
        assert has_order_shape(text) == form.fits("order", text)
    assert RowReader(has_shape=lambda text: text == "A-1").read({"id": "A-1"}).order.id == "A-1"


BAD_CELLS = [
    ({"merchant_ref": "1.0E+12"}, "spreadsheet"),
    ({"merchant_ref": "2026/INV #17"}, "contains a space; write it without"),
    ({"merchant_order_id": "x" * 65}, "longer than 64"),
    ({"state": "CRE\0ATED"}, "control character"),
    ({"state": "\ud800"}, "control character"),
    ({"state": "\u202eDETAERC"}, "control character"),
    ({"state": "x" * 41}, "longer than 40"),
    ({"amount": "12,50"}, "1299.90"),
    ({"amount": "$12"}, "1299.90"),
    ({"amount": "NaN"}, "1299.90"),
    ({"amount": "1e3"}, "1299.90"),
    ({"amount": "-5"}, "1299.90"),
    ({"currency": "dollars"}, "three-letter code"),
    ({"created_at": "2026-11-23T09:30:00"}, "created_at .* has no zone"),
    ({"ship_by": "2026-11-23 09:30"}, "ship_by .* has no zone"),
    ({"created_at": "23/11/2026"}, "ISO 8601"),
    ({"ship_by_date": "soon"}, "ship_by 'soon' is not an ISO 8601"),
    ({"ship_by": "2026-02-30"}, "ISO 8601"),
    ({"created_at": "0001-01-01T00:00:00+14:00"}, "ISO 8601"),
    ({"relay_address": "nobody"}, "not an email address"),
    ({"relay_address": "a@b@c.example"}, "not an email address"),
    ({"marketing_opt_in": "maybe"}, "neither yes nor no"),
    ({"items": "SKU x 0"}, "quantity '0'"),
    ({"items": "SKU x two"}, "quantity 'two'"),
    ({"items": {"data": [{"retailer_id": "A", "quantity": "-1"}]}}, "quantity '-1'"),
    ({"items": "SKU x 1 @ free"}, "item price 'free'"),
    ({"items": "[{}"}, "JSON list"),
    ({"items": [{"quantity": "1"}]}, "neither id nor retailer_id"),
    ({"items": ["SKU"]}, "not an object"),
    ({"items": [{"id": "7"}, {"id": "7"}]}, "twice"),
    ({"items": "a;" * 1001}, "more than 1000"),
]


@pytest.mark.parametrize(("cells", "sentence"), BAD_CELLS)
def test_a_bad_cell_costs_that_cell_and_is_a_sentence_naming_it(cells: dict[str, Any], sentence: str) -> None:
    good = {"order_id": ID, "state": "CREATED", "currency": "USD", "amount": "5"}
    row = read({key: value for key, value in good.items() if key not in cells} | cells)
    [name] = {column(key) for key in cells}
    [bad] = row.bad
    assert bad.column == name and re.search(sentence, bad.why)
    assert len(bad.value) <= 60 and len(bad.why) < 250
    assert name not in row.given
    assert row.given == {"state", "currency", "amount"} - {name}


def test_a_bad_cell_says_what_stood_there() -> None:
    row = read({"id": ID, "amount": "9" * 39 + ",", "items": [{"id": None}] * 20})
    assert row.bad[0].value == "9" * 39 + ","
    assert row.bad[1] == BadCell(
        "items", str([{"id": None}] * 20).replace("'", '"').replace("None", "null")[:60], row.bad[1].why
    )


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-01-16", datetime(2026, 1, 17, 4, 59, 59, tzinfo=UTC)),
        ("2026-07-16", datetime(2026, 7, 17, 3, 59, 59, tzinfo=UTC)),
        ("20260116", datetime(2026, 1, 17, 4, 59, 59, tzinfo=UTC)),
        ("2026-01-16T08:00:00+0000", datetime(2026, 1, 16, 8, tzinfo=UTC)),
        ("2026-01-16T08:00:00.000+01:00", datetime(2026, 1, 16, 7, tzinfo=UTC)),
        ("2026-01-16 08:00:00Z", datetime(2026, 1, 16, 8, tzinfo=UTC)),
        ("1768550400", datetime(2026, 1, 16, 8, tzinfo=UTC)),
        ("1768550400000", datetime(2026, 1, 16, 8, tzinfo=UTC)),
    ],
)
def test_a_day_to_ship_by_ends_in_the_zone_of_the_calendar(written: str, instant: datetime) -> None:
    row = read({"id": ID, "ship_by_date": written}, "America/New_York")
    assert row.order.ship_by == instant
    assert row.bad == ()


def test_an_order_of_a_day_was_made_from_its_beginning_on() -> None:
    row = read({"id": ID, "Order Date": "2026-01-16"}, "America/New_York")
    assert row.order.created_at == datetime(2026, 1, 16, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "answer"), [("yes", True), ("TRUE", True), ("1", True), ("0", False), ("", None)]
)
def test_opting_in_is_yes_no_or_unknown(text: str, answer: bool | None) -> None:
    assert read({"order_id": ID, "marketing_opt_in": text}).order.marketing_opt_in is answer


def test_the_documented_name_counts_before_another_for_the_same() -> None:
    row = read({"Order Number": "17", "order_id": ID, "email": "x", "relay_address": "a@b.example"})
    assert (row.order.id, row.order.relay_address) == (ID, "a@b.example")
    assert row.unknown == ("Order Number", "email")


def test_the_state_may_stand_in_a_flat_column_of_metas_name() -> None:
    assert read({"id": ID, "order_status": "CREATED"}).order.state == "CREATED"
