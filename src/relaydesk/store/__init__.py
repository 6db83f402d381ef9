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
        api_replies,
        api_tokens,
        audit,
        check_runs,
        customer_mail,
        customers,
        deadlines,
        drafts,
        events,
        evidence,
        gateway_clients,
        known,
        links,
        list_counts,
        lists,
        logins,
        looks,
        merges,
        messages,
        named_tickets,
        news,
        orders,
        outbox,
        preferences,
        processes_seen,
        refusals,
        reporting,
        rule_proposals,
        saved_views,
        search,
        secret,
        sign_in_tries,
        snoozes,
        state_of,
        stored_settings,
        threads,
        ticket_orders,
        tickets,
        web_sessions,
        webhooks,
        written_answers,
    )
    from relaydesk.store.agents import AgentRole, AgentRow
    from relaydesk.store.api_replies import KeptReply
    from relaydesk.store.api_tokens import TokenRow, TokenScope
    from relaydesk.store.audit import AuditRow
    from relaydesk.store.check_runs import CheckRun
    from relaydesk.store.contention import in_turns, until_settled, until_settled_async
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.drafts import DraftRow
    from relaydesk.store.evidence import EvidenceRow, EvidenceState
    from relaydesk.store.gateway_clients import ClientRow
    from relaydesk.store.list_counts import AllCounts
    from relaydesk.store.logins import LoginRow, StepRow
    from relaydesk.store.messages import Recorded
    from relaydesk.store.orders import Put
    from relaydesk.store.outbox_rows import Claimed, DeliveryOutcome, Finished, OutboxRow, Outgoing
    from relaydesk.store.preferences import Preferences
    from relaydesk.store.processes_seen import ProcessSeen
    from relaydesk.store.refusals import RefusalCount, RefusalKey, RefusalStanding, RefusalTally
    from relaydesk.store.reporting import TicketFacts
    from relaydesk.store.rule_proposals import ProposalRow, SortedMail
    from relaydesk.store.saved_views import SavedView
    from relaydesk.store.stored_settings import StoredSettings, StoredValue
    from relaydesk.store.threads import NotedEvent
    from relaydesk.store.ticket_orders import TicketOrder
    from relaydesk.store.tickets import AttachmentRow, MessageRow
    from relaydesk.store.web_sessions import LinkKind, LinkRow, SessionRow
    from relaydesk.store.webhooks import ClaimedNews, News, NewsRow, WebhookRow
    from relaydesk.store.written_answers import Leaving

__all__ = [
    "AgentRole",
    "AgentRow",
    "AllCounts",
    "AttachmentRow",
    "AuditRow",
    "CheckRun",
    "Claimed",
    "ClaimedNews",
    "ClientRow",
    "Conflict",
    "DeadlineRow",
    "DeliveryOutcome",
    "DraftRow",
    "EvidenceRow",
    "EvidenceState",
    "Finished",
    "KeptReply",
    "Leaving",
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
    "ProcessSeen",
    "ProposalRow",
    "Put",
    "QueueCount",
    "Recorded",
    "RefusalCount",
    "RefusalKey",
    "RefusalStanding",
    "RefusalTally",
    "SavedView",
    "SessionRow",
    "SortedMail",
    "StepRow",
    "Store",
    "StoreAbsent",
    "StoreError",
    "StoreLost",
    "StoreUnavailable",
    "StoredSettings",
    "StoredValue",
    "TicketFacts",
    "TicketFilter",
    "TicketOrder",
    "TicketRow",
    "TicketState",
    "TokenRow",
    "TokenScope",
    "WebhookRow",
    "agents",
    "api_replies",
    "api_tokens",
    "audit",
    "check_runs",
    "customer_mail",
    "customers",
    "deadlines",
    "drafts",
    "events",
    "evidence",
    "gateway_clients",
    "in_turns",
    "known",
    "links",
    "list_counts",
    "lists",
    "logins",
    "looks",
    "merges",
    "messages",
    "named_tickets",
    "news",
    "orders",
    "outbox",
    "preferences",
    "processes_seen",
    "refusals",
    "reporting",
    "rule_proposals",
    "saved_views",
    "search",
    "secret",
    "sign_in_tries",
    "snoozes",
    "state_of",
    "stored_settings",
    "threads",
    "ticket_orders",
    "tickets",
    "until_settled",
    "until_settled_async",
    "web_sessions",
    "webhooks",
    "written_answers",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "AgentRole": "agents",
            "AgentRow": "agents",
            "AllCounts": "list_counts",
            "AttachmentRow": "tickets",
            "AuditRow": "audit",
            "CheckRun": "check_runs",
            "Claimed": "outbox_rows",
            "ClaimedNews": "webhooks",
            "ClientRow": "gateway_clients",
            "DeadlineRow": "deadlines",
            "DeliveryOutcome": "outbox_rows",
            "DraftRow": "drafts",
            "EvidenceRow": "evidence",
            "EvidenceState": "evidence",
            "Finished": "outbox_rows",
            "KeptReply": "api_replies",
            "Leaving": "written_answers",
            "LinkKind": "web_sessions",
            "LinkRow": "web_sessions",
            "LoginRow": "logins",
            "MessageRow": "tickets",
            "News": "webhooks",
            "NewsRow": "webhooks",
            "NotedEvent": "threads",
            "OutboxRow": "outbox_rows",
            "Outgoing": "outbox_rows",
            "ProcessSeen": "processes_seen",
            "Preferences": "preferences",
            "ProposalRow": "rule_proposals",
            "Put": "orders",
            "Recorded": "messages",
            "RefusalCount": "refusals",
            "RefusalKey": "refusals",
            "RefusalStanding": "refusals",
            "RefusalTally": "refusals",
            "StoredSettings": "stored_settings",
            "StoredValue": "stored_settings",
            "SavedView": "saved_views",
            "SessionRow": "web_sessions",
            "StepRow": "logins",
            "SortedMail": "rule_proposals",
            "TicketFacts": "reporting",
            "TicketOrder": "ticket_orders",
            "TokenRow": "api_tokens",
            "TokenScope": "api_tokens",
            "WebhookRow": "webhooks",
            "in_turns": "contention",
            "until_settled": "contention",
            "until_settled_async": "contention",
        },
    )
