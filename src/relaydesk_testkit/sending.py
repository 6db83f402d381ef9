"""Answers in the outbox, and a dispatcher over a real courier, for tests of the way out.

``python -m relaydesk_testkit.sending URL PORT EPOCH SPEED`` is a dispatcher process for tests that kill it.
Its clock runs SPEED times as fast as the real one, from EPOCH on; so a back-off of minutes passes in moments.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.logs import configure
from relaydesk.outbound.courier import Courier
from relaydesk.outbound.dispatcher import Dispatcher, DispatchTiming
from relaydesk.outbound.next_hop import NextHop, Timeouts
from relaydesk.store import outbox, tickets
from relaydesk.store.engine import Store
from relaydesk.store.outbox_rows import Finished, Outgoing
from relaydesk_testkit.arriving import NOON, open_ticket, planned
from relaydesk_testkit.smtp import Holder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from relaydesk.outbound.dispatcher import DispatchConfig
    from relaydesk.outbound.sender import Sender
    from relaydesk.policy.decision import Planned
    from relaydesk.policy.policy import Plan
    from relaydesk.store.outbox_rows import Claimed

HOUR = timedelta(hours=1)
SHORT = Timeouts(connect=0.3, command=0.3, dot=0.3, total=1.0, idle=5.0)


def plan(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
    """A response clock of 48 hours where there is an address to answer to."""
    return (planned(start=start),) if relay else (planned("handling", start),)


def queue_answer(
    store: Store,
    ticket: int,
    message: int,
    *,
    now: datetime = NOON,
    undo: timedelta = timedelta(0),
    lasts: timedelta = 400 * HOUR,
    recipient: str = "case++alice@support.facebook.com",
    text: str = "It is on its way.",
    **facts: Any,
) -> int:
    """An answer in the outbox; what it says and to whom is plain in its bytes."""
    outgoing = Outgoing(
        facts.pop("purpose", "answer"),
        ticket,
        message,
        "agent:bob",
        recipient,
        "368509000000001",
        now + undo,
        now + lasts,
    )

    def build(number: int) -> Finished:
        raw = (
            f"From: help@shop.example\r\nTo: {recipient}\r\nSubject: Re: 368509000000001\r\n"
            f"Message-ID: <{number}@shop.example>\r\n\r\n{text}\r\n.dots stay\r\n"
        ).encode()
        return Finished(
            f"bounces+{ticket}.{number}@shop.example", f"<{number}@shop.example>", "Re: 368509000000001", raw
        )

    with store.transaction() as session:
        number = outbox.next_number(session)
        outbox.put(session, number, outgoing, build(number), now)
    return number


def queue_many(store: Store, tickets: int, each: int, *, now: datetime = NOON) -> list[int]:
    """``each`` answers on every one of ``tickets`` new tickets, each to an address of its own."""
    queued = []
    for number in range(tickets):
        ticket = open_ticket(store, name=f"n{number}", at=now)
        queued += [
            queue_answer(
                store,
                ticket,
                first_message(store, ticket),
                now=now,
                recipient=f"case++{ticket}.{place}@x.example",
            )
            for place in range(each)
        ]
    return queued


def first_message(store: Store, ticket: int) -> int:
    with store.reading() as session:
        view = tickets.view(session, ticket)
    assert view is not None
    return view.messages[0].id


@dataclass
class Hands:
    """A clock to turn by hand."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class SendingFacts:
    """What the dispatcher reads of a configuration."""

    plan: Plan = plan
    sender: Sender | None = None
    forward_to: frozenset[str] = frozenset()


async def let_pass(claimed: Claimed, config: DispatchConfig) -> str:
    """A last check that finds nothing."""
    return ""


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for something that has no event of its own: a row, or what a server has taken."""
    over = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < over, "waited too long"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def dispatching(
    store: Store,
    hop: NextHop,
    *,
    clock: Callable[[], datetime],
    who: str = "",
    chance: Callable[[], float] = lambda: 0.5,
    patience: Timeouts = SHORT,
    pace: DispatchTiming | None = None,
    check: Callable[[Claimed, DispatchConfig], Awaitable[str]] = let_pass,
    **more: Any,
) -> AsyncIterator[Dispatcher]:
    """A dispatcher with a courier to ``hop``."""
    resolver = more.pop("resolver", None) or Resolver(ZoneSource(parse_zone({})))
    courier = Courier(
        hop, helo="mail.shop.example", resolver=resolver, timeouts=patience, tls=more.pop("tls", None)
    )
    with ThreadPoolExecutor(4) as workers:
        try:
            yield Dispatcher(
                store=store,
                configuration=Holder(more.pop("config", SendingFacts())),
                courier=courier,
                check=check,
                who=who or secrets.token_hex(4),
                clock=clock,
                chance=chance,
                workers=workers,
                pace=pace or DispatchTiming(pause=0.02, drain=2.0),
                **more,
            )
        finally:
            await courier.close()


def loopback(port: int) -> NextHop:
    """The server of a test, in the clear."""
    return NextHop("127.0.0.1", port, "opportunistic")


async def _dispatch(url: str, port: int, epoch: float, speed: float) -> None:
    configure("error", "json", sys.stderr)  # what structlog does unasked would fill the pipe of "ready"
    store = Store.open(url, lock_timeout=20)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def now() -> datetime:
        return datetime.fromtimestamp(epoch + (time.time() - epoch) * speed, UTC)

    # The lease in real seconds is longer than a delivery may take, as in earnest.
    pace = DispatchTiming(lease=timedelta(seconds=2.5 * speed), pause=0.02, drain=3.0)
    chance = random.Random(os.getpid()).random
    async with dispatching(store, loopback(port), clock=now, chance=chance, pace=pace) as dispatcher:
        os.write(1, b"ready\n")
        await dispatcher.run(stop)
    store.close()


if __name__ == "__main__":
    asyncio.run(_dispatch(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
