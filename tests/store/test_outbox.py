"""The outbox: claims, leases, outcomes, and what a person may still do."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.clocks import stops, timekeeper
from relaydesk.policy.decision import Placement
from relaydesk.store import deadlines, drafts, outbox, tickets
from relaydesk.store.errors import Conflict
from relaydesk.store.outbox_rows import DeliveryOutcome, Finished, Outgoing
from relaydesk_testkit.arriving import NOON, decision, open_ticket, planned, store_message
from relaydesk_testkit.sending import HOUR, first_message, plan, queue_answer
from tests.support.desk import BOB, desk

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.engine import Store
    from relaydesk.store.outbox_rows import Claimed, OutboxRow

LEASE = timedelta(minutes=15)


def claim(store: Store, now: datetime = NOON, who: str = "one", limit: int = 10) -> tuple[Claimed, ...]:
    with store.transaction() as session:
        claimed = outbox.claim(session, who, now, LEASE, limit)
        return tuple(outbox.with_raw(session, row) for row in claimed)


def the_row(store: Store, answer: int) -> OutboxRow:
    with store.reading() as session:
        row = outbox.row(session, answer)
    assert row is not None
    return row


def told(store: Store, ticket: int, *what: str) -> list[Event]:
    with store.reading() as session:
        return [event for _, event in tickets.events(session, ticket) if event.what in what]


@pytest.fixture
def ticket(store: Store) -> int:
    return open_ticket(store)


@pytest.fixture
def answer(store: Store, ticket: int) -> int:
    return queue_answer(store, ticket, first_message(store, ticket))


def test_it_writes_the_row_and_its_event_together(store: Store, ticket: int) -> None:
    answer = queue_answer(store, ticket, 1, undo=timedelta(seconds=30))
    row = the_row(store, answer)
    assert (row.state, row.recipient, row.attempts) == ("queued", "case++alice@support.facebook.com", 0)
    assert row.rfc_message_id == f"<{answer}@shop.example>"
    assert row.envelope_from == f"bounces+{ticket}.{answer}@shop.example"
    (event,) = told(store, ticket, "answer_queued")
    assert (event.actor, event.at) == ("agent:bob", NOON)
    assert event.data == {
        "answer": answer,
        "message": 1,
        "purpose": "answer",
        "order": "368509000000001",
        "not_before": (NOON + timedelta(seconds=30)).isoformat(),
    }
    with store.reading() as session:
        assert b".dots stay" in (outbox.raw(session, answer) or b"")


def test_it_gives_a_number_once_also_when_nothing_comes_of_it(store: Store, ticket: int) -> None:
    with store.transaction() as session:
        lost = outbox.next_number(session)
    assert queue_answer(store, ticket, 1) == lost + 1
    numbers: list[int] = []

    def take() -> None:
        for _ in range(20):
            with store.transaction() as session:
                numbers.append(outbox.next_number(session))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 80
    assert min(numbers) > lost + 1


def test_it_takes_each_message_id_once(store: Store, ticket: int) -> None:
    outgoing = Outgoing("answer", ticket, 1, "agent:bob", "a@b.example", None, NOON, NOON)
    made = Finished("b@shop.example", "<same@shop.example>", "Re", b"x")
    with store.transaction() as session:
        outbox.put(session, 1, outgoing, made, NOON)
    with pytest.raises(Conflict), store.transaction() as session:
        outbox.put(session, 2, outgoing, made, NOON)


def test_it_claims_after_the_undo_time_and_only_once(store: Store, ticket: int) -> None:
    answer = queue_answer(store, ticket, 1, undo=timedelta(seconds=30))
    assert claim(store, NOON + timedelta(seconds=29)) == ()
    (claimed,) = claim(store, NOON + timedelta(seconds=30))
    assert (claimed.id, claimed.attempts, claimed.lapsed) == (answer, 1, False)
    assert claim(store, NOON + timedelta(seconds=31), "two") == ()
    row = the_row(store, answer)
    assert (row.state, row.first_tried_at) == ("sending", NOON + timedelta(seconds=30))


def test_it_claims_the_longest_waiting_first_and_no_more_than_asked(store: Store, ticket: int) -> None:
    late = queue_answer(store, ticket, 1, undo=2 * HOUR)
    early = queue_answer(store, ticket, 1, undo=HOUR)
    assert [one.id for one in claim(store, NOON + 3 * HOUR, limit=1)] == [early]
    assert [one.id for one in claim(store, NOON + 3 * HOUR)] == [late]


def test_it_claims_no_more_bytes_than_asked_but_one_message_always(store: Store, ticket: int) -> None:
    answers = [queue_answer(store, ticket, 1, text="x" * 1_000) for _ in range(4)]
    claims = []
    for most in (2_900, 1):
        with store.transaction() as session:
            claimed = outbox.claim(session, "one", NOON, LEASE, 9, most=most)
        claims.append([row.id for row in claimed])
    assert claims == [answers[:2], answers[2:3]]


def test_a_dead_dispatchers_lease_runs_out(store: Store, answer: int) -> None:
    (dead,) = claim(store)
    assert claim(store, NOON + LEASE - timedelta(seconds=1), "two") == ()
    (second,) = claim(store, NOON + LEASE, "two")
    assert (second.id, second.attempts, second.lapsed) == (answer, 2, True)
    with store.transaction() as session:
        late = DeliveryOutcome(NOON + LEASE, 450, "busy", "busy")
        assert not outbox.put_off(session, dead, late, NOON + 2 * LEASE)
        assert not outbox.refused(session, dead, late)
        assert not outbox.failed(session, dead, late)
    assert the_row(store, answer).state == "sending"
    assert told(store, 1, "answer_deferred", "answer_refused", "answer_failed") == []


def test_a_claim_of_ones_own_is_told_from_the_one_before(store: Store, answer: int) -> None:
    (first,) = claim(store)
    (second,) = claim(store, NOON + LEASE)
    with store.transaction() as session:
        assert not outbox.refused(session, first, DeliveryOutcome(NOON + LEASE, 550, "no"))
        assert outbox.refused(session, second, DeliveryOutcome(NOON + LEASE, 550, "no"))


def test_a_late_250_counts_all_the_same(store: Store, ticket: int, answer: int) -> None:
    (first,) = claim(store)
    (second,) = claim(store, NOON + LEASE, "two")
    taken = DeliveryOutcome(NOON + LEASE, 250, "taken")
    with store.transaction() as session:
        assert outbox.delivered(session, first, taken, "hop", NOON + LEASE)
    with store.transaction() as session:
        assert not outbox.delivered(session, second, taken, "hop", NOON + LEASE)
        assert not outbox.put_off(session, second, taken, NOON + HOUR)
    assert the_row(store, answer).state == "sent"
    assert len(told(store, ticket, "answer_sent")) == 1


def test_a_late_250_wins_over_what_was_decided_meanwhile(store: Store, answer: int) -> None:
    (first,) = claim(store)
    (second,) = claim(store, NOON + LEASE, "two")
    with store.transaction() as session:
        assert outbox.refused(session, second, DeliveryOutcome(NOON + LEASE, 550, "no"))
        assert outbox.delivered(session, first, DeliveryOutcome(NOON, 250, "taken"), "hop", NOON + LEASE)
    assert (the_row(store, answer).state, the_row(store, answer).sent_at) == ("sent", NOON)


def test_it_tells_each_outcome_in_an_event(store: Store, ticket: int, answer: int) -> None:
    (claimed,) = claim(store)
    with store.transaction() as session:
        assert outbox.put_off(session, claimed, DeliveryOutcome(NOON, 450, "450 busy", "Busy."), NOON + HOUR)
    row = the_row(store, answer)
    assert (row.state, row.next_try_at, row.last_code, row.last_text) == (
        "deferred",
        NOON + HOUR,
        450,
        "450 busy",
    )
    assert row.lease_until is None
    (event,) = told(store, ticket, "answer_deferred")
    until = (NOON + HOUR).isoformat()
    assert event.data == {"answer": answer, "code": 450, "until": until, "why": "Busy."}
    (again,) = claim(store, NOON + HOUR)
    assert (again.attempts, again.lapsed) == (2, False)
    with store.transaction() as session:
        assert outbox.failed(session, again, DeliveryOutcome(NOON + HOUR, 0, "silence", "Given up."))
    assert the_row(store, answer).state == "failed"
    assert told(store, ticket, "answer_failed")[0].data == {"answer": answer, "why": "Given up."}
    assert claim(store, NOON + 99 * HOUR) == ()


def test_it_is_taken_back_until_it_leaves(store: Store, ticket: int, answer: int) -> None:
    with store.transaction() as session:
        assert outbox.cancel(session, answer, actor="agent:bob", now=NOON)
        assert not outbox.cancel(session, answer, actor="agent:bob", now=NOON)
    assert claim(store, NOON + HOUR) == ()
    (event,) = told(store, ticket, "answer_cancelled")
    assert (event.actor, event.data) == ("agent:bob", {"answer": answer})


def test_it_is_not_taken_back_on_its_way_or_later(store: Store, answer: int) -> None:
    (claimed,) = claim(store)
    with store.transaction() as session:
        assert not outbox.cancel(session, answer, actor="agent:bob", now=NOON)
        outbox.delivered(session, claimed, DeliveryOutcome(NOON, 250, "taken"), "hop", NOON)
        assert not outbox.cancel(session, answer, actor="agent:bob", now=NOON)
    assert the_row(store, answer).state == "sent"


@pytest.mark.parametrize("ending", ["put_off", "refused", "failed"])
def test_it_is_tried_again_with_the_same_bytes(store: Store, answer: int, ending: str) -> None:
    (claimed,) = claim(store)
    with store.transaction() as session:
        if ending == "put_off":
            outbox.put_off(session, claimed, DeliveryOutcome(NOON, 450, ""), NOON + 9 * HOUR)
        else:
            getattr(outbox, ending)(session, claimed, DeliveryOutcome(NOON, 550, ""))
    with store.transaction() as session:
        assert outbox.retry(session, answer, give_up_at=NOON + 5 * HOUR, actor="agent:bob", now=NOON)
    (again,) = claim(store)
    assert (again.raw, again.rfc_message_id) == (claimed.raw, claimed.rfc_message_id)
    assert again.give_up_at == NOON + 5 * HOUR


def test_what_left_is_not_tried_again(store: Store, answer: int) -> None:
    (claimed,) = claim(store)
    with store.transaction() as session:
        outbox.delivered(session, claimed, DeliveryOutcome(NOON, 250, "taken"), "hop", NOON)
        assert not outbox.retry(session, answer, give_up_at=NOON, actor="agent:bob", now=NOON)
        assert outbox.mark_bounced(session, answer)
        assert not outbox.mark_bounced(session, answer)


def test_it_lists_what_waits_and_what_was(store: Store, ticket: int) -> None:
    second = queue_answer(store, ticket, 1, undo=HOUR)
    first = queue_answer(store, ticket, 1)
    with store.transaction() as session:
        outbox.cancel(session, queue_answer_in(session, ticket), actor="agent:bob", now=NOON)
    with store.reading() as session:
        assert [row.id for row in outbox.waiting(session)] == [first, second]
        assert [row.id for row in outbox.newest(session)][1:] == [first, second]
        assert len(outbox.of_ticket(session, ticket)) == 3
        assert outbox.row(session, 99) is None
        assert outbox.anything_due(session, NOON)
        assert not outbox.anything_due(session, NOON - HOUR)


def queue_answer_in(session: Session, ticket: int) -> int:
    outgoing = Outgoing("automatic", ticket, 1, "agent:bob", "a@b.example", None, NOON, NOON)
    number = outbox.next_number(session)
    outbox.put(session, number, outgoing, Finished("b@s.example", f"<{number}>", "Re", b"x"), NOON)
    return number


def test_it_looks_for_what_is_due_along_the_index(sqlite_store: Store) -> None:
    with sqlite_store.reading() as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM outbox WHERE state IN ('queued', 'sending', 'deferred') "
            "AND next_try_at <= '2026' ORDER BY next_try_at, id LIMIT 8"
        )
        steps = " ".join(str(step[-1]) for step in plan)
    assert "ix_outbox_undecided_next_try_at_id" in steps
    assert "TEMP B-TREE" not in steps


def test_two_that_claim_at_once_share_the_rows(store: Store, ticket: int) -> None:
    queued = [queue_answer(store, ticket, 1) for _ in range(20)]
    claimed: list[int] = []

    def work(who: str) -> None:
        while rows := claim(store, who=who, limit=3):
            claimed.extend(one.id for one in rows)

    threads = [threading.Thread(target=work, args=(who,)) for who in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == queued


def test_a_claim_waits_for_no_other_claim(postgres_store: Store) -> None:
    ticket = open_ticket(postgres_store)
    first, second = (queue_answer(postgres_store, ticket, 1) for _ in range(2))
    with postgres_store.transaction() as session:
        assert [row.id for row in outbox.claim(session, "one", NOON, LEASE, 1)] == [first]
        assert [row.id for row in claim(postgres_store, who="two")] == [second]


def test_it_keeps_the_newest_draft_of_each(store: Store, ticket: int) -> None:
    with store.transaction() as session:
        drafts.keep(session, ticket, "agent:bob", "first", NOON)
        drafts.keep(session, ticket, "agent:bob", "second", NOON)
        drafts.keep(session, ticket, "agent:alice", "hers", NOON)
        assert drafts.read(session, ticket, "agent:bob") == "second"
        drafts.drop(session, ticket, "agent:bob")
        assert drafts.read(session, ticket, "agent:bob") is None
        assert drafts.read(session, ticket, "agent:alice") == "hers"


# --- the response clock ------------------------------------------------------------------------------


def leave(store: Store, answer: int, at: datetime) -> None:
    """The hop takes the answer at ``at``; as the dispatcher writes it."""
    (claimed,) = [one for one in claim(store, at) if one.id == answer]
    with store.transaction() as session:
        outbox.delivered(session, claimed, DeliveryOutcome(at, 250, "taken"), "hop", at)
        stops.stop_response_clock(
            session, claimed.ticket_id, claimed.message_id, at=at, actor=claimed.author, plan=plan, now=at
        )


def follow_up(store: Store, ticket: int, at: datetime, body: bytes = b"And?", *, relay: str = "") -> int:
    address = relay or "case++alice@support.facebook.com"
    joined = decision(Placement("join", ticket), clocks=(planned(start=at),), relay_address=address)
    return store_message(store, joined, body=body, at=at).message_id


def rounds(store: Store, ticket: int) -> list[DeadlineRow]:
    with store.reading() as session:
        return [one for one in deadlines.of_tickets(session, [ticket]) if one.clock == "response"]


def test_the_clock_stops_at_the_250_and_is_dated_then(store: Store, ticket: int, answer: int) -> None:
    leave(store, answer, NOON + 5 * HOUR)
    (clock,) = rounds(store, ticket)
    assert (clock.stopped_at, clock.stopped_how) == (NOON + 5 * HOUR, "answered")
    (event,) = told(store, ticket, "clock_stopped")
    assert (event.at, event.actor) == (NOON + 5 * HOUR, "agent:bob")
    assert event.data == {"clock": "response", "round": 1, "how": "answered"}
    with store.reading() as session:
        row = tickets.row(session, ticket)
    assert row is not None and row.next_due is None


def test_mail_after_the_answered_message_gets_a_clock_of_its_own(
    store: Store, ticket: int, answer: int
) -> None:
    follow_up(store, ticket, NOON + 2 * HOUR)
    follow_up(store, ticket, NOON + 3 * HOUR, b"Hello?")
    leave(store, answer, NOON + 5 * HOUR)
    first, second = rounds(store, ticket)
    assert (first.stopped_at, first.started_at) == (NOON + 5 * HOUR, NOON)
    assert (second.round, second.started_at, second.due_at) == (2, NOON + 2 * HOUR, NOON + 50 * HOUR)
    assert second.running
    with store.reading() as session:
        row = tickets.row(session, ticket)
    assert row is not None and row.next_due == second.due_at


def test_an_answer_to_the_newest_message_answers_those_before_it(store: Store, ticket: int) -> None:
    newest = follow_up(store, ticket, NOON + HOUR)
    leave(store, queue_answer(store, ticket, newest), NOON + 5 * HOUR)
    (clock,) = rounds(store, ticket)
    assert clock.stopped_at == NOON + 5 * HOUR


def test_an_answer_that_left_late_leaves_a_newer_clock_alone(store: Store, ticket: int, answer: int) -> None:
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=BOB)
    follow_up(store, ticket, NOON + 2 * HOUR)
    leave(store, answer, NOON + 5 * HOUR)
    first, second = rounds(store, ticket)
    assert first.stopped_at == NOON + HOUR
    assert second.running


@pytest.mark.parametrize("kind", ["bounce", "notice"])
def test_what_is_no_customer_mail_starts_no_clock(store: Store, ticket: int, answer: int, kind: str) -> None:
    noted = decision(Placement("bounce", ticket), kind=kind)
    store_message(store, noted, body=b"returned", at=NOON + HOUR)
    leave(store, answer, NOON + 5 * HOUR)
    assert len(rounds(store, ticket)) == 1


def test_a_breach_noticed_before_the_250_was_written_is_withdrawn(
    store: Store, ticket: int, answer: int
) -> None:
    (claimed,) = claim(store, NOON + 47 * HOUR)
    timekeeper.sweep(store, NOON + 49 * HOUR)
    assert rounds(store, ticket)[0].breached_at is not None
    with store.transaction() as session:  # the store was down when the hop took it
        outbox.delivered(
            session, claimed, DeliveryOutcome(NOON + 47 * HOUR, 250, ""), "hop", NOON + 50 * HOUR
        )
        stops.stop_response_clock(
            session, ticket, 1, at=NOON + 47 * HOUR, actor="agent:bob", plan=plan, now=NOON + 50 * HOUR
        )
    (clock,) = rounds(store, ticket)
    assert (clock.breached_at, clock.stopped_at) == (None, NOON + 47 * HOUR)
    assert len(told(store, ticket, "breach_withdrawn")) == 1


def test_a_breach_that_nobody_noticed_is_stamped(store: Store, ticket: int, answer: int) -> None:
    leave(store, answer, NOON + 49 * HOUR)
    (clock,) = rounds(store, ticket)
    assert clock.breached_at == NOON + 48 * HOUR
    (event,) = told(store, ticket, "breached")
    assert event.at == NOON + 48 * HOUR


def test_answer_and_close_stops_the_clock_that_closing_suspended(
    store: Store, ticket: int, answer: int
) -> None:
    desk(store, NOON + HOUR).tickets.close(ticket, by=BOB)
    assert rounds(store, ticket)[0].suspended
    leave(store, answer, NOON + 2 * HOUR)
    (clock,) = rounds(store, ticket)
    assert (clock.stopped_at, clock.undecided_at, clock.stopped_how) == (NOON + 2 * HOUR, None, "answered")


def test_of_two_answers_the_first_250_counts_whenever_it_is_written_down(
    store: Store, ticket: int, answer: int
) -> None:
    later = queue_answer(store, ticket, 1)
    first, second = claim(store, NOON + 47 * HOUR)
    for claimed, at in ((second, NOON + 49 * HOUR), (first, NOON + 47 * HOUR)):
        with store.transaction() as session:
            outbox.delivered(session, claimed, DeliveryOutcome(at, 250, ""), "hop", NOON + 50 * HOUR)
            stops.stop_response_clock(
                session, ticket, 1, at=at, actor="agent:bob", plan=plan, now=NOON + 50 * HOUR
            )
    assert (first.id, second.id) == (answer, later)
    (clock,) = rounds(store, ticket)
    assert (clock.stopped_at, clock.breached_at) == (NOON + 47 * HOUR, None)
    assert [event.at for event in told(store, ticket, "clock_stopped")] == [
        NOON + 49 * HOUR,
        NOON + 47 * HOUR,
    ]
    assert len(told(store, ticket, "breached")) == len(told(store, ticket, "breach_withdrawn")) == 1


def test_it_stops_no_handling_clock(store: Store) -> None:
    ticket = open_ticket(store, clocks=(planned("handling"),))
    leave(store, queue_answer(store, ticket, first_message(store, ticket)), NOON + HOUR)
    with store.reading() as session:
        (clock,) = deadlines.of_tickets(session, [ticket])
    assert clock.running
