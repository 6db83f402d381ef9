"""The store: tables, transactions and every query by purpose, on SQLite and PostgreSQL alike.

:class:`Store` opens it; ``Store.transaction()`` writes, ``Store.reading()`` looks. The queries lie in modules
named for what they are about, which are this room's door: ``deadlines.start(session, …)``.
"""

from relaydesk.store import (
    casework,
    deadlines,
    drafts,
    events,
    gateway_clients,
    messages,
    orders,
    outbox,
    reporting,
    secret,
    ticket_orders,
    tickets,
)
from relaydesk.store.casework import AgentRow
from relaydesk.store.deadlines import DeadlineRow
from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreError, StoreUnavailable
from relaydesk.store.messages import Recorded
from relaydesk.store.orders import Put
from relaydesk.store.outbox import UNDECIDED, Claimed, DeliveryOutcome, OutboxRow
from relaydesk.store.refusals import RefusalCount, search
from relaydesk.store.sight import answer_scope
from relaydesk.store.ticket_orders import TicketOrder
from relaydesk.store.tickets import MessageRow, TicketRow, TicketView

__all__ = [
    "UNDECIDED",
    "AgentRow",
    "Claimed",
    "Conflict",
    "DeadlineRow",
    "DeliveryOutcome",
    "MessageRow",
    "OutboxRow",
    "Put",
    "Recorded",
    "RefusalCount",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "TicketOrder",
    "TicketRow",
    "TicketView",
    "answer_scope",
    "casework",
    "deadlines",
    "drafts",
    "events",
    "gateway_clients",
    "messages",
    "orders",
    "outbox",
    "reporting",
    "search",
    "secret",
    "ticket_orders",
    "tickets",
]
