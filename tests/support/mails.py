"""Mail for the tests of classifying: the shipped rules and sender domains, and one mail in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.classify.classifier import classify
from relaydesk.config.parts import shipped_rules
from relaydesk.message.parse import parse_message

if TYPE_CHECKING:
    from relaydesk.classify.findings import Findings

RULES = shipped_rules()
DOMAINS = frozenset(
    {"support.instagram.com", "shopping.instagram.com", "support.facebook.com", "commerce.facebook.com",
     "marketplace.facebook.com", "mx.facebook.com"}
)  # fmt: skip


def sorted_mail(sender: str, subject: str = "Hello", text: str = "hi", extra: str = "") -> Findings:
    """What is read from one mail; ``extra`` are further header lines."""
    raw = f"From: {sender}\r\nSubject: {subject}\r\n{extra}\r\n{text}"
    return classify(parse_message(raw.encode()), RULES, DOMAINS)
