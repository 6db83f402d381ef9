"""Sorting rules that agents propose from a mail: the draft, what it would match, the proposal, its end.

A proposal changes nothing by itself. A lead or admin puts it in force; its text is that of a rule file with
the one rule, which the loader of such files has taken together with the rules that are in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relaydesk.classify import Rules, RulesError, load_rules, neutral
from relaydesk.desk.config import DeskError, NotThere
from relaydesk.desk.permissions import DeskPart, demand
from relaydesk.desk.rule_text import RuleWords, draft_subject, rule_text
from relaydesk.desk.ticket_acts import acting_on, tell
from relaydesk.events import RuleProposed
from relaydesk.message import domain_of
from relaydesk.store import audit, rule_proposals, tickets

if TYPE_CHECKING:
    from relaydesk.classify import Pattern
    from relaydesk.events import Kind
    from relaydesk.store import MessageRow, ProposalRow, SortedMail

LOOKED_AT = 500  # stored messages that a rule is tried on
SHOWN = 200  # proposals
SettledHow = Literal["accepted", "declined"]


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """What a rule would have matched of the latest ``looked_at`` stored messages, newest first.

    ``elsewhere`` are those of ``matched`` that a rule sorts today; ``listed``: the sender's domain
    is in the allowlist; only its mail is sorted at all.
    """

    looked_at: int
    matched: tuple[SortedMail, ...]
    listed: bool

    @property
    def elsewhere(self) -> tuple[SortedMail, ...]:
        return tuple(mail for mail in self.matched if mail.kind != "unsorted")


class SortingRules(DeskPart):
    """The rules by which mail is sorted, as far as people propose them."""

    def draft(self, ticket_id: int, message_id: int | None = None) -> RuleWords:
        """From and Subject of a rule that would match a message; by default the ticket's latest."""
        message = self._message(ticket_id, message_id)
        return RuleWords(message.from_addr, draft_subject(message.subject))

    def try_on(self, words: RuleWords, kind: Kind) -> RuleTrial:
        """What a rule of these words would match of the latest mail. DeskError for words that make none."""
        sample = RuleWords(words.sender.replace("*", "sample"), words.subject)
        rule = self._checked(rule_text("trial", kind, words, sample, "a trial")).rules[0]
        with self.store.reading() as session:
            mails = rule_proposals.latest_mail(session, LOOKED_AT)
        matched = tuple(mail for mail in mails if _matches(rule.sender, rule.subject, mail))
        domain = domain_of(words.sender)
        return RuleTrial(len(mails), matched, listed=domain in self.config.sender().sender_domains)

    def propose(
        self, ticket_id: int, message_id: int | None, words: RuleWords, kind: Kind, *, by: str
    ) -> int:
        """Proposes that mail of these words is sorted as ``kind`` from now on; the proposal's number.

        DeskError for words that make no rule, that miss the message itself, or that take from another rule.
        """
        message = self._message(ticket_id, message_id)
        sample = RuleWords(message.from_addr, message.subject)
        self._checked(rule_text("trial", kind, words, sample, "a trial"))
        with acting_on(self, "propose_rule", ticket_id, by, merged=True) as (acting, ticket):
            number = rule_proposals.add(
                acting.session,
                ticket_id=ticket.id,
                message_id=message.id,
                kind=kind,
                sender=words.sender.strip(),
                subject=words.subject.strip(),
                by=acting.actor,
                now=acting.now,
            )
            why = f"proposed by an agent from ticket {ticket.id}"
            rule_proposals.write(
                acting.session, number, rule_text(f"proposal-{number}", kind, words, sample, why)
            )
            tell(acting, ticket.id, RuleProposed(number, message.id, kind))
        return number

    def proposals(self, *, settled: bool = False) -> tuple[ProposalRow, ...]:
        """The proposals that wait, oldest first; with ``settled`` all of them, newest first."""
        with self.store.reading() as session:
            return (rule_proposals.newest if settled else rule_proposals.waiting)(session, SHOWN)

    def proposal(self, number: int) -> ProposalRow:
        """One proposal. DeskError when there is none of that number."""
        with self.store.reading() as session:
            row = rule_proposals.row(session, number)
        if row is None:
            raise NotThere(f"There is no proposal {number}; `relaydesk rules proposals` lists them.")
        return row

    def withdraw(self, number: int, *, by: str) -> None:
        """Takes a proposal back; another agent's needs a lead."""
        proposal = self.proposal(number)
        with self.acting("withdraw_rule", by) as acting:
            if proposal.proposed_by != acting.actor:
                demand(acting.session, "settle_rule", by)
            if not rule_proposals.settle(
                acting.session, number, "withdrawn", by=acting.actor, now=acting.now
            ):
                raise _settled(proposal)
            audit.append(
                acting.session, "rule_withdrawn", actor=acting.actor, now=acting.now, proposal=number
            )

    def settle(self, number: int, how: SettledHow, *, by: str, note: str = "") -> None:
        """States that a proposal was put in force or declined. DeskError when it was settled before."""
        proposal = self.proposal(number)
        with self.acting("settle_rule", by) as acting:
            if not rule_proposals.settle(
                acting.session, number, how, by=acting.actor, now=acting.now, note=note.strip()
            ):
                raise _settled(self.proposal(number))
            audit.append(
                acting.session,
                f"rule_{how}",
                actor=acting.actor,
                now=acting.now,
                proposal=number,
                kind=proposal.kind,
            )

    def _message(self, ticket_id: int, message_id: int | None) -> MessageRow:
        with self.store.reading() as session:
            messages = tickets.messages(session, ticket_id)
        wanted = [message for message in messages if message_id in (None, message.id)]
        if not wanted:
            which = f"message {message_id}" if message_id is not None else "message"
            raise DeskError(f"Ticket {ticket_id} has no {which}.")
        return wanted[-1]

    def _checked(self, text: str) -> Rules:
        """The rule as the loader reads it, together with the rules in force."""
        try:
            rules = load_rules(text, "The rule")
            self.config.sorting_rules().extended(rules)
        except RulesError as error:
            raise DeskError(f"This makes no rule: {error}") from None
        return rules


def _matches(sender: Pattern | None, subjects: tuple[Pattern, ...], mail: SortedMail) -> bool:
    if sender is not None and sender.fullmatch(mail.sender) is None:
        return False
    subject = neutral(mail.subject)
    return not subjects or any(pattern.search(subject) for pattern in subjects)


def _settled(proposal: ProposalRow) -> DeskError:
    return DeskError(f"Proposal {proposal.id} was settled before ({proposal.state}).")
