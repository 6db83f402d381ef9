"""What an answer's bytes say, read by the standard library alone; and values to make answers of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from typing import Any

from relaydesk.bounces.seals import answer_message_id
from relaydesk.outbound.answer import Binding, Draft, NamedOrder, Question, Shop
from relaydesk.outbound.compose import compose_answer

SECRET = b"a secret of the tests"
DATE = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RELAY = "case++aazr5wey3juyyq@support.instagram.com"
ORDER = "64000841784004"
SHOP = Shop("Example Shop", "help@shop.example", "shop.example")
DOMAINS = frozenset({"support.instagram.com", "shopping.instagram.com", "support.facebook.com"})
MESSAGE_ID = answer_message_id(SECRET, 17, 4, SHOP.domain)


def question(**parts: Any) -> Question:
    defaults: dict[str, Any] = {"subject": "Message from alice", "message_id": "<1@support.instagram.com>"}
    return Question(17, 3, **({"relay_address": RELAY} | defaults | parts))


def draft(text: str = "It is on its way.", **parts: Any) -> Draft:
    order = NamedOrder(parts.pop("order_id", ORDER), parts.pop("merchant_ref", ""))
    return Draft(text, order, **parts)


def composed(question: Question, draft: Draft, shop: Shop = SHOP) -> bytes:
    return compose_answer(question, draft, shop, message_id=MESSAGE_ID, date=DATE)


def bound(question: Question, draft: Draft, shop: Shop = SHOP) -> Binding:
    return Binding(question.relay_address, draft.order, shop.contact, DOMAINS)


@dataclass(frozen=True)
class Seen:
    """A message as the standard parser reads it. ``recipients`` are those of To, Cc, Bcc and Resent-*."""

    fields: tuple[str, ...]
    recipients: tuple[str, ...]
    sender: tuple[str, str]
    subject: str
    text: str
    html: str
    enclosures: tuple[tuple[str, str, bytes], ...]
    in_reply_to: str
    references: tuple[str, ...]


def seen(raw: bytes) -> Seen:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    whom = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
    return Seen(
        fields=tuple(name.lower() for name in message.keys()),  # noqa: SIM118
        recipients=tuple(
            a.addr_spec for name in whom for field in message.get_all(name, []) for a in field.addresses
        ),
        sender=(message["from"].addresses[0].display_name, message["from"].addresses[0].addr_spec),
        subject=str(message["subject"]),
        text=text.get_content().replace("\r\n", "\n"),
        html=html.get_content().replace("\r\n", "\n"),
        enclosures=tuple(
            (part.get_filename() or "", part.get_content_type(), part.get_payload(decode=True))
            for part in message.iter_attachments()
        ),
        in_reply_to=str(message["in-reply-to"] or ""),
        references=tuple(str(message["references"] or "").split()),
    )
