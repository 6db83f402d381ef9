"""An order that comes after its mail is bound then, by the rules of the intake, to closed tickets too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text

from relaydesk.order import Order, OrderRow
from relaydesk.orders.directory import import_file
from relaydesk.policy.decision import Placement
from relaydesk.store import late_orders, orders
from relaydesk_testkit.arriving import NOON, ORDER, candidate, decision, open_ticket, planned, store_message
from tests.support.desk import BOB, desk, events

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk.store.engine import Store
    from relaydesk.store.orders import Put

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
REF = "A-1"
ALICE = "case++alice@support.facebook.com"
FIELDS = frozenset({"merchant_ref", "relay_address"})


def put(store: Store, number: str = ORDER, ref: str = "", address: str = "") -> Put:
    order = Order(number, merchant_ref=ref, relay_address=address)
    (done,) = orders.put(store, [OrderRow(order, FIELDS)], LATER)
    return done


def numbers(store: Store, ticket: int) -> dict[tuple[str, str], str]:
    return {(number.what, number.value): number.how for number in desk(store).tickets.view(ticket).numbers}


def claim_of(store: Store, *candidates: Any, bind: tuple[str, ...] = (), **placing: Any) -> int:
    """A claim, as it comes: of no relay address, its order in the Subject."""
    placement = Placement("open", bind_orders=bind, **placing)
    decided = decision(
        placement, kind="claim", relay_address="", clocks=(planned("handling"),), candidates=candidates
    )
    ticket = store_message(store, decided, body=f"claim {candidates}".encode()).ticket_id
    assert ticket is not None
    return ticket


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize(
    ("candidates", "order", "bound"),
    [
        ((candidate(),), {}, True),
        ((candidate(REF, what="merchant_ref"),), {"ref": REF}, True),
        ((), {"address": ALICE}, True),
        ((candidate(sure="mentioned"),), {"address": ALICE}, True),
        ((candidate(),), {"ref": REF, "address": ALICE}, True),
        ((candidate(sure="mentioned"),), {}, False),
        ((candidate(REF, sure="mentioned", what="merchant_ref"),), {"ref": REF}, False),
        ((candidate(REF, what="merchant_ref"),), {"ref": "A-2"}, False),
        ((candidate(REF),), {"ref": REF}, False),  # an order's number is no seller's reference
        ((candidate("1"),), {}, False),
        ((), {"address": "case++bob@support.facebook.com"}, False),
    ],
)
def test_it_is_bound_as_if_it_had_been_known(
    store: Store, closed: bool, candidates: tuple[Any, ...], order: dict[str, str], bound: bool
) -> None:
    ticket = open_ticket(store, candidates=candidates)
    if closed:
        desk(store).tickets.close(ticket, by=BOB)
    done = put(store, **order)
    assert done.tied == ((ticket,) if bound else ())
    assert (numbers(store, ticket).get(("order", ORDER)) == "bound") == bound
    told = [e for e in events(store, ticket) if e.what == "order_bound"]
    assert [(e.at, e.actor, e.data) for e in told] == (
        [(LATER, "relaydesk", {"order": ORDER, "how": "directory"})] if bound else []
    )
    assert desk(store).tickets.view(ticket).ticket.open != closed  # binding reopens nothing
    assert put(store, **order) == replace(done, fate="unchanged", tied=())  # once is enough


def test_the_same_comes_out_whether_order_or_mail_is_first(store: Store) -> None:
    labelled = (candidate(), candidate(REF, what="merchant_ref"))
    late = open_ticket(store, candidates=labelled)
    put(store, ref=REF)
    early = open_ticket(store, name="bob", candidates=labelled, bind_orders=(ORDER,))
    assert numbers(store, late) == numbers(store, early)
    assert numbers(store, late) == {("order", ORDER): "bound", ("merchant_ref", REF): "bound"}


def test_nothing_unproven_is_bound(store: Store) -> None:
    decided = decision(Placement("open"), kind="unsorted", vouched=False, candidates=(candidate(),))
    ticket = store_message(store, decided).ticket_id
    assert ticket is not None
    assert put(store, address=ALICE).tied == ()
    assert numbers(store, ticket) == {("order", ORDER): "not_found"}


def test_what_an_agent_released_stays_released(store: Store) -> None:
    ticket = open_ticket(store, candidates=(candidate(REF, what="merchant_ref"),))
    put(store, address=ALICE)
    desk(store, LATER).tickets.release_order(ticket, ORDER, by=BOB)
    assert put(store, ref=REF, address=ALICE).tied == ()
    assert numbers(store, ticket) == {("order", ORDER): "released", ("merchant_ref", REF): "not_found"}


def test_all_labelled_numbers_are_bound_as_at_the_intake(store: Store) -> None:
    ticket = open_ticket(store, candidates=(candidate("1"), candidate("2"), candidate("3", sure="mentioned")))
    rows = [OrderRow(Order(number), frozenset()) for number in ("1", "2", "3")]
    assert [done.tied for done in orders.put(store, rows, LATER)] == [(ticket,), (ticket,), ()]
    assert numbers(store, ticket) == {
        ("order", "1"): "bound",
        ("order", "2"): "bound",
        ("order", "3"): "mentioned",
    }


def test_an_order_whose_relay_address_becomes_known_is_bound_then(store: Store) -> None:
    ticket = open_ticket(store)
    assert put(store).tied == ()
    assert put(store, address=ALICE).tied == (ticket,)


def test_a_reference_that_belongs_to_another_order_ties_nothing(store: Store) -> None:
    put(store, "1", ref=REF)
    ticket = open_ticket(store, candidates=(candidate(),))
    done = put(store, ref=REF)
    assert (done.fate, done.tied) == ("refused", ())
    assert numbers(store, ticket) == {("order", ORDER): "not_found"}


# --- claims and links -------------------------------------------------------------------------------


def test_a_claim_escalates_the_case_of_its_order_then(store: Store) -> None:
    """The case is the order's by its relay address, the claim names the number: only the order joins them."""
    case = open_ticket(store)
    claim = claim_of(store, candidate())
    assert put(store, address=ALICE).tied == (claim, case)
    view = desk(store).tickets.view(case)
    assert (view.ticket.escalated, [linked.id for linked in view.linked]) == (True, [claim])
    told = [(e.what, e.data) for e in events(store, case) if e.what in ("escalated", "linked")]
    assert told == [("escalated", {"by": claim}), ("linked", {"ticket": claim})]
    assert [e.data for e in events(store, claim) if e.what == "linked"] == [{"ticket": case}]
    assert not desk(store).tickets.view(claim).ticket.escalated
    put(store, address=ALICE, ref=REF)
    assert [e.what for e in events(store, case)].count("escalated") == 1


