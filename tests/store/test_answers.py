"""Answering at the desk: bound to its message and order, to what the agent saw, and to one outbox row."""

from __future__ import annotations

import threading
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.bounces.seals import answer_of_message_id, sealed_by_us
from relaydesk.desk import answers
from relaydesk.desk.config import DeskError
from relaydesk.order import Order, OrderRow
from relaydesk.outbound.answer import AnswerRefused, AttachedFile
from relaydesk.outbound.compose import compose_answer
from relaydesk.policy.decision import Placement
from relaydesk.store import drafts, orders, outbox, outbox_rows
from relaydesk_testkit.arriving import NOON, ORDER, candidate, decision, open_ticket, planned, store_message
from tests.support.answering import SECRET, SENDER, events, write
from tests.support.desk import ADA, BOB, desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)


def ticket_with_order(store: Store, **facts: Any) -> int:
    orders.put(store, [OrderRow(Order(ORDER, "A-1"), frozenset({"merchant_ref"}))], NOON)
    return open_ticket(store, candidates=(candidate(),), bind_orders=(ORDER,), **facts)


def row(store: Store, answer: int) -> outbox_rows.OutboxRow:
    with store.reading() as session:
        found = outbox.row(session, answer)
    assert found is not None
    return found


def draft(store: Store, ticket: int, author: str = "agent:alice") -> str | None:
    with store.reading() as session:
        return drafts.read(session, ticket, author)


def test_it_lays_an_answer_in_the_outbox(store: Store) -> None:
    ticket = ticket_with_order(store)
    made = write(store, ticket, "We look into it.")
    kept = row(store, made.answer)
    assert (kept.purpose, kept.state, kept.recipient) == (
        "answer",
        "queued",
        "case++alice@support.facebook.com",
    )
    assert (kept.order_id, kept.author) == (ORDER, "agent:alice")
    assert kept.not_before == kept.next_try_at == NOON + HOUR + SENDER.undo
    assert kept.give_up_at == kept.not_before + SENDER.give_up
    assert sealed_by_us(SECRET, kept.envelope_from) == (ticket, made.answer)
    assert answer_of_message_id(SECRET, kept.rfc_message_id) == (ticket, made.answer)
    queued = events(store, ticket)[-1]
    assert (queued.what, queued.actor, queued.data["answer"]) == ("answer_queued", "agent:alice", made.answer)
    message = BytesParser(policy=policy.default).parsebytes(made.raw)
    assert message["to"] == kept.recipient
    assert ORDER in message["subject"]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            assert ORDER in part.get_content()
            assert "A-1" in part.get_content()


def test_it_stops_no_clock_while_the_answer_waits(store: Store) -> None:
    ticket = ticket_with_order(store)
    write(store, ticket)
    assert "clock_stopped" not in [event.what for event in events(store, ticket)]


def test_it_asks_for_the_order_where_none_is_bound(store: Store) -> None:
    ticket = open_ticket(store, candidates=(candidate(sure="mentioned"), candidate("64000841784004")))
    with pytest.raises(AnswerRefused, match=r"\(.*64000841784004 not found\): choose one with --order"):
        write(store, ticket, "Hello")
    with pytest.raises(AnswerRefused, match="not a number of ticket 1"):
        write(store, ticket, "Hello", order="4711")
    assert draft(store, ticket) == "Hello"
    made = write(store, ticket, "Hello", order=ORDER)
    assert made.order_id == row(store, made.answer).order_id == ORDER
    assert draft(store, ticket) is None
    assert "no_order_confirmed" not in [event.what for event in events(store, ticket)]


def test_it_asks_which_of_several_orders(store: Store) -> None:
    other = "368509000000002"
    orders.put(store, [OrderRow(Order(one), frozenset()) for one in (ORDER, other)], NOON)
    ticket = open_ticket(store, candidates=(candidate(), candidate(other)), bind_orders=(ORDER, other))
    with pytest.raises(AnswerRefused, match=rf"\({ORDER}, {other}\): choose one"):
        write(store, ticket)
    assert write(store, ticket, order=other).order_id == other


def test_it_takes_the_agents_word_that_there_is_no_order_on_record(store: Store) -> None:
    ticket = open_ticket(store)
    made = write(store, ticket, no_order=True)
    assert row(store, made.answer).order_id is None
    confirmed = events(store, ticket)[-1]
    assert (confirmed.what, confirmed.actor) == ("no_order_confirmed", "agent:alice")
    assert confirmed.data == {"answer": made.answer}
    bound = ticket_with_order(store, name="carol")
    with pytest.raises(AnswerRefused, match="is bound to ticket 2"):
        write(store, bound, no_order=True)
    with pytest.raises(AnswerRefused, match="Choose one"):
        write(store, ticket, no_order=True, order=ORDER)


def further_message(store: Store, ticket: int) -> None:
    store_message(store, decision(Placement("join", ticket)), body=b"And now?", at=NOON + HOUR)


