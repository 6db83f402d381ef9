"""A shop that answers: its sender, answers in a line, and a next hop's 250 without the network."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.clocks import stops
from relaydesk.desk.answers import Queued, Written
from relaydesk.store import outbox, outbox_rows
from relaydesk_testkit.arriving import NOON
from tests.support.desk import ALICE, SECRET, SENDER, desk, events, plan

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.policy.policy import Plan
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)


def write(
    store: Store,
    ticket: int,
    text: str = "We look into it.",
    *,
    seen: int | None = None,
    by: str = ALICE,
    now: datetime = NOON + HOUR,
    dry_run: bool = False,
    **chosen: Any,
) -> Queued:
    """An answer by somebody who has seen all of the ticket, unless ``seen`` says otherwise."""
    at_desk = desk(store, now)
    if seen is None:
        seen = at_desk.tickets.latest_event(ticket)
    return at_desk.answers.write(ticket, Written(text, **chosen), seen=seen, by=by, dry_run=dry_run)


def send(store: Store, ticket: int, at: datetime, plan: Plan = plan) -> None:
    """Everything due by ``at`` got its 250 from the next hop then."""
    with store.transaction() as session:
        for claimed in outbox.claim(session, "test", at, HOUR, 10):
            outbox.delivered(session, claimed, outbox_rows.DeliveryOutcome(at, 250, "Ok"), "hop.example", at)
            if claimed.purpose == "answer":
                stops.stop_response_clock(
                    session, ticket, claimed.message_id, at=at, actor=claimed.author, plan=plan, now=at
                )


__all__ = ["SECRET", "SENDER", "events", "plan", "send", "write"]
