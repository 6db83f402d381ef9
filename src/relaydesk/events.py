"""The vocabulary of ticket events: the append-only truth that states, counters and the report derive from.

An event is dated by when it *became true* (``at``), which for a breach is the deadline, not the sweep that
noticed it. Each kind has its payload class here; its ``what`` is the word in the row, its fields are the keys
of the row's JSON, where times are ISO 8601. Rows are never rewritten: a field added later has a default, so
that older rows stay readable.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["case", "claim", "chargeback", "notice", "unsorted", "bounce"]
"""Which kind of mail a message is; a ticket is of the kind of the message that opened it."""

ClockName = Literal["response", "handling", "evidence"]

StoppedHow = Literal["answered", "answered_outside", "handled"]
"""How a person stopped a clock: by an answer that left, by one given elsewhere, by a statement."""

BoundBy = Literal["mail", "agent", "directory"]
"""What tied an order to a ticket: its mail, an agent, or the order itself, which came after the mail."""

Purpose = Literal["answer", "automatic", "forward"]
"""``answer`` is a person's and stops the clock; ``automatic`` is a desk's and does not; ``forward`` hands a
message on to another help desk."""

UNDONE = "undo"
"""The ``why`` of an event that takes back an act of a moment ago: what it took back counts as never done."""

_PAYLOADS: dict[str, type[Payload]] = {}


@dataclass(frozen=True)
class Payload:
    """What one kind of event holds beside ticket, moment and actor; ``what`` is the word for the kind."""

    what: ClassVar[str]

    def __init_subclass__(cls, what: str = "") -> None:
        if what:
            cls.what = what
            _PAYLOADS[what] = cls


@dataclass(frozen=True)
class OfMessage(Payload):
    """About a stored message. ``reasons`` are the codes of its decision; the first names the policy's row."""

    message: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class TicketOpened(OfMessage, what="opened"):
    """A message opened the ticket."""

    kind: Kind = "unsorted"
    queue: str = ""


@dataclass(frozen=True)
class MessageJoined(OfMessage, what="message"):
    """A further message joined."""


@dataclass(frozen=True)
class DuplicateJoined(OfMessage, what="duplicate"):
    """The same signed message came again."""


@dataclass(frozen=True)
class BounceJoined(OfMessage, what="bounced"):
    """A bounce of one of our answers came; which one, and what it says, is in :class:`AnswerBounced`."""


@dataclass(frozen=True)
class TicketEscalated(Payload, what="escalated"):
    """A claim, ticket ``by``, was opened for this case's order."""

    by: int


@dataclass(frozen=True)
class TicketLinked(Payload, what="linked"):
    """Another ticket: of the same order, or which an agent says belongs with it."""

    ticket: int


@dataclass(frozen=True)
class OfClock(Payload):
    """About one round of one clock; round 1 of ``response`` is the first response."""

    clock: ClockName
    round: int = 1


@dataclass(frozen=True, kw_only=True)
class ClockTerms(OfClock):
    """Until when a clock runs and why. ``due`` and ``warn_at`` are aware."""

    due: datetime
    warn_at: datetime | None = None
    reading: str = ""
    target: str = ""
    queue: str = ""


@dataclass(frozen=True)
class ClockStarted(ClockTerms, what="clock_started"):
    """A clock started, at the event's moment."""


@dataclass(frozen=True)
class ClockMoved(ClockTerms, what="clock_moved"):
    """The deadline was derived again."""


@dataclass(frozen=True, kw_only=True)
class ClockStopped(OfClock, what="clock_stopped"):
    """Answered or handled; ``text`` says what was done and is left out of the JSON when empty."""

    how: StoppedHow
    text: str = field(default="", metadata={"unless_empty": True})


@dataclass(frozen=True)
class ClockReopened(OfClock, what="clock_reopened"):
    """A stop was undone."""

    why: str = ""


@dataclass(frozen=True)
class ClockWithdrawn(OfClock, what="clock_withdrawn"):
    """It counts no more: an older clock runs for its message too, or the ticket's queue does not promise it.

    ``breached``: its deadline had passed before, and that stays counted. A ``clock_reopened`` takes it back.
    """

    why: str = ""
    breached: bool = field(default=False, metadata={"unless_empty": True})


