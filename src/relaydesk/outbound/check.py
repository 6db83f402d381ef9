"""The last look at an answer's finished bytes, just before MAIL FROM.

Whoever made the bytes, they are read here anew by the standard library's parser and held against what
the answer is bound to. What is not beyond doubt is refused with a sentence for the agent.
"""

from __future__ import annotations

import re
from email import policy
from email.errors import MessageError
from email.parser import BytesParser
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from relaydesk.message import domain_of, normal_address, split_address
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.mime import one_space
from relaydesk.outbound.named_order import names_order, shown_ref

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage, MIMEPart

    from relaydesk.outbound.answer import Binding

MAX_BYTES = 25_000_000
MAX_HEADERS = 65_536
MAX_LINE = 998  # RFC 5322 §2.1.1, without its CR LF
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
# C0 and C1 controls, line ends, and what turns the direction of text round.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
_UNREAD = re.compile(
    r"(?:.*[-_.+])?(?:no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?)(?:[-_.+].*)?", re.IGNORECASE
)


def check_outgoing(raw: bytes, bound: Binding) -> None:
    """Raises AnswerRefused, with a sentence, unless ``raw`` may leave for ``bound.recipient``.

    Looked at: the wire form (RFC 5322 §2), the one recipient, the sender domains, From, the fields that
    may occur once, the order id in the decoded Subject, text and HTML, blanks of a template.
    """
    _wire(raw)
    message = _parsed(raw)
    try:
        _fields(message)
        _recipient(message, bound)
        _sender(message, bound)
        _content(message, bound)
    except (MessageError, ValueError, LookupError, AttributeError, IndexError, TypeError) as problem:
        if isinstance(problem, AnswerRefused):
            raise
        # The standard parser's own stumbling over a field or a charset.
        raise AnswerRefused(f"The finished message cannot be parsed: {problem}.") from problem


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


def _parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    for part in _parts(message):
        defects = ", ".join(type(defect).__name__ for defect in part.defects)
        _refuse_if(defects, f"The finished message is malformed: {defects}.")
    return message


def _parts(part: MIMEPart, depth: int = 0) -> Iterator[MIMEPart]:
    """This part and those below; a message that is enclosed is not looked into."""
    _refuse_if(depth > MAX_DEPTH, f"The finished message is nested more than {MAX_DEPTH} deep.")
    yield part
    if part.get_content_maintype() == "multipart":
        for below in part.iter_parts():
            yield from _parts(below, depth + 1)


def _fields(message: EmailMessage) -> None:
    for part in _parts(message):
        names = list(map(str.lower, part.keys()))
        doubled = sorted(name for name in ONCE if names.count(name) > 1)
        _refuse_if(doubled, f"These fields may occur only once: {', '.join(doubled)}.")
        for name, value in part.items():
            _refuse_if(_CONTROL.search(str(value)), f"{name} holds a line break or control character.")
        name = part.get_filename() or ""
        unsafe = _CONTROL.search(name) or set(name) & set("/\\")
        _refuse_if(unsafe, f"The name of an attachment is unsafe: {name!r}.")
    absent = [name for name in WANTED if message[name] is None]
    _refuse_if(absent, f"These fields are missing: {', '.join(absent)}.")
    forbidden = sorted(set(filter(FORBIDDEN.fullmatch, message.keys())))
    _refuse_if(forbidden, f"These fields are not allowed: {', '.join(forbidden)}.")
    wrong = not _MESSAGE_ID.fullmatch(str(message["message-id"]).strip())
    _refuse_if(wrong, "The Message-ID is malformed.")


def _recipient(message: EmailMessage, bound: Binding) -> None:
    field = message["to"]
    specs = [address.addr_spec for address in field.addresses]
    grouped = any(group.display_name is not None for group in field.groups)
    _refuse_if(
        len(specs) != 1 or grouped or field.defects,
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


def _sender(message: EmailMessage, bound: Binding) -> None:
    for name in ("From", "Sender", "Reply-To"):
        if message[name] is None:
            continue
        addresses = (
            [message[name].address] if name == "Sender" else list(message[name].addresses)
        )  # the registry gives Sender one address
        specs = [address.addr_spec for address in addresses]
        _refuse_if(
            list(map(normal_address, specs)) != [normal_address(bound.contact)],
            f"{name} must be the support contact {bound.contact}, not {', '.join(specs) or 'empty'}.",
        )


def _content(message: EmailMessage, bound: Binding) -> None:
    shown = list(_shown(message))
    plain = [text for kind, text in shown if kind == "plain"]
    hyper = [visible_text(text) for kind, text in shown if kind == "html"]
    _refuse_if(not plain and not hyper, "The message has no text.")
    places = {"Subject": str(message["subject"])}
    places |= {"text": "\n".join(plain)} if plain else {}
    places |= {"HTML": "\n".join(hyper)} if hyper else {}
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


def _shown(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for part in _parts(message):
        if part.get_content_maintype() == "text" and not part.is_attachment() and not part.get_filename():
            yield part.get_content_subtype(), part.get_content()


def visible_text(html: str) -> str:
    """The text that a reader of this HTML sees, a line for each block."""
    reader = _Visible()
    reader.feed(html)
    reader.close()
    return "".join(reader.seen)


class _Visible(HTMLParser):
    """Collects what a reader of the HTML sees: no attributes, comments, styles, scripts, nothing hidden."""

    UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript", "textarea"})
    INLINE = frozenset({"a", "abbr", "b", "big", "code", "em", "font", "i", "small", "span", "strong", "u"})

    HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
    VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.within: list[str] = []  # what is open since the outermost element that is not seen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        hides = (
            tag in self.UNSEEN or "hidden" in attributes or self.HIDDEN.search(attributes.get("style") or "")
        )
        if tag not in self.VOID and (self.within or hides):
            self.within.append(tag)
        elif tag not in self.INLINE:
            self.seen.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            del self.within[len(self.within) - 1 - self.within[::-1].index(tag) :]
        elif tag not in self.INLINE:
            self.seen.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.seen.append(data)
