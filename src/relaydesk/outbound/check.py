"""The last look at an answer's finished bytes, just before MAIL FROM.

Whoever made the bytes, they are read here anew by the standard library's parser and held against what
the answer is bound to. What is not beyond doubt is refused with a sentence for the agent.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from relaydesk.characters import CONTROLS, TURNING
from relaydesk.message import (
    MAX_LETTER,
    MAX_LETTER_TAGS,
    Unreadable,
    domain_of,
    normal_address,
    split_address,
    visible_text,
)
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.mime import one_space
from relaydesk.outbound.named_order import names_order, shown_ref
from relaydesk.outbound.outgoing import outgoing_message

if TYPE_CHECKING:
    from relaydesk.outbound.answer import Binding
    from relaydesk.outbound.outgoing import OutgoingMessage

MAX_BYTES = 25_000_000
MAX_HEADERS = 65_536
MAX_LINE = 998  # RFC 5322 §2.1.1, without its CR LF
MAX_FIELD = 8_192
"""Bytes of a field with its folds. References takes 5,000; the standard parser is quadratic in its length."""
MAX_CONTENT_FIELD = 1_200
"""Bytes of a Content-… field; a file name of ours takes 800. Of 8,000 the standard parser takes a second."""
MAX_MULTIPARTS = 50
MAX_DEPTH = 10
ONCE = frozenset(
    {"date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references",
     "subject", "mime-version", "content-type", "content-transfer-encoding", "content-disposition"}
)  # fmt: skip
"""Fields that may occur once (RFC 5322 §3.6, RFC 2045). Meta refuses a message that doubles one (MSG-P3)."""
WANTED = ("date", "from", "message-id", "subject", "to")
FORBIDDEN = re.compile(r"cc|bcc|resent-.*|disposition-notification-to|return-receipt-to", re.IGNORECASE)
"""Further recipients, and requests for a receipt of delivery or reading."""
PLACEHOLDER = re.compile(r"\{\{[^{}\n]{1,200}\}\}|\{%[^{}\n]{1,200}%\}")
"""A template's blank that was not filled in."""

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
_NOT_PLAIN = re.compile(rb"[^\t\r\n\x20-\x7e]")
_FIELD = re.compile(rb"^[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+", re.MULTILINE)
_CONTENT_FIELD = re.compile(
    rb"^content-[a-z-]{2,40}+:(?:[ \t\r\n]*+(multipart/))?+[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+",
    re.MULTILINE | re.IGNORECASE,
)
_CONTROL = re.compile(f"[\t\n{CONTROLS}{TURNING}]")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
_UNREAD = re.compile(
    r"(?:.*[-_.+])?(?:no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?)(?:[-_.+].*)?", re.IGNORECASE
)


def check_outgoing(raw: bytes, bound: Binding) -> None:
    """Raises AnswerRefused, with a sentence, unless ``raw`` may leave for ``bound.recipient``.

    Looked at: the wire form (RFC 5322 §2), the one recipient, the sender domains, From, the fields that
    may occur once, the order id in the decoded Subject, text and HTML, blanks of a template. Linear.
    """
    _wire(raw)
    try:
        message = outgoing_message(raw)
    except Unreadable as problem:
        raise AnswerRefused(f"The finished message cannot be parsed: {problem}.") from problem
    _structure(message)
    _fields(message)
    _recipient(message, bound)
    _sender(message, bound)
    _content(message, bound)


def outgoing_problem(raw: bytes, bound: Binding) -> str:
    """The same as a task of the process pool: the sentence, or nothing."""
    try:
        check_outgoing(raw, bound)
    except AnswerRefused as refused:
        return str(refused)
    return ""


def _refuse_if(wrong: object, sentence: str) -> None:
    if wrong:
        raise AnswerRefused(sentence)


def _wire(raw: bytes) -> None:
    _refuse_if(len(raw) > MAX_BYTES, f"The finished message is larger than {MAX_BYTES} bytes.")
    _refuse_if(_BARE.search(raw), "The finished message holds a bare CR, LF or NUL.")
    lines = raw.split(b"\r\n")
    _refuse_if(max(map(len, lines)) > MAX_LINE, f"A line of the finished message is over {MAX_LINE} bytes.")
    head = raw.partition(b"\r\n\r\n")[0]
    _refuse_if(len(head) > MAX_HEADERS, f"The header section is larger than {MAX_HEADERS} bytes.")
    _refuse_if(_NOT_PLAIN.search(head), "The header section holds control or non-ASCII characters.")
    long = max((len(field[0]) for field in _FIELD.finditer(head)), default=0) > MAX_FIELD
    _refuse_if(long, f"A header field is longer than {MAX_FIELD} bytes.")
    content = list(_CONTENT_FIELD.finditer(raw))
    long = max((len(field[0]) for field in content), default=0) > MAX_CONTENT_FIELD
    _refuse_if(long, f"A field of a part is longer than {MAX_CONTENT_FIELD} bytes.")
    multiparts = sum(field[1] is not None for field in content)
    _refuse_if(
        multiparts > MAX_MULTIPARTS, f"The finished message has more than {MAX_MULTIPARTS} multiparts."
    )


