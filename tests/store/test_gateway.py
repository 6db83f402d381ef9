"""The gateway's clients, the ticket of a relay address, and forwards, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.desk.config import DeskError
from relaydesk.intake.forward import Forwarding
from relaydesk.policy.decision import Decision, Placement
from relaydesk.store import gateway_clients, messages, tickets
from relaydesk_testkit.arriving import AUTH, NOON, decision, parsed_message, planned
from relaydesk_testkit.arriving import envelope as arrived
from tests.support.desk import ADA, desk
from tests.support.gateway import ALICE, HEAD, ORDER, asked, events, made, rows

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

US = "mx.shop.example"


def add(store: Store, name: str = "zendesk") -> str:
    return desk(store).gateway_clients.add(name, by=ADA)


def test_a_client_is_kept_by_its_hash_and_can_be_revoked(store: Store) -> None:
    password = add(store)
    with store.reading() as session:
        secret = gateway_clients.secret_of(session, "zendesk")
        assert secret is not None and password not in secret
        assert gateway_clients.secret_of(session, "ZENDESK") is None
    with store.transaction() as session:
        assert gateway_clients.used(session, "zendesk", NOON + timedelta(hours=1))
    desk(store, NOON + timedelta(hours=2)).gateway_clients.revoke("zendesk", by=ADA)
    with store.transaction() as session:
        assert gateway_clients.secret_of(session, "zendesk") is None
        assert not gateway_clients.used(session, "zendesk", NOON)
        [row] = gateway_clients.clients(session)
    assert (row.last_used_at, row.revoked_at) == (NOON + timedelta(hours=1), NOON + timedelta(hours=2))


def test_a_name_is_never_given_twice(store: Store) -> None:
    add(store)
    with pytest.raises(DeskError, match="is or was in use"):
        add(store)
    desk(store).gateway_clients.revoke("zendesk", by=ADA)
    with pytest.raises(DeskError, match="is or was in use"):
        add(store)
    with pytest.raises(DeskError, match="no active client 'zendesk'"):
        desk(store).gateway_clients.revoke("zendesk", by=ADA)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "zendesk\u200b", "x" * 101])
def test_a_name_is_plain_text(sqlite_store: Store, name: str) -> None:
    with pytest.raises(DeskError, match="not a client name"):
        add(sqlite_store, name)


def test_it_finds_the_ticket_of_a_relay_address(store: Store) -> None:
    first = asked(store).ticket_id
    other = asked(store, b"o", address="Case++Bbbb@support.facebook.com", message_id="<2@x>").ticket_id
    with store.transaction() as session:
        assert tickets.of_address(session, ALICE.upper()) == first
        assert tickets.of_address(session, "case++bbbb@support.facebook.com") == other
        assert tickets.of_address(session, "case++none@support.facebook.com") is None
        assert tickets.of_address(session, "") is None


def test_an_open_ticket_comes_before_a_later_closed_one(store: Store) -> None:
    first = asked(store).ticket_id
    assert first is not None
    with store.transaction() as session:
        tickets.lock(session, first)
        tickets.change(session, first, state="closed", closed_at=NOON)
    second = asked(store, b"again", message_id="<2@x>").ticket_id
    assert second is not None
    with store.transaction() as session:
        assert tickets.of_address(session, ALICE) == second
        tickets.change(session, second, state="closed", closed_at=NOON)
        assert tickets.of_address(session, ALICE) == second
        tickets.change(session, first, state="open", closed_at=None)
        assert tickets.of_address(session, ALICE) == first


def forward(store: Store, placement: Placement, raw: bytes | None = None, body: bytes = b"x") -> int | None:
    """Record a message and lay it in the outbox for another desk."""
    message = arrived(body) if raw is None else replace(arrived(body), raw=raw)
    decided: Decision = decision(placement, clocks=(planned(),) if placement.action == "open" else ())
    forwarding = Forwarding({decided.queue: "desk@desk.example"}, HEAD, US)
    below = forwarding.below(message, decided)
    with store.transaction() as session:
        kept = messages.record(session, message, parsed_message(), AUTH, decided, trace="", now=NOON)
        if below is None:
            return None
        return forwarding.lay(
            session, message, decided, kept, below=below, trace="", subject="Hello", now=NOON
        )


def test_a_forward_waits_in_the_outbox_like_an_answer(store: Store) -> None:
    number = forward(store, Placement("open", thread_key=ALICE, bind_orders=(ORDER,)))
    [row] = rows(store)
    assert number == row.id
    assert (row.purpose, row.recipient, row.order_id, row.not_before) == (
        "forward", "desk@desk.example", ORDER, NOON,
    )  # fmt: skip
    assert row.give_up_at == NOON + HEAD.give_up
    message = made(store, row.id)
    assert message["X-Relaydesk-Order"] == ORDER
    assert message["X-Relaydesk-Due"] == "2026-11-26T12:00:00+00:00"
    assert ("answer_queued", "relaydesk") in events(store, row.ticket_id)
    assert "clock_stopped" not in [what for what, _ in events(store, row.ticket_id)]


def test_a_joining_message_goes_on_and_a_duplicate_or_bounce_does_not(store: Store) -> None:
    forward(store, Placement("open", thread_key=ALICE))
    assert forward(store, Placement("join", 1), body=b"y") is not None
    assert forward(store, Placement("duplicate", 1), body=b"z") is None
    assert forward(store, Placement("bounce", 1), body=b"w") is None
    assert len(rows(store)) == 2


def test_a_message_that_came_round_is_kept_and_not_forwarded_again(store: Store) -> None:
    raw = f"X-Relaydesk-Loop: {US}\r\n".encode() + arrived(b"x").raw
    assert forward(store, Placement("open", thread_key=ALICE), raw) is None
    assert rows(store) == []
    assert "opened" in [what for what, _ in events(store, 1)]
