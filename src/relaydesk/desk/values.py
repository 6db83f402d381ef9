"""What the desk is given and what it shows: frozen values that need no further look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.events import Event
    from relaydesk.outbound import AttachedFile
    from relaydesk.store import DeadlineRow, MessageRow, OutboxRow, TicketOrder, TicketRow


@dataclass(frozen=True, slots=True)
class Written:
    """What the agent wrote and chose.

    ``order`` picks one of the ticket's candidates, ``no_order`` states that there is none; neither is needed
    where one order is bound. ``message`` is the one answered, by default the customer's latest.
    """

    text: str
    order: str | None = None
    no_order: bool = False
    enclosures: tuple[AttachedFile, ...] = ()
    message: int | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """An answer in the outbox; ``remarks`` are sentences that the agent should read. Not sent yet."""

    answer: int
    message: int
    recipient: str
    order_id: str | None
    leaves_at: datetime
    raw: bytes = field(repr=False)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A stored message with its text, decoded; None where the ticket has so many that it was not read."""

    row: MessageRow
    text: str | None


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A text that was not sent, with the agent who wrote it as events name them."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class WholeTicket:
    """A ticket with everything that belongs to it, oldest first. Times are aware UTC.

    ``events`` have their numbers (the latest thousand of them); ``linked`` are the tickets of the same order.
    """

    ticket: TicketRow
    messages: tuple[ReadMessage, ...]
    events: tuple[tuple[int, Event], ...]
    clocks: tuple[DeadlineRow, ...]
    numbers: tuple[TicketOrder, ...]
    linked: tuple[TicketRow, ...]
    answers: tuple[OutboxRow, ...]
    drafts: tuple[KeptDraft, ...]
