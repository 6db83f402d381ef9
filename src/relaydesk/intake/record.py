"""Decide and record: what the store knows, the decision, and one transaction.

Conflicts in it (the same delivery at the same moment, a second ticket for one relay address) lead to a fresh
read and a fresh decision, by the same configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from relaydesk.intake import bounced
from relaydesk.intake.known import read_known
from relaydesk.message import authentication_results, domain_of, received_line
from relaydesk.policy import decide
from relaydesk.store import known, messages, until_settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from relaydesk.classify import Rules
    from relaydesk.intake.forward import Forwarding
    from relaydesk.message import Envelope
    from relaydesk.policy import Decision, Gathered, Policy
    from relaydesk.store import Store

ATTEMPTS_KEPT = timedelta(days=7)  # senders give up after four to five days (RFC 5321 §4.5.4.1)
LARGE = 1 << 20  # bytes from which messages are stored one after the other, and let others in after them
Ids = dict[str, Any]  # what the log line names of the store


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


@dataclass(frozen=True, slots=True)
class Recorder:
    """Decides on messages and records them, in a thread of the store's. ``clock`` gives aware UTC."""

    store: Store
    clock: Callable[[], datetime]

    def settle(self, config: IntakeConfig, envelope: Envelope, gathered: Gathered) -> tuple[Decision, Ids]:
        """The decision on a message, recorded when this returns; the ids of what it became."""

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
                listed = config.policy.allowlist.is_sender(claimed_domain(envelope, gathered))
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
        forwarding = config.forwarding
        below = forwarding.below(envelope, decision) if forwarding is not None else None
        begin = self.store.turn if len(envelope.raw) > LARGE else self.store.transaction
        with begin() as session:
            recorded = messages.record(
                session, envelope, gathered.message, gathered.auth, decision, trace=trace, now=now
            )
            bounced.take_returned(session, envelope, decision, recorded, plan=config.policy.plan, now=now)
            if forwarding is not None and below is not None:
                subject = gathered.message.subject
                forwarding.lay(
                    session, envelope, decision, recorded, below=below, trace=trace, subject=subject, now=now
                )
        return {"message": recorded.message_id, "ticket": recorded.ticket_id}


def claimed_domain(envelope: Envelope, gathered: Gathered | None) -> str:
    """The domain the message claims to come from: of From, else of the reverse-path."""
    if gathered is not None and gathered.message.from_:
        return gathered.message.from_[0].domain
    return domain_of(envelope.mail_from)
