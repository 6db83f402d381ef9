"""The dispatcher: takes what is due from the outbox, has it delivered and writes down how it ended.

Any number of dispatchers may run on one store. A row is claimed under a lease; the network is asked outside
of every transaction; the outcome and its event are one transaction. Exactly once as far as SMTP allows:

- the Message-ID is fixed before the first try and never changes;
- when the connection breaks between the message and its reply, or the process dies between the hop's 250 and
  our commit, nobody here can know whether the message left. It is sent again, with the same Message-ID: a
  doubled answer is better than a lost one, and receivers can tell it by that;
- a 250 that the store does not take is kept and offered again until it does, and counts even when the lease
  ran out meanwhile.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from relaydesk.clocks import stop_response_clock
from relaydesk.logs import domain_of, log, log_exception
from relaydesk.outbound import disposition
from relaydesk.outbound.answer import AnswerRefused, HopReply
from relaydesk.store import Claimed, DeliveryOutcome, StoreError, casework, outbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.events import Purpose
    from relaydesk.outbound.disposition import Disposition
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


@dataclass(frozen=True, slots=True)
class DispatchTiming:
    """``lease`` is longer than a delivery may take (``Patience.total``), else two would send one answer;
    ``concurrency`` is how many are under way at once; ``pause`` in seconds lies between two looks when
    nothing is due, and between two tries of a store that fails."""

    lease: timedelta = timedelta(minutes=15)
    concurrency: int = 8
    pause: float = 1.0
    drain: float = 8.0


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """What a dispatcher needs. ``who`` is unique to this process and names it in the leases.

    ``check`` looks at the finished bytes just before they go and raises AnswerRefused with a sentence;
    ``courier`` gives who carries a purpose; ``plan`` the clocks of a queue; ``chance`` a number in [0, 1).
    ``diagnose``, given our domain, says what is wrong with its mail authentication, for the admin.
    """

    store: Store
    courier: Callable[[Purpose], Carrier]
    check: Callable[[Claimed], None]
    plan: Plan
    who: str
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    workers: Executor
    pace: DispatchTiming = DispatchTiming()
    diagnose: Callable[[str], Awaitable[str]] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Sends what falls due until ``stop``; then waits a moment for what is under way.

        What is cut off there is sent again when its lease has run out.
        """
        under_way: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        worth_a_claim = max(1, self.pace.concurrency // 2)  # fewer, larger transactions
        try:
            while not stop.is_set():
                free = self.pace.concurrency - len(under_way)
                if free < worth_a_claim:
                    await asyncio.wait({stopping, *under_way}, return_when=asyncio.FIRST_COMPLETED)
                else:
                    claimed = await self._claim(free)
                    under_way |= {asyncio.create_task(self._send(one)) for one in claimed}
                    if len(claimed) < free:  # nothing more is due
                        await asyncio.wait({stopping}, timeout=self.pace.pause)
                under_way = {task for task in under_way if not task.done()}
        finally:
            stopping.cancel()
            await self._drain(under_way)

    async def _drain(self, under_way: set[asyncio.Task[None]]) -> None:
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=self.pace.drain)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def once(self) -> int:
        """Sends what is due now and returns how many were tried."""
        tried = 0
        while claimed := await self._claim(self.pace.concurrency):
            await asyncio.gather(*(self._send(one) for one in claimed))
            tried += len(claimed)
        return tried

    async def _claim(self, limit: int) -> tuple[Claimed, ...]:
        try:
            return await self._in_thread(lambda: self._claim_now(limit))
        except StoreError as error:
            log("store_unavailable", level="error", problem=str(error))
            return ()

    def _claim_now(self, limit: int) -> tuple[Claimed, ...]:
        now = self.clock()
        with self.store.reading() as session:
            if not outbox.anything_due(session, now):
                return ()
        with self.store.transaction() as session:
            return outbox.claim(session, self.who, now, self.pace.lease, limit)

    async def _send(self, claimed: Claimed) -> None:
        try:
            await self._send_and_tell(claimed)
        except Exception:  # the row's lease runs out and it is tried again
            log_exception("dispatch_failed", answer=claimed.id, ticket=claimed.ticket_id)

    async def _send_and_tell(self, claimed: Claimed) -> None:
        if claimed.lapsed:
            log("answer_may_be_doubled", level="warning", answer=claimed.id, attempt=claimed.attempts)
        begun = self.clock()
        problem = await self._in_thread(lambda: self._problem(claimed))
        if problem:
            reply, fate = HopReply(0, problem, "mail"), disposition.Disposition("refused", problem)
        else:
            carrier = self.courier(claimed.purpose)
            reply = await carrier.deliver(claimed.envelope_from, claimed.recipient, claimed.raw)
            fate = disposition.disposition_of(reply, claimed.attempts, self.chance())
        outcome = DeliveryOutcome(
            self.clock(), reply.code, disposition.said(reply), await self._why(claimed, fate)
        )
        state = await self._until_written(claimed, fate, outcome)
        log(
            "answer",
            level="error" if fate.tell_admin else "info",
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

    def _problem(self, claimed: Claimed) -> str:
        """Why the finished bytes must not go out, or nothing."""
        try:
            self.check(claimed)
        except AnswerRefused as refused:
            return str(refused)
        except Exception:  # what cannot be checked is not sent; a person sees it and can try it again
            log_exception("check_failed", answer=claimed.id)
            return "The last check of the finished message failed; the log says why. Nothing was sent."
        return ""

    async def _why(self, claimed: Claimed, fate: Disposition) -> str:
        """The sentence for the agent, with what ails our domain where that is the reason."""
        if not fate.diagnose or self.diagnose is None:
            return fate.sentence
        try:
            async with asyncio.timeout(DIAGNOSIS_SECONDS):
                found = await self.diagnose(domain_of(claimed.envelope_from))
        except Exception:  # the diagnosis is an extra: the outcome must be written all the same
            log_exception("diagnosis_failed", answer=claimed.id)
            found = ""
        return f"{fate.sentence} {found}".strip()

    async def _until_written(self, claimed: Claimed, fate: Disposition, outcome: DeliveryOutcome) -> str:
        """Writes the outcome, waiting for a store that fails: a 250 must not be forgotten."""
        while True:
            try:
                return await self._in_thread(lambda: self._write(claimed, fate, outcome))
            except StoreError as error:
                log("store_unavailable", level="error", answer=claimed.id, problem=str(error))
            if fate.state != "sent" and self.clock() > claimed.lease_until:
                return "lost"
            await asyncio.sleep(self.pace.pause)

    def _write(self, claimed: Claimed, fate: Disposition, outcome: DeliveryOutcome) -> str:
        """The outcome in one transaction; what the row's state is then, or ``lost`` with the lease."""
        if fate.state == "sent":
            return self._sent(claimed, outcome)
        now = self.clock()
        until = disposition.next_try(now, fate.retry_after, claimed.give_up_at) if fate.retry_after else None
        with self.store.transaction() as session:
            if fate.state == "refused":
                return "refused" if outbox.refused(session, claimed, outcome) else "lost"
            if until is not None:
                return "deferred" if outbox.put_off(session, claimed, outcome, until) else "lost"
            return "failed" if outbox.failed(session, claimed, outcome) else "lost"

    def _sent(self, claimed: Claimed, outcome: DeliveryOutcome) -> str:
        try:
            return self._sent_and_clock(claimed, outcome, clock=claimed.purpose == "answer")
        except StoreError:
            raise
        except Exception:
            # A clock that runs on is seen and can be stopped by hand; a message that is not known to have
            # left would be sent again at the end of every lease.
            log_exception("clock_not_stopped", answer=claimed.id, ticket=claimed.ticket_id)
            return self._sent_and_clock(claimed, outcome, clock=False)

    def _sent_and_clock(self, claimed: Claimed, outcome: DeliveryOutcome, *, clock: bool) -> str:
        now = self.clock()
        with self.store.transaction() as session:
            casework.lock(session, claimed.ticket_id)  # before the row, as everybody does who needs both
            if not outbox.delivered(
                session, claimed, outcome, self.courier(claimed.purpose).name(claimed.recipient), now
            ):
                log("answer_doubled", level="warning", answer=claimed.id, ticket=claimed.ticket_id)
                return "sent"
            if clock:
                stop_response_clock(
                    session,
                    claimed.ticket_id,
                    claimed.message_id,
                    at=outcome.at,
                    actor=claimed.author,
                    plan=self.plan,
                    now=now,
                )
        return "sent"

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work)
