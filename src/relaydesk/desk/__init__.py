"""The way in for people: every act and every view of command line, pages and API.

A :class:`Desk` has a store, a :class:`DeskConfig` and a clock. Who may do what is one table,
:mod:`relaydesk.desk.permissions`.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.desk.config import DeskConfig, DeskError, NotThere, SignInConfig, UnknownTicket
from relaydesk.desk.cursors import cursor_text, read_cursor
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE, NotPermitted, agent_actor
from relaydesk.store import PageKey, Preferences, TicketFilter

if TYPE_CHECKING:
    from relaydesk.accounts import CompanyVisit
    from relaydesk.desk.accounts import Visitor
    from relaydesk.desk.answerable import Change
    from relaydesk.desk.answers import Queued, Written
    from relaydesk.desk.health import HealthNow
    from relaydesk.desk.reply_templates import ReplyTemplates
    from relaydesk.desk.rule_text import RuleWords
    from relaydesk.desk.sessions import CodeNeeded, Device, Entered
    from relaydesk.desk.settings import SettingChanged
    from relaydesk.desk.sorting_rules import RuleTrial
    from relaydesk.desk.threads import OpenedTicket
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket, WrittenAnswer, sent_message
    from relaydesk.desk.tries import SignInPaused
    from relaydesk.desk.values import event_value, message_value, page_values, queued_value, ticket_value
    from relaydesk.outbound import AnswerRefused

NOBODY = ":nobody"
"""Stands for "nobody" where a form or an address names an agent: no agent's name holds a colon."""

__all__ = [
    "CONSOLE",
    "NOBODY",
    "AnswerRefused",
    "Change",
    "CodeNeeded",
    "CompanyVisit",
    "Desk",
    "DeskConfig",
    "DeskError",
    "Device",
    "Entered",
    "HealthNow",
    "NotPermitted",
    "NotThere",
    "OpenedTicket",
    "PageKey",
    "Preferences",
    "Queued",
    "ReadMessage",
    "ReplyTemplates",
    "RuleTrial",
    "RuleWords",
    "SettingChanged",
    "SignInConfig",
    "SignInPaused",
    "TicketFilter",
    "UnknownTicket",
    "Visitor",
    "WholeTicket",
    "Written",
    "WrittenAnswer",
    "agent_actor",
    "cursor_text",
    "event_value",
    "message_value",
    "page_values",
    "queued_value",
    "read_cursor",
    "sent_message",
    "ticket_value",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Change": "answerable",
            "HealthNow": "health",
            "CodeNeeded": "sessions",
            "Device": "sessions",
            "Entered": "sessions",
            "SignInPaused": "tries",
            "CompanyVisit": "sign_in",
            "Queued": "answers",
            "ReadMessage": "ticket_view",
            "AnswerRefused": "answers",
            "OpenedTicket": "threads",
            "ReplyTemplates": "reply_templates",
            "SettingChanged": "settings",
            "RuleTrial": "sorting_rules",
            "RuleWords": "rule_text",
            "Visitor": "accounts",
            "WholeTicket": "ticket_view",
            "Written": "answers",
            "event_value": "values",
            "message_value": "values",
            "page_values": "values",
            "queued_value": "values",
            "sent_message": "ticket_view",
            "ticket_value": "values",
            "WrittenAnswer": "ticket_view",
        },
    )
