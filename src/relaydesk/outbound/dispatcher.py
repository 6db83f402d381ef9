"""The dispatcher: takes what is due from the outbox, has it delivered and writes down how it ended.

Any number of dispatchers may run on one store. A row is claimed under a lease; the network is asked outside
of every transaction; the outcome and its event are one transaction. Exactly once as far as SMTP allows:

- the Message-ID is fixed before the first try and never changes;
- when the connection breaks between the message and its reply, or the process dies between the hop's 250 and
  our commit, it is unknown here whether the message left. It is sent again, with the same Message-ID: a
  doubled answer is better than a lost one, and receivers can tell it by that;
- a 250 that the store does not take is kept and offered again until it does, and counts even when the lease
  ran out meanwhile.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from relaydesk.logs import log, log_exception
from relaydesk.message import domain_of
from relaydesk.outbound.answer import HopReply
from relaydesk.outbound.disposition import Disposition, disposition_of, said
from relaydesk.outbound.last_check import CheckConfig, LastCheck
from relaydesk.outbound.recording import record_sent, record_undelivered
from relaydesk.process_pool import NoProcess
from relaydesk.store import Claimed, DeliveryOutcome, StoreError, outbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.policy import Plan
    from relaydesk.store import Store

T = TypeVar("T")
DIAGNOSIS_SECONDS = 30.0


class Carrier(Protocol):
    """What carries a message to a next hop: :class:`relaydesk.outbound.courier.Courier`."""

    async def deliver(self, envelope_from: str, recipient: str, raw: bytes) -> HopReply:
        """The hop's reply; never an exception."""

    def name(self, recipient: str) -> str:
        """The hop that takes this recipient's mail, for the record."""


class DispatchConfig(CheckConfig, Protocol):
    """What a dispatcher reads of a snapshot of the configuration; ``plan`` gives the clocks of a queue."""

    @property
    def plan(self) -> Plan: ...


class DispatchConfiguration(Protocol):
    """Who holds the configuration; ``current`` is replaced as a whole by a reload."""

    @property
    def current(self) -> DispatchConfig: ...