@dataclass(frozen=True)
class DeadlineWarned(OfClock, what="warned"):
    """The warning before a deadline fell due."""


@dataclass(frozen=True, kw_only=True)
class DeadlineBreached(OfClock, what="breached"):
    """The deadline passed with the clock running."""

    due: datetime


@dataclass(frozen=True)
class BreachWithdrawn(OfClock, what="breach_withdrawn"):
    """A stop dated before the deadline was recorded later, or the deadline was moved."""


@dataclass(frozen=True)
class OfAnswer(Payload):
    """About one row of the outbox."""

    answer: int


@dataclass(frozen=True)
class AnswerQueued(OfAnswer, what="answer_queued"):
    """An answer to ``message`` waits to be sent; ``order`` is the one it names."""

    message: int
    purpose: Purpose
    order: str | None
    not_before: datetime


@dataclass(frozen=True)
class AnswerSent(OfAnswer, what="answer_sent"):
    """The next hop took the answer, with its 250 at the event's moment."""

    message: int
    purpose: Purpose
    hop: str


@dataclass(frozen=True)
class AnswerDeferred(OfAnswer, what="answer_deferred"):
    """The next hop put it off; ``code`` is its reply, 0 when it said nothing."""

    code: int
    until: datetime
    why: str


@dataclass(frozen=True)
class AnswerRejected(OfAnswer, what="answer_refused"):
    """It will not be delivered as it is; ``code`` is 0 when our own last check refused it."""

    code: int
    why: str


@dataclass(frozen=True)
class AnswerFailed(OfAnswer, what="answer_failed"):
    """Its give-up time passed."""

    why: str


@dataclass(frozen=True)
class AnswerCancelled(OfAnswer, what="answer_cancelled"):
    """It was taken back before it left."""


@dataclass(frozen=True)
class AnswerCleaned(OfAnswer, what="answer_cleaned"):
    """Rules took something out of what the shop's help desk handed in: each with its rule and its words."""

    taken: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnswerSwallowed(Payload, what="answer_swallowed"):
    """An automatic answer of the shop's help desk was not sent, as the settings say."""


@dataclass(frozen=True)
class AnswerBounced(OfAnswer, what="answer_bounced"):
    """A bounce of the answer came, stored as ``message``; ``status`` is that of RFC 3463.

    ``hard`` is None when it does not say whether trying again is of use.
    """

    purpose: Purpose
    hard: bool | None
    status: str
    message: int


@dataclass(frozen=True)
class NoOrderConfirmed(OfAnswer, what="no_order_confirmed"):
    """The agent states that no order number exists."""


@dataclass(frozen=True)
class EvidenceNoted(Payload, what="evidence"):
    """Of an item of the evidence list: a file was added (``name``), or how it stands was said."""

    item: str
    state: str
    name: str = field(default="", metadata={"unless_empty": True})
    sha256: str = field(default="", metadata={"unless_empty": True})


@dataclass(frozen=True)
class TicketAssigned(Payload, what="assigned"):
    """The ticket is assigned to ``agent``; None: to no agent. ``why`` is "undo" where an act was undone."""

    agent: str | None
    why: str = field(default="", metadata={"unless_empty": True})


@dataclass(frozen=True)
class NoteAdded(Payload, what="note"):
    """An internal note."""

    text: str


@dataclass(frozen=True)
class TicketMoved(Payload, what="moved"):
    """To another queue."""

    source: str = field(metadata={"key": "from"})  # a word that Python keeps for itself
    to: str
    why: str = field(default="", metadata={"unless_empty": True})


@dataclass(frozen=True)
class TicketSorted(Payload, what="sorted"):
    """An agent said of which kind the ticket is. Where that changes its queue, a ``moved`` tells it."""

    source: Kind = field(metadata={"key": "from"})
    to: Kind


@dataclass(frozen=True)
class TicketMerged(Payload, what="merged"):
    """Ticket ``source`` is shown in the thread of ticket ``into`` from now on; told on both.

    ``was`` is the state that the source had, ``look`` the code for which a person had to look at it. ``why``
    is what the two have in common.
    """

    source: int = field(metadata={"key": "from"})
    into: int
    was: Literal["open", "closed"] = "open"
    why: str = ""
    look: str = field(default="", metadata={"unless_empty": True})


