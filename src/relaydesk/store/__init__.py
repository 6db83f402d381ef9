"""The store: tables, transactions and every query by purpose, on SQLite and PostgreSQL alike.

:class:`Store` opens it; ``Store.transaction()`` writes, ``Store.reading()`` looks. The queries lie in modules
named for what they are about, which are this room's door: ``deadlines.start(session, …)``.
"""

from relaydesk.store import (
    agents,
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
from relaydesk.store.agents import AgentRow
from relaydesk.store.contention import until_settled
from relaydesk.store.deadlines import DeadlineRow
from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreError, StoreUnavailable
from relaydesk.store.messages import Recorded, answer_scope
from relaydesk.store.orders import Put
from relaydesk.store.outbox_rows import (
    UNDECIDED,
    Claimed,
    DeliveryOutcome,
    Finished,
    OutboxRow,
    Outgoing,
)
from relaydesk.store.refusals import RefusalCount, search
from relaydesk.store.ticket_orders import TicketOrder
from relaydesk.store.tickets import MessageRow, TicketRow, TicketView

__all__ = [
    "UNDECIDED",
    "AgentRow",
    "Claimed",
    "Conflict",
    "DeadlineRow",
    "DeliveryOutcome",
    "Finished",
    "MessageRow",
    "OutboxRow",
    "Outgoing",
    "Put",
    "Recorded",
    "RefusalCount",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "TicketOrder",
    "TicketRow",
    "TicketView",
    "agents",
    "answer_scope",
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
    "until_settled",
]