def _structure(message: OutgoingMessage) -> None:
    for part in message.parts:
        defects = ", ".join(part.defects)
        _refuse_if(defects, f"The finished message is malformed: {defects}.")
    _refuse_if(message.depth > MAX_DEPTH, f"The finished message is nested more than {MAX_DEPTH} deep.")


def _fields(message: OutgoingMessage) -> None:
    for part in message.parts:
        names = [name.lower() for name, _ in part.fields]
        doubled = sorted(name for name, count in Counter(names).items() if name in ONCE and count > 1)
        _refuse_if(doubled, f"These fields may occur only once: {', '.join(doubled)}.")
        for name, value in part.fields:
            _refuse_if(_CONTROL.search(value), f"{name} holds a line break or control character.")
        unsafe = _CONTROL.search(part.file_name) or set(part.file_name) & set("/\\")
        _refuse_if(unsafe, f"The name of an attachment is unsafe: {part.file_name!r}.")
    names = [name for name, _ in message.parts[0].fields]
    absent = sorted(set(WANTED) - set(map(str.lower, names)))
    _refuse_if(absent, f"These fields are missing: {', '.join(absent)}.")
    forbidden = sorted(set(filter(FORBIDDEN.fullmatch, names)))
    _refuse_if(forbidden, f"These fields are not allowed: {', '.join(forbidden)}.")
    _refuse_if(not _MESSAGE_ID.fullmatch(message.message_id.strip()), "The Message-ID is malformed.")


def _recipient(message: OutgoingMessage, bound: Binding) -> None:
    specs = message.recipients
    _refuse_if(
        len(specs) != 1 or message.recipient_in_doubt,
        f"The message must have one recipient, {bound.recipient}, but names {', '.join(specs) or 'none'}.",
    )
    _refuse_if(
        _folded(specs[0]) != _folded(bound.recipient),
        f"The message is addressed to {specs[0]} instead of {bound.recipient}.",
    )
    _refuse_if(
        domain_of(bound.recipient) not in bound.sender_domains,
        f"{bound.recipient} is not in a listed sender domain; answers may go nowhere else.",
    )
    unread = _UNREAD.fullmatch(split_address(bound.recipient)[0])
    _refuse_if(unread, f"{bound.recipient} accepts no answers: it is not a relay address.")


def _folded(address: str) -> str:
    """An address as mail compares it: the local part is the host's own, the domain knows no case."""
    return f"{split_address(address)[0]}@{domain_of(address)}"


def _sender(message: OutgoingMessage, bound: Binding) -> None:
    for name, specs in message.senders:
        _refuse_if(
            list(map(normal_address, specs)) != [normal_address(bound.contact)],
            f"{name} must be the support contact {bound.contact}, not {', '.join(specs) or 'empty'}.",
        )


def _content(message: OutgoingMessage, bound: Binding) -> None:
    _refuse_if(not message.plain and not message.html, "The message has no text.")
    places = {"Subject": message.subject}
    places |= {"text": "\n".join(message.plain)} if message.plain else {}
    places |= {"HTML": "\n".join(map(_seen, message.html))} if message.html else {}
    for place, text in places.items():
        blank = PLACEHOLDER.search(text)
        if blank is not None:
            raise AnswerRefused(f"The {place} still holds {blank[0]}: fill it in or remove it.")
        if bound.order.id is not None:
            missing = not names_order(bound.order.id, text)
            _refuse_if(missing, f"The order number {bound.order.id} is missing from the {place}.")
        if place != "Subject":
            ref = shown_ref(bound.order)
            missing = ref not in one_space(text)
            _refuse_if(missing, f"Our order number {ref} is missing from the {place}.")


def _seen(html: str) -> str:
    """The text that a reader of the HTML sees; AnswerRefused where that is not known to its end."""
    long = len(html) > MAX_LETTER or html.count("<") > MAX_LETTER_TAGS
    _refuse_if(long, f"The HTML is longer than {MAX_LETTER} characters or {MAX_LETTER_TAGS} tags.")
    try:
        return visible_text(html)
    except Unreadable as problem:
        raise AnswerRefused(f"The finished HTML cannot be read: {problem}.") from problem
