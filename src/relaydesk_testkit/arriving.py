"""Values for store tests: an envelope, a message, a decision, as intake would hand them over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.classify.findings import Candidate, Findings, Match
from relaydesk.message.auth_results import AuthResults, DkimResult, DmarcResult, SpfResult
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.message.message import Address, Attachment, Message
from relaydesk.policy.decision import Decision, Placement, Planned
from relaydesk.reasons import reason
from relaydesk.store import known, messages

if TYPE_CHECKING:
    from relaydesk.events import ClockName
    from relaydesk.store.engine import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = "case++aaaa@support.facebook.com"
ORDER = "368509000000001"
AUTH = AuthResults(
    SpfResult("pass", "support.facebook.com"),
    (DkimResult("pass", "support.facebook.com", "s1", b="YWJj"),),
    DmarcResult("pass", "reject", "facebook.com", aligned_by=("dkim",)),
    aligned_dkim=(0,),
)


def envelope(body: bytes = b"Where is my order?\r\n", at: datetime = NOON) -> Envelope:
    raw = b"From: Alice <case++aaaa@support.facebook.com>\r\nSubject: Hello\r\n\r\n" + body
    origin = Origin("66.220.144.130", "origin", allowlisted=True, how="peer")
    return Envelope(
        "66.220.144.130", origin, "mx.example", "b@support.facebook.com", ("help@shop.example",), raw, at
    )


def parsed_message(subject: str = "Hello", attachments: tuple[Attachment, ...] = ()) -> Message:
    sender = Address("Alice", "case++aaaa", "support.facebook.com")
    return Message(from_=(sender,), subject=subject, message_id="<1@facebook.com>", attachments=attachments)


def planned(
    clock: ClockName = "response", start: datetime = NOON, hours: float = 48, warn: float | None = 40
) -> Planned:
    warn_at = None if warn is None else start + timedelta(hours=warn)
    return Planned(
        clock, start, start + timedelta(hours=hours), warn_at, "elapsed", f"{hours:g} hours", ("why",)
    )


def candidate(value: str = ORDER, sure: Any = "labelled", what: Any = "order") -> Candidate:
    return Candidate(value, what, "text", "Order #" if sure == "labelled" else "", sure)


def decision(
    placement: Placement,
    *,
    kind: Any = "case",
    clocks: tuple[Planned, ...] = (),
    candidates: tuple[Candidate, ...] = (),
    replay_key: str = "",
    relay_address: str = ALICE,
    vouched: bool = True,
) -> Decision:
    findings = Findings(Match(kind), relay_address, "aaaa", "alice", candidates=candidates)
    why = (reason("aligned_dkim", domain="support.facebook.com"),)
    return Decision("accepted", why, findings, kind, kind, vouched, replay_key, placement, clocks)


def store_message(
    store: Store,
    decided: Decision,
    *,
    body: bytes = b"Where is my order?\r\n",
    at: datetime = NOON,
    **parts: Any,
) -> messages.Recorded:
    with store.transaction() as session:
        return messages.record(
            session,
            envelope(body, at),
            parsed_message(**parts),
            AUTH,
            decided,
            trace="Received: by us",
            now=at,
        )


def open_ticket(
    store: Store, *, name: str = "alice", at: datetime = NOON, clocks: Any = None, **facts: Any
) -> int:
    """A new ticket of its own relay address, by default with a response clock of 48 hours."""
    address = f"case++{name}@support.facebook.com"
    running = (planned(start=at),) if clocks is None else clocks
    bind = facts.pop("bind_orders", ())
    placement = Placement("open", thread_key=address, bind_orders=bind)
    decided = decision(placement, clocks=running, relay_address=address, **facts)
    ticket = store_message(store, decided, body=f"{name} {at}".encode(), at=at).ticket_id
    assert ticket is not None
    return ticket


def asked(store: Store, body: bytes = b"Where is my order?\r\n", **keys: Any) -> Any:
    """What is known for a message."""
    usual: dict[str, Any] = {
        "delivery_key": envelope(body).delivery_key,
        "replay_key": "",
        "relay_address": ALICE,
        "sender": "",
        "order_ids": (),
        "merchant_refs": (),
        "bounce_ticket": None,
    }
    with store.reading() as session:
        return known.known(session, **(usual | keys))
