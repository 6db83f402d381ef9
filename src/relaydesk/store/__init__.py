"""The store: tables, transactions and every query by purpose, on SQLite and PostgreSQL alike.

:class:`Store` opens it; ``Store.transaction()`` writes, ``Store.reading()`` looks. The queries lie in modules
named for what they are about, imported whole: ``deadlines.start(session, …)``. They are loaded
by those who take them.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.store.engine import Store
from relaydesk.store.errors import (
    Conflict,
    StoreAbsent,
    StoreError,
    StoreLost,
    StoreUnavailable,
)
from relaydesk.store.lists import Page, PageKey, QueueCount, TicketFilter, TicketRow, TicketState

if TYPE_CHECKING:
    from relaydesk.store import (
        agents,
        api_tokens,
        audit,
        customer_mail,
        customers,
        deadlines,
        drafts,
        events,
        gateway_clients,
        known,
        lists,
        logins,
        looks,
        messages,
        news,
        orders,
        outbox,
        preferences,
        refusals,
        reporting,
        search,
        secret,
        sign_in_tries,
        threads,
        ticket_orders,
        tickets,
        web_sessions,
        webhooks,
    )
    from relaydesk.store.agents import AgentRole, AgentRow
    from relaydesk.store.api_tokens import TokenRow, TokenScope
    from relaydesk.store.contention import in_turns, until_settled, until_settled_async
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.gateway_clients import ClientRow
    from relaydesk.store.logins import LoginRow, StepRow
    from relaydesk.store.messages import Recorded
    from relaydesk.store.orders import Put
    from relaydesk.store.outbox_rows import Claimed, DeliveryOutcome, Finished, OutboxRow, Outgoing
    from relaydesk.store.preferences import Preferences
    from relaydesk.store.refusals import RefusalCount, RefusalKey, RefusalStanding, RefusalTally
    from relaydesk.store.threads import NotedEvent
    from relaydesk.store.ticket_orders import TicketOrder
    from relaydesk.store.tickets import AttachmentRow, MessageRow
    from relaydesk.store.web_sessions import LinkKind, LinkRow, SessionRow
    from relaydesk.store.webhooks import ClaimedNews, News, NewsRow, WebhookRow

__all__ = [
    "AgentRole",
    "AgentRow",
    "AttachmentRow",
    "Claimed",
    "ClaimedNews",
    "ClientRow",
    "Conflict",
    "DeadlineRow",
    "DeliveryOutcome",
    "Finished",
    "LinkKind",
    "LinkRow",
    "LoginRow",
    "MessageRow",
    "News",
    "NewsRow",
    "NotedEvent",
    "OutboxRow",
    "Outgoing",
    "Page",
    "PageKey",
    "Preferences",
    "Put",
    "QueueCount",
    "Recorded",
    "RefusalCount",
    "RefusalKey",
    "RefusalStanding",
    "RefusalTally",
    "SessionRow",
    "StepRow",
    "Store",
    "StoreAbsent",
    "StoreError",
    "StoreLost",
    "StoreUnavailable",
    "TicketFilter",
    "TicketOrder",
    "TicketRow",
    "TicketState",
    "TokenRow",
    "TokenScope",
    "WebhookRow",
    "agents",
    "api_tokens",
    "audit",
    "customer_mail",
    "customers",
    "deadlines",
    "drafts",
    "events",
    "gateway_clients",
    "in_turns",
    "known",
    "lists",
    "logins",
    "looks",
    "messages",
    "news",
    "orders",
    "outbox",
    "preferences",
    "refusals",
    "reporting",
    "search",
    "secret",
    "sign_in_tries",
    "threads",
    "ticket_orders",
    "tickets",
    "until_settled",
    "until_settled_async",
    "web_sessions",
    "webhooks",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "AgentRole": "agents",
            "AgentRow": "agents",
            "AttachmentRow": "tickets",
            "Claimed": "outbox_rows",
            "ClaimedNews": "webhooks",
            "ClientRow": "gateway_clients",
            "DeadlineRow": "deadlines",
            "DeliveryOutcome": "outbox_rows",
            "Finished": "outbox_rows",
            "LinkKind": "web_sessions",
            "LinkRow": "web_sessions",
            "LoginRow": "logins",
            "MessageRow": "tickets",
            "News": "webhooks",
            "NewsRow": "webhooks",
            "NotedEvent": "threads",
            "OutboxRow": "outbox_rows",
            "Outgoing": "outbox_rows",
            "Preferences": "preferences",
            "Put": "orders",
            "Recorded": "messages",
            "RefusalCount": "refusals",
            "RefusalKey": "refusals",
            "RefusalStanding": "refusals",
            "RefusalTally": "refusals",
            "SessionRow": "web_sessions",
            "StepRow": "logins",
            "TicketOrder": "ticket_orders",
            "TokenRow": "api_tokens",
            "TokenScope": "api_tokens",
            "WebhookRow": "webhooks",
            "in_turns": "contention",
            "until_settled": "contention",
            "until_settled_async": "contention",
        },
    )
