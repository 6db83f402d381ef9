"""How a try ended is written down: the row, its event, the clock that stops, the mark for a person's look.

Each outcome is one transaction, in which the ticket is locked before the row, as all do who need both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.clocks import demand_look, look_by_answer, stop_response_clock
from relaydesk.logs import log, log_exception
from relaydesk.outbound.disposition import next_try
from relaydesk.store import StoreError, outbox, tickets

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.outbound.disposition import Disposition
    from relaydesk.policy import Plan
    from relaydesk.store import Claimed, DeliveryOutcome, Store


def record_undelivered(
    store: Store, claimed: Claimed, disposition: Disposition, outcome: DeliveryOutcome, now: datetime
) -> str:
    """It is put off, refused, or given up; ``lost`` when the lease was."""
    retry_after = disposition.retry_after
    until = next_try(now, retry_after, claimed.give_up_at) if retry_after else None
    with store.transaction() as session:
        if disposition.state != "refused" and until is not None:
            return "deferred" if outbox.put_off(session, claimed, outcome, until) else "lost"
        tickets.lock(session, claimed.ticket_id)
        refused = disposition.state == "refused"
        end = outbox.refused if refused else outbox.failed
        if not end(session, claimed, outcome):
            return "lost"
        demand_look(session, claimed.ticket_id, "not_sent", answer=claimed.id, at=outcome.at, now=now)
    return "refused" if refused else "failed"


def record_sent(  # noqa: PLR0913 - what left, for where, when
    store: Store, claimed: Claimed, outcome: DeliveryOutcome, *, hop: str, plan: Plan, now: datetime
) -> str:
    """The hop took it with its 250; an answer stops the response clock that it answers, by ``plan``."""
    answered = plan if claimed.purpose == "answer" else None
    try:
        return _sent(store, claimed, outcome, hop=hop, plan=answered, now=now)
    except StoreError:
        raise
    except Exception:
        # A clock that runs on is seen and can be stopped by an agent; a message that is not known to have
        # left would be sent again at the end of every lease.
        log_exception("clock_not_stopped", answer=claimed.id, ticket=claimed.ticket_id)
        state = _sent(store, claimed, outcome, hop=hop, plan=None, now=now)
    try:
        with store.transaction() as session:
            number, at = claimed.ticket_id, outcome.at
            tickets.lock(session, number)
            demand_look(session, number, "clock_not_stopped", answer=claimed.id, at=at, now=now)
    except Exception:  # that the message has left is written, and the clock that runs on is in its queue
        log_exception("ticket_not_marked", answer=claimed.id, ticket=claimed.ticket_id)
    return state


def _sent(  # noqa: PLR0913 - as above
    store: Store, claimed: Claimed, outcome: DeliveryOutcome, *, hop: str, plan: Plan | None, now: datetime
) -> str:
    with store.transaction() as session:
        ticket = tickets.lock(session, claimed.ticket_id)
        if not outbox.delivered(session, claimed, outcome, hop, now):
            log("answer_doubled", level="warning", answer=claimed.id, ticket=claimed.ticket_id)
            return "sent"
        if plan is None:
            return "sent"
        stop_response_clock(
            session,
            claimed.ticket_id,
            claimed.message_id,
            at=outcome.at,
            actor=claimed.author,
            plan=plan,
            now=now,
        )
        if ticket is not None and (ticket.needs_look or ticket.merged_into):
            look_by_answer(session, claimed, now)
    return "sent"