def test_a_claim_by_number_meets_a_case_by_reference(store: Store) -> None:
    case = open_ticket(store, candidates=(candidate(REF, what="merchant_ref"),))
    claim = claim_of(store, candidate())
    put(store, ref=REF)
    assert desk(store).tickets.view(case).ticket.escalated
    assert numbers(store, claim) == {("order", ORDER): "bound"}


def test_a_case_that_came_after_the_claim_is_linked_only(store: Store) -> None:
    claim = claim_of(store, candidate())
    case = open_ticket(store)
    put(store, address=ALICE)
    view = desk(store).tickets.view(case)
    assert (view.ticket.escalated, [linked.id for linked in view.linked]) == (False, [claim])


def test_a_closed_case_is_not_escalated(store: Store) -> None:
    case = open_ticket(store)
    desk(store).tickets.close(case, by=BOB)
    claim_of(store, candidate())
    put(store, address=ALICE)
    view = desk(store).tickets.view(case)
    assert (view.ticket.escalated, view.linked) == (False, ())


def test_a_claim_that_was_handled_before_the_order_came_escalates_all_the_same(store: Store) -> None:
    case = open_ticket(store)
    claim = claim_of(store, candidate())
    desk(store).tickets.close(claim, by=BOB)
    put(store, address=ALICE)
    assert desk(store).tickets.view(case).ticket.escalated


# --- by import --------------------------------------------------------------------------------------


def test_the_import_says_how_many_tickets_it_tied(store: Store, tmp_path: Path) -> None:
    first = open_ticket(store, candidates=(candidate("1000000001"), candidate("1000000002")))
    second = open_ticket(store, name="bob", candidates=(candidate(REF, what="merchant_ref"),))
    open_ticket(store, name="carol", candidates=(candidate("1000000001", sure="mentioned"),))
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,merchant_ref,relay_address\n"
        f"1000000001,,\n1000000002,,{ALICE.upper()}\n1000000003,{REF},\nx y,,\n1000000004,,\n"
    )
    imported = import_file(store, path, now=LATER)
    assert (imported.added, imported.tied) == (4, 2)
    assert numbers(store, first) == {("order", "1000000001"): "bound", ("order", "1000000002"): "bound"}
    assert numbers(store, second)["order", "1000000003"] == "bound"
    assert import_file(store, path, now=LATER).tied == 0


