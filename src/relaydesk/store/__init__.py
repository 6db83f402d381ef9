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
        audit,
        customer_mail,
        deadlines,
        drafts,
        events,
        gateway_clients,
        known,
        links,
        list_counts,
        lists,
        looks,
        merges,
        messages,
        orders,
        outbox,
        refusals,
        reporting,
        rule_proposals,
        saved_views,
        search,
        secret,
        snoozes,
        ticket_orders,
        tickets,
        web_sessions,
        webhooks,
    )
    from relaydesk.store.agents import AgentRole, AgentRow
    from relaydesk.store.contention import in_turns, until_settled, until_settled_async
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.gateway_clients import ClientRow
    from relaydesk.store.list_counts import AllCounts, OpenCount
    from relaydesk.store.messages import Recorded
    from relaydesk.store.orders import Put
    from relaydesk.store.outbox_rows import Claimed, DeliveryOutcome, Finished, OutboxRow, Outgoing
    from relaydesk.store.refusals import RefusalCount, RefusalKey, RefusalStanding, RefusalTally
    from relaydesk.store.rule_proposals import ProposalRow, SortedMail
    from relaydesk.store.saved_views import SavedView
    from relaydesk.store.ticket_orders import TicketOrder
    from relaydesk.store.tickets import AttachmentRow, MessageRow
    from relaydesk.store.webhooks import ClaimedNews, News, NewsRow, WebhookRow

__all__ = [
    "AgentRole",
    "AgentRow",
    "AllCounts",
    "AttachmentRow",
    "Claimed",
    "ClaimedNews",
    "ClientRow",
    "Conflict",
    "DeadlineRow",
    "DeliveryOutcome",
    "Finished",
    "MessageRow",
    "News",
    "NewsRow",
    "OpenCount",
    "OutboxRow",
    "Outgoing",
    "Page",
    "PageKey",
    "ProposalRow",
    "Put",
    "QueueCount",
    "Recorded",
    "RefusalCount",
    "RefusalKey",
    "RefusalStanding",
    "RefusalTally",
    "SavedView",
    "SortedMail",
    "Store",
    "StoreAbsent",
    "StoreError",
    "StoreLost",
    "StoreUnavailable",
    "TicketFilter",
    "TicketOrder",
    "TicketRow",
    "TicketState",
    "WebhookRow",
    "agents",
    "audit",
    "customer_mail",
    "deadlines",
    "drafts",
    "events",
    "gateway_clients",
    "in_turns",
    "known",
    "links",
    "list_counts",
    "lists",
    "looks",
    "merges",
    "messages",
    "orders",
    "outbox",
    "refusals",
    "reporting",
    "rule_proposals",
    "saved_views",
    "search",
    "secret",
    "snoozes",
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
            "AllCounts": "list_counts",
            "AttachmentRow": "tickets",
            "Claimed": "outbox_rows",
            "ClaimedNews": "webhooks",
            "ClientRow": "gateway_clients",
            "DeadlineRow": "deadlines",
            "DeliveryOutcome": "outbox_rows",
            "Finished": "outbox_rows",
            "MessageRow": "tickets",
            "News": "webhooks",
            "NewsRow": "webhooks",
            "OpenCount": "list_counts",
            "OutboxRow": "outbox_rows",
            "Outgoing": "outbox_rows",
            "ProposalRow": "rule_proposals",
            "Put": "orders",
            "Recorded": "messages",
            "RefusalCount": "refusals",
            "RefusalKey": "refusals",
            "RefusalStanding": "refusals",
            "RefusalTally": "refusals",
            "SavedView": "saved_views",
            "SortedMail": "rule_proposals",
            "TicketOrder": "ticket_orders",
            "WebhookRow": "webhooks",
            "in_turns": "contention",
            "until_settled": "contention",
            "until_settled_async": "contention",
        },
    )
