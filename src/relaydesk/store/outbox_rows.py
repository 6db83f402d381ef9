"""The rows of the outbox as values: what is to go out, who is sending it, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.events import Purpose

AnswerState = Literal["queued", "sending", "deferred", "sent", "refused", "failed", "cancelled", "bounced"]
"""``queued`` waits for its undo time or its turn; ``deferred`` was put off by the hop and is tried again;
``refused`` the hop or our own last check will not have it; ``failed`` its give-up time passed."""

UNDECIDED: tuple[AnswerState, ...] = ("queued", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be sent, before it is made.

    ``message`` is the stored message that is answered or forwarded, ``author`` an event's actor.
    ``not_before`` is the end of the undo time. Times are aware. ``handed_in`` is the delivery key of a help
    desk's submission: the same one never makes a second row.
    """

    purpose: Purpose
    ticket: int
    message: int
    author: str
    recipient: str
    order_id: str | None
    not_before: datetime
    give_up_at: datetime
    handed_in: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The message as it leaves, fixed before the first try. ``rfc_message_id`` is unique."""

    envelope_from: str
    rfc_message_id: str
    subject: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row without its bytes, for people to look at. Times are aware UTC.

    ``returned`` is what the last bounce of it was about (:attr:`relaydesk.bounces.Dsn.about`), None for none;
    ``needs_look_since`` is set until somebody has looked at how it ended.
    """

    id: int
    purpose: Purpose
    ticket_id: int
    message_id: int
    author: str
    recipient: str
    envelope_from: str
    rfc_message_id: str
    order_id: str | None
    subject: str
    state: AnswerState
    created_at: datetime
    not_before: datetime
    next_try_at: datetime
    give_up_at: datetime
    attempts: int
    lease_until: datetime | None
    first_tried_at: datetime | None
    last_code: int
    last_text: str
    sent_at: datetime | None
    hop: str
    returned: str | None = None
    needs_look_since: datetime | None = None

    @property
    def undecided(self) -> bool:
        return self.state in UNDECIDED


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours to send until ``lease_until``; ``attempts`` is the number of this claim.

    ``lapsed``: the claim before ran out without an outcome, so the hop may have the message already.
    """

    id: int
    purpose: Purpose
    ticket_id: int
    message_id: int
    author: str
    recipient: str
    envelope_from: str
    rfc_message_id: str
    order_id: str | None
    give_up_at: datetime
    attempts: int
    lease_by: str
    lease_until: datetime
    last_code: int
    last_text: str
    raw: bytes = field(default=b"", repr=False)
    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How a try ended: the hop's ``code`` (0: it said nothing) and ``text`` in printable ASCII, and ``why``,
    the sentence for the agent."""

    at: datetime
    code: int
    text: str
    why: str = ""
