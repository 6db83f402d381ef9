"""THE door for people: every act and view of web, API and command line."""

from relaydesk.desk.acts import (
    DeskError,
    add_agent,
    agents,
    answered_outside,
    assign,
    bind_order,
    close,
    deactivate_agent,
    handled,
    move,
    note,
    release_order,
    reopen,
)
from relaydesk.desk.answers import Queued, Written, answer, cancel, retry
from relaydesk.desk.clients import add_client, revoke_client

__all__ = [
    "DeskError",
    "Queued",
    "Written",
    "add_agent",
    "add_client",
    "agents",
    "answer",
    "answered_outside",
    "assign",
    "bind_order",
    "cancel",
    "close",
    "deactivate_agent",
    "handled",
    "move",
    "note",
    "release_order",
    "reopen",
    "retry",
    "revoke_client",
]
