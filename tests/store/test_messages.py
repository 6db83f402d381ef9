"""Storing messages: each placement, what is known afterwards, and two at once."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.message.message import Attachment
from relaydesk.policy.decision import Placement
from relaydesk.store import known as gather
from relaydesk.store import lists, messages, tickets
from relaydesk.store.errors import Conflict
from relaydesk.store.lists import TicketFilter
from relaydesk.store.tables import OrderTable, table
from relaydesk_testkit.arriving import (
    ALICE,
    AUTH,
    NOON,
    ORDER,
    asked,
    candidate,
    decision,
    envelope,
    open_ticket,
    parsed_message,
    planned,
    store_message,
)
from tests.support.desk import BOB, desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

BY_ALICE = Placement("open", thread_key=ALICE)


def whats(store: Store, ticket: int) -> list[str]:
    with store.reading() as session:
        return [event.what for _, event in tickets.events(session, ticket)]


def seen(store: Store, ticket: int) -> tickets.TicketView:
    with store.reading() as session:
        found = tickets.view(session, ticket)
    assert found is not None
    return found


def test_it_stores_a_new_message_with_everything_decided(store: Store) -> None:
    photo = Attachment("a.jpg", "image/jpeg", "image/jpeg", 3, "ab" * 32, b"abc")
    numbers = (candidate(), candidate("77", "mentioned"))
    placement = replace(BY_ALICE, bind_orders=(ORDER,))
    decided = decision(placement, clocks=(planned(),), candidates=numbers, replay_key="k1")
    kept = store_message(store, decided, attachments=(photo,))
    view = seen(store, kept.ticket_id or 0)
    assert (view.ticket.queue, view.ticket.state, view.ticket.message_count) == ("case", "open", 1)
    assert view.ticket.next_due == NOON + timedelta(hours=48)
    assert view.ticket.verified
    message = view.messages[0]
    assert message.id == kept.message_id
    assert message.received_at == NOON and message.received_at.tzinfo is not None
    assert message.auth.dkim[0].domain == "support.facebook.com"
    assert message.reasons[0].code == "aligned_dkim"
    assert message.trace == "Received: by us"
    assert message.attachments[0].sha256 == "ab" * 32
    assert {(n.value, n.how) for n in view.numbers} == {(ORDER, "bound"), ("77", "mentioned")}
    assert [event.what for _, event in view.events] == ["opened", "order_bound", "clock_started"]
    assert view.events[0][1].data["reasons"] == ["aligned_dkim"]
    assert view.events[2][1].data["due"] == (NOON + timedelta(hours=48)).isoformat()
    with store.reading() as session:
        assert tickets.raw(session, kept.message_id) == envelope().raw


def test_it_keeps_text_no_database_takes(store: Store) -> None:
    unpackable = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(150))
    decided = decision(BY_ALICE, relay_address=unpackable + "@support.facebook.com")
    kept = store_message(store, decided, subject="nul \0 and half \ud83d a pair")
    assert seen(store, kept.ticket_id or 0).messages[0].subject == "nul \ufffd and half ? a pair"


def test_it_knows_a_stored_delivery_and_a_replay(store: Store) -> None:
    kept = store_message(store, decision(BY_ALICE, replay_key="k1"))
    resend = asked(store)
    assert resend.stored and resend.stored_ticket == kept.ticket_id
    assert resend.replay_of is None
    replay = asked(store, b"from elsewhere", replay_key="k1")
    assert not replay.stored and replay.replay_of == kept.ticket_id
    again = store_message(store, decision(Placement("stored", kept.ticket_id)))
    assert again == kept


def test_it_refuses_the_same_delivery_twice(store: Store) -> None:
    store_message(store, decision(BY_ALICE))
    with pytest.raises(Conflict):
        store_message(store, decision(Placement("open", thread_key="other@support.facebook.com")))


def test_it_refuses_a_second_open_ticket_of_one_relay_address(store: Store) -> None:
    store_message(store, decision(BY_ALICE))
    with pytest.raises(Conflict):
        store_message(store, decision(BY_ALICE), body=b"second")
    with store.reading() as session:
        assert len(lists.page(session, TicketFilter()).tickets) == 1


def test_it_joins_and_keeps_the_unanswered_start(store: Store) -> None:
    ticket = open_ticket(store)
    later = NOON + timedelta(hours=5)
    joining = decision(Placement("join", ticket), clocks=(planned(start=later),))
    store_message(store, joining, body=b"again", at=later)
    view = seen(store, ticket)
    assert view.ticket.message_count == 2
    assert view.ticket.last_message_at == later
    assert view.ticket.next_due == NOON + timedelta(hours=48)
    assert [clock.round for clock in view.clocks] == [1]


def test_it_reopens_and_lets_the_suspended_clock_run_on(store: Store) -> None:

    ticket = open_ticket(store)
    desk(store, NOON + timedelta(hours=1)).tickets.close(ticket, by=BOB)
    known = asked(store, b"again", relay_address="case++alice@support.facebook.com").tickets
    assert [(t.id, t.open, t.running) for t in known] == [(ticket, False, ("response",))]
    later = NOON + timedelta(hours=5)
    joining = decision(Placement("join", ticket, reopen=True), clocks=(planned(start=later),))
    store_message(store, joining, body=b"again", at=later)
    view = seen(store, ticket)
    assert view.ticket.open and view.ticket.closed_at is None
    assert view.ticket.next_due == NOON + timedelta(hours=48)
    assert len(view.clocks) == 1 and view.clocks[0].running
    assert whats(store, ticket)[-3:] == ["reopened", "message", "clock_reopened"]


@pytest.mark.parametrize("reopen", [True, False])
def test_it_notices_that_the_ticket_changed_since_the_decision(store: Store, reopen: bool) -> None:

    ticket = open_ticket(store)
    if not reopen:
        desk(store).tickets.close(ticket, by=BOB)
    with pytest.raises(Conflict):
        store_message(store, decision(Placement("join", ticket, reopen=reopen)), body=b"again")
    assert seen(store, ticket).ticket.message_count == 1


def test_it_notes_a_replay_beside_the_ticket(store: Store) -> None:
    first = store_message(store, decision(BY_ALICE, replay_key="k1", clocks=(planned(),)))
    kept = store_message(
        store, decision(Placement("duplicate", first.ticket_id), replay_key="k1"), body=b"from elsewhere"
    )
    view = seen(store, first.ticket_id or 0)
    assert view.ticket.message_count == 1
    assert [m.duplicate_of for m in view.messages] == [None, first.message_id]
    assert view.events[-1][1].what == "duplicate"
    assert view.events[-1][1].data["message"] == kept.message_id


def test_it_joins_bounces_and_counts_them(store: Store) -> None:
    ticket = open_ticket(store)
    for number in range(2):
        bounce = decision(Placement("bounce", ticket), kind="bounce", relay_address="")
        store_message(store, bounce, body=b"bounce %d" % number)
    assert whats(store, ticket)[-2:] == ["bounced", "bounced"]
    known = asked(store, b"third", bounce_ticket=ticket)
    assert (known.bounced_ticket, known.bounces) == (ticket, 2)
    assert asked(store, b"third", bounce_ticket=ticket + 99).bounced_ticket is None


def test_it_knows_the_tickets_of_the_thread_then_of_the_orders(store: Store) -> None:

    other = open_ticket(store, name="bob", candidates=(candidate(),))
    closed = open_ticket(store, name="aaaa")
    desk(store).tickets.close(closed, by=BOB)
    mentioned = open_ticket(store, name="carol", candidates=(candidate(sure="mentioned"),))
    newest = open_ticket(store, name="aaaa", at=NOON + timedelta(hours=1))
    known = asked(store, order_ids=(ORDER,)).tickets
    assert [t.id for t in known] == [newest, closed, other]
    assert mentioned not in {t.id for t in known}
    assert known[2].orders == (ORDER,)
    assert known[0].running == ("response",) and known[0].rounds == 1
    assert known[0].thread_key == ALICE


def test_it_looks_orders_up_by_id_reference_and_relay_address(store: Store) -> None:
    with store.transaction() as session:
        rows = [
            {"id": "1", "merchant_ref": "R-1", "relay_address": ""},
            {"id": "2", "merchant_ref": "R-2", "relay_address": ""},
            {"id": "3", "merchant_ref": None, "relay_address": ALICE},
            {"id": "4", "merchant_ref": None, "relay_address": ""},
        ]
        usual = {"state": "", "amount": "", "currency": "", "updated_at": NOON}
        session.connection().execute(table(OrderTable).insert(), [row | usual for row in rows])
    known = asked(store, relay_address=ALICE.upper(), order_ids=("1",), merchant_refs=("R-2",))
    assert {order.id for order in known.orders} == {"1", "2", "3"}
    assert {order.id for order in asked(store, relay_address="").orders} == set()
    bound = open_ticket(store, bind_orders=("2",), candidates=(candidate("R-2", what="merchant_ref"),))
    assert {(n.what, n.value, n.how) for n in seen(store, bound).numbers} == {
        ("order", "2", "bound"),
        ("merchant_ref", "R-2", "bound"),
    }
    assert [t.id for t in asked(store, relay_address="", merchant_refs=("R-2",)).tickets] == [bound]


def test_it_escalates_and_links_once_on_both_sides(store: Store) -> None:
    case = open_ticket(store)
    placement = Placement("open", escalates=(case,), links=(case,))
    claim = store_message(store, decision(placement, kind="claim", relay_address=""), body=b"claim").ticket_id
    assert claim is not None
    assert whats(store, case)[-2:] == ["escalated", "linked"]
    assert seen(store, case).ticket.escalated
    assert seen(store, case).links == (claim,) and seen(store, claim).links == (case,)
    again = Placement("join", claim, escalates=(case,), links=(case,))
    store_message(store, decision(again, kind="claim", relay_address=""), body=b"claim again")
    assert whats(store, case).count("escalated") == 1
    assert whats(store, case).count("linked") == 1


def test_it_tells_a_binding_once_and_a_release_lasts(store: Store) -> None:

    ticket = open_ticket(store, bind_orders=(ORDER,), candidates=(candidate(),))
    join = decision(Placement("join", ticket, bind_orders=(ORDER,)), candidates=(candidate(),))
    store_message(store, join, body=b"2")
    assert whats(store, ticket).count("order_bound") == 1
    desk(store).tickets.release_order(ticket, ORDER, by=BOB)
    store_message(store, join, body=b"3")
    assert whats(store, ticket).count("order_bound") == 1
    assert [n.how for n in seen(store, ticket).numbers] == ["released"]
    assert asked(store, b"4", relay_address="", order_ids=(ORDER,)).tickets == ()


def test_it_stores_the_same_delivery_once_when_two_try_at_once(store: Store) -> None:
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def arrive() -> None:
        start.wait()
        for _ in range(4):
            known = asked(store)
            placement = Placement("stored", known.stored_ticket) if known.stored else BY_ALICE
            try:
                store_message(store, decision(placement, clocks=(planned(),), replay_key="k1"))
            except Conflict:
                continue
            outcomes.append(placement.action)
            return

    threads = [threading.Thread(target=arrive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["open", "stored", "stored", "stored"]
    with store.reading() as session:
        found = lists.page(session, TicketFilter()).tickets
    assert [ticket.message_count for ticket in found] == [1]


def test_it_writes_nothing_of_a_message_that_fails_half_way(store: Store) -> None:
    broken = decision(replace(BY_ALICE, links=(987654,)), clocks=(planned(),))
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        store_message(store, broken)
    with store.reading() as session:
        assert lists.page(session, TicketFilter()).tickets == ()
        assert tickets.raw(session, 1) is None


def test_it_remembers_the_first_attempt_for_a_while(store: Store) -> None:
    key, keep = envelope().delivery_key, timedelta(days=2)
    for hours in (0, 3):
        with store.transaction() as session:
            gather.remember_attempt(session, key, NOON + timedelta(hours=hours), keep, listed=True)
    assert asked(store).first_seen == NOON
    with store.transaction() as session:
        gather.remember_attempt(session, "other", NOON + timedelta(days=3), keep, listed=True)
    assert asked(store).first_seen is None


def test_it_bounds_the_first_attempts_and_keeps_the_oldest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "DEFERRED_ROWS", 1)
    for key in ("old", "new"):
        with store.transaction() as session:
            gather.remember_attempt(session, key, NOON, timedelta(days=2), listed=True)
    assert asked(store, delivery_key="old").first_seen == NOON
    assert asked(store, delivery_key="new").first_seen is None


def test_strangers_leave_room_for_the_first_attempts_of_listed_senders(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "OF_STRANGERS", 1)
    for key, listed in (("first", False), ("second", False), ("listed", True)):
        with store.transaction() as session:
            gather.remember_attempt(session, key, NOON, timedelta(days=2), listed=listed)
    assert asked(store, delivery_key="first").first_seen == NOON
    assert asked(store, delivery_key="second").first_seen is None
    assert asked(store, delivery_key="listed").first_seen == NOON


def test_it_refuses_a_naive_time(store: Store) -> None:
    with pytest.raises(Exception, match="no time zone"), store.transaction() as session:
        messages.record(
            session,
            envelope(at=NOON.replace(tzinfo=None)),
            parsed_message(),
            AUTH,
            decision(BY_ALICE),
            trace="",
            now=NOON,
        )
