"""Handing a stored message on to another help desk: a row of the outbox like any answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.intake.forward import Sorted, added_fields, forwarded
from relaydesk.logs import log
from relaydesk.outbound import AnswerRefused
from relaydesk.store import outbox, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    """Which queues go on to which address, under whose name. ``authserv_id`` marks what we have forwarded."""

    addresses: Mapping[str, str]
    sender: Sender
    authserv_id: str

    def lay(  # noqa: PLR0913 - what came, what was decided, as what it was recorded
        self,
        session: Session,
        envelope: Envelope,
        decision: Decision,
        recorded: Recorded,
        *,
        trace: str,
        subject: str,
        now: datetime,
    ) -> int | None:
        """Lays an accepted message in the outbox, in the transaction that records it; the row's number.

        ``trace`` is our Received and Authentication-Results text. None when it does not go on: its queue is
        not forwarded, it is no new message of a ticket, or we have forwarded it before (logged: a loop, which
        a person must undo).
        """
        to, placement, ticket = self.addresses.get(decision.queue), decision.placement, recorded.ticket_id
        if to is None or ticket is None or placement is None or placement.action not in FORWARDED:
            return None
        about = _sorted(session, ticket, decision)
        try:
            raw = forwarded(envelope.raw, added_fields(about, trace), self.authserv_id)
        except AnswerRefused as refusal:
            log("forward_loop", level="error", ticket=ticket, problem=str(refusal))
            return None
        outgoing = outbox.Outgoing(
            purpose="forward",
            ticket=ticket,
            message=recorded.message_id,
            author="relaydesk",
            recipient=to,
            order_id=about.orders[0] if about.orders else None,
            not_before=now,
            give_up_at=now + self.sender.give_up,
        )

        def build(number: int) -> outbox.Finished:
            envelope_from = self.sender.envelope_from(ticket, number)
            # The message keeps its own Message-ID; the row's is only its name in the outbox.
            return outbox.Finished(envelope_from, self.sender.message_id(ticket, number), subject, raw)

        return outbox.put(session, outgoing, build, now)


def _sorted(session: Session, ticket_id: int, decision: Decision) -> Sorted:
    ticket = tickets.row(session, ticket_id)
    orders = tuple(
        number.value
        for number in ticket_orders.of_tickets(session, [ticket_id])
        if number.what == "order" and number.how == "bound"
    )
    return Sorted(ticket_id, decision.queue, decision.kind, orders, ticket.next_due if ticket else None)
