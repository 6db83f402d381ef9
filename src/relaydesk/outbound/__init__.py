"""The way out: an answer is composed, checked, queued, carried to the next hop, and followed.

:class:`Sender` is who we are; :class:`Dispatcher` takes what is due from the outbox, :class:`Courier` carries
it by SMTP.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.outbound.answer import AnswerRefused, AttachedFile, Draft, HopReply, NamedOrder, Question, Shop
from relaydesk.outbound.next_hop import HostPort, NextHop, Timeouts

if TYPE_CHECKING:
    from relaydesk.outbound.attachments import attach_files
    from relaydesk.outbound.compose import answer_subject, boundary_of, compose_answer, header_lines
    from relaydesk.outbound.courier import Courier
    from relaydesk.outbound.dispatcher import Dispatcher
    from relaydesk.outbound.last_check import LastCheck
    from relaydesk.outbound.mime import attachment_part, clean_line, clean_text, multipart, text_part
    from relaydesk.outbound.named_order import OrderChoice, bound_orders, missing_line, require_order_number
    from relaydesk.outbound.old_drafts import prune_drafts
    from relaydesk.outbound.queue import Grounds, grounds_of, queue_answer, take_number
    from relaydesk.outbound.sender import Sender, SigningKey
    from relaydesk.outbound.smtp_client import Delivery, ProxiedClient, SmtpClient
    from relaydesk.outbound.template_variables import (
        MEANINGS,
        SAMPLE_CONTEXTS,
        template_context,
        variables_of,
    )
    from relaydesk.outbound.templates import Template, Templates

__all__ = [
    "MEANINGS",
    "SAMPLE_CONTEXTS",
    "AnswerRefused",
    "AttachedFile",
    "Courier",
    "Delivery",
    "Dispatcher",
    "Draft",
    "Grounds",
    "HopReply",
    "HostPort",
    "LastCheck",
    "NamedOrder",
    "NextHop",
    "OrderChoice",
    "ProxiedClient",
    "Question",
    "Sender",
    "Shop",
    "SigningKey",
    "SmtpClient",
    "Template",
    "Templates",
    "Timeouts",
    "answer_subject",
    "attach_files",
    "attachment_part",
    "bound_orders",
    "boundary_of",
    "clean_line",
    "clean_text",
    "compose_answer",
    "grounds_of",
    "header_lines",
    "missing_line",
    "multipart",
    "prune_drafts",
    "queue_answer",
    "require_order_number",
    "take_number",
    "template_context",
    "text_part",
    "variables_of",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Courier": "courier",
            "Delivery": "smtp_client",
            "Dispatcher": "dispatcher",
            "Grounds": "queue",
            "LastCheck": "last_check",
            "prune_drafts": "old_drafts",
            "MEANINGS": "template_variables",
            "OrderChoice": "named_order",
            "ProxiedClient": "smtp_client",
            "SAMPLE_CONTEXTS": "template_variables",
            "Sender": "sender",
            "SigningKey": "sender",
            "SmtpClient": "smtp_client",
            "Template": "templates",
            "Templates": "templates",
            "answer_subject": "compose",
            "attach_files": "attachments",
            "attachment_part": "mime",
            "bound_orders": "named_order",
            "boundary_of": "compose",
            "clean_line": "mime",
            "clean_text": "mime",
            "compose_answer": "compose",
            "grounds_of": "queue",
            "header_lines": "compose",
            "missing_line": "named_order",
            "multipart": "mime",
            "queue_answer": "queue",
            "require_order_number": "named_order",
            "take_number": "queue",
            "template_context": "template_variables",
            "text_part": "mime",
            "variables_of": "template_variables",
        },
    )
