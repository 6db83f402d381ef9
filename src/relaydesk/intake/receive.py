"""Intake: one message from the wire to the store. Gather, decide, record; 250 only after the commit.

Gather reads the network and, shortly, the store; the decision is pure; the record is one transaction.
Conflicts in it (the same delivery at the same moment, a second ticket for one relay address) lead to a
fresh read and a fresh decision, by the same configuration.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from relaydesk.classify import Findings, Match, classify
from relaydesk.intake import bounced
from relaydesk.intake.known import read_known
from relaydesk.intake.refused import RefusalCounter, standing_of
from relaydesk.logs import log, log_exception
from relaydesk.mailauth import authenticate, check_spf
from relaydesk.message import authentication_results, domain_of, parse_message, received_line
from relaydesk.policy import Decision, Gathered, admit, decide
from relaydesk.reasons import reason
from relaydesk.store import StoreUnavailable, known, messages, refusals, until_settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.bounces import Dsn
    from relaydesk.classify import Rules
    from relaydesk.dns import Resolver
    from relaydesk.intake.forward import Forwarding
    from relaydesk.message import AuthResults, Envelope, Message, Origin
    from relaydesk.policy import Admission, Policy
    from relaydesk.reasons import Reason
    from relaydesk.store import Store

ATTEMPTS_KEPT = timedelta(days=7)  # senders give up after four to five days (RFC 5321 §4.5.4.1)
BIG = 65_536  # bytes from which parsing leaves the event loop
LARGE = 1 << 20  # bytes from which messages are stored one after the other
Ids = dict[str, Any]  # what the log line names of the store
NOTHING = Findings(Match("unsorted"))


class IntakeConfig(Protocol):
    """What the intake reads of a snapshot of the configuration.

    ``auth_timeout`` bounds the authentication of one message, in seconds. ``forwarding`` is None where no
    queue goes on elsewhere.
    """

    @property
    def policy(self) -> Policy: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def hostname(self) -> str: ...
    @property
    def authserv_id(self) -> str: ...
    @property
    def auth_timeout(self) -> float: ...
    @property
    def forwarding(self) -> Forwarding | None: ...


async def gather(
    envelope: Envelope, resolver: Resolver, policy: Policy, rules: Rules, auth_timeout: float = 20.0
) -> Gathered:
    """Read the message and authenticate it; the part that ``explain`` shares. Keeps nothing."""
    loop = asyncio.get_running_loop()

    def read() -> tuple[Message, Findings, Dsn | None]:
        message = parse_message(envelope.raw)
        findings = classify(message, rules, frozenset(policy.allowlist.senders))
        dsn = bounced.read_returned(envelope, message, findings, policy.secret)
        # What bounces are read of stands at the beginning of an attachment; the rest is in the raw bytes.
        return message.with_beginnings(BIG), findings, dsn

    message, findings, dsn = await loop.run_in_executor(None, read) if len(envelope.raw) > BIG else read()
    auth = await authenticate(envelope, message, resolver, limit=auth_timeout)
    return Gathered(message, findings, auth, dsn)


@dataclass(slots=True)
class Intake:
    """The work behind the SMTP server: ``admit`` answers a RCPT, ``receive`` a whole message.

    Both are given the snapshot of the configuration that their transaction began with. ``clock`` gives aware
    UTC; ``workers`` runs the store's work, never on the event loop.
    """

    store: Store
    resolver: Resolver
    clock: Callable[[], datetime]
    workers: Executor
    refusals: RefusalCounter = field(default_factory=RefusalCounter)
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def admit(
        self, config: IntakeConfig, origin: Origin, helo: str, mail_from: str, rcpt: str
    ) -> Admission:
        """Whether this recipient is taken from this peer. A refusal is counted."""
        policy = config.policy
        admission = admit(origin, mail_from, rcpt, policy)
        if admission.reason is not None and admission.reason.code == "no_role":
            domain = await self._drifting(origin, helo, mail_from, policy)
            if domain:
                admission = admit(origin, mail_from, rcpt, policy, drift_domain=domain)
        if admission.reason is not None:
            self._count(admission.reason, origin, origin.ip, domain_of(mail_from), policy)
            log(
                "rcpt",
                limit_by=_stranger(origin, ""),
                outcome=admission.outcome,
                code=admission.reason.code,
                ip=origin.ip,
            )
        return admission

    async def receive(self, config: IntakeConfig, envelope: Envelope) -> Decision:
        """Decide one message and store it if accepted. Never raises: what goes wrong defers."""
        started = time.perf_counter()
        gathered = None
        try:
            gathered = await gather(envelope, self.resolver, config.policy, config.rules, config.auth_timeout)
            loop = asyncio.get_running_loop()
            # Storing takes the driver two copies, and a large message the database's only pen for a while.
            async with self.large if len(envelope.raw) > LARGE else nullcontext():
                decision, ids = await loop.run_in_executor(
                    self.workers, self._settle, config, envelope, gathered
                )
        except StoreUnavailable as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            decision, ids = _deferred("store_unavailable"), {}
        except Exception:
            log_exception("unexpected_error")
            decision, ids = _deferred("internal_error"), {}
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

    def _settle(self, config: IntakeConfig, envelope: Envelope, gathered: Gathered) -> tuple[Decision, Ids]:
        def attempt() -> tuple[Decision, Ids]:
            with self.store.reading() as session:
                facts = read_known(session, envelope, gathered, config.policy)
            now = self.clock()
            decision = decide(envelope, gathered, facts, config.policy, now)
            return decision, self._record(config, envelope, gathered, decision, now)

        return until_settled(attempt)

    def _record(
        self,
        config: IntakeConfig,
        envelope: Envelope,
        gathered: Gathered,
        decision: Decision,
        now: datetime,
    ) -> Ids:
        if decision.outcome == "deferred":
            with self.store.transaction() as session:
                keep = config.policy.outage_after + ATTEMPTS_KEPT
                listed = config.policy.allowlist.is_sender(_claimed(envelope, gathered))
                known.remember_attempt(
                    session, envelope.delivery_key, envelope.received_at, keep, listed=listed
                )
        if decision.outcome != "accepted":
            return {}
        if decision.placement is not None and decision.placement.action == "stored":
            return {"ticket": decision.placement.ticket, "resend": True}
        trace = (
            f"{received_line(envelope, config.hostname)}\r\n"
            f"Authentication-Results: {authentication_results(gathered.auth, config.authserv_id)}\r\n"
        )
        with self.store.transaction() as session:
            recorded = messages.record(
                session, envelope, gathered.message, gathered.auth, decision, trace=trace, now=now
            )
            bounced.take_returned(session, envelope, decision, recorded, plan=config.policy.plan, now=now)
            if config.forwarding is not None:
                subject = gathered.message.subject
                config.forwarding.lay(
                    session, envelope, decision, recorded, trace=trace, subject=subject, now=now
                )
        return {"message": recorded.message_id, "ticket": recorded.ticket_id}

    async def _drifting(self, origin: Origin, helo: str, mail_from: str, policy: Policy) -> str:
        """The listed sender domain for which SPF passes from this unlisted peer, or ""."""
        domain = domain_of(mail_from)
        senders = policy.allowlist
        if origin.ip is None or not (senders.is_sender(domain) or senders.below_sender(domain)):
            return ""
        spf = await check_spf(origin.ip, mail_from, helo, self.resolver)
        if spf.result != "pass":
            return ""
        log("drift", level="warning", domain=domain, ip=origin.ip, remedy="relaydesk allowlist audit")
        return domain

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
        accepted, claimed = decision.outcome == "accepted", _claimed(envelope, gathered)
        if not accepted:
            self._count(decision.reasons[0], envelope.origin, envelope.peer, claimed, config.policy)
        log(
            "message",
            sender=claimed,
            to=sorted({domain_of(rcpt) for rcpt in envelope.rcpt_to}),
            auth=_methods(gathered.auth) if gathered else None,
            outcome=decision.outcome,
            code=decision.code,
            kind=decision.kind if accepted else None,
            queue=decision.queue if accepted else None,
            ms=round((time.perf_counter() - started) * 1000, 1),
            level="info",
            **ids,
        )


def _stranger(origin: Origin, peer: str) -> str | None:
    """By whom lines about it are limited: its address, or None where our lists know it."""
    return None if origin.role != "none" else origin.ip or peer


def _claimed(envelope: Envelope, gathered: Gathered | None) -> str:
    """The domain the message claims to come from: of From, else of the reverse-path."""
    if gathered is not None and gathered.message.from_:
        return gathered.message.from_[0].domain
    return domain_of(envelope.mail_from)


def _methods(auth: AuthResults) -> str:
    signatures = "+".join(signature.result for signature in auth.dkim) or "none"
    return f"spf={auth.spf.result} dkim={signatures} dmarc={auth.dmarc.result}"


def _deferred(code: str) -> Decision:
    return Decision("deferred", (reason(code),), NOTHING)
