"""Runs of the whole way out through trouble, and what must hold after each of them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.outbound.dispatcher import DispatchTiming
from relaydesk.outbound.next_hop import Timeouts
from relaydesk.store import deadlines, outbox
from relaydesk_testkit.arriving import NOON
from relaydesk_testkit.nexthop import BRIEFLY, NextHopServer, Weather
from relaydesk_testkit.sending import Hands, dispatching, loopback, queue_many, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.store.engine import Store
    from relaydesk.store.outbox_rows import OutboxRow

ROOT = Path(__file__).parents[2]
HURRIED = Timeouts(connect=0.05, command=0.05, dot=0.05, total=0.5, idle=5.0)
PACE = DispatchTiming(pause=0.01, drain=2.0)


async def storm(store: Store, seed: int, tickets: int = 3, each: int = 2) -> NextHopServer:
    """One run: every answer goes through weather by ``seed`` until each is decided. Hours pass in no time."""
    clock = Hands(NOON)
    queued = queue_many(store, tickets, each)
    weather = Weather(seed, trouble=random.Random(seed).choice((0.05, 0.15, 0.3)))
    async with (
        NextHopServer(weather, late=0.01) as server,
        dispatching(
            store,
            loopback(server.port),
            clock=clock,
            chance=weather.chance.random,
            patience=HURRIED,
            pace=PACE,
        ) as dispatcher,
    ):
        while waiting := undecided(store):
            await dispatcher.once()
            clock.at = max(clock.at + timedelta(seconds=1), waiting[0].next_try_at)
    must_hold(store, queued, server)
    return server


def undecided(store: Store) -> tuple[OutboxRow, ...]:
    with store.reading() as session:
        return outbox.waiting(session)


def must_hold(store: Store, queued: Sequence[int], server: NextHopServer, kills: int = 0) -> dict[str, int]:
    """No answer is lost; one is doubled only where its 250 was lost, as the same message. The figures.

    ``kills`` allows for so many deaths of a dispatcher between a 250 and its commit, each of which may double
    what was under way then.
    """
    copies, untold, doubled = server.copies(), server.untold(), 0
    with store.reading() as session:
        rows = {row.id: row for row in outbox.newest(session, 100_000)}
        raws = {answer: outbox.raw(session, answer) for answer in queued}
    assert sorted(rows) == sorted(queued)
    for row in rows.values():
        assert row.state in ("sent", "refused"), row
        if row.state == "sent":
            assert copies[row.rfc_message_id] >= 1, f"lost: {row}"
        else:
            assert server.finals[row.recipient] >= 1, f"refused without a reason: {row}"
        surplus = copies[row.rfc_message_id] - 1
        assert surplus <= untold[row.rfc_message_id] + kills, f"doubled outside of the window: {row}"
        doubled += max(surplus, 0)
    by_id = {row.rfc_message_id: row for row in rows.values()}
    for message in server.taken:
        row = by_id[message.message_id]
        assert (message.mail_from, message.rcpt, message.raw) == (
            row.envelope_from,
            row.recipient,
            raws[row.id],
        )
    clocks_agree(store, rows.values())
    return {"answers": len(rows), "doubled": doubled, "lost 250s": sum(untold.values())}


def clocks_agree(store: Store, rows: object) -> None:
    """A ticket's clock stopped at its first 250 and not before; without one it runs."""
    first_sent: dict[int, object] = {}
    for row in sorted(rows, key=lambda row: (row.sent_at is None, row.sent_at)):  # type: ignore[call-overload]
        first_sent.setdefault(row.ticket_id, row.sent_at)
    with store.reading() as session:
        for ticket, sent_at in first_sent.items():
            (clock,) = deadlines.of_tickets(session, [ticket])
            assert clock.stopped_at == sent_at, (ticket, clock)


# --- processes ----------------------------------------------------------------------------------------


class Process:
    """A dispatcher in a process of its own."""

    def __init__(self, url: str, port: int, epoch: float, speed: float) -> None:
        self._words = [url, str(port), repr(epoch), repr(speed)]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "relaydesk_testkit.sending", *self._words),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), 20)


async def killing(
    store: Store, url: str, *, seed: int, kills: int, answers: int, trouble: float
) -> dict[str, int]:
    """``kill -9`` of a dispatcher at random moments, ``kills`` times; then one that may finish."""
    chance = random.Random(seed)
    epoch = time.time()
    speed = 2000.0  # the first back-off, of a minute, passes in 30 ms
    queued = queue_many(store, answers // 4, 4, now=_moment(epoch))
    weather = Weather(seed, trouble, finals=0.05, put_off=BRIEFLY)
    async with NextHopServer(weather, late=0.02) as server:
        for _ in range(kills):
            process = Process(url, server.port, epoch, speed)
            await process.start()
            await asyncio.sleep(chance.uniform(0.02, 0.6))
            await process.end(signal.SIGKILL)
        survivor = Process(url, server.port, epoch, speed)
        await survivor.start()
        await until(lambda: not undecided(store), 20.0 + answers / 2)
        assert await survivor.end() == 0
        return must_hold(store, queued, server, kills=kills)


async def together(store: Store, url: str, tickets: int, each: int, processes: int = 2) -> dict[str, int]:
    """So many dispatcher processes on one store and a hop without trouble: each answer goes once."""
    epoch = time.time()
    queued = queue_many(store, tickets, each, now=_moment(epoch))
    async with NextHopServer() as server:
        dispatchers = [Process(url, server.port, epoch, 1.0) for _ in range(processes)]
        await asyncio.gather(*(dispatcher.start() for dispatcher in dispatchers))
        await until(lambda: not undecided(store), 300.0)
        assert [await dispatcher.end() for dispatcher in dispatchers] == [0] * processes
        figures = must_hold(store, queued, server)
        assert (figures["doubled"], len(server.taken)) == (0, len(queued))
        return figures


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
