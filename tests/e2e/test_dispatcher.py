"""The dispatcher over a real store and a real next hop: order of work, outcomes, faults of the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.outbound import last_check
from relaydesk.outbound.answer import HopReply
from relaydesk.outbound.dispatcher import DispatchTiming
from relaydesk.outbound.last_check import LastCheck
from relaydesk.outbound.next_hop import Timeouts
from relaydesk.process_pool import ProcessPool
from relaydesk.store import deadlines, outbox, tickets
from relaydesk.store.errors import StoreUnavailable
from relaydesk_testkit.arriving import NOON, open_ticket
from relaydesk_testkit.nexthop import DROP, LOSE, SILENT, NextHopServer
from relaydesk_testkit.sending import (
    HOUR,
    SHORT,
    Hands,
    SendingFacts,
    dispatching,
    first_message,
    let_pass,
    loopback,
    queue_answer,
    until,
)
from relaydesk_testkit.smtp import Holder
from tests.support.desk import SENDER

if TYPE_CHECKING:
    from relaydesk.events import Event
    from relaydesk.outbound.dispatcher import Dispatcher
    from relaydesk.store.engine import Store
    from relaydesk.store.outbox_rows import Claimed, OutboxRow

SECOND = timedelta(seconds=1)


@pytest.fixture
def ticket(store: Store) -> int:
    return open_ticket(store)


@pytest.fixture
def answer(store: Store, ticket: int) -> int:
    return queue_answer(store, ticket, first_message(store, ticket))


def the_row(store: Store, answer: int) -> OutboxRow:
    with store.reading() as session:
        row = outbox.row(session, answer)
    assert row is not None
    return row


def told(store: Store, ticket: int, *what: str) -> list[Event]:
    with store.reading() as session:
        return [event for _, event in tickets.events(session, ticket) if event.what in what]


def stopped(store: Store, ticket: int) -> object:
    with store.reading() as session:
        return deadlines.of_tickets(session, [ticket])[0].stopped_at


async def test_it_sends_and_stops_the_clock_at_the_250(store: Store, ticket: int, answer: int) -> None:
    clock = Hands(NOON + HOUR)
    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=clock) as dispatcher,
    ):
        assert await dispatcher.once() == 1
        assert await dispatcher.once() == 0
    row = the_row(store, answer)
    assert (row.state, row.sent_at, row.hop, row.last_code) == ("sent", NOON + HOUR, "127.0.0.1", 250)
    assert stopped(store, ticket) == NOON + HOUR
    assert server.taken[0].message_id == row.rfc_message_id
    (event,) = told(store, ticket, "answer_sent")
    assert event.data == {"answer": answer, "message": 1, "purpose": "answer", "hop": "127.0.0.1"}


@pytest.mark.parametrize("purpose", ["automatic", "forward"])
async def test_only_a_persons_answer_stops_the_clock(store: Store, ticket: int, purpose: str) -> None:
    answer = queue_answer(store, ticket, 1, purpose=purpose)
    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=Hands()) as dispatcher,
    ):
        await dispatcher.once()
    assert the_row(store, answer).state == "sent"
    assert stopped(store, ticket) is None


async def test_it_can_be_taken_back_in_the_undo_time(store: Store, ticket: int) -> None:
    answer = queue_answer(store, ticket, 1, undo=30 * SECOND)
    clock = Hands(NOON + 29 * SECOND)
    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=clock) as dispatcher,
    ):
        assert await dispatcher.once() == 0
        with store.transaction() as session:
            assert outbox.cancel(session, answer, actor="agent:bob", now=clock.at)
        clock.at += 5 * SECOND
        assert await dispatcher.once() == 0
    assert server.connections == 0
    assert stopped(store, ticket) is None


@pytest.mark.parametrize(
    ("act", "state", "until", "word"),
    [
        ("451 4.7.1 POL-T1 later", "deferred", NOON + 1.5 * HOUR, "1 to 2 hours"),
        ("550 5.7.1 POL-P3 blocked", "deferred", NOON + 8.5 * HOUR, "blocks us for 4 to 8"),
        ("550 5.1.1 RCP-P1 no such address", "refused", None, "relay address no longer exists"),
        ("450 4.2.0 busy", "deferred", NOON + 60 * SECOND, "busy"),
        (DROP, "deferred", NOON + 60 * SECOND, "deferred it"),
    ],
)
async def test_the_hops_reply_becomes_a_state_and_a_sentence(  # noqa: PLR0917
    store: Store, ticket: int, answer: int, act: str, state: str, until: Any, word: str
) -> None:
    async with (
        NextHopServer(lambda phase, _: act if phase == "rcpt" else "") as server,
        dispatching(store, loopback(server.port), clock=Hands()) as dispatcher,
    ):
        await dispatcher.once()
    row = the_row(store, answer)
    assert row.state == state
    if until is not None:
        assert row.next_try_at == until
    (event,) = told(store, ticket, f"answer_{state}")
    assert word in event.data["why"]
    assert stopped(store, ticket) is None


async def test_it_gives_up_after_one_last_try_at_the_end_of_its_time(store: Store, ticket: int) -> None:
    answer = queue_answer(store, ticket, 1, lasts=2 * HOUR)
    clock = Hands()
    tried = []
    async with (
        NextHopServer(lambda phase, _: "450 busy" if phase == "rcpt" else "") as server,
        dispatching(store, loopback(server.port), clock=clock) as dispatcher,
    ):
        while (row := the_row(store, answer)).state != "failed":
            clock.at = row.next_try_at
            tried.append(clock.at)
            assert await dispatcher.once() == 1
    assert tried[-1] == NOON + 2 * HOUR
    assert server.commands.count("RCPT TO:<case++alice@support.facebook.com>") == len(tried) == 8
    assert len(told(store, ticket, "answer_failed")) == 1
    assert stopped(store, ticket) is None


async def test_an_answer_that_waited_out_its_time_with_us_is_tried_once(store: Store, ticket: int) -> None:
    answer = queue_answer(store, ticket, 1, lasts=HOUR)
    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=Hands(NOON + 50 * HOUR)) as dispatcher,
    ):
        await dispatcher.once()
    assert the_row(store, answer).state == "sent"


async def test_a_lost_250_is_followed_by_the_same_message_again(store: Store, answer: int) -> None:
    turns = iter([LOSE, ""])
    clock = Hands()
    async with (
        NextHopServer(lambda phase, _: next(turns) if phase == "dot" else "") as server,
        dispatching(store, loopback(server.port), clock=clock) as dispatcher,
    ):
        await dispatcher.once()
        assert "may have the message" in told(store, 1, "answer_deferred")[0].data["why"]
        clock.at += HOUR
        await dispatcher.once()
    assert the_row(store, answer).state == "sent"
    first, second = server.taken
    assert first.raw == second.raw
    assert server.copies() == {f"<{answer}@shop.example>": 2}


async def test_the_last_check_keeps_it_from_going_out(store: Store, ticket: int, answer: int) -> None:
    async def check(claimed: Claimed, config: object) -> str:
        return f"The order id {claimed.order_id} is missing from the Subject."

    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=Hands(), check=check) as dispatcher,
    ):
        await dispatcher.once()
    assert (the_row(store, answer).state, server.connections) == ("refused", 0)
    (event,) = told(store, ticket, "answer_refused")
    assert event.data == {
        "answer": answer,
        "code": 0,
        "why": "The order id 368509000000001 is missing from the Subject.",
    }


async def test_what_cannot_be_checked_is_not_sent(store: Store, answer: int) -> None:
    async def check(claimed: Claimed, config: object) -> str:
        raise RuntimeError("a bug")

    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=Hands(), check=check) as dispatcher,
    ):
        await dispatcher.once()
    assert (the_row(store, answer).state, server.connections) == ("refused", 0)


async def test_the_admin_is_told_what_ails_our_domain(store: Store, ticket: int, answer: int) -> None:
    asked = []

    async def diagnose(domain: str) -> str:
        asked.append(domain)
        return "shop.example publishes no DMARC record."

    async with (
        NextHopServer(lambda phase, _: "550 5.7.1 POL-P7" if phase == "dot" else "") as server,
        dispatching(store, loopback(server.port), clock=Hands(), diagnose=diagnose) as dispatcher,
    ):
        await dispatcher.once()
    assert asked == ["shop.example"]
    assert "publishes no DMARC record" in told(store, ticket, "answer_refused")[0].data["why"]


async def test_our_domain_is_not_blamed_for_the_connection(store: Store, ticket: int, answer: int) -> None:
    async def diagnose(_: str) -> str:
        return "shop.example publishes no DMARC record."

    async with (
        NextHopServer(lambda phase, _: "554 5.7.1 no service" if phase == "connect" else "") as server,
        dispatching(store, loopback(server.port), clock=Hands(), diagnose=diagnose) as dispatcher,
    ):
        await dispatcher.once()
    assert "DMARC" not in told(store, ticket, "answer_deferred")[0].data["why"]


async def test_a_diagnosis_that_fails_changes_nothing(store: Store, answer: int) -> None:
    async def diagnose(_: str) -> str:
        raise OSError("no network")

    async with (
        NextHopServer(lambda phase, _: "550 5.7.1 POL-P7" if phase == "dot" else "") as server,
        dispatching(store, loopback(server.port), clock=Hands(), diagnose=diagnose) as dispatcher,
    ):
        await dispatcher.once()
    assert the_row(store, answer).state == "refused"


async def test_one_slow_delivery_holds_up_no_other(store: Store, ticket: int) -> None:
    slow = queue_answer(store, ticket, 1, recipient="slow@x.example")
    quick = [queue_answer(store, ticket, 1) for _ in range(20)]
    stop = asyncio.Event()
    async with (
        NextHopServer(lambda phase, rcpt: SILENT if rcpt.startswith("slow") else "") as server,
        dispatching(
            store,
            loopback(server.port),
            clock=Hands(),
            patience=Timeouts(command=30),
            pace=DispatchTiming(pause=0.02, drain=0.1),
        ) as dispatcher,
    ):
        running = asyncio.create_task(dispatcher.run(stop))
        await until(lambda: len(server.taken) == len(quick))
        assert the_row(store, slow).state == "sending"
        stop.set()
        await asyncio.wait_for(running, 10)


async def test_it_goes_on_until_it_is_stopped_and_finishes_what_it_began(store: Store, ticket: int) -> None:
    stop = asyncio.Event()
    async with (
        NextHopServer(lambda phase, _: "slow" if phase == "dot" else "", late=0.2) as server,
        dispatching(
            store,
            loopback(server.port),
            clock=Hands(),
            pace=DispatchTiming(pause=0.02, concurrency=2, drain=5),
        ) as dispatcher,
    ):
        running = asyncio.create_task(dispatcher.run(stop))
        first = queue_answer(store, ticket, 1)
        await until(lambda: the_row(store, first).state != "queued")
        stop.set()
        await asyncio.wait_for(running, 10)
        assert the_row(store, first).state == "sent"
        late = queue_answer(store, ticket, 1)
        await asyncio.sleep(0.1)
        assert the_row(store, late).state == "queued"


class Failing:
    """A store whose transactions fail so many times, after so many that work."""

    def __init__(self, store: Store, works: int, fails: int, clock: Hands | None = None) -> None:
        self.store, self.works, self.fails, self.clock = store, works, fails, clock or Hands()
        self.reading = store.reading

    def transaction(self) -> Any:
        if self.works:
            self.works -= 1
        elif self.fails:
            self.fails -= 1
            self.clock.at += HOUR
            raise StoreUnavailable("The store does not answer: disk full.")
        return self.store.transaction()


async def test_a_250_is_kept_until_the_store_takes_it(store: Store, ticket: int, answer: int) -> None:
    clock = Hands()
    failing: Any = Failing(store, works=1, fails=5, clock=clock)  # longer than the lease
    async with (
        NextHopServer() as server,
        dispatching(failing, loopback(server.port), clock=clock) as dispatcher,
    ):
        await dispatcher.once()
    assert (the_row(store, answer).state, len(server.taken), failing.fails) == ("sent", 1, 0)
    assert stopped(store, ticket) == NOON


async def test_a_failing_store_is_waited_for(store: Store, answer: int) -> None:
    failing: Any = Failing(store, works=0, fails=3)
    stop = asyncio.Event()
    async with (
        NextHopServer() as server,
        dispatching(failing, loopback(server.port), clock=Hands()) as dispatcher,
    ):
        running = asyncio.create_task(dispatcher.run(stop))
        await until(lambda: the_row(store, answer).state == "sent")
        stop.set()
        await asyncio.wait_for(running, 10)
    assert len(server.taken) == 1


async def test_an_outcome_without_a_lease_is_let_go(store: Store, answer: int) -> None:
    """Another dispatcher has the row: what ours was told is not written over its work."""
    clock = Hands()

    class Late:
        def name(self, recipient: str) -> str:
            return "late"

        async def deliver(self, *_: object) -> HopReply:
            clock.at += HOUR
            with store.transaction() as session:
                outbox.claim(session, "other", clock.at, HOUR, 1)
            return HopReply(550, "5.1.1 no such user", "rcpt")

    async with dispatching(store, loopback(1), clock=clock) as made:
        dispatcher = replaced(made, courier=lambda _: Late())
        assert await dispatcher.once() == 1
    assert the_row(store, answer).state == "sending"
    assert told(store, 1, "answer_refused") == []


async def test_a_clock_that_cannot_be_stopped_does_not_send_the_answer_again(
    store: Store, ticket: int, answer: int
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("a bug")

    from relaydesk.policy.decision import Placement
    from relaydesk_testkit.arriving import decision, planned, store_message

    joined = decision(Placement("join", ticket), clocks=(planned(start=NOON),))
    store_message(store, joined, body=b"And?", at=NOON + SECOND)
    clock = Hands(NOON + HOUR)
    async with NextHopServer() as server, dispatching(store, loopback(server.port), clock=clock) as made:
        dispatcher = replaced(made, configuration=Holder(SendingFacts(plan=broken)))
        await dispatcher.once()
        clock.at += 9 * HOUR
        assert await dispatcher.once() == 0
    assert (the_row(store, answer).state, len(server.taken)) == ("sent", 1)
    assert stopped(store, ticket) is None


async def test_a_message_is_sent_and_written_down_by_one_configuration(
    store: Store, ticket: int, answer: int
) -> None:
    def other(*_: object, **__: object) -> Any:
        raise RuntimeError("the plan of another configuration")

    from relaydesk.policy.decision import Placement
    from relaydesk_testkit.arriving import decision, planned, store_message

    joined = decision(Placement("join", ticket), clocks=(planned(start=NOON),))
    store_message(store, joined, body=b"And?", at=NOON + SECOND)
    configuration = Holder(SendingFacts())

    def reload(phase: str, _: str) -> str:
        if phase == "dot":
            configuration.swap(plan=other)
        return ""

    clock = Hands(NOON + HOUR)
    async with (
        NextHopServer(reload) as server,
        dispatching(store, loopback(server.port), clock=clock) as made,
    ):
        await replaced(made, configuration=configuration).once()
    assert (the_row(store, answer).state, len(server.taken)) == ("sent", 1)
    assert stopped(store, ticket) is not None


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (SendingFacts(forward_to=frozenset({"other@desk.example"})), "no longer an address"),
        (SendingFacts(forward_to=frozenset({"desk@desk.example"})), ""),
    ],
)
async def test_a_forward_goes_only_where_mail_is_forwarded_now(
    store: Store, ticket: int, facts: SendingFacts, why: str
) -> None:
    queue_answer(store, ticket, 1, purpose="forward", recipient="Desk@desk.example")
    async with (
        NextHopServer() as server,
        dispatching(
            store, loopback(server.port), clock=Hands(), check=LastCheck(), config=facts
        ) as dispatcher,
    ):
        await dispatcher.once()
    assert len(server.taken) == (0 if why else 1)
    assert [why in event.data["why"] for event in told(store, ticket, "answer_refused")] == [True] * bool(why)


async def test_what_no_process_can_check_now_waits(store: Store, answer: int) -> None:
    pool = ProcessPool(1, 5.0)
    await pool.close()
    clock = Hands()
    async with (
        NextHopServer() as server,
        dispatching(
            store,
            loopback(server.port),
            clock=clock,
            check=LastCheck(pool),
            config=SendingFacts(sender=SENDER),
        ) as made,
    ):
        await made.once()
        assert (the_row(store, answer).state, server.connections) == ("sending", 0)
        clock.at += HOUR
        await replaced(made, check=let_pass).once()
    assert the_row(store, answer).state == "sent"


def endless(raw: bytes, bound: object) -> str:
    """A check that never ends."""
    while True:
        pass


async def test_what_takes_too_long_to_check_is_not_sent(
    store: Store, ticket: int, answer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_check, "outgoing_problem", endless)
    pool = ProcessPool(1, 0.1)
    async with (
        NextHopServer() as server,
        dispatching(
            store,
            loopback(server.port),
            clock=Hands(),
            check=LastCheck(pool),
            config=SendingFacts(sender=SENDER),
        ) as made,
    ):
        await made.once()
    await pool.close()
    assert (the_row(store, answer).state, server.connections) == ("refused", 0)
    assert "takes too long to check" in told(store, ticket, "answer_refused")[0].data["why"]


async def test_an_answer_without_a_sender_is_not_sent(store: Store, ticket: int, answer: int) -> None:
    async with (
        NextHopServer() as server,
        dispatching(store, loopback(server.port), clock=Hands(), check=LastCheck()) as dispatcher,
    ):
        await dispatcher.once()
    assert (the_row(store, answer).state, server.taken) == ("refused", [])


def replaced(dispatcher: Dispatcher, **parts: Any) -> Dispatcher:
    from dataclasses import replace

    return replace(dispatcher, **parts)


async def test_a_lease_outlasts_a_delivery() -> None:
    assert DispatchTiming().lease.total_seconds() > Timeouts().total + 60
    assert SHORT.total < DispatchTiming().lease.total_seconds()