@dataclass(frozen=True)
class TicketUnmerged(Payload, what="unmerged"):
    """A merge was taken back; told on both tickets."""

    source: int = field(metadata={"key": "from"})
    into: int
    why: str = field(default="", metadata={"unless_empty": True})


@dataclass(frozen=True)
class TicketUnlinked(Payload, what="unlinked"):
    """An agent says that another ticket has nothing to do with this one."""

    ticket: int


@dataclass(frozen=True)
class TicketSnoozed(Payload, what="snoozed"):
    """The agent does not want to see the ticket in their lists before ``until``, unless something happens."""

    until: datetime


@dataclass(frozen=True)
class TicketWoken(Payload, what="woken"):
    """The agent wants to see it again."""


@dataclass(frozen=True)
class JunkMarked(Payload, what="junk"):
    """An agent marked the ticket as junk, which closed it."""


@dataclass(frozen=True)
class JunkUnmarked(Payload, what="not_junk"):
    """It is no junk; it is open again."""


@dataclass(frozen=True)
class RuleProposed(Payload, what="rule_proposed"):
    """An agent proposed a sorting rule from a message of the ticket: ``proposal`` is its number."""

    proposal: int
    message: int
    kind: Kind


@dataclass(frozen=True)
class OrderReleased(Payload, what="order_released"):
    """An agent untied an order from the ticket."""

    order: str


@dataclass(frozen=True)
class OrderBound(Payload, what="order_bound"):
    """An order was tied to the ticket."""

    order: str
    how: BoundBy


@dataclass(frozen=True)
class TicketClosed(Payload, what="closed"):
    """Clocks that still ran and were in time are undecided, neither met nor breached."""

    undecided: tuple[ClockName, ...] = ()


@dataclass(frozen=True)
class TicketReopened(Payload, what="reopened"):
    """Open again."""

    why: str = ""


@dataclass(frozen=True)
class LookNeeded(Payload, what="needs_look"):
    """A person must look: ``reason`` is a code, ``of`` an earlier ticket of the relay address, 0 for itself.

    It is about an answer of ours or a stored message, 0 for none. Mail that opens or joins a ticket says so
    by the reasons of its own event.
    """

    reason: str
    answer: int = 0
    message: int = 0
    of: int = 0


@dataclass(frozen=True)
class LookedAt(Payload, what="looked_at"):
    """Somebody has looked: said so, answered, stated what was done, or closed the ticket.

    ``reason`` is the code that it bore, ``since`` when it came to bear it.
    """

    reason: str = field(default="", metadata={"unless_empty": True})
    since: datetime | None = field(default=None, metadata={"unless_empty": True})


@dataclass(frozen=True)
class UnreadPayload(Payload):
    """A row that this version cannot read, of a kind or form that a newer one wrote: kept as it is."""

    word: str
    values: Mapping[str, Any]


PAYLOADS: Mapping[str, type[Payload]] = MappingProxyType(_PAYLOADS)
"""Every kind of event by its word."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about a ticket. ``at`` is aware UTC; ``actor`` is ``agent:NAME``, ``mail`` or our own name.

    ``beyond`` are the keys of the row that the payload has no field for: a newer version wrote them.
    """

    ticket_id: int
    at: datetime
    payload: Payload
    actor: str = "relaydesk"
    beyond: Mapping[str, Any] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """The word for its kind."""
        return self.payload.word if isinstance(self.payload, UnreadPayload) else self.payload.what

    @property
    def data(self) -> dict[str, Any]:
        """The payload as the JSON object of its row."""
        if isinstance(self.payload, UnreadPayload):
            return dict(self.payload.values)
        values = {}
        for spec in fields(self.payload):
            value = getattr(self.payload, spec.name)
            if value not in ("", False, None) or not spec.metadata.get("unless_empty"):
                values[spec.metadata.get("key", spec.name)] = _json(value)
        return {**values, **self.beyond}


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
