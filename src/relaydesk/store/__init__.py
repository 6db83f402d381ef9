"""The store: tables, transactions and every query by purpose, on SQLite and PostgreSQL alike.

:class:`Store` opens it; ``Store.transaction()`` writes, ``Store.reading()`` looks. The queries lie in modules
named for what they are about, which are this room's door: ``deadlines.start(session, …)``. They are loaded
by those who take them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from relaydesk.store.agents import AgentRole, AgentRow
from relaydesk.store.deadlines import DeadlineRow
from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreError, StoreUnavailable
from relaydesk.store.gateway_clients import ClientRow
from relaydesk.store.lists import Page, PageKey, QueueCount, TicketFilter
from relaydesk.store.orders import Put
from relaydesk.store.outbox import Claimed, DeliveryOutcome, OutboxRow, Purpose
from relaydesk.store.refusals import RefusalCount
from relaydesk.store.sight import answer_scope
from relaydesk.store.ticket_orders import TicketOrder
from relaydesk.store.tickets import MessageRow, TicketRow

if TYPE_CHECKING:
    from relaydesk.store import (
        agents,
        casework,
        deadlines,
        drafts,
        events,
        gateway_clients,
        lists,
        messages,
        orders,
        outbox,
        refusals,
        reporting,
        secret,
        ticket_orders,
        tickets,
    )
    from relaydesk.store.messages import Recorded

__all__ = [
    "AgentRole",
    "AgentRow",
    "Claimed",
    "ClientRow",
    "Conflict",
    "DeadlineRow",
    "DeliveryOutcome",
    "MessageRow",
    "OutboxRow",
    "Page",
    "PageKey",
    "Purpose",
    "Put",
    "QueueCount",
    "Recorded",
    "RefusalCount",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "TicketFilter",
    "TicketOrder",
    "TicketRow",
    "agents",
    "answer_scope",
    "casework",
    "deadlines",
    "drafts",
    "events",
    "gateway_clients",
    "lists",
    "messages",
    "orders",
    "outbox",
    "refusals",
    "reporting",
    "secret",
    "ticket_orders",
    "tickets",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Loads what is taken (PEP 562): a list of queues needs no word of how mail is written down."""
        if name != "Recorded":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.messages").Recorded
