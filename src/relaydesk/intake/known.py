"""What the store knows that bears on one message; the read that intake and ``explain`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.intake import bounced
from relaydesk.policy import replay_key
from relaydesk.store import known

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.message import Envelope
    from relaydesk.policy import Gathered, Known, Policy


def read_known(session: Session, envelope: Envelope, gathered: Gathered, policy: Policy) -> Known:
    """The message's orders, the tickets it may join, and its earlier deliveries; short indexed reads."""
    message, findings = gathered.message, gathered.findings
    sealed = bounced.sealed_answer(envelope, gathered.dsn, policy.secret)
    return known.known(
        session,
        delivery_key=envelope.delivery_key,
        replay_key=replay_key(gathered.auth, message.from_[0].domain if message.from_ else "", policy),
        relay_address=findings.relay_address or findings.failed_recipient,
        sender=message.from_[0].addr.lower() if message.from_ else "",
        order_ids=findings.values("order"),
        merchant_refs=findings.values("merchant_ref"),
        bounce_ticket=sealed.ticket if sealed else None,
        bounce_answer=sealed.answer if sealed else 0,
    )
