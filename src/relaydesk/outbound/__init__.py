"""The way out: an answer is composed, checked, queued, carried to the next hop, and followed.

:class:`Sender` is who we are; :class:`Dispatcher` takes what is due from the outbox, :class:`Courier` carries
it by SMTP.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from relaydesk.outbound.answer import AnswerRefused, AttachedFile, Draft, Question, Shop
from relaydesk.outbound.next_hop import NextHop
from relaydesk.outbound.template_variables import SAMPLE_CONTEXTS, template_variables

if TYPE_CHECKING:
    from relaydesk.outbound.attachments import attach_files
    from relaydesk.outbound.check import check_outgoing, names_order, one_space, visible_text
    from relaydesk.outbound.compose import (
        ORDER_ID,
        answer_of_message_id,
        answer_subject,
        boundary_of,
        closing_line,
        compose_answer,
        header_lines,
    )
    from relaydesk.outbound.courier import Courier
    from relaydesk.outbound.dispatcher import Dispatcher
    from relaydesk.outbound.mime import attachment_part, clean_text, multipart, text_part
    from relaydesk.outbound.occasion import template_context
    from relaydesk.outbound.question import question_of
    from relaydesk.outbound.sender import Sender, SigningKey
    from relaydesk.outbound.templates import Template, Templates

__all__ = [
    "ORDER_ID",
    "SAMPLE_CONTEXTS",
    "AnswerRefused",
    "AttachedFile",
    "Courier",
    "Dispatcher",
    "Draft",
    "NextHop",
    "Question",
    "Sender",
    "Shop",
    "SigningKey",
    "Template",
    "Templates",
    "answer_of_message_id",
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

_LATE = {
    "Courier": "courier",
    "Dispatcher": "dispatcher",
    "ORDER_ID": "compose",
    "Sender": "sender",
    "SigningKey": "sender",
    "Template": "templates",
    "Templates": "templates",
    "answer_of_message_id": "compose",
    "answer_subject": "compose",
    "attach_files": "attachments",
    "attachment_part": "mime",
    "boundary_of": "compose",
    "check_outgoing": "check",
    "clean_text": "mime",
    "closing_line": "compose",
    "compose_answer": "compose",
    "header_lines": "compose",
    "multipart": "mime",
    "names_order": "check",
    "one_space": "check",
    "question_of": "question",
    "template_context": "occasion",
    "text_part": "mime",
    "visible_text": "check",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Loads what is taken (PEP 562): settings need a few values of this room, not its work."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
