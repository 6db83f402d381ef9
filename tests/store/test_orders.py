"""The order directory on both engines: import, import again, find."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from relaydesk.order import Item, Order
from relaydesk.orders import directory
from relaydesk.orders.directory import Imported, find_orders, import_file
from relaydesk.orders.records import FileError
from relaydesk.store.errors import Conflict

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlmodel import Session

    from relaydesk.store.engine import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER = "order_id,merchant_ref,state,amount,relay_address,created_at,items\n"
ROWS = (
    "1000001001,A-1,CREATED,10.50,5oguv2ft0e@shopping.instagram.com,2026-11-20T00:00:00Z,SKU-1 x 2 @ 5.25\n"
    "1000001002,A-2,CREATED,7,5oguv2ft0e@shopping.instagram.com,2026-11-21T00:00:00Z,SKU-2\n"
)


def bring(store: Store, folder: Path, content: str, name: str = "orders.csv") -> Imported:
    path = folder / name
    path.write_text(content)
    return import_file(store, path, now=NOW)


def test_it_finds_what_it_imported_by_each_key(store: Store, tmp_path: Path) -> None:
    assert bring(store, tmp_path, HEADER + ROWS) == Imported(added=2)
    first = Order(
        id="1000001001",
        merchant_ref="A-1",
        state="CREATED",
        amount="10.50",
        relay_address="5oguv2ft0e@shopping.instagram.com",
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        items=(Item(retailer_id="SKU-1", quantity=2, price="5.25"),),
    )
    assert (
        find_orders(store, "1000001001")
        == find_orders(store, " #1000001001 ")
        == find_orders(store, "A-1")
        == [first]
    )
    assert [order.id for order in find_orders(store, "5OGUV2ft0e@shopping.instagram.com")] == [
        "1000001002",
        "1000001001",
    ]
    for nothing in ("", "#", "1000001003", "a-1", "x" * 10_000, "10\0", "%", "100_"):
        assert find_orders(store, nothing) == []


def test_importing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, HEADER + ROWS)
    before = find_orders(store, "1000001001")
    assert bring(store, tmp_path, HEADER + ROWS) == Imported(unchanged=2)
    assert find_orders(store, "1000001001") == before


def test_importing_again_updates_what_the_file_speaks_of(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, HEADER + ROWS)
    (before,) = find_orders(store, "1000001001")
    assert bring(store, tmp_path, "order_id,state,amount\n1000001001,COMPLETED,\n") == Imported(updated=1)
    assert find_orders(store, "1000001001") == [replace(before, state="COMPLETED", amount="")]


def test_items_are_replaced_as_a_whole(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, HEADER + ROWS)
    items = [{"id": "9", "retailer_id": "SKU-9", "quantity": 1}, {"id": "10", "retailer_id": "SKU-10"}]
    changed = json.dumps([{"order_id": "1000001001", "items": items}])
    assert bring(store, tmp_path, changed, "orders.json") == Imported(updated=1)
    (order,) = find_orders(store, "1000001001")
    assert {item.id: item.retailer_id for item in order.items} == {"9": "SKU-9", "10": "SKU-10"}
    assert bring(store, tmp_path, changed, "orders.json") == Imported(unchanged=1)
    assert bring(store, tmp_path, "order_id,items\n1000001001,\n") == Imported(updated=1)
    assert find_orders(store, "1000001001")[0].items == ()


def test_many_items_keep_their_order(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, "order_id,items\n1000000001," + ";".join(f"SKU-{n}" for n in range(12)) + "\n")
    assert [item.retailer_id for item in find_orders(store, "1000000001")[0].items] == [
        f"SKU-{n}" for n in range(12)
    ]


def test_bad_rows_are_named_and_left_out(store: Store, tmp_path: Path) -> None:
    found = bring(
        store,
        tmp_path,
        "order_id,amount,colour\n1000000001,5\n1000000002,5,red\n3.68509E+14,5,red\n1000000004,five,red\n5,5,red\n",
    )
    assert (found.added, found.left_out, found.ignored) == (2, 3, ("colour",))
    assert [rejected.row for rejected in found.rejected] == [2, 4, 6]
    assert "spreadsheet" in found.rejected[1].why
    assert find_orders(store, "1000000002")
    assert find_orders(store, "1000000004")[0].amount == ""
    [cell] = found.cells
    assert (found.left_out_cells, cell.row, cell.column, cell.value) == (1, 5, "amount", "five")


def test_a_bad_cell_leaves_what_is_stored(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, HEADER + ROWS)
    bad = "order_id,merchant_ref,state,amount\n1000001001,2026/INV #17,COMPLETED,ten\n"
    imported = bring(store, tmp_path, bad)
    assert (imported.updated, imported.left_out, imported.left_out_cells) == (1, 0, 2)
    [order] = find_orders(store, "1000001001")
    assert (order.merchant_ref, order.state, order.amount) == ("A-1", "COMPLETED", "10.50")


def test_what_the_graph_api_returns_goes_in_as_it_is(store: Store, tmp_path: Path) -> None:
    answer = {
        "data": [
            {
                "id": "335211597203402",
                "order_status": {"state": "CREATED"},
                "created": "2026-01-14T19:17:31+0000",
                "last_updated": "2026-01-14T19:47:35+0000",
                "ship_by_date": "2026-01-16",
                "merchant_order_id": reference,
                "items": {"data": [{"id": "20825963418", "retailer_id": "sku", "quantity": 2}]},
                "estimated_payment_details": {"total_amount": {"amount": "20.45", "currency": "USD"}},
                "buyer_details": {"email": "n8miblde3i@marketplace.facebook.com"},
            }
            for reference in ["2026/INV #17"]
        ],
        "paging": {"cursors": {"before": "x", "after": "y"}},
    }
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(answer))
    imported = import_file(store, path, now=NOW, zone=ZoneInfo("America/New_York"))
    assert (imported.added, imported.left_out, imported.ignored) == (1, 0, ("last_updated",))
    assert [(cell.row, cell.column, cell.value) for cell in imported.cells] == [
        (1, "merchant_ref", "2026/INV #17")
    ]
    [order] = find_orders(store, "n8miblde3i@marketplace.facebook.com")
    assert order.ship_by == datetime(2026, 1, 17, 4, 59, 59, tzinfo=UTC)
    assert (order.merchant_ref, order.amount, order.items[0].quantity) == ("", "20.45", 2)


def test_a_reference_belongs_to_one_order_and_another_goes_in_without(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, HEADER + ROWS)
    found = bring(
        store,
        tmp_path,
        "order_id,merchant_ref,state\n1000001003,A-1,NEW\n1000001004,A-4,NEW\n1000001005,A-4,NEW\n1000001002,A-4,NEW\n",
    )
    assert (found.added, found.updated, found.left_out) == (3, 1, 0)
    assert [(cell.row, cell.column, cell.value, cell.why) for cell in found.cells] == [
        (2, "merchant_ref", "A-1", "merchant_ref A-1 belongs to order 1000001001 already"),
        (4, "merchant_ref", "A-4", "merchant_ref A-4 belongs to order 1000001004 already"),
        (5, "merchant_ref", "A-4", "merchant_ref A-4 belongs to order 1000001004 already"),
    ]
    assert [order.id for order in find_orders(store, "A-1")] == ["1000001001"]
    assert (find_orders(store, "A-2")[0].id, find_orders(store, "A-2")[0].state) == ("1000001002", "NEW")
    assert find_orders(store, "1000001005")[0].merchant_ref == ""


def test_references_may_change_hands_within_a_file(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path, HEADER + ROWS)
    handed = "order_id,merchant_ref\n1000001001,\n1000001002,A-1\n1000001001,A-2\n1000001006,\n1000001007,\n"
    found = bring(store, tmp_path, handed)
    assert (found.added, found.updated, found.rejected) == (2, 3, ())
    assert [find_orders(store, ref)[0].id for ref in ("A-1", "A-2")] == ["1000001002", "1000001001"]


def test_the_same_order_twice_in_a_file_keeps_the_last(store: Store, tmp_path: Path) -> None:
    found = bring(
        store, tmp_path, "order_id,state\n1000000001,CREATED\n1000000001,COMPLETED\n1000000001,COMPLETED\n"
    )
    assert found == Imported(added=1, updated=1, unchanged=1)
    assert find_orders(store, "1000000001")[0].state == "COMPLETED"


def test_batches_go_in_one_by_one_and_tell_the_progress(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "BATCH", 2)
    path = tmp_path / "orders.json"
    path.write_text('[{"id": "1000000001"}, {"id": "1000000002"}, {"id": "1000000003"}, oops')
    told: list[tuple[int, int]] = []
    with pytest.raises(FileError, match=r"orders\.json, order 4"):
        import_file(store, path, now=NOW, progress=lambda done, total: told.append((done, total)))
    assert told == [(path.stat().st_size, path.stat().st_size)]
    assert find_orders(store, "1000000002")
    assert not find_orders(store, "1000000003")


def test_it_tries_again_when_another_was_first(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.transaction
    calls: list[int] = []

    def first_fails() -> AbstractContextManager[Session]:
        calls.append(1)
        if len(calls) < 3:
            raise Conflict("first")
        return real()

    monkeypatch.setattr(store, "transaction", first_fails)
    assert bring(store, tmp_path, "order_id\n1000000001\n") == Imported(added=1)
    assert len(calls) == 3


def test_memory_does_not_grow_with_the_file(sqlite_store: Store, tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        path.write_text(
            "order_id,state\n" + "".join(f"{n},{'x' * 30}\n" for n in range(10**10, 10**10 + rows))
        )
        tracemalloc.start()
        try:
            assert import_file(sqlite_store, path, now=NOW).left_out == 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)  # caches of the libraries
    assert peak(5_000) < 2 * peak(1250)


def test_looking_up_uses_the_indexes(store: Store) -> None:
    embedded = store.engine.dialect.name == "sqlite"
    with store.reading() as session:
        if not embedded:
            session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
        query = "SELECT id FROM \"order\" WHERE id = 'a' OR merchant_ref = 'a' OR relay_address = 'a'"
        rows = session.connection().execute(text(("EXPLAIN QUERY PLAN " if embedded else "EXPLAIN ") + query))
        plan = " ".join(str(row) for row in rows)
    assert "merchant_ref" in plan
    assert "relay_address" in plan
    assert ("SCAN order" if embedded else "Seq Scan") not in plan
