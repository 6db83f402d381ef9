"""The way out: an answer is composed, checked, queued, carried to the next hop, and followed.

:class:`Sender` is who we are; :class:`Dispatcher` takes what is due from the outbox, :class:`Courier` carries
it by SMTP.
"""

from relaydesk.outbound.answer import AnswerRefused, AttachedFile, Draft, HopReply, NamedOrder, Question, Shop
from relaydesk.outbound.attachments import attach_files
from relaydesk.outbound.check import visible_text
from relaydesk.outbound.compose import (
    answer_subject,
    boundary_of,
    compose_answer,
    header_lines,
)
from relaydesk.outbound.courier import Courier
from relaydesk.outbound.dispatcher import Dispatcher
from relaydesk.outbound.mime import attachment_part, clean_text, multipart, one_space, text_part
from relaydesk.outbound.named_order import OrderChoice, bound_orders, missing_line, require_order_number
from relaydesk.outbound.next_hop import HostPort, NextHop, Timeouts
from relaydesk.outbound.queue import order_of, question_of, queue_answer
from relaydesk.outbound.sender import Sender, SigningKey
from relaydesk.outbound.smtp_client import Delivery, ProxiedClient, SmtpClient
from relaydesk.outbound.template_variables import (
    SAMPLE_CONTEXTS,
    TemplateContext,
    template_context,
    template_variables,
)
from relaydesk.outbound.templates import Templates

__all__ = [
    "SAMPLE_CONTEXTS",
    "AnswerRefused",
    "AttachedFile",
    "Courier",
    "Delivery",
    "Dispatcher",
    "Draft",
    "HopReply",
    "HostPort",
    "NamedOrder",
    "NextHop",
    "OrderChoice",
    "ProxiedClient",
    "Question",
    "Sender",
    "Shop",
    "SigningKey",
    "SmtpClient",
    "TemplateContext",
    "Templates",
    "Timeouts",
    "answer_subject",
    "attach_files",
    "attachment_part",
    "bound_orders",
    "boundary_of",
    "clean_text",
    "compose_answer",
    "header_lines",
    "missing_line",
    "multipart",
    "one_space",
    "order_of",
    "question_of",
    "queue_answer",
    "require_order_number",
    "template_context",
    "template_variables",
    "text_part",
    "visible_text",
]