def test_it_refuses_an_answer_to_an_outdated_view_and_keeps_the_text(store: Store) -> None:
    ticket = open_ticket(store)
    seen = desk(store).tickets.latest_event(ticket)
    further_message(store, ticket)
    write(store, ticket, no_order=True, by=BOB)
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=BOB)
    with pytest.raises(AnswerRefused) as refused:
        write(store, ticket, "Long thought over", no_order=True, seen=seen)
    told = str(refused.value)
    assert "message 2 came" in told
    assert "bob wrote answer 1" in told
    assert "bob recorded an answer given elsewhere" in told
    assert f"--seen {desk(store).tickets.latest_event(ticket)}" in told
    assert draft(store, ticket) == "Long thought over"
    write(store, ticket, "Long thought over", no_order=True)
    assert draft(store, ticket) is None


def test_it_refuses_a_view_that_is_none_of_this_ticket_s(store: Store) -> None:
    ticket = open_ticket(store)
    with pytest.raises(AnswerRefused, match="Event 999999 is not an event of ticket"):
        write(store, ticket, "My words", no_order=True, seen=999_999)
    assert draft(store, ticket) == "My words"


def test_it_forgives_what_changes_no_answer(store: Store) -> None:
    ticket = open_ticket(store)
    seen = desk(store).tickets.latest_event(ticket)
    desk(store).tickets.note(ticket, "he is angry", by=BOB)
    taken_back = write(store, ticket, no_order=True, by=BOB)
    desk(store, NOON + HOUR).answers.cancel(taken_back.answer, by=BOB)
    assert write(store, ticket, no_order=True, seen=seen).answer != taken_back.answer