@dataclass(frozen=True, slots=True)
class DispatchTiming:
    """``lease`` is longer than a delivery may take (``Timeouts.total``), else two would send one answer;
    ``concurrency`` is how many are under way at once; ``pause`` in seconds lies between two looks when
    nothing is due, and between two tries of a store that fails."""

    lease: timedelta = timedelta(minutes=15)
    concurrency: int = 8
    pause: float = 1.0
    drain: float = 8.0


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """What a dispatcher needs. ``who`` is unique to this process and names it in the leases.

    A snapshot of ``configuration`` is taken for each message. ``check`` looks at the finished bytes just
    before they go and gives a sentence where they may not. ``forwarder`` carries what is forwarded to other
    help desks, where that is not the courier of the answers. ``chance`` gives a number in [0, 1).
    ``diagnose``, given our domain, says what is wrong with its mail authentication, for the admin.
    """

    store: Store
    configuration: DispatchConfiguration
    courier: Carrier
    who: str
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    workers: Executor
    pace: DispatchTiming = DispatchTiming()
    forwarder: Carrier | None = None
    check: Callable[[Claimed, DispatchConfig], Awaitable[str]] = field(default_factory=LastCheck)
    diagnose: Callable[[str], Awaitable[str]] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Sends what falls due until ``stop``; then waits a moment for what is under way.

        What is cut off there is sent again when its lease has run out.
        """
        under_way: dict[asyncio.Task[None], int] = {}  # with the bytes of each
        stopping = asyncio.create_task(stop.wait())
        worth_a_claim = max(1, self.pace.concurrency // 2)  # fewer, larger transactions
        try:
            while not stop.is_set():
                free = self.pace.concurrency - len(under_way)
                room = outbox.MOST_BYTES - sum(under_way.values())
                if free < worth_a_claim or room <= 0:
                    await asyncio.wait({stopping, *under_way}, return_when=asyncio.FIRST_COMPLETED)
                else:
                    claimed = await self._claim(free, room)
                    under_way |= {asyncio.create_task(self._send(row)): len(row.raw) for row in claimed}
                    if not claimed:  # nothing more is due
                        await asyncio.wait({stopping}, timeout=self.pace.pause)
                under_way = {task: size for task, size in under_way.items() if not task.done()}
        finally:
            stopping.cancel()
            await self._drain(set(under_way))

    async def _drain(self, under_way: set[asyncio.Task[None]]) -> None:
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=self.pace.drain)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def once(self) -> int:
        """Sends what is due now and returns how many were tried."""
        tried = 0
        while claimed := await self._claim(self.pace.concurrency, outbox.MOST_BYTES):
            await asyncio.gather(*(self._send(row) for row in claimed))
            tried += len(claimed)
        return tried

    async def _claim(self, limit: int, most: int) -> tuple[Claimed, ...]:
        try:
            return await self._in_thread(lambda: self._claim_now(limit, most))
        except StoreError as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            return ()

    def _claim_now(self, limit: int, most: int) -> tuple[Claimed, ...]:
        now = self.clock()
        with self.store.reading() as session:
            if not outbox.anything_due(session, now):
                return ()
        with self.store.transaction() as session:
            claimed = outbox.claim(session, self.who, now, self.pace.lease, limit, most=most)
        with self.store.reading() as session:
            return tuple(outbox.with_raw(session, row) for row in claimed)

    async def _send(self, claimed: Claimed) -> None:
        try:
            await self._send_and_tell(claimed)
        except Exception:  # the row's lease runs out and it is tried again
            log_exception("dispatch_failed", answer=claimed.id, ticket=claimed.ticket_id)

    async def _send_and_tell(self, claimed: Claimed) -> None:
        if claimed.lapsed:
            log("answer_may_be_doubled", level="warning", answer=claimed.id, attempt=claimed.attempts)
        begun, config = self.clock(), self.configuration.current
        problem = await self._problem(claimed, config)
        if problem:
            reply, disposition = HopReply(0, problem, "mail"), Disposition("refused", problem)
        else:
            reply = await self._carrier(claimed).deliver(
                claimed.envelope_from, claimed.recipient, claimed.raw
            )
            disposition = disposition_of(reply, claimed.attempts, self.chance())
        outcome = DeliveryOutcome(
            self.clock(), reply.code, said(reply), await self._why(claimed, disposition)
        )
        state = await self._until_written(claimed, disposition, outcome, config.plan)
        log(
            "answer",
            level="error" if disposition.tell_admin else "info",
            answer=claimed.id,
            ticket=claimed.ticket_id,
            purpose=claimed.purpose,
            outcome=state,
            code=reply.code,
            phase=reply.phase,
            domain=domain_of(claimed.recipient),
            attempt=claimed.attempts,
            ms=round((outcome.at - begun).total_seconds() * 1000),
        )

    def _carrier(self, claimed: Claimed) -> Carrier:
        return self.forwarder if self.forwarder and claimed.purpose == "forward" else self.courier

    async def _problem(self, claimed: Claimed, config: DispatchConfig) -> str:
        """Why the finished bytes must not go out, or nothing. NoProcess: they wait for their next turn."""
        try:
            return await self.check(claimed, config)
        except NoProcess:
            raise
        except Exception:  # what cannot be checked is not sent; a person sees it and can try it again
            log_exception("check_failed", answer=claimed.id)
            return "The last check of the finished message failed; the log says why. Nothing was sent."

    async def _why(self, claimed: Claimed, disposition: Disposition) -> str:
        """The sentence for the agent, with what ails our domain where that is the reason."""
        if not disposition.diagnose or self.diagnose is None:
            return disposition.sentence
        try:
            async with asyncio.timeout(DIAGNOSIS_SECONDS):
                diagnosis = await self.diagnose(domain_of(claimed.envelope_from))
        except Exception:  # the diagnosis is an extra: the outcome must be written all the same
            log_exception("diagnosis_failed", answer=claimed.id)
            diagnosis = ""
        return f"{disposition.sentence} {diagnosis}".strip()

    async def _until_written(
        self, claimed: Claimed, disposition: Disposition, outcome: DeliveryOutcome, plan: Plan
    ) -> str:
        """Writes the outcome, waiting for a store that fails: a 250 must not be forgotten."""
        while True:
            try:
                return await self._in_thread(lambda: self._write(claimed, disposition, outcome, plan))
            except StoreError as error:
                log("store_unavailable", level="error", limit_by="", answer=claimed.id, problem=str(error))
            if disposition.state != "sent" and self.clock() > claimed.lease_until:
                return "lost"
            await asyncio.sleep(self.pace.pause)

    def _write(self, claimed: Claimed, disposition: Disposition, outcome: DeliveryOutcome, plan: Plan) -> str:
        """What the row's state is then, or ``lost`` with the lease."""
        if disposition.state == "sent":
            hop = self._carrier(claimed).name(claimed.recipient)
            return record_sent(self.store, claimed, outcome, hop=hop, plan=plan, now=self.clock())
        return record_undelivered(self.store, claimed, disposition, outcome, self.clock())

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work)
