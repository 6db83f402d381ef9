"""Mail for the sorting tests: the shipped rules, the shipped sender domains, and one mail in a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.letters.parse import read
from relaydesk.sorting import rules as rules_file
from relaydesk.sorting.rules import load
from relaydesk.sorting.sort import sort

if TYPE_CHECKING:
    from relaydesk.sorting.findings import Findings

FILE = Path(rules_file.__file__).with_name("facebook.yaml")
RULES = load(FILE.read_text(encoding="utf-8"), FILE.name)
DOMAINS = frozenset(
    {"support.instagram.com", "shopping.instagram.com", "support.facebook.com", "commerce.facebook.com",
     "marketplace.facebook.com", "mx.facebook.com"}
)  # fmt: skip


def sorted_mail(sender: str, subject: str = "Hello", text: str = "hi", extra: str = "") -> Findings:
    """What sorting finds in one mail; ``extra`` are further header lines."""
    raw = f"From: {sender}\r\nSubject: {subject}\r\n{extra}\r\n{text}"
    return sort(read(raw.encode()), RULES, DOMAINS)
