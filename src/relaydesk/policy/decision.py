"""The values on both sides of :func:`relaydesk.policy.decide.decide`: what is known, and what is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.bounces import Dsn
    from relaydesk.business_time import Reading
    from relaydesk.classify import Findings
    from relaydesk.events import ClockName, Kind
    from relaydesk.message import AuthResults, Message
    from relaydesk.reasons import Reason

Outcome = Literal["accepted", "refused", "deferred"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one message says and what the network proves, before the store is asked.

    ``dsn`` is what it says of an answer of ours, for mail to our bounce addresses and notices of Meta's.
    """

    message: Message
    findings: Findings
    auth: AuthResults
    dsn: Dsn | None = None


@dataclass(frozen=True, slots=True)
class KnownTicket:
    """A ticket as far as threading needs it. ``sender`` is the From address that opened it, lower case.

    ``thread_key`` is the relay address it is bound to ("" when none or unverified); ``orders`` are the
    bound order ids; ``running`` the clocks that run now.
    """

    id: int
    kind: Kind
    queue: str
    open: bool
    sender: str
    thread_key: str = ""
    orders: tuple[str, ...] = ()
    running: tuple[ClockName, ...] = ()
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order of the directory: Facebook id, the seller's own reference, the buyer's relay address."""

    id: str
    merchant_ref: str = ""
    relay_address: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What gather read of the store for this message. Empty for ``explain``.

    ``first_seen`` is the first attempt of this delivery, if we deferred it; ``stored_ticket`` and
    ``stored`` say that this very delivery is stored; ``replay_of`` is the ticket that holds the same
    signed message; ``bounced_ticket`` the ticket our bounce address names, with ``bounces`` so far, and
    ``bounced_answer`` the answer (0 when only the ticket is named).
    ``tickets`` are those of the relay address (newest first), then those of the orders.
    """

    first_seen: datetime | None = None
    stored: bool = False
    stored_ticket: int | None = None
    replay_of: int | None = None
    bounced_ticket: int | None = None
    bounced_answer: int = 0
    bounces: int = 0
    tickets: tuple[KnownTicket, ...] = ()
    orders: tuple[KnownOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A clock to start: ``start`` and ``due`` aware UTC, ``warn_at`` or None, and why it is due then."""

    clock: ClockName
    start: datetime
    due: datetime
    warn_at: datetime | None
    reading: Reading
    target: str
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an accepted message goes.

    ``open`` makes a new ticket; ``join`` adds to ticket ``ticket`` (``reopen`` when it was closed);
    ``duplicate`` and ``bounce`` only note it there; ``stored`` means there is nothing to write.
    ``thread_key`` is the relay address a new ticket is bound to. ``escalates`` and ``links`` are tickets.
    ``answer`` is the one that a bounce names, 0 when it names none.
    """

    action: Literal["open", "join", "duplicate", "bounce", "stored"]
    ticket: int | None = None
    reopen: bool = False
    thread_key: str = ""
    escalates: tuple[int, ...] = ()
    links: tuple[int, ...] = ()
    bind_orders: tuple[str, ...] = ()
    answer: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Refuse, defer or accept; and for an accepted message all that the record transaction writes.

    ``reasons`` has at least one entry; the first one names the row of the policy. ``vouched`` is
    true when the message is proven genuine (row 7); ``replay_key`` is set only then. ``dsn`` is what a
    bounce says.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    findings: Findings
    kind: Kind = "unsorted"
    queue: str = "unsorted"
    vouched: bool = False
    replay_key: str = ""
    placement: Placement | None = None
    clocks: tuple[Planned, ...] = ()
    dsn: Dsn | None = None

    @property
    def code(self) -> str:
        return self.reasons[0].code


@dataclass(frozen=True, slots=True)
class Unread:
    """What is certain of a message whose content nobody has read: ``refusal`` is final, None when there is
    none; ``vouched`` says that it is proven genuine.
    """

    refusal: Decision | None
    vouched: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to one RCPT: ``accepted`` lets it in; otherwise ``reason`` says why not."""

    outcome: Outcome
    reason: Reason | None = None
