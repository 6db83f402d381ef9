"""The rules of sorting as values: what a rule asks of a message, and how a shop's rules extend ours.

Rules are data. :func:`relaydesk.classify.rules_file.load_rules` reads them from YAML text; this module knows
what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from relaydesk.classify.form import Form
from relaydesk.classify.patterns import first
from relaydesk.message import split_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.classify.patterns import Pattern, PatternMatch
    from relaydesk.events import Kind


class RulesError(ValueError):
    """A rule file that must not be used. ``problems`` are sentences that start with ``file:line:``."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Signs:
    """What rules look at: bare From address, Subject, capped text, links, and whether an order is named."""

    sender: str
    subject: str
    text: str = ""
    links: tuple[str, ...] = ()
    names_order: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """At least one of these must be there: an order number announced as one, words in the text, a link."""

    order: bool = False
    body: tuple[Pattern, ...] = ()
    link: tuple[Pattern, ...] = ()

    def given(self, signs: Signs) -> bool:
        return (
            (self.order and signs.names_order)
            or first(self.body, signs.subject) is not None
            or first(self.body, signs.text) is not None
            or any(first(self.link, link) for link in signs.links)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the comment on top of ``facebook.yaml`` says what its fields mean."""

    name: str
    kind: Kind
    why: str
    sample: Signs
    sender: Pattern | None = None
    subject: tuple[Pattern, ...] = ()
    unless: tuple[Pattern, ...] = ()
    hint: Hint | None = None
    relay: bool = False
    at: str = ""

    def sent(self, sender: str, roles: frozenset[str]) -> PatternMatch | None:
        """The match of its From pattern; a role name is never a relay address."""
        if self.sender is None or (self.relay and split_address(sender)[0].lower() in roles):
            return None
        return self.sender.fullmatch(sender)

    def recognises(self, signs: Signs, roles: frozenset[str]) -> bool:
        """Whether its From or its Subject pattern, the ones that tell a kind of mail, match."""
        return self.sent(signs.sender, roles) is not None or first(self.subject, signs.subject) is not None

    def lacks(self, signs: Signs, roles: frozenset[str]) -> tuple[str, ...]:
        """What keeps it from matching, as phrases; nothing when it matches."""
        missing = []
        if self.sender is not None and not self.sent(signs.sender, roles):
            missing.append("From is another address")
        if self.subject and not first(self.subject, signs.subject):
            missing.append("the Subject matches none of its patterns")
        if self.unless and first(self.unless, signs.subject):
            missing.append("the Subject is one of its exceptions")
        if self.hint is not None and not self.hint.given(signs):
            missing.append("none of its hints is in the body or the links")
        return tuple(missing)


@dataclass(frozen=True)
class Rules:
    """Everything sorting goes by. ``rules`` are in order of precedence; the first that matches wins.

    ``labels`` are the words of Meta's form by what they announce, ``values`` the shape of what they
    announce; ``hosts`` are the hosts whose links count, and ``order_links`` how such a link names an order.
    """

    rules: tuple[Rule, ...]
    roles: frozenset[str]
    username: tuple[Pattern, ...]
    reasons: tuple[tuple[str, tuple[Pattern, ...]], ...]
    labels: Mapping[str, tuple[str, ...]]
    values: Mapping[str, str]
    hosts: tuple[str, ...]
    order_links: tuple[Pattern, ...]

    @cached_property
    def form(self) -> Form:
        """Meta's form, compiled once."""
        return Form(self.labels, self.values)

    def problems(self) -> list[str]:
        """Each rule whose own sample does not reach it, with its place: the rule is wrong or shadowed."""
        problems = []
        for rule in self.rules:
            lacking = rule.lacks(rule.sample, self.roles)
            winner = next(
                other
                for other in (*self.rules, rule)
                if not other.lacks(rule.sample, self.roles) or other is rule
            )
            if lacking:
                problems.append(f"{rule.at}: rule {rule.name!r} does not match its own sample: {lacking[0]}.")
            elif winner is not rule:
                problems.append(
                    f"{rule.at}: rule {rule.name!r} is shadowed by {winner.name!r} ({winner.at}), which takes"
                    " its sample first: move it up or make the other one stricter."
                )
        return problems

    def extended(self, by: Rules) -> Rules:
        """These rules with another file's on top: its rules come first and replace those of the same name.

        Its lists are added, its values replace. Raises :class:`RulesError` when a rule is now shadowed.
        """
        named = {rule.name for rule in by.rules}
        labels = {
            kind: (*self.labels.get(kind, ()), *by.labels.get(kind, ()))
            for kind in {**self.labels, **by.labels}
        }
        extended = replace(
            self,
            rules=(*by.rules, *(rule for rule in self.rules if rule.name not in named)),
            roles=self.roles | by.roles,
            username=(*by.username, *self.username),
            reasons=(*by.reasons, *self.reasons),
            labels=labels,
            values={**self.values, **by.values},
            hosts=(*self.hosts, *by.hosts),
            order_links=(*by.order_links, *self.order_links),
        )
        if problems := extended.problems():
            raise RulesError(problems)
        return extended
