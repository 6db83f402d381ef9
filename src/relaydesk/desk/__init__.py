"""The way in for people: every act and every view of command line, pages and API.

A :class:`Desk` has a store, a :class:`DeskConfig` and a clock. Who may do what is one table,
:mod:`relaydesk.desk.permissions`.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.desk.config import DeskConfig
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE, agent_actor
from relaydesk.store import PageKey, TicketFilter

if TYPE_CHECKING:
    from relaydesk.desk.answers import Queued, ReplyTemplates, Written
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket, WrittenAnswer

__all__ = [
    "CONSOLE",
    "Desk",
    "DeskConfig",
    "PageKey",
    "Queued",
    "ReadMessage",
    "ReplyTemplates",
    "TicketFilter",
    "WholeTicket",
    "Written",
    "WrittenAnswer",
    "agent_actor",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Queued": "answers",
            "ReadMessage": "ticket_view",
            "ReplyTemplates": "answers",
            "WholeTicket": "ticket_view",
            "Written": "answers",
            "WrittenAnswer": "ticket_view",
        },
    )
