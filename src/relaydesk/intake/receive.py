"""Intake: one message from the wire to the store. Gather, decide, record; 250 only after the commit.

Gather reads the network; :mod:`.record` reads the store, decides and writes in one transaction.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.classify import Findings, Match
from relaydesk.intake.drift import DriftCheck
from relaydesk.intake.gather import Busy, Gatherer, Gathering, GatherLimits
from relaydesk.intake.record import LARGE, Ids, Recorder, claimed_domain
from relaydesk.intake.refused import RefusalCounter, standing_of
from relaydesk.logs import log, log_exception
from relaydesk.message import UNASKED, domain_of
from relaydesk.places import FairPlaces, NoPlace
from relaydesk.policy import Admission, Decision, admit
from relaydesk.reasons import reason
from relaydesk.store import StoreUnavailable, refusals

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.dns import Resolver
    from relaydesk.intake.record import IntakeConfig
    from relaydesk.message import AuthResults, Envelope, Origin
    from relaydesk.policy import Gathered, Policy
    from relaydesk.process_pool import ProcessPool
    from relaydesk.reasons import Reason
    from relaydesk.store import Store

STORE_SECONDS = 30.0  # that a stranger's message waits for a thread of the store's
NOTHING = Findings(Match("unsorted"))


@dataclass(slots=True)
class Intake:
    """The work behind the SMTP server: ``admit`` answers a RCPT, ``receive`` a whole message.

    Both are given the snapshot of the configuration that their transaction began with. ``clock`` gives aware
    UTC; ``workers`` runs the store's work, never on the event loop, with ``store_threads`` threads, one of
    which no stranger's mail takes; ``pool`` reads content that may take long (None: this process does).
    """

    store: Store
    resolver: Resolver
    clock: Callable[[], datetime]
    workers: Executor
    pool: ProcessPool | None = None
    limits: GatherLimits | None = None
    store_threads: int = 4
    refusals: RefusalCounter = field(default_factory=RefusalCounter)
    _gatherer: Gatherer = field(init=False)
    _drift: DriftCheck = field(init=False)
    _storing: FairPlaces = field(init=False)
    _large: asyncio.Semaphore = field(init=False)
    _recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self._gatherer = Gatherer(self.resolver, self.pool, self.limits)
        self._drift = DriftCheck(self.resolver, self.clock)
        self._storing = FairPlaces(max(1, self.store_threads - 1), kept=self.store_threads)
        self._large = asyncio.Semaphore(1)
        self._recorder = Recorder(self.store, self.clock)

    async def admit(
        self, config: IntakeConfig, origin: Origin, helo: str, mail_from: str, rcpt: str
    ) -> Admission:
        """Whether this recipient is taken from this peer. A refusal is counted."""
        policy = config.policy
        admission = admit(origin, mail_from, rcpt, policy)
        if admission.reason is not None and admission.reason.code == "no_role":
            admission = await self._unlisted(policy, origin, helo, mail_from, rcpt)
        if admission.reason is not None:
            self._count(admission.reason, origin, origin.ip, domain_of(mail_from), policy)
            log(
                "rcpt",
                limit_by=_stranger(origin),
                outcome=admission.outcome,
                code=admission.reason.code,
                ip=origin.ip,
            )
        return admission

    async def receive(self, config: IntakeConfig, envelope: Envelope) -> Decision:
        """Decide one message and store it if accepted. Never raises: what goes wrong defers."""
        started = time.perf_counter()
        gathered, ids = None, Ids()
        try:
            gathering = await self._gatherer.gather(
                envelope, config.policy, config.rules, config.auth_timeout, self.clock()
            )
            gathered, decision = gathering.gathered, gathering.refusal
            if decision is None:
                decision, ids = await self._settled(config, envelope, gathering)
        except Busy as busy:
            decision = _deferred(busy.code)
        except StoreUnavailable as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            decision = _deferred("store_unavailable")
        except Exception:
            log_exception("unexpected_error")
            decision = _deferred("internal_error")
        try:
            self._account(config, envelope, gathered, decision, ids, started)
        except Exception:  # what is decided, and perhaps stored, stays so
            log_exception("unexpected_error")
        return decision

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], reason: Reason
    ) -> None:
        """The SMTP server refused this by itself (row 1): it is counted with the rest."""
        self._count(reason, origin, peer, domain_of(mail_from))
        log(
            "turned_away",
            limit_by=_stranger(origin, peer),
            code=reason.code,
            ip=origin.ip or peer,
            sender=domain_of(mail_from),
        )

    async def flush(self) -> None:
        """Write the counted refusals; they are kept for the next try when the store does not take them.

        Never raises: an error of ours costs the count, and says how much of it.
        """
        counted = self.refusals.take()
        if not counted:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self.workers, refusals.write, self.store, counted)
        except StoreUnavailable:
            self.refusals.give_back(counted)
        except Exception:
            log_exception("refusals_not_counted", lost=sum(tally.count for tally in counted.values()))

    async def _settled(
        self, config: IntakeConfig, envelope: Envelope, gathering: Gathering
    ) -> tuple[Decision, Ids]:
        """Decided and recorded by a thread of the store's; one of them no stranger's mail takes."""
        places, strange = self._storing, gathering.shares is not None
        # Storing takes the driver two copies, and a large message the database's only pen for a while.
        alone = self._large if len(envelope.raw) > LARGE else nullcontext()
        try:
            async with places.held({}, STORE_SECONDS) if strange else places.kept(), alone:
                return await asyncio.get_running_loop().run_in_executor(
                    self.workers, self._recorder.settle, config, envelope, gathering.gathered
                )
        except NoPlace:
            raise Busy("content_busy") from None

    async def _unlisted(
        self, policy: Policy, origin: Origin, helo: str, mail_from: str, rcpt: str
    ) -> Admission:
        """What a host in no list is told: something else where SPF says that the list is out of date."""
        self._gatherer.listed(policy.allowlist)
        try:
            domain = await self._drift.domain(origin.ip, helo, mail_from, policy.allowlist)
        except NoPlace:
            return Admission("deferred", reason("auth_busy"))
        if domain:
            log("drift", level="warning", domain=domain, ip=origin.ip, remedy="relaydesk allowlist audit")
        return admit(origin, mail_from, rcpt, policy, drift_domain=domain)

    def _count(
        self, why: Reason, origin: Origin, peer: str | None, domain: str, policy: Policy | None = None
    ) -> None:
        from_sender = policy is not None and policy.allowlist.is_sender(domain)
        standing = standing_of(origin, why.code, from_sender=from_sender)
        self.refusals.count(self.clock(), why.code, origin.ip or peer or "", domain, standing)

    def _account(  # noqa: PLR0913, PLR0917 - all that a line tells
        self,
        config: IntakeConfig,
        envelope: Envelope,
        gathered: Gathered | None,
        decision: Decision,
        ids: Ids,
        started: float,
    ) -> None:
        """Count and log what was decided."""
        accepted, claimed = decision.outcome == "accepted", claimed_domain(envelope, gathered)
        if not accepted:
            self._count(decision.reasons[0], envelope.origin, envelope.peer, claimed, config.policy)
        log(
            "message",
            limit_by=None if accepted else _stranger(envelope.origin, envelope.peer),
            sender=claimed,
            to=sorted({domain_of(rcpt) for rcpt in envelope.rcpt_to}),
            auth=_methods(gathered.auth) if gathered and gathered.auth is not UNASKED else None,
            outcome=decision.outcome,
            code=decision.code,
            kind=decision.kind if accepted else None,
            queue=decision.queue if accepted else None,
            ms=round((time.perf_counter() - started) * 1000, 1),
            level="info",
            **ids,
        )


def _stranger(origin: Origin, peer: str = "") -> str | None:
    """By whom lines about it are limited: its address, or None for a listed network.

    A relay vouches for nobody: what it hands on is any stranger's, and as much as they like.
    """
    return None if origin.allowlisted else origin.ip or peer


def _methods(auth: AuthResults) -> str:
    signatures = "+".join(signature.result for signature in auth.dkim) or "none"
    return f"spf={auth.spf.result} dkim={signatures} dmarc={auth.dmarc.result}"


def _deferred(code: str) -> Decision:
    return Decision("deferred", (reason(code),), NOTHING)
