"""Which rule a letter matches, and which nearly did. Looks at sender, Subject, text and links only.

Whether the message is genuine is decided elsewhere; what no rule matches is ``unsorted``: a person looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.classify.findings import Match
from relaydesk.classify.patterns import first
from relaydesk.classify.rules import Rule, Signs

if TYPE_CHECKING:
    from relaydesk.classify.rules import Rules
    from relaydesk.message import Message

MAX_TEXT = 65_536
MAX_SUBJECT = 2_000


def signs(letter: Message, *, names_order: bool) -> Signs:
    """What the rules look at. Without exactly one From address the sender is "" and matches nothing."""
    sender = letter.from_[0].addr if len(letter.from_) == 1 else ""
    return Signs(sender, letter.subject[:MAX_SUBJECT], letter.text[:MAX_TEXT], letter.links, names_order)


def match_rules(letter: Message, rules: Rules, *, names_order: bool = False) -> Match:
    """The first rule that matches. ``names_order`` says that a word or link announces an order number."""
    seen = signs(letter, names_order=names_order)
    found = winner(seen, rules)
    near = tuple(
        (rule.name, missing[0])
        for rule in rules.rules
        if rule is not found
        and len(missing := rule.lacks(seen, rules.roles)) == 1
        and rule.recognises(seen, rules.roles)
    )
    if found is None:
        return Match("unsorted", near=near)
    return Match(found.kind, found.name, found.why, near)


def winner(seen: Signs, rules: Rules) -> Rule | None:
    """The first rule that matches these signs."""
    if not seen.sender:
        return None
    return next((rule for rule in rules.rules if not rule.lacks(seen, rules.roles)), None)


def captured_order(letter: Message, match: Match, rules: Rules) -> str:
    """The order number that the matched rule's Subject pattern captures ("" for none)."""
    rule = next((rule for rule in rules.rules if match.rule and rule.name == match.rule), None)
    found = first(rule.subject, letter.subject[:MAX_SUBJECT]) if rule else None
    return (found.groupdict().get("order") or "") if found else ""
