"""The shop's policy as one value: what :mod:`decide` may know beyond the message itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from relaydesk.business_time import READINGS, Target, deadline, earliest_deadline, warning_time
from relaydesk.message import domain_of, normal_address, split_address
from relaydesk.policy.decision import Planned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from relaydesk.business_time import Calendar, Reading
    from relaydesk.events import ClockName
    from relaydesk.policy.allowlist import Allowlist


class Plan(Protocol):
    """The clocks that a queue's targets give to a start (``Policy.plan``)."""

    def __call__(
        self, queue: str, start: datetime, *, relay: bool, contact_reason: str = ""
    ) -> tuple[Planned, ...]: ...


@dataclass(frozen=True, slots=True)
class QueueTargets:
    """What one queue promises.

    ``answer`` starts a response clock where the message has a relay address and a handling clock where it
    has none; ``evidence`` starts the evidence clock of a chargeback. ``tighter`` maps a reason for contact
    to a second target: the earlier of the two counts. ``warn_before`` is business time before the deadline.
    """

    answer: Target | None = None
    evidence: Target | None = None
    reading: Reading = "elapsed"
    warn_before: Target | None = None
    tighter: Mapping[str, Target] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A :class:`Plan`: the targets of every queue, counted on the shop's calendar."""

    calendar: Calendar
    queues: Mapping[str, QueueTargets]

    def __call__(
        self, queue: str, start: datetime, *, relay: bool, contact_reason: str = ""
    ) -> tuple[Planned, ...]:
        """The clocks a message starts in a queue at ``start`` (aware UTC); none without targets."""
        targets = self.queues.get(queue, QueueTargets())
        planned = []
        if targets.answer is not None:
            wanted = [targets.answer]
            if contact_reason in targets.tighter:
                wanted.append(targets.tighter[contact_reason])
            planned.append(self._clock("response" if relay else "handling", start, wanted, targets))
        if targets.evidence is not None:
            planned.append(self._clock("evidence", start, [targets.evidence], targets))
        return tuple(planned)

    def with_reading(self, reading: str) -> QueuePlan:
        """The same, were business days read so in every queue; "" leaves each its own."""
        named = next((each for each in READINGS if each == reading), None)
        if named is None:
            return self
        return replace(
            self, queues={name: replace(targets, reading=named) for name, targets in self.queues.items()}
        )

    def _clock(
        self, clock: ClockName, start: datetime, wanted: list[Target], targets: QueueTargets
    ) -> Planned:
        chosen = earliest_deadline(
            deadline(start, target, self.calendar, targets.reading) for target in wanted
        )
        before = targets.warn_before
        warn_at = warning_time(start, chosen.due, before, self.calendar) if before else None
        return Planned(clock, start, chosen.due, warn_at, chosen.reading, chosen.target, chosen.explanation)


@dataclass(frozen=True, slots=True)
class Policy:
    """Mailboxes, lists, targets and limits. Addresses and domains are lower case.

    ``outage_after`` bounds promise 4: a delivery that stays unsettled that long since its first attempt is
    accepted unverified. ``secret`` seals our bounce addresses (see :mod:`relaydesk.bounces.seals`).
    """

    allowlist: Allowlist
    calendar: Calendar
    queues: Mapping[str, QueueTargets]
    mailboxes: frozenset[str]
    secret: bytes = b""
    on_drift: Literal["refuse", "defer"] = "refuse"
    unlisted_sender: Literal["unsorted", "refuse"] = "unsorted"
    outage_after: timedelta = timedelta(hours=4)
    old_signature: timedelta = timedelta(days=7)
    max_bounces: int = 20
    max_received: int = 50

    @property
    def domains(self) -> frozenset[str]:
        """The domains of our mailboxes."""
        return frozenset(domain_of(box) for box in self.mailboxes)

    def is_mailbox(self, rcpt: str) -> bool:
        """Whether mail to ``rcpt`` is for us; postmaster always is (RFC 5321 §4.5.1)."""
        address = normal_address(rcpt)
        local, domain = split_address(address)
        if not domain:
            return local == "postmaster"
        return address in self.mailboxes or (local == "postmaster" and domain in self.domains)

    def plan(
        self, queue: str, start: datetime, *, relay: bool, contact_reason: str = ""
    ) -> tuple[Planned, ...]:
        """The clocks a message starts in a queue: see :class:`QueuePlan`."""
        clocks = QueuePlan(self.calendar, self.queues)
        return clocks(queue, start, relay=relay, contact_reason=contact_reason)
