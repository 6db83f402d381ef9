"""The rules of sorting as values: what a rule asks of a message, and how a shop's rules extend ours.

Rules are data. :func:`relaydesk.classify.rules_file.load_rules` reads them from YAML text; this module knows
what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

from relaydesk.classify.form import Form
from relaydesk.classify.links import OrderLinks
from relaydesk.classify.neutral import neutral
from relaydesk.classify.patterns import first
from relaydesk.classify.phrases import Phrase, Phrases, expanded, phrases_of
from relaydesk.classify.roles import Roles
from relaydesk.classify.yaml_reader import RulesError
from relaydesk.message import split_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.classify.patterns import Pattern
    from relaydesk.classify.phrases import Place
    from relaydesk.events import Kind


USERNAME = "username"  # the meaning of a Subject that names the buyer


@dataclass(frozen=True, slots=True)
class Signs:
    """What rules look at: bare From address, whether it is of a listed sender and a role name; Subject and
    the sender's own text in neutral form, with the phrases of the language packs in each; links without
    their wrappers; and whether an order is named."""

    sender: str
    subject: str
    text: str = ""
    links: tuple[str, ...] = ()
    names_order: bool = False
    listed: bool = True
    role: bool = False
    in_subject: tuple[Phrase, ...] = ()
    in_text: tuple[Phrase, ...] = ()

    def phrase(self, means: str) -> Phrase | None:
        """The first phrase of one meaning in the Subject."""
        return next((phrase for phrase in self.in_subject if phrase.means == means), None)

    def asks(self, means: str) -> bool:
        """Whether the text holds a phrase of one meaning."""
        return any(phrase.means == means for phrase in self.in_text)


@dataclass(frozen=True, slots=True)
class Hint:
    """At least one of these must be there: an order number announced as one, words in Subject or text, a
    phrase of this meaning, a link."""

    order: bool = False
    body: tuple[Pattern, ...] = ()
    link: tuple[Pattern, ...] = ()
    phrases: str = ""

    def given(self, signs: Signs) -> bool:
        return (
            (self.order and signs.names_order)
            or first(self.body, signs.subject) is not None
            or first(self.body, signs.text) is not None
            or any(first(self.link, link) for link in signs.links)
            or signs.asks(self.phrases)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the comment on top of ``facebook.yaml`` says what its fields mean."""

    name: str
    kind: Kind
    why: str
    sample: Signs
    sender: Pattern | None = None
    not_sender: Pattern | None = None
    role: bool = False
    subject: tuple[Pattern, ...] = ()
    phrases: str = ""
    unless: tuple[Pattern, ...] = ()
    unless_phrases: tuple[str, ...] = ()
    unless_text: tuple[str, ...] = ()
    hint: Hint | None = None
    relay: bool = False
    at: str = ""

    def token(self, sender: str) -> str:
        """The case token in an address of its form, "" for none."""
        match = self.sender.fullmatch(sender) if self.relay and self.sender is not None else None
        return (match.groupdict().get("token") or "") if match else ""

    def recognises(self, signs: Signs) -> bool:
        """Whether its From or its Subject, the ones that tell a kind of mail, match."""
        asks_sender = self.sender is not None or self.role or self.relay
        return (asks_sender and self._sent(signs)) or self._titled(signs)

    def lacks(self, signs: Signs) -> tuple[str, ...]:
        """What keeps it from matching, as phrases; nothing when it matches."""
        missing = []
        if not self._sent(signs):
            missing.append("From is another address")
        if (self.subject or self.phrases) and not self._titled(signs):
            missing.append("the Subject matches none of its patterns")
        if first(self.unless, signs.subject) or any(map(signs.phrase, self.unless_phrases)):
            missing.append("the Subject is one of its exceptions")
        if any(map(signs.asks, self.unless_text)):
            missing.append("the text is one of its exceptions")
        if self.hint is not None and not self.hint.given(signs):
            missing.append("none of its hints is in the body or the links")
        return tuple(missing)

    def reason(self, signs: Signs) -> str:
        """Why it matched. A phrase that no real mail has shown yet is named: it may be a wrong guess."""
        phrase = signs.phrase(self.phrases)
        if phrase is None or phrase.seen or first(self.subject, signs.subject):
            return self.why
        return f"{self.why} (by the phrase {phrase.text!r} ({phrase.language}), not yet seen in a real mail)"

    def _sent(self, signs: Signs) -> bool:
        if (self.role or self.relay) and not (signs.listed and signs.role == self.role):
            return False
        if self.not_sender is not None and self.not_sender.fullmatch(signs.sender):
            return False
        return self.sender is None or self.sender.fullmatch(signs.sender) is not None

    def _titled(self, signs: Signs) -> bool:
        return first(self.subject, signs.subject) is not None or signs.phrase(self.phrases) is not None


