"""An answer as one MIME message: to the relay address of the message answered, and to no other.

The bytes depend on the arguments alone: neither clock nor chance has a part in them.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING

from relaydesk.message import plain_address
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.check import PLACEHOLDER
from relaydesk.outbound.mime import (
    attachment_part,
    clean_line,
    clean_text,
    encoded_words,
    folded,
    is_plain,
    multipart,
    phrase,
    text_part,
)
from relaydesk.outbound.named_order import missing_line, names_order, require_order_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from relaydesk.outbound.answer import Draft, Question, Shop

MAX_SUBJECT = 200  # characters, before the order number is added
MAX_TEXT = 100_000  # characters
MAX_REFERENCES = 20

# "Re" of the languages that shops meet, also counted (Re[2], Re(3)) and with a full-width colon.
_REPLY = re.compile(
    r"(?:re|aw|antw|antwort|sv|vs|vá|odp|res|resp|rif|réf|rép|ynt|atb|bls|hv|"
    r"απ|σχετ|отв|ответ|回复|回覆|答复|答覆|返信|תגובה|رد)"
    r"[ ]?(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?[ ]?[:\uff1a]\s*",
    re.IGNORECASE,
)
_ID = re.compile(r"<[!-;=?-~]{1,240}>")
_BLANK = re.compile(r"\{(?=[{%])")


def compose_answer(question: Question, draft: Draft, shop: Shop, *, message_id: str, date: datetime) -> bytes:
    """The finished message, not yet signed. ``message_id`` with its angle brackets; ``date`` aware.

    Subject, text and HTML name the order; a closing line is added where the text does not name it and
    the seller's reference. Raises AnswerRefused where no such message can be made of these values.
    """
    _require(question, draft, shop, message_id)
    text = _closed(draft)
    boundary = boundary_of(message_id)
    body = multipart(
        "alternative", boundary + "a", [text_part("plain", text), text_part("html", as_html(text))]
    )
    if draft.enclosures:
        body = multipart("mixed", boundary + "m", [body, *map(attachment_part, draft.enclosures)])
    subject = answer_subject(question.subject, draft.order.id)
    return header_lines(question, subject, shop, message_id=message_id, date=date) + body


def boundary_of(message_id: str) -> str:
    """The beginning of all boundaries of one message."""
    return "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]


def header_lines(question: Question, subject: str, shop: Shop, *, message_id: str, date: datetime) -> bytes:
    """The header section but for the body's own fields. AnswerRefused for addresses that are none."""
    _require_addresses(question, shop, message_id)
    lines = [
        f"Date: {format_datetime(date.astimezone(UTC))}",
        folded(f"From: {phrase(shop.name)} <{shop.contact}>" if shop.name else f"From: {shop.contact}"),
        f"To: {question.relay_address}",
        folded("Subject: " + encoded_words(subject)),
        f"Message-ID: {message_id}",
        *_threading(question),
        "MIME-Version: 1.0",
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def _require_addresses(question: Question, shop: Shop, message_id: str) -> None:
    for address in (question.relay_address, shop.contact):
        if not address.isascii() or plain_address(address) is None:
            raise AnswerRefused(f"{address!r} is not an address that an answer can use.")
    if not _ID.fullmatch(message_id) or plain_address(message_id[1:-1]) is None:
        raise AnswerRefused(f"{message_id!r} is not a Message-ID.")


def _require(question: Question, draft: Draft, shop: Shop, message_id: str) -> None:
    _require_addresses(question, shop, message_id)
    if draft.order.id is None and not draft.no_order:
        raise AnswerRefused("Choose the order, or confirm that no order number exists.")
    require_order_number(draft.order)
    if len(draft.text) > MAX_TEXT:
        raise AnswerRefused(f"The text is longer than {MAX_TEXT} characters.")
    if not clean_text(draft.text):
        raise AnswerRefused("The answer has no text.")


def answer_subject(subject: str, order_id: str | None) -> str:
    """``Re:`` once, whatever language said it before, and the order id in plain ASCII where one is given."""
    rest = _BLANK.sub("{ ", clean_line(subject))
    while reply := _REPLY.match(rest):
        rest = rest[reply.end() :]
    if len(rest) > MAX_SUBJECT:
        rest = rest[:MAX_SUBJECT].rstrip() + "…"
    plain = " ".join(word for word in rest.split() if is_plain(word))
    if order_id is not None and not names_order(order_id, plain):
        rest = f"{rest} (order {order_id})" if rest else f"Order {order_id}"
    return f"Re: {rest or 'your message'}"


def _closed(draft: Draft) -> str:
    """The text with the line that names the order, unless it names it already."""
    text = clean_text(draft.text)
    if line := missing_line(draft.order, text):
        text = f"{text}\n\n{line}"
    if blank := PLACEHOLDER.search(text):
        raise AnswerRefused(f"The text still holds {blank[0]}: fill it in or remove it.")
    return text


def as_html(text: str) -> str:
    """The text as HTML that shows the same: a paragraph for each block of lines; nothing is made a link."""
    blocks = (escape(block) for block in text.split("\n\n"))
    paragraphs = "\n".join(f"<p>{_spaced(block)}</p>" for block in blocks)
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{paragraphs}\n</body></html>'


def _spaced(block: str) -> str:
    return block.replace("\t", "    ").replace("  ", "&nbsp; ").replace("\n", "<br>\n")


def _threading(question: Question) -> Iterator[str]:
    """In-Reply-To and References (RFC 5322 §3.6.4): the thread's first and latest messages at most."""
    answered = [question.message_id] if _ID.fullmatch(question.message_id) else []
    thread = [reference for reference in dict.fromkeys(question.references) if _ID.fullmatch(reference)]
    thread = [reference for reference in thread if reference not in answered] + answered
    if len(thread) > MAX_REFERENCES:
        thread = [thread[0], *thread[1 - MAX_REFERENCES :]]
    if answered:
        yield f"In-Reply-To: {question.message_id}"
    if thread:
        yield "References: " + "\r\n ".join(thread)
