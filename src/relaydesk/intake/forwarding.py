"""Handing a stored message on to another help desk: a row of the outbox like any answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.intake.forward import Sorted, added_fields, forwarded
from relaydesk.logs import log
from relaydesk.outbound import AnswerRefused
from relaydesk.store import lists, outbox, ticket_orders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.message import Envelope
    from relaydesk.outbound import Sender
    from relaydesk.policy import Decision
    from relaydesk.store import Recorded

FORWARDED = ("open", "join")
"""Placements whose message goes on; duplicates and bounces are not for another desk."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Which queues go on to which address; ``letterhead`` is asked anew for each message."""

    addresses: Mapping[str, str]
    letterhead: Callable[[], Sender]
    authserv_id: str

    def lay(  # noqa: PLR0913 - see forward_row
        self,
        session: Session,
        envelope: Envelope,
        decision: Decision,
        kept: Recorded,
        *,
        trace: str,
        subject: str,
        now: datetime,
    ) -> int | None:
        """Lays a message in the outbox where its queue goes on; see :func:`forward_row`."""
        to = self.addresses.get(decision.queue)
        if to is None:
            return None
        head = self.letterhead()
        return forward_row(
            session, envelope, decision, kept, to=to, trace=trace, authserv_id=self.authserv_id,
            letterhead=head, subject=subject, now=now,
        )  # fmt: skip


def forward_row(  # noqa: PLR0913 - what came, what was decided, where it goes, under whose name
    session: Session,
    envelope: Envelope,
    decision: Decision,
    kept: Recorded,
    *,
    to: str,
    trace: str,
    authserv_id: str,
    letterhead: Sender,
    subject: str,
    now: datetime,
) -> int | None:
    """Lays an accepted message in the outbox for ``to``, in the transaction that records it; its number.

    ``trace`` is our Received and Authentication-Results text. None when it does not go on: it is no new
    message of a ticket, or it was forwarded by us before (logged: a loop must be mended by a person).
    """
    if decision.placement is None or decision.placement.action not in FORWARDED or kept.ticket_id is None:
        return None
    ticket = lists.row(session, kept.ticket_id)
    bound = [
        one.value
        for one in ticket_orders.of_tickets(session, [kept.ticket_id])
        if one.what == "order" and one.how == "bound"
    ]
    due = ticket.next_due if ticket is not None else None
    found = Sorted(kept.ticket_id, decision.queue, decision.kind, tuple(bound), due)
    try:
        raw = forwarded(envelope.raw, added_fields(found, trace), authserv_id)
    except AnswerRefused as refusal:
        log("forward_loop", level="error", ticket=kept.ticket_id, problem=str(refusal))
        return None
    outgoing = outbox.Outgoing(
        purpose="forward",
        ticket=kept.ticket_id,
        message=kept.message_id,
        author="relaydesk",
        recipient=to,
        order_id=bound[0] if bound else None,
        not_before=now,
        give_up_at=now + letterhead.give_up,
    )

    def build(number: int) -> outbox.Finished:
        sealed = letterhead.envelope_from(found.ticket, number)
        # The message keeps its own Message-ID; the row's is only its name in the outbox.
        return outbox.Finished(sealed, letterhead.message_id(found.ticket, number), subject, raw)

    return outbox.put(session, outgoing, build, now)