@dataclass(frozen=True)
class Rules:
    """Everything sorting goes by. ``rules`` are in order of precedence; the first that matches wins.

    ``phrases`` are those of the language packs. ``labels`` are the words of Meta's form by what they
    announce, ``{brand}`` in them standing for each of ``brands``; ``values`` the shape of what they announce.
    """

    rules: tuple[Rule, ...]
    roles: Roles = field(default_factory=lambda: Roles(()))
    username: tuple[Pattern, ...] = ()
    reasons: tuple[tuple[str, tuple[Pattern, ...]], ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    links: OrderLinks = field(default_factory=OrderLinks)
    brands: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()

    def __getstate__(self) -> dict[str, object]:
        """What another process is handed: without what is compiled of it, which RE2 keeps in memory."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def form(self) -> Form:
        """Meta's form, compiled once."""
        labels = {
            kind: tuple(label for text in group for label in expanded(text, self.brands))
            for kind, group in self.labels.items()
        }
        reasons = (phrase.text for phrase in self.phrases if phrase.place == "reason")
        return Form(labels, self.values, reasons)

    def signs(  # noqa: PLR0913 - all that rules look at
        self,
        sender: str,
        subject: str,
        text: str = "",
        *,
        links: tuple[str, ...] = (),
        names_order: bool = False,
        listed: bool = True,
    ) -> Signs:
        """What these rules see of a mail whose Subject and own text are in neutral form."""
        named = first(self.username, subject) is not None
        in_subject = self._compiled["subject"].among(subject)
        return Signs(
            sender,
            subject,
            text,
            links,
            names_order,
            listed,
            split_address(sender)[0] in self.roles,
            in_subject=(*in_subject, Phrase(USERNAME, subject, "", seen=True)) if named else in_subject,
            in_text=self._compiled["text"].among(f"{subject}\n{text}"),
        )

    def stated_reason(self, text: str) -> str:
        """The code of a reason that a line of the form states, "" for none."""
        return self._reason(text, "reason") or self.worded_reason(text)

    def worded_reason(self, text: str) -> str:
        """The code of a reason that running text gives, "" for none."""
        by_pattern = next((code for code, patterns in self.reasons if first(patterns, text)), "")
        return by_pattern or self._reason(text, "wording")

    @cached_property
    def _compiled(self) -> dict[Place, Phrases]:
        places: tuple[Place, ...] = ("subject", "text", "reason", "wording")
        return {
            place: phrases_of(tuple(phrase for phrase in self.phrases if phrase.place == place))
            for place in places
        }

    def _reason(self, text: str, place: Place) -> str:
        codes = {phrase.means for phrase in self._compiled[place].among(text)}
        return next((code for code, _ in self.reasons if code in codes), "")

    def problems(self) -> list[str]:
        """Each rule whose own sample does not reach it, with its place: the rule is wrong or shadowed."""
        problems = []
        samples = {rule.name: self._sample(rule) for rule in self.rules}
        for rule in self.rules:
            if rule.phrases and not self.phrases:
                continue  # a shop's own file, whose phrases are in the packs that it extends
            lacking = rule.lacks(samples[rule.name])
            winner = next(
                other for other in (*self.rules, rule) if not other.lacks(samples[rule.name]) or other is rule
            )
            if lacking:
                problems.append(f"{rule.at}: rule {rule.name!r} does not match its own sample: {lacking[0]}.")
            elif winner is not rule:
                problems.append(
                    f"{rule.at}: rule {rule.name!r} is shadowed by {winner.name!r} ({winner.at}), which takes"
                    " its sample first: move it up or make the other one stricter."
                )
        return problems

    def _sample(self, rule: Rule) -> Signs:
        shown = rule.sample
        return self.signs(shown.sender, neutral(shown.subject), neutral(shown.text))

    def extended(self, by: Rules) -> Rules:
        """These rules with another file's on top: its rules come first and replace those of the same name.

        Its lists are added, its values replace. Raises :class:`RulesError` when a rule is now shadowed.
        """
        extended = self.with_lists(by, rules=by.rules)
        if problems := extended.problems():
            raise RulesError(problems)
        return extended

    def with_lists(self, by: Rules, rules: tuple[Rule, ...] = ()) -> Rules:
        """These rules with the lists of another file, and ``rules`` before their own."""
        named = {rule.name for rule in rules}
        codes = dict.fromkeys([code for code, _ in (*by.reasons, *self.reasons)])
        return replace(
            self,
            rules=(*rules, *(rule for rule in self.rules if rule.name not in named)),
            roles=self.roles | by.roles,
            username=(*by.username, *self.username),
            reasons=tuple(
                (code, tuple(p for own in (by, self) for c, ps in own.reasons if c == code for p in ps))
                for code in codes
            ),
            labels={
                kind: (*by.labels.get(kind, ()), *self.labels.get(kind, ()))
                for kind in {**self.labels, **by.labels}
            },
            values={**self.values, **by.values},
            links=by.links + self.links,
            brands=(*self.brands, *by.brands),
            phrases=(*self.phrases, *by.phrases),
        )
