"""The one door of sorting by rules: from a letter to its :class:`Findings`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.classify import extract
from relaydesk.classify.findings import Findings
from relaydesk.classify.matching import captured_order, match_rules

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaydesk.classify.rules import Rules
    from relaydesk.message import Message


def classify(letter: Message, rules: Rules, sender_domains: Collection[str]) -> Findings:
    """What the letter says about itself. ``sender_domains`` are the listed From domains, lower case.

    The text is read before the rules are asked, since a rule may want to know whether an order is named.
    """
    read = extract.bodies(letter, rules.form)
    numbers = extract.candidates(letter, read, rules)
    match = match_rules(letter, rules, names_order=any(number.label for number in numbers))
    if captured := captured_order(letter, match, rules):
        numbers = extract.candidates(letter, read, rules, captured)
    sender = letter.from_[0] if len(letter.from_) == 1 else None
    relay_address, token = extract.relay(sender, rules, sender_domains) if sender else ("", "")
    return Findings(
        match=match,
        relay_address=relay_address,
        case_token=token,
        username=extract.username(letter.subject, rules) if match.kind in ("case", "unsorted") else "",
        case_number=extract.case_number(letter, read, rules),
        contact_reason=extract.contact_reason(letter, read, rules),
        candidates=numbers,
        failed_recipient=(
            extract.failed_recipient(letter, rules, sender_domains) if match.kind == "bounce" else ""
        ),
        foreign_reply_to=extract.foreign_reply_to(letter, sender_domains),
    )
