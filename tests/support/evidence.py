"""One message before the policy, written by hand: what the wire, the network and the store say of it.

The DMARC result is worked out by our own pure evaluation, so that the evidence of a test is one that real
mail can have. Everything else is as the test says; the defaults make genuine mail of a listed sender.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from relaydesk.bounces import bounce_address
from relaydesk.business_time import Calendar, Target
from relaydesk.classify import Candidate, Findings, Match
from relaydesk.mailauth.dmarc import DmarcRecord, Identifier, Walk, evaluate
from relaydesk.message import Address, AuthResults, DkimResult, Envelope, Message, Origin, SpfResult
from relaydesk.policy import (
    Gathered,
    Known,
    Policy,
    QueueTargets,
    decide,
    decide_unproven,
    decide_unread,
    parse_allowlist,
)

if TYPE_CHECKING:
    from relaydesk.bounces import Dsn
    from relaydesk.message import Result
    from relaydesk.policy import Decision, Unread

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = b"the seal of our bounce addresses"
MAILBOX = "help@shop.example"
BOUNCE = bounce_address(SECRET, 7, "shop.example", 3)  # answer 3 of ticket 7
ALICE = "case++alice@support.facebook.com"
ORDER = "368509000000001"

LISTED, BELOW, MAPPED = "support.facebook.com", "deep.support.facebook.com", "mapped.example"
ORGANIZATION, MAPPED_TO, OTHER = "facebook.com", "esp.example", "other.example"

DIRECT = Origin("66.220.144.130", "origin", allowlisted=True, how="peer")
RELAYED = Origin("66.220.144.130", "relay", allowlisted=True, how="received")
RELAYED_UNLISTED = Origin("192.0.2.7", "relay", allowlisted=False, how="received")
RELAYED_UNKNOWN = Origin(None, "relay", allowlisted=False, how="unknown")
SHARED = Origin("66.220.144.130", "relay", allowlisted=True, how="received", shared=True)
SILENT_PROXY = Origin("192.0.2.9", "proxy", allowlisted=False, how="peer")
STRANGER = Origin("192.0.2.7", "none", allowlisted=False, how="peer")

POLICY = Policy(
    allowlist=parse_allowlist(
        "networks: [66.220.144.128/25]\nrelays: [198.51.100.0/24]\nproxies: [192.0.2.9/32]\n"
        f"senders: [{LISTED}, {{domain: {MAPPED}, dkim: [{MAPPED_TO}]}}]\n"
    ),
    calendar=Calendar.default(),
    queues={
        "case": QueueTargets(
            Target.parse("2 business days"), tighter={"return_request": Target.parse("2 days")}
        ),
        "claim": QueueTargets(Target.parse("2 business days")),
        "chargeback": QueueTargets(Target.parse("2 business days"), Target.parse("10 days")),
        "unsorted": QueueTargets(Target.parse("8 business hours")),
    },
    mailboxes=frozenset({MAILBOX}),
    secret=SECRET,
    outage_after=timedelta(hours=4),
    max_bounces=20,
    max_received=3,
)


@dataclass(frozen=True)
class Proof:
    """What SPF and DKIM find, each for a domain, and the DMARC record of the From domain's organization.

    ``policy`` is what that record asks for, None when there is no record, "?" when it could not be looked up.
    """

    spf: tuple[Result, str] = ("pass", LISTED)
    dkim: tuple[tuple[Result, str], ...] = (("pass", LISTED),)
    policy: str | None = "reject"
    signed_at: int | None = None  # of every signature

    def results(self, from_domain: str) -> AuthResults:
        signatures = tuple(
            DkimResult(result, domain, "s1", f"{domain}: {result}.", b="YWJj", signed_at=self.signed_at)
            for result, domain in self.dkim
        )
        identifiers = [Identifier("dkim", domain, result) for result, domain in self.dkim]
        identifiers.append(Identifier("spf", self.spf[1], self.spf[0]))
        walks = {identifier.domain: self._walk(identifier.domain) for identifier in identifiers}
        dmarc = evaluate(self._walk(from_domain), identifiers, walks)
        aligned = tuple(
            index
            for index, (result, domain) in enumerate(self.dkim)
            if result == "pass" and domain in dmarc.aligned_dkim
        )
        spf = SpfResult(self.spf[0], self.spf[1], f"SPF: {self.spf[0]}.")
        return AuthResults(spf, signatures, dmarc, aligned)

    def _walk(self, domain: str) -> Walk:
        if self.policy == "?":
            return Walk(domain, why="the name server did not answer")
        if self.policy is None:
            return Walk(domain)
        record = DmarcRecord("v=DMARC1", p=self.policy)  # type: ignore[arg-type]
        return Walk(domain, ((organization(domain), record),))


def organization(domain: str) -> str:
    """The last two labels: enough for the domains of these tests."""
    return ".".join(domain.split(".")[-2:])


NOTHING = Proof(("fail", LISTED), ())
CASE = Findings(
    Match("case", "case", "it says so"),
    relay_address=ALICE,
    candidates=(Candidate(ORDER, "order", "text", "Order #", "labelled"),),
)


@dataclass(frozen=True)
class Arriving:
    """A message about to be decided on: genuine, unless told otherwise."""

    origin: Origin = DIRECT
    mail_from: str = "bounce@support.facebook.com"
    rcpt_to: tuple[str, ...] = (MAILBOX,)
    from_domains: tuple[str, ...] = (LISTED,)
    duplicated: tuple[str, ...] = ()
    received: int = 1
    proof: Proof = field(default_factory=Proof)
    findings: Findings = CASE
    known: Known = field(default_factory=Known)
    dsn: Dsn | None = None
    after: timedelta = timedelta(0)  # since it was received

    @property
    def from_domain(self) -> str:
        return self.from_domains[0] if self.from_domains else ""

    def decide(self, policy: Policy = POLICY) -> Decision:
        envelope, message, auth = self._facts()
        gathered = Gathered(message, self.findings, auth, self.dsn)
        return decide(envelope, gathered, self.known, policy, NOON + self.after)

    def unproven(self, policy: Policy = POLICY) -> Decision | None:
        """The refusal that is certain before any name server is asked."""
        envelope, message, _ = self._facts()
        return decide_unproven(envelope, message, self.proof.spf[1], policy, NOON + self.after)

    def unread(self, policy: Policy = POLICY) -> Unread:
        """What is certain before its content is read and the store is asked."""
        return decide_unread(*self._facts(), policy, NOON + self.after)

    def _facts(self) -> tuple[Envelope, Message, AuthResults]:
        raw = b"From: somebody\r\nSubject: Hello\r\n\r\nWhere is it?\r\n"
        envelope = Envelope(
            self.origin.ip or "198.51.100.1",
            self.origin,
            "mx.example",
            self.mail_from,
            self.rcpt_to,
            raw,
            NOON,
        )
        message = Message(
            from_=tuple(Address("Alice", "case++alice", domain) for domain in self.from_domains),
            received=("by somebody",) * self.received,
            duplicated=self.duplicated,
        )
        return envelope, message, self.proof.results(self.from_domain)
