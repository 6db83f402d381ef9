"""The vocabulary of ticket events: the append-only truth that states, counters and the report derive from.

An event is dated by when it *became true* (``at``), which for a breach is the deadline, not the sweep
that noticed it. ``data`` holds only JSON values; times in it are ISO 8601 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

WHAT: dict[str, str] = {
    "opened": "a message opened the ticket {kind, queue, reasons}",
    "message": "a further message joined {message, reasons}",
    "duplicate": "the same signed message came again {message}",
    "bounced": "a bounce of one of our answers came {message}",
    "escalated": "a claim was opened for this case's order {by}",
    "linked": "another ticket of the same order {ticket}",
    "clock_started": "{clock, round, due, reading, target, queue, warn_at}: round 1 is the first response",
    "clock_moved": "the deadline was derived again {clock, round, due, reading, target}",
    "clock_stopped": "answered or handled {clock, round, how}: how is answered, answered_outside or handled",
    "clock_reopened": "a stop was undone {clock, round, why}",
    "clock_withdrawn": "an older clock runs for its message too {clock, round, why}",
    "warned": "the warning before a deadline fell due {clock, round}",
    "breached": "the deadline passed with the clock running {clock, round, due}",
    "breach_withdrawn": "a stop dated before the deadline was recorded later {clock, round}",
    "answer_queued": "an answer waits to be sent {answer, message, purpose, order, not_before}",
    "answer_sent": "the next hop took the answer {answer, message, purpose, hop}",
    "answer_deferred": "the next hop put it off {answer, code, until, why}",
    "answer_refused": "it will not be delivered as it is {answer, code, why}",
    "answer_failed": "its give-up time passed {answer, why}",
    "answer_cancelled": "it was taken back before it left {answer}",
    "answer_swallowed": "an automatic answer of the shop's help desk was not sent, as the settings say",
    "answer_bounced": "a bounce of the answer came {answer, purpose, hard, status, message}",
    "no_order_confirmed": "the agent states that no order number exists {answer}",
    "assigned": "{agent} took it or was given it (null: nobody)",
    "note": "an internal note {text}",
    "moved": "to another queue {from, to}",
    "order_bound": "{order, how}",
    "order_released": "{order}",
    "closed": "{undecided: [clock…]}: clocks that still ran are undecided, neither met nor breached",
    "reopened": "{why}",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about a ticket. ``at`` is aware UTC; ``actor`` is ``agent:NAME``, ``mail`` or our own name."""

    ticket_id: int
    at: datetime
    what: str
    actor: str = "relaydesk"
    data: dict[str, Any] = field(default_factory=dict)