def test_many_tickets_of_one_order_are_bound_in_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_orders, "_TO_BIND", late_orders._TO_BIND.limit(2))
    monkeypatch.setattr(late_orders, "_FURTHER", late_orders._FURTHER.limit(2))
    monkeypatch.setattr(late_orders, "AT_ONCE", 2)
    both = (candidate("1000000001"), candidate("1000000002"))
    opened = [open_ticket(store, name=name, candidates=both) for name in "abcde"]
    with store.transaction() as session:  # one that binds nothing must not stop the rest
        session.connection().execute(
            text("UPDATE ticket_order SET how = 'released' WHERE ticket_id = :ticket"), {"ticket": opened[3]}
        )
    rows = [OrderRow(Order(number), FIELDS) for number in ("1000000001", "1000000002")]
    first, second = orders.put(store, rows, LATER)
    assert set(first.tied) == set(second.tied) == set(opened) - {opened[3]}
    for ticket in (opened[0], opened[4]):
        assert set(numbers(store, ticket).values()) == {"bound"}


def sent_by(store: Store, rows: list[OrderRow]) -> list[tuple[str, Any]]:
    """The statements of an import, with their values."""
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        sent.append((statement, values))

    event.listen(store.engine, "before_cursor_execute", note)
    orders.put(store, rows, LATER)
    event.remove(store.engine, "before_cursor_execute", note)
    return sent


def binding(store: Store, rows: list[OrderRow]) -> tuple[str, Any]:
    """The one statement that looks for tickets."""
    (sent,) = [(statement, values) for statement, values in sent_by(store, rows) if "ticket" in statement]
    return sent


def test_a_turn_costs_one_statement_where_nothing_is_to_be_tied(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "FIRST_ORDERS", 1_000)
    for name in "abcdef":
        open_ticket(sqlite_store, name=name, candidates=(candidate(f"99{ord(name)}"),))
    few = sent_by(sqlite_store, [OrderRow(Order(str(n)), FIELDS) for n in range(1, 3)])
    many = sent_by(sqlite_store, [OrderRow(Order(str(n)), FIELDS) for n in range(100, 600)])
    assert len(few) == len(many)
    assert len([statement for statement, _ in many if "ticket" in statement]) == 1


def test_it_walks_over_no_table_of_tickets(sqlite_store: Store) -> None:
    """SQLite's plan: from the orders of the batch, by their keys, to the tickets that name them."""
    statement, values = binding(sqlite_store, [OrderRow(Order("1"), FIELDS)])
    with sqlite_store.reading() as session:
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [str(row[3]) for row in rows]
    assert [step for step in steps if step.startswith("SCAN")] == [], steps
    assert sum("ix_ticket_order_what_value_ticket_id" in step for step in steps) == 2, steps
    assert sum("ix_ticket_thread_key_id" in step for step in steps) == 1, steps


def test_it_reads_few_blocks_among_many_tickets_on_postgres(postgres_store: Store) -> None:
    words = "kind, queue, case_token, case_number, username, sender, subject, contact_reason"
    fill = (
        f"INSERT INTO ticket ({words}, relay_address, thread_key, state, escalated, verified, opened_at,"
        " last_message_at, message_count)"
        " SELECT 'case', 'case', '', '', '', '', '', '', 'a' || n, 'a' || n, 'closed', false, true, now(),"
        " now(), 1 FROM generate_series(1, 20000) n"
    )
    name = (
        "INSERT INTO ticket_order (ticket_id, what, value, how, label, place)"
        " SELECT n, 'order', 'b' || n, 'not_found', '', '' FROM generate_series(1, 20000) n"
    )
    for statement in (fill, name, "ANALYZE ticket", "ANALYZE ticket_order"):
        with postgres_store.transaction() as session:
            session.connection().execute(text(statement))
    (done,) = orders.put(postgres_store, [OrderRow(Order("b7", relay_address="a9"), FIELDS)], LATER)
    assert done.tied == (9, 7)
    statement, values = binding(postgres_store, [OrderRow(Order("b7"), FIELDS)])
    with postgres_store.reading() as session:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        plan = session.connection().exec_driver_sql(explain, values).scalar_one()[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60
