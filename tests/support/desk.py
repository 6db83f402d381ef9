"""A desk over a store, at a moment of the test's own: Alice is an agent, Bob a lead, Ada an admin."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.accounts.passwords import AgentPasswords
from relaydesk.business_time.calendar import Calendar
from relaydesk.config.book import StoredOverFiles
from relaydesk.config.parts import shipped_rules
from relaydesk.config.settings import Settings
from relaydesk.data import data_path
from relaydesk.desk.config import DeskConfig, SignInConfig
from relaydesk.desk.desk import Desk
from relaydesk.orders.row import has_order_shape
from relaydesk.outbound.answer import Shop
from relaydesk.outbound.sender import Sender
from relaydesk.outbound.templates import Templates
from relaydesk.store import agents
from relaydesk_testkit.arriving import NOON, planned

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.events import Event
    from relaydesk.policy.decision import Planned
    from relaydesk.store.agents import AgentRole
    from relaydesk.store.engine import Store

ALICE, BOB, ADA = "agent:alice", "agent:bob", "agent:ada"
SECRET = b"s" * 32
SENDER = Sender(
    shop=Shop("Example Shop", "help@shop.example", "shop.example"),
    sender_domains=frozenset({"support.facebook.com", "support.instagram.com"}),
    secret=SECRET,
    undo=timedelta(seconds=30),
    give_up=timedelta(hours=72),
)
PASSWORDS = AgentPasswords(memory_kib=64, time_cost=1)  # as good as the real ones for what is tried here
SIGN_IN = SignInConfig(
    passwords=lambda: PASSWORDS,
    company=lambda: None,
    secret=lambda: SECRET,
    lasts=timedelta(hours=12),
    idle=timedelta(hours=2),
    stays=timedelta(days=14),
)
TEAM: dict[str, tuple[str, AgentRole]] = {
    "alice": ("Alice A.", "agent"),
    "bob": ("Bob B.", "lead"),
    "ada": ("Ada", "admin"),
}


def plan(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
    """48 hours for an answer, in every queue."""
    return (planned("response" if relay else "handling", start, 48, 40),)


def desk(store: Store, now: datetime = NOON, **config: Any) -> Desk:
    """The desk at ``now``, with its team; ``config`` are fields of :class:`DeskConfig`."""
    with store.reading() as session:
        missing = set(TEAM) - {agent.name for agent in agents.everybody(session)}
    if missing:
        with store.transaction() as session:
            for name in sorted(missing):
                shown, role = TEAM[name]
                agents.add(session, name, now=NOON, display_name=shown, role=role)
    usual: dict[str, Any] = {
        "calendar": Calendar.from_mapping({}, "calendar"),
        "queues": ("case", "claim", "chargeback", "unsorted", "notice"),
        "plan": lambda: plan,
        "sender": lambda: SENDER,
        "templates": lambda: Templates.load([data_path("templates") / "replies"]),
        "is_order_id": has_order_shape,
        "sorting_rules": shipped_rules,
        "attachment_types": ("application/pdf",),
        "attachment_bytes": 8_000_000,
        "give_up": timedelta(hours=72),
        "report_templates": data_path("templates"),
        "chance": secrets.token_bytes,
        "book": lambda: StoredOverFiles(Settings()),
        "sign_in": SIGN_IN,
    }
    return Desk(store, DeskConfig(**(usual | config)), lambda: now)


def events(store: Store, ticket: int) -> list[Event]:
    """A ticket's events as the desk shows them."""
    return [event for _, event in desk(store).tickets.view(ticket).events]
