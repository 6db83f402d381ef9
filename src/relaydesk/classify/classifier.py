"""From a message to its :class:`Findings`: which rule it matches, which nearly did, and what it says.

The rules look at sender, Subject, the sender's own text and links only. Whether the message is genuine is
decided elsewhere; what no rule matches is ``unsorted``, so that a person looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.classify import extract
from relaydesk.classify.findings import Findings, Match

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaydesk.classify.extract import NeutralText
    from relaydesk.classify.rules import Rule, Rules, Signs
    from relaydesk.message import Message


def classify(message: Message, rules: Rules, sender_domains: Collection[str]) -> Findings:
    """What the message says about itself. ``sender_domains`` are the listed From domains, lower case.

    The text is read before the rules are asked, since a rule may want to know whether an order is named.
    """
    read = extract.words(message, rules.form)
    numbers = extract.candidates(message, read, rules)
    names_order = any(number.label for number in numbers)
    shown = signs(message, read, rules, sender_domains, names_order=names_order)
    match = match_rules(shown, rules)
    if captured := extract.captured_order(shown, match, rules):
        numbers = extract.candidates(message, read, rules, captured)
    sender = message.from_[0] if len(message.from_) == 1 else None
    relay_address, token = extract.relay(sender, rules, sender_domains) if sender else ("", "")
    return Findings(
        match=match,
        relay_address=relay_address,
        case_token=token,
        username=extract.username(message.subject, rules) if match.kind in ("case", "unsorted") else "",
        case_number=extract.case_number(read, rules),
        contact_reason=extract.contact_reason(read, rules),
        candidates=numbers,
        failed_recipient=(
            extract.failed_recipient(message, rules, sender_domains) if match.kind == "bounce" else ""
        ),
        foreign_reply_to=extract.foreign_reply_to(message, sender_domains),
    )


def signs(
    message: Message, read: NeutralText, rules: Rules, sender_domains: Collection[str], *, names_order: bool
) -> Signs:
    """What the rules look at. Without exactly one From address the sender is "" and matches nothing."""
    sender = message.from_[0] if len(message.from_) == 1 else None
    return rules.signs(
        sender.addr if sender else "",
        read.subject,
        read.own,
        links=tuple(rules.links.targets(message.links)),
        names_order=names_order,
        listed=sender is not None and sender.domain in sender_domains,
    )


def match_rules(shown: Signs, rules: Rules) -> Match:
    """The first rule that matches, and the rules that lack one thing only."""
    matched = winner(shown, rules)
    near = tuple(
        (rule.name, missing[0])
        for rule in rules.rules
        if rule is not matched and len(missing := rule.lacks(shown)) == 1 and rule.recognises(shown)
    )
    if matched is None:
        return Match("unsorted", near=near)
    return Match(matched.kind, matched.name, matched.reason(shown), near)


def winner(shown: Signs, rules: Rules) -> Rule | None:
    """The first rule that matches these signs."""
    if not shown.sender:
        return None
    return next((rule for rule in rules.rules if not rule.lacks(shown)), None)
