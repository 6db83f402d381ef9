"""Mail for the tests of classifying: the shipped rules and sender domains, and one mail in a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.classify import rules_file
from relaydesk.classify.classify import classify
from relaydesk.classify.rules_file import load_rules
from relaydesk.message.parse import parse_message

if TYPE_CHECKING:
    from relaydesk.classify.findings import Findings

FILE = Path(rules_file.__file__).with_name("facebook.yaml")
RULES = load_rules(FILE.read_text(encoding="utf-8"), FILE.name)
DOMAINS = frozenset(
    {"support.instagram.com", "shopping.instagram.com", "support.facebook.com", "commerce.facebook.com",
     "marketplace.facebook.com", "mx.facebook.com"}
)  # fmt: skip


def sorted_mail(sender: str, subject: str = "Hello", text: str = "hi", extra: str = "") -> Findings:
    """What is read from one mail; ``extra`` are further header lines."""
    raw = f"From: {sender}\r\nSubject: {subject}\r\n{extra}\r\n{text}"
    return classify(parse_message(raw.encode()), RULES, DOMAINS)