def test_it_lets_one_of_two_agents_answer(store: Store) -> None:
    ticket = open_ticket(store)
    seen, outcomes = desk(store).tickets.latest_event(ticket), []
    start = threading.Barrier(2)

    def agent(name: str) -> None:
        start.wait()
        try:
            write(store, ticket, no_order=True, seen=seen, by=f"agent:{name}")
            outcomes.append("sent")
        except AnswerRefused as refused:
            assert "has changed since" in str(refused)
            outcomes.append("refused")

    both = [threading.Thread(target=agent, args=(name,)) for name in ("alice", "bob")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(outcomes) == ["refused", "sent"]


def test_it_keeps_nothing_of_a_dry_run(store: Store) -> None:
    ticket = open_ticket(store)
    before = events(store, ticket)
    rehearsed = write(store, ticket, "Hello", no_order=True, dry_run=True)
    assert b"Hello" in rehearsed.raw
    with pytest.raises(AnswerRefused):
        write(store, ticket, "Hello", dry_run=True)
    assert events(store, ticket) == before
    assert draft(store, ticket) is None
    with store.reading() as session:
        assert outbox.newest(session) == ()
    if store.engine.dialect.name == "sqlite":
        assert write(store, ticket, "Hello", no_order=True).answer == rehearsed.answer == 1


def test_it_answers_the_message_that_is_asked_for(store: Store) -> None:
    ticket = open_ticket(store)
    further_message(store, ticket)
    assert write(store, ticket, no_order=True).message == 2
    assert write(store, ticket, no_order=True, message=1).message == 1
    with pytest.raises(AnswerRefused, match=r"Message 9 .*choose one of 1, 2\."):
        write(store, ticket, no_order=True, message=9)


def test_it_answers_the_original_of_a_replayed_message(store: Store) -> None:
    ticket = open_ticket(store, replay_key="k1")
    again = decision(Placement("duplicate", ticket), replay_key="k1")
    store_message(store, again, body=b"the same again", at=NOON + HOUR)
    assert write(store, ticket, no_order=True).message == 1


def test_it_does_not_answer_what_cannot_be_answered(store: Store) -> None:
    with pytest.raises(DeskError, match="no ticket 99"):
        write(store, 99, seen=0)
    handling = (planned("handling"),)
    for clocks, act in ((handling, "--handled now"), ((), "--note")):
        claim = decision(Placement("open"), kind="claim", relay_address="", clocks=clocks)
        without = store_message(store, claim, body=act.encode()).ticket_id or 0
        with pytest.raises(AnswerRefused, match=rf"has no relay address.*{act}"):
            write(store, without, no_order=True)
    closed = open_ticket(store)
    desk(store).tickets.close(closed, by=BOB)
    with pytest.raises(AnswerRefused, match="is closed"):
        write(store, closed, no_order=True)
    outside = Placement("open", thread_key="case++x@evil.example")
    elsewhere = decision(outside, relay_address="case++x@evil.example")
    foreign = store_message(store, elsewhere, body=b"x").ticket_id or 0
    with pytest.raises(AnswerRefused, match="not in a listed sender domain"):
        write(store, foreign, no_order=True)
    with pytest.raises(AnswerRefused, match="no text"):
        write(store, open_ticket(store, name="dora"), "  ", no_order=True)


def test_it_warns_of_unverified_mail(store: Store) -> None:
    ticket = open_ticket(store, vouched=False)
    assert any("unverified" in remark for remark in write(store, ticket, no_order=True).remarks)


def test_it_encloses_files(store: Store) -> None:
    label = AttachedFile("label.pdf", "application/pdf", b"%PDF-1.7 label")
    made = write(store, open_ticket(store), no_order=True, enclosures=(label,))
    message = BytesParser(policy=policy.default).parsebytes(made.raw)
    assert [part.get_content() for part in message.iter_attachments()] == [label.content]


def test_it_takes_back_and_tries_again_only_what_it_can(store: Store) -> None:
    ticket = open_ticket(store)
    made = write(store, ticket, no_order=True)
    who = {"by": BOB}
    with pytest.raises(DeskError, match="is queued; only a deferred"):
        desk(store).answers.retry(made.answer, **who)
    assert (
        desk(store).answers.cancel(made.answer, **who).state == row(store, made.answer).state == "cancelled"
    )
    with pytest.raises(DeskError, match="is cancelled; only queued or deferred"):
        desk(store).answers.cancel(made.answer, **who)
    with pytest.raises(DeskError, match="no answer 99"):
        desk(store).answers.retry(99, **who)
    assert events(store, ticket)[-1].what == "answer_cancelled"


def test_it_reads_the_subject_from_the_message_itself(store: Store) -> None:
    made = write(store, open_ticket(store), no_order=True)
    assert row(store, made.answer).subject == "Re: Hello"


# --- what happens while the answer is made --------------------------------------------------------------


def while_it_is_made(monkeypatch: pytest.MonkeyPatch, *events: Callable[[], object]) -> list[int]:
    """Has each of the events happen while an answer is made, the first time, the second, …; the times."""
    times: list[int] = []

    def compose(*arguments: Any, **options: Any) -> bytes:
        times.append(len(times) + 1)
        if len(times) <= len(events):
            events[len(times) - 1]()
        return compose_answer(*arguments, **options)

    monkeypatch.setattr(answers, "compose_answer", compose)
    return times


def test_what_changes_no_answer_does_not_have_it_made_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_with_order(store)
    times = while_it_is_made(monkeypatch, lambda: desk(store).tickets.note(ticket, "angry", by=BOB))
    made = write(store, ticket)
    assert times == [1]
    assert row(store, made.answer).state == "queued"
    assert [event.what for event in events(store, ticket)].count("answer_queued") == 1


def test_mail_that_comes_while_it_is_made_is_seen_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_with_order(store)
    while_it_is_made(monkeypatch, lambda: further_message(store, ticket))
    with pytest.raises(AnswerRefused, match="message 2 came"):
        write(store, ticket, "Long thought over")
    assert draft(store, ticket) == "Long thought over"
    with store.reading() as session:
        assert outbox.newest(session) == ()


def test_it_is_made_again_for_another_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "368509000000002"
    orders.put(store, [OrderRow(Order(number), frozenset()) for number in (ORDER, other)], NOON)
    ticket = open_ticket(
        store, candidates=(candidate(), candidate(other, sure="mentioned")), bind_orders=(ORDER,)
    )

    def rebind() -> None:
        desk(store).tickets.release_order(ticket, ORDER, by=BOB)
        desk(store).tickets.bind_order(ticket, other, by=BOB)

    times = while_it_is_made(monkeypatch, rebind)
    made = write(store, ticket)
    assert times == [1, 2]
    assert made.order_id == row(store, made.answer).order_id == other
    assert other.encode() in made.raw
    assert ORDER.encode() not in made.raw


def test_a_ticket_closed_or_an_agent_gone_while_it_is_made_ends_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_ticket(store), open_ticket(store, name="bob")
    while_it_is_made(monkeypatch, lambda: desk(store).tickets.close(first, by=BOB))
    with pytest.raises(AnswerRefused, match="is closed"):
        write(store, first, no_order=True)
    while_it_is_made(monkeypatch, lambda: desk(store).agents.deactivate("alice", by=ADA))
    with pytest.raises(DeskError, match="no longer active"):
        write(store, second, no_order=True)
    with store.reading() as session:
        assert outbox.newest(session) == ()


def test_a_process_that_dies_while_it_is_made_sends_nothing_and_keeps_the_text(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    ticket = open_ticket(store)
    before = events(store, ticket)
    while_it_is_made(monkeypatch, die)
    with pytest.raises(KeyboardInterrupt):
        write(store, ticket, "Long thought over", no_order=True)
    assert draft(store, ticket) == "Long thought over"
    assert events(store, ticket) == before
    with store.reading() as session:
        assert outbox.newest(session) == ()
    assert write(store, ticket, "Long thought over", no_order=True).answer == 2
    assert draft(store, ticket) is None
