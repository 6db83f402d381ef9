"""A shop that answers: its sender, answers in a line, and a next hop's 250 without the network."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.clocks import stops
from relaydesk.desk import answers
from relaydesk.outbound.answer import Shop
from relaydesk.outbound.sender import Sender
from relaydesk.store import outbox, outbox_rows, tickets
from relaydesk_testkit.arriving import NOON, planned

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.events import Event
    from relaydesk.policy.decision import Planned
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
SECRET = b"s" * 32
SENDER = Sender(
    shop=Shop("Example Shop", "help@shop.example", "shop.example"),
    sender_domains=frozenset({"support.facebook.com", "support.instagram.com"}),
    secret=SECRET,
    undo=timedelta(seconds=30),
    give_up=timedelta(hours=72),
)


def plan(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
    """48 hours for an answer, in every queue."""
    return (planned("response" if relay else "handling", start, 48, 40),)


def events(store: Store, ticket: int) -> list[Event]:
    with store.reading() as session:
        return [event for _, event in tickets.events(session, ticket)]


def last_event(store: Store, ticket: int) -> int:
    with store.reading() as session:
        found = tickets.events(session, ticket)
    return found[-1][0]


def write(
    store: Store,
    ticket: int,
    text: str = "We look into it.",
    *,
    seen: int | None = None,
    actor: str = "agent:alice",
    now: datetime = NOON + HOUR,
    dry_run: bool = False,
    **chosen: Any,
) -> answers.Queued:
    """An answer by somebody who has seen all of the ticket, unless ``seen`` says otherwise."""
    return answers.answer(
        store,
        ticket,
        answers.Written(text, **chosen),
        SENDER,
        seen=last_event(store, ticket) if seen is None else seen,
        actor=actor,
        now=now,
        dry_run=dry_run,
    )


def send(store: Store, ticket: int, at: datetime) -> None:
    """Everything due by ``at`` got its 250 from the next hop then."""
    with store.transaction() as session:
        for claimed in outbox.claim(session, "test", at, HOUR, 10):
            outbox.delivered(session, claimed, outbox_rows.DeliveryOutcome(at, 250, "Ok"), "hop.example", at)
            if claimed.purpose == "answer":
                stops.stop_response_clock(
                    session, ticket, claimed.message_id, at=at, actor=claimed.author, plan=plan, now=at
                )
