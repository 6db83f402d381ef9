"""The way in for people: every act and every view of command line, pages and API.

A :class:`Desk` has a store, a :class:`DeskConfig` and a clock. Who may do what is one table,
:mod:`relaydesk.desk.permissions`.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.desk.config import DeskConfig, DeskError, SignInConfig, UnknownQueue
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE, NotPermitted, agent_actor
from relaydesk.store import PageKey, Preferences, TicketFilter

if TYPE_CHECKING:
    from relaydesk.accounts import CompanyVisit
    from relaydesk.desk.accounts import Visitor
    from relaydesk.desk.answers import Queued, ReplyTemplates, Written
    from relaydesk.desk.sessions import CodeNeeded, Device, Entered
    from relaydesk.desk.threads import OpenedTicket
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket, WrittenAnswer
    from relaydesk.desk.tries import SignInPaused
    from relaydesk.outbound import AnswerRefused

__all__ = [
    "CONSOLE",
    "AnswerRefused",
    "CodeNeeded",
    "CompanyVisit",
    "Desk",
    "DeskConfig",
    "DeskError",
    "Device",
    "Entered",
    "NotPermitted",
    "OpenedTicket",
    "PageKey",
    "Preferences",
    "Queued",
    "ReadMessage",
    "ReplyTemplates",
    "SignInConfig",
    "SignInPaused",
    "TicketFilter",
    "UnknownQueue",
    "Visitor",
    "WholeTicket",
    "Written",
    "WrittenAnswer",
    "agent_actor",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "CodeNeeded": "sessions",
            "Device": "sessions",
            "Entered": "sessions",
            "SignInPaused": "tries",
            "CompanyVisit": "sign_in",
            "Queued": "answers",
            "ReadMessage": "ticket_view",
            "AnswerRefused": "answers",
            "OpenedTicket": "threads",
            "ReplyTemplates": "answers",
            "Visitor": "accounts",
            "WholeTicket": "ticket_view",
            "Written": "answers",
            "WrittenAnswer": "ticket_view",
        },
    )
