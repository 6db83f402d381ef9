"""The way in for people: every act and every view of command line, pages and API.

A :class:`Desk` has a store, a :class:`DeskConfig` and a clock. Who may do what is one table,
:mod:`relaydesk.desk.permissions`.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.desk.config import DeskConfig, DeskError, UnknownQueue
from relaydesk.desk.cursors import cursor_text, read_cursor
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE, NotPermitted, agent_actor
from relaydesk.store import PageKey, TicketFilter

if TYPE_CHECKING:
    from relaydesk.desk.accounts import Visitor
    from relaydesk.desk.answers import Queued, ReplyTemplates, Written
    from relaydesk.desk.rule_text import RuleWords
    from relaydesk.desk.saved_views import UnknownView
    from relaydesk.desk.sorting_rules import RuleTrial
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket, WrittenAnswer
    from relaydesk.outbound import AnswerRefused

__all__ = [
    "CONSOLE",
    "AnswerRefused",
    "Desk",
    "DeskConfig",
    "DeskError",
    "NotPermitted",
    "PageKey",
    "Queued",
    "ReadMessage",
    "ReplyTemplates",
    "RuleTrial",
    "RuleWords",
    "TicketFilter",
    "UnknownQueue",
    "UnknownView",
    "Visitor",
    "WholeTicket",
    "Written",
    "WrittenAnswer",
    "agent_actor",
    "cursor_text",
    "read_cursor",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Queued": "answers",
            "ReadMessage": "ticket_view",
            "AnswerRefused": "answers",
            "ReplyTemplates": "answers",
            "RuleTrial": "sorting_rules",
            "RuleWords": "rule_text",
            "UnknownView": "saved_views",
            "Visitor": "accounts",
            "WholeTicket": "ticket_view",
            "Written": "answers",
            "WrittenAnswer": "ticket_view",
        },
    )
