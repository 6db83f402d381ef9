"""Which events are news, and how a webhook reads of them. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from relaydesk.events import AnswerSent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from relaydesk.events import Event
    from relaydesk.store import TicketOrder, TicketRow

# The type of the news by the word of its event. An automatic answer, or mail handed on, answers nobody.
_TYPES = {
    "opened": "ticket.opened",
    "warned": "ticket.warned",
    "breached": "ticket.breached",
    "answer_sent": "ticket.answered",
    "answer_bounced": "ticket.bounced",
    "escalated": "ticket.escalated",
}
EVENT_TYPES = tuple(sorted(_TYPES.values()))
"""What a webhook can be told of."""

EVENT_WORDS = tuple(_TYPES)
"""The words of their events."""


def type_of(event: Event) -> str | None:
    """Of which type this event is news; None: of none."""
    if isinstance(event.payload, AnswerSent) and event.payload.purpose != "answer":
        return None
    return _TYPES.get(event.what)


def body_of(  # noqa: PLR0913 - what the news is made of
    number: int,
    kind: str,
    event: Event,
    *,
    ticket: TicketRow,
    orders: Iterable[TicketOrder],
    address: str,
) -> str:
    """The JSON that is posted. ``address`` is the desk's own, "" where it has none that others reach.

    Nothing of what the customer wrote is in it: whoever needs that reads the ticket.
    """
    return _json(
        id=f"evt_{number}",
        type=kind,
        at=event.at,
        ticket={
            "id": ticket.id,
            "kind": ticket.kind,
            "queue": ticket.queue,
            "state": ticket.state,
            "assignee": ticket.assignee,
            "escalated": ticket.escalated,
            "verified": ticket.verified,
            "next_due": ticket.next_due.isoformat() if ticket.next_due else None,
            "orders": [number.value for number in orders if number.what == "order"],
            "url": f"{address}/tickets/{ticket.id}" if address else None,
        },
        actor=event.actor,
        data=event.data,
    )


def sample_body(at: datetime) -> str:
    """What a webhook is sent to try it."""
    return _json(id="evt_0", type="test", at=at, ticket=None, actor="relaydesk", data={})


def _json(*, at: datetime, **values: Any) -> str:
    return json.dumps({**values, "at": at.isoformat()}, ensure_ascii=False, separators=(",", ":"))
