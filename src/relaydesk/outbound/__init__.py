"""The way out: an answer is composed, checked, queued, carried to the next hop, and followed.

:class:`Sender` is who we are; :class:`Dispatcher` takes what is due from the outbox, :class:`Courier` carries
it by SMTP.
"""

from relaydesk.outbound.answer import AnswerRefused, AttachedFile, Draft, HopReply, Question, Shop
from relaydesk.outbound.attachments import attach_files
from relaydesk.outbound.check import check_outgoing, names_order, one_space, visible_text
from relaydesk.outbound.compose import (
    ORDER_ID,
    answer_subject,
    boundary_of,
    closing_line,
    compose_answer,
    header_lines,
)
from relaydesk.outbound.courier import Courier
from relaydesk.outbound.dispatcher import Dispatcher
from relaydesk.outbound.mime import attachment_part, clean_text, multipart, text_part
from relaydesk.outbound.next_hop import HostPort, NextHop, Timeouts
from relaydesk.outbound.occasion import template_context
from relaydesk.outbound.question import question_of
from relaydesk.outbound.sender import Sender, SigningKey
from relaydesk.outbound.smtp_client import Delivery, ProxiedClient, SmtpClient
from relaydesk.outbound.template_variables import SAMPLE_CONTEXTS, TemplateContext, template_variables
from relaydesk.outbound.templates import Templates

__all__ = [
    "ORDER_ID",
    "SAMPLE_CONTEXTS",
    "AnswerRefused",
    "AttachedFile",
    "Courier",
    "Delivery",
    "Dispatcher",
    "Draft",
    "HopReply",
    "HostPort",
    "NextHop",
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
    "boundary_of",
    "check_outgoing",
    "clean_text",
    "closing_line",
    "compose_answer",
    "header_lines",
    "multipart",
    "names_order",
    "one_space",
    "question_of",
    "template_context",
    "template_variables",
    "text_part",
    "visible_text",
]
