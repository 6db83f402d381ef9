"""From a message to its :class:`Findings`: which rule it matches, which nearly did, and what it says.

The rules look at sender, Subject, text and links only. Whether the message is genuine is decided elsewhere;
what no rule matches is ``unsorted``, so that a person looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.classify import extract
from relaydesk.classify.findings import Findings, Match
from relaydesk.classify.patterns import first
from relaydesk.classify.rules import Rule, Signs

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaydesk.classify.rules import Rules
    from relaydesk.message import Message

MAX_TEXT = 65_536
MAX_SUBJECT = 2_000


def classify(message: Message, rules: Rules, sender_domains: Collection[str]) -> Findings:
    """What the message says about itself. ``sender_domains`` are the listed From domains, lower case.

    The text is read before the rules are asked, since a rule may want to know whether an order is named.
    """
    read = extract.bodies(message, rules.form)
    numbers = extract.candidates(message, read, rules)
    match = match_rules(message, rules, names_order=any(number.label for number in numbers))
    if captured := captured_order(message, match, rules):
        numbers = extract.candidates(message, read, rules, captured)
    sender = message.from_[0] if len(message.from_) == 1 else None
    relay_address, token = extract.relay(sender, rules, sender_domains) if sender else ("", "")
    return Findings(
        match=match,
        relay_address=relay_address,
        case_token=token,
        username=extract.username(message.subject, rules) if match.kind in ("case", "unsorted") else "",
        case_number=extract.case_number(message, read, rules),
        contact_reason=extract.contact_reason(message, read, rules),
        candidates=numbers,
        failed_recipient=(
            extract.failed_recipient(message, rules, sender_domains) if match.kind == "bounce" else ""
        ),
        foreign_reply_to=extract.foreign_reply_to(message, sender_domains),
    )


def signs(message: Message, *, names_order: bool) -> Signs:
    """What the rules look at. Without exactly one From address the sender is "" and matches nothing."""
    sender = message.from_[0].addr if len(message.from_) == 1 else ""
    return Signs(sender, message.subject[:MAX_SUBJECT], message.text[:MAX_TEXT], message.links, names_order)


def match_rules(message: Message, rules: Rules, *, names_order: bool = False) -> Match:
    """The first rule that matches. ``names_order`` says that a word or link announces an order number."""
    shown = signs(message, names_order=names_order)
    matched = winner(shown, rules)
    near = tuple(
        (rule.name, missing[0])
        for rule in rules.rules
        if rule is not matched
        and len(missing := rule.lacks(shown, rules.roles)) == 1
        and rule.recognises(shown, rules.roles)
    )
    if matched is None:
        return Match("unsorted", near=near)
    return Match(matched.kind, matched.name, matched.why, near)


def winner(shown: Signs, rules: Rules) -> Rule | None:
    """The first rule that matches these signs."""
    if not shown.sender:
        return None
    return next((rule for rule in rules.rules if not rule.lacks(shown, rules.roles)), None)


def captured_order(message: Message, match: Match, rules: Rules) -> str:
    """The order number that the matched rule's Subject pattern captures ("" for none)."""
    rule = next((rule for rule in rules.rules if match.rule and rule.name == match.rule), None)
    capture = first(rule.subject, message.subject[:MAX_SUBJECT]) if rule else None
    return (capture.groupdict().get("order") or "") if capture else ""
