"""The policy as a table: each check, its nearest misses and its settings, in the order of the checks.

``docs/operations.md`` explains the reasons. What the SMTP session refuses before there is a message (size,
bare line feeds, slowness) is tested in ``tests/smtp``; the same checks on real mail are the golden cases.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.classify import Candidate, Findings, Match
from relaydesk.policy import Known, KnownOrder, KnownTicket, admit
from tests.support.evidence import (
    ALICE,
    BELOW,
    BOUNCE,
    CASE,
    DIRECT,
    LISTED,
    MAILBOX,
    MAPPED,
    MAPPED_TO,
    NOON,
    NOTHING,
    ORDER,
    ORGANIZATION,
    OTHER,
    POLICY,
    RELAYED,
    RELAYED_UNKNOWN,
    RELAYED_UNLISTED,
    SHARED,
    SILENT_PROXY,
    STRANGER,
    Arriving,
    Proof,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.message import Origin

GENUINE = Arriving()
NOTICE = Findings(Match("bounce", "undeliverable", "it says so"), failed_recipient=ALICE)
HOUR = timedelta(hours=1)
WRONG_SEAL = BOUNCE.replace("bounces+7.", "bounces+8.")
UNSIGNED_SPF = Proof(("pass", LISTED), ())
LOOKING_UP = Proof(("fail", LISTED), (("temperror", LISTED),))  # a key that could not be looked up
FROM_MAPPED = Proof(("fail", OTHER), (("pass", MAPPED_TO),))
FROM_OTHER = Proof(("pass", OTHER), (("pass", OTHER),))
DRIFT = {"on_drift": "defer"}


@dataclass(frozen=True)
class Row:
    """What arrives, changed from genuine mail; the settings, changed from the defaults; what is decided."""

    name: str
    changes: dict[str, Any]
    settings: dict[str, Any]
    verdict: str  # outcome and first reason

    def decide(self) -> str:
        try:
            decision = replace(GENUINE, **self.changes).decide(replace(POLICY, **self.settings))
        except StopIteration:  # no check is left that matches
            return ""
        proven = {"aligned_dkim", "mapped_dkim", "aligned_spf"}
        assert decision.vouched == (decision.code in proven)
        return f"{decision.outcome} {decision.code}"


def row(name: str, verdict: str, *, settings: dict[str, Any] | None = None, **changes: Any) -> Row:
    return Row(name, changes, settings or {}, verdict)


TABLE: list[Row] = [
    # 1: the shape of the transaction
    row("1 no recipient", "refused no_recipient", rcpt_to=()),
    row("1 too many hops", "refused mail_loop", received=4),
    row("1 as many hops as allowed", "accepted aligned_dkim", received=3),
    row("1 setting: fewer hops", "refused mail_loop", settings={"max_received": 2}, received=3),
    # 2: bounces of our answers
    row(
        "2 a bounce from anywhere",
        "accepted bounce_of_answer",
        origin=STRANGER,
        mail_from="",
        rcpt_to=(BOUNCE,),
        from_domains=(OTHER,),
        proof=NOTHING,
    ),
    row(
        "2 a bounce without From",
        "accepted bounce_of_answer",
        origin=STRANGER,
        mail_from="",
        rcpt_to=(BOUNCE,),
        from_domains=(),
        proof=NOTHING,
    ),
    row(
        "2 a bounce while DNS is away",
        "accepted bounce_of_answer",
        origin=STRANGER,
        mail_from="",
        rcpt_to=(BOUNCE,),
        proof=LOOKING_UP,
    ),
    row(
        "2 under a wrong seal",
        "refused unknown_mailbox",
        origin=STRANGER,
        mail_from="",
        rcpt_to=(WRONG_SEAL,),
    ),
    row("2 a stranger who gives a sender", "refused unknown_mailbox", origin=STRANGER, rcpt_to=(BOUNCE,)),
    row("2 the null sender elsewhere", "accepted aligned_dkim", mail_from=""),
    row(
        "2 a reply with a sender from a listed network",
        "accepted bounce_of_answer",
        rcpt_to=(BOUNCE,),
        proof=NOTHING,
    ),
    row("2 proven mail to it", "accepted aligned_dkim", rcpt_to=(BOUNCE,)),
    row("2 a proven notice to it", "accepted bounce_of_answer", rcpt_to=(BOUNCE,), findings=NOTICE),
    row("2 also for a mailbox", "refused forged", mail_from="", rcpt_to=(BOUNCE, MAILBOX), proof=NOTHING),
    row(
        "2 one too many",
        "refused bounce_capped",
        mail_from="",
        rcpt_to=(BOUNCE,),
        known=Known(bounced_ticket=7, bounces=20),
    ),
    row(
        "2 the last one",
        "accepted bounce_of_answer",
        mail_from="",
        rcpt_to=(BOUNCE,),
        known=Known(bounced_ticket=7, bounces=19),
    ),
    row(
        "2 setting: a lower cap",
        "refused bounce_capped",
        settings={"max_bounces": 19},
        mail_from="",
        rcpt_to=(BOUNCE,),
        known=Known(bounced_ticket=7, bounces=19),
    ),
    row(
        "2 a resend past the cap",
        "accepted bounce_of_answer",
        mail_from="",
        rcpt_to=(BOUNCE,),
        known=Known(stored=True, bounced_ticket=7, bounces=20),
    ),
    # 3: our mailboxes
    row("3 not ours", "refused unknown_mailbox", rcpt_to=("help@other.example",)),
    row("3 no such mailbox", "refused unknown_mailbox", rcpt_to=("hello@shop.example",)),
    row("3 one of two is not ours", "refused unknown_mailbox", rcpt_to=(MAILBOX, "x@other.example")),
    row("3 in other letters", "accepted aligned_dkim", rcpt_to=("Help@SHOP.example",)),
    row("3 postmaster", "accepted aligned_dkim", rcpt_to=("postmaster@shop.example",)),
    row("3 postmaster alone", "accepted aligned_dkim", rcpt_to=("Postmaster",)),
    row("3 a postmaster elsewhere", "refused unknown_mailbox", rcpt_to=("postmaster@other.example",)),
    row(
        "3 setting: mailboxes",
        "accepted aligned_dkim",
        settings={"mailboxes": frozenset({"hello@shop.example"})},
        rcpt_to=("hello@shop.example",),
    ),
    # 4: networks
    row("4 no role", "refused no_role", origin=STRANGER, proof=FROM_OTHER),
    row("4 a proxy that says nothing", "refused proxy_without_header", origin=SILENT_PROXY, proof=FROM_OTHER),
    row(
        "4 an unlisted origin behind our relay",
        "refused origin_not_listed",
        origin=RELAYED_UNLISTED,
        proof=Proof(("fail", LISTED)),
    ),
    row("4 a listed origin behind our relay", "accepted aligned_dkim", origin=RELAYED),
    row("4 an unknown origin", "accepted aligned_dkim", origin=RELAYED_UNKNOWN),
    row("4 drift", "refused drift", origin=STRANGER),
    row("4 drift of a name below", "refused drift", origin=STRANGER, proof=Proof(("pass", BELOW))),
    row("4 drift behind our relay", "refused drift", origin=RELAYED_UNLISTED),
    row("4 setting: drift defers", "deferred drift", settings=DRIFT, origin=STRANGER),
    row(
        "4 setting: drift defers behind our relay", "deferred drift", settings=DRIFT, origin=RELAYED_UNLISTED
    ),
    row(
        "4 setting: no drift without SPF",
        "refused no_role",
        settings=DRIFT,
        origin=STRANGER,
        proof=Proof(("fail", LISTED)),
    ),
    # 5: one From, and no header twice
    row("5 two From", "refused not_one_from", from_domains=(LISTED, OTHER)),
    row("5 no From", "refused not_one_from", from_domains=()),
    row("5 two From through a relay", "accepted not_one_from", origin=RELAYED, from_domains=(LISTED, LISTED)),
    row("5 two subjects", "refused duplicate_headers", duplicated=("subject",)),
    row(
        "5 two subjects through a relay",
        "accepted duplicate_headers",
        origin=RELAYED,
        duplicated=("subject",),
    ),
    # 6: unknown right now
    row("6 a key that could not be read", "deferred auth_unknown", proof=LOOKING_UP),
    row(
        "6 a mapped key that could not be read",
        "deferred auth_unknown",
        from_domains=(MAPPED,),
        proof=Proof(("fail", OTHER), (("temperror", MAPPED_TO),)),
    ),
    row("6 SPF that could not be read", "deferred auth_unknown", proof=Proof(("temperror", LISTED), ())),
    row("6 a policy that could not be read", "deferred auth_unknown", proof=Proof(("fail", LISTED), (), "?")),
    row(
        "6 settled by another check",
        "accepted aligned_dkim",
        proof=Proof(("temperror", LISTED), (("temperror", OTHER), ("pass", LISTED))),
    ),
    row(
        "6 a stranger's key matters not",
        "refused forged",
        proof=Proof(("fail", LISTED), (("temperror", OTHER),)),
    ),
    row(
        "6 SPF that would not count matters not",
        "accepted unverified",
        origin=SHARED,
        proof=Proof(("temperror", LISTED), (), "none"),
    ),
    row("6 almost too long", "deferred auth_unknown", proof=LOOKING_UP, after=3.9 * HOUR),
    row("6 too long", "accepted auth_outage", proof=LOOKING_UP, after=4 * HOUR),
    row(
        "6 too long since the first attempt",
        "accepted auth_outage",
        proof=LOOKING_UP,
        known=Known(first_seen=NOON - 4 * HOUR),
    ),
    row(
        "6 setting: patience",
        "deferred auth_unknown",
        settings={"outage_after": 5 * HOUR},
        proof=LOOKING_UP,
        after=4 * HOUR,
    ),
    row("6 a resend of what is stored", "accepted auth_outage", proof=LOOKING_UP, known=Known(stored=True)),
    # 7: a listed sender, proven
    row("7 an aligned signature", "accepted aligned_dkim", proof=Proof(("fail", OTHER))),
    row(
        "7 a signature of the organization",
        "accepted aligned_dkim",
        proof=Proof(("fail", OTHER), (("pass", ORGANIZATION),)),
    ),
    row("7 a mapped signature", "accepted mapped_dkim", from_domains=(MAPPED,), proof=FROM_MAPPED),
    row("7 a signature mapped for another", "refused forged", proof=FROM_MAPPED),
    row("7 aligned SPF", "accepted aligned_spf", proof=UNSIGNED_SPF),
    row(
        "7 aligned SPF of a listed origin behind our relay",
        "accepted aligned_spf",
        origin=RELAYED,
        proof=UNSIGNED_SPF,
    ),
    row("7 SPF of a provider that others share", "accepted unverified", origin=SHARED, proof=UNSIGNED_SPF),
    row("7 SPF of an unknown origin", "accepted unverified", origin=RELAYED_UNKNOWN, proof=UNSIGNED_SPF),
    row("7 no DMARC record is needed", "accepted aligned_dkim", proof=Proof(("fail", LISTED), policy=None)),
    row("7 genuine, but no rule", "accepted aligned_dkim", findings=Findings(Match("unsorted"))),
    # 8: a listed sender, not proven, policy reject
    row("8 nothing vouches", "refused forged", proof=NOTHING),
    row("8 a name below", "refused forged", from_domains=(BELOW,), proof=NOTHING),
    row(
        "8 a broken signature from the origin itself",
        "refused forged",
        proof=Proof(("fail", LISTED), (("fail", LISTED),)),
    ),
    row("8 unsigned through a relay", "refused forged", origin=RELAYED, proof=NOTHING),
    # 9: the same where that is no ground to refuse
    row("9 quarantine", "accepted unverified", proof=replace(NOTHING, policy="quarantine")),
    row("9 policy none", "accepted unverified", proof=replace(NOTHING, policy="none")),
    row("9 no record", "accepted unverified", proof=replace(NOTHING, policy=None)),
    row(
        "9 a signature that the relay may have broken",
        "accepted unverified",
        origin=RELAYED,
        proof=Proof(("fail", LISTED), (("fail", LISTED),)),
    ),
    row("9 an unknown origin", "accepted unverified", origin=RELAYED_UNKNOWN, proof=NOTHING),
    # 10: proven, not listed
    row("10 somebody else, proven", "accepted not_listed_sender", from_domains=(OTHER,), proof=FROM_OTHER),
    row("10 a name below, proven", "accepted not_listed_sender", from_domains=(BELOW,)),
    row(
        "10 setting: refuse",
        "refused not_listed_sender",
        settings={"unlisted_sender": "refuse"},
        from_domains=(OTHER,),
        proof=FROM_OTHER,
    ),
    row("10 setting: not for the listed", "accepted aligned_dkim", settings={"unlisted_sender": "refuse"}),
    # 11: anything else
    row("11 somebody", "refused unauthenticated", from_domains=(OTHER,), proof=Proof(("fail", OTHER), ())),
    row(
        "11 somebody through a relay",
        "accepted unauthenticated",
        origin=RELAYED,
        from_domains=(OTHER,),
        proof=Proof(("fail", OTHER), ()),
    ),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_first_check_that_matches_decides(row: Row) -> None:
    assert row.decide() == row.verdict


CHECKS, DECIDE, THREADING = (
    importlib.import_module(f"relaydesk.policy.{name}") for name in ("checks", "decide", "threading")
)
(ORDER_OF_CHECKS,) = (
    name
    for name, value in vars(CHECKS).items()
    if isinstance(value, tuple) and value and all(map(inspect.isfunction, value))
)


@pytest.mark.parametrize("check", getattr(CHECKS, ORDER_OF_CHECKS), ids=lambda check: check.__name__)
def test_without_a_check_some_row_is_decided_otherwise(
    check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the table covers them all."""
    left = tuple(other for other in getattr(CHECKS, ORDER_OF_CHECKS) if other is not check)
    for module in (CHECKS, DECIDE):
        monkeypatch.setattr(module, ORDER_OF_CHECKS, left)
    assert any(row.decide() != row.verdict for row in TABLE)


# --- what an accepted message becomes ---------------------------------------------------------------

OPEN_CASE = KnownTicket(5, "case", "case", True, ALICE, ALICE, (ORDER,), ("response",))
LABELLED = Candidate(ORDER, "order", "text", "Order number", "labelled")
NOTIFIED = Findings(Match("notice", "order-notice"), candidates=(LABELLED,))
NOTICE_TICKET = KnownTicket(6, "notice", "notice", True, ALICE, "", (ORDER,))
CLOSED = replace(OPEN_CASE, open=False, running=())


def kind(arriving: Arriving) -> tuple[str, str, str, int | None, tuple[str, ...]]:
    """Kind, queue, what happens, to which ticket, and the clocks it starts."""
    decision = arriving.decide()
    assert decision.placement is not None
    clocks = tuple(planned.clock for planned in decision.clocks)
    return decision.kind, decision.queue, decision.placement.action, decision.placement.ticket, clocks


@pytest.mark.parametrize(
    ("changes", "becomes"),
    [
        ({}, ("case", "case", "open", None, ("response",))),
        ({"findings": replace(CASE, relay_address="")}, ("case", "case", "open", None, ("handling",))),
        ({"known": Known(tickets=(OPEN_CASE,))}, ("case", "case", "join", 5, ())),
        ({"known": Known(tickets=(CLOSED,))}, ("case", "case", "join", 5, ("response",))),
        (
            {"findings": Findings(Match("chargeback", "chargeback"))},
            ("chargeback", "chargeback", "open", None, ("handling", "evidence")),
        ),
        ({"findings": Findings(Match("notice", "order-notice"))}, ("notice", "notice", "open", None, ())),
        (
            {"findings": Findings(Match("unsorted"), ALICE)},
            ("unsorted", "unsorted", "open", None, ("response",)),
        ),
        (
            {"proof": replace(NOTHING, policy="none"), "known": Known(tickets=(OPEN_CASE,))},
            ("unsorted", "unsorted", "open", None, ("response",)),
        ),
        (
            {
                "findings": Findings(Match("chargeback", "chargeback"), ALICE),
                "known": Known(tickets=(replace(OPEN_CASE, queue="chargeback"),)),
            },
            ("chargeback", "chargeback", "join", 5, ("evidence",)),
        ),
        (  # an agent moved the ticket to a queue that promises nothing
            {"known": Known(tickets=(replace(OPEN_CASE, queue="notice", running=()),))},
            ("case", "notice", "join", 5, ("response",)),
        ),
        (
            {"findings": NOTIFIED, "known": Known(tickets=(NOTICE_TICKET,))},
            ("notice", "notice", "join", 6, ()),
        ),
        (  # the same order and sender, but it may want an answer
            {
                "findings": replace(NOTIFIED, match=Match("unsorted")),
                "known": Known(tickets=(NOTICE_TICKET,)),
            },
            ("unsorted", "unsorted", "open", None, ("handling",)),
        ),
        (
            {
                "findings": replace(NOTIFIED, match=Match("unsorted")),
                "known": Known(tickets=(replace(NOTICE_TICKET, kind="unsorted"),)),
            },
            ("unsorted", "notice", "join", 6, ("handling",)),
        ),
        (  # the directory knows whose address it is
            {
                "findings": Findings(Match("unsorted"), ALICE),
                "known": Known(orders=(KnownOrder("9", "", ALICE),)),
            },
            ("case", "case", "open", None, ("response",)),
        ),
        (
            {
                "findings": Findings(Match("unsorted"), ALICE),
                "known": Known(orders=(KnownOrder("9", "", "x@y"),)),
            },
            ("unsorted", "unsorted", "open", None, ("response",)),
        ),
        ({"known": Known(replay_of=5)}, ("case", "case", "duplicate", 5, ())),
        ({"known": Known(stored=True, stored_ticket=5)}, ("case", "case", "stored", 5, ())),
        (
            {"mail_from": "", "rcpt_to": (BOUNCE,), "known": Known(bounced_ticket=7)},
            ("bounce", "bounce", "bounce", 7, ()),
        ),
        (
            {"mail_from": "", "rcpt_to": (BOUNCE,), "known": Known()},
            ("unsorted", "unsorted", "open", None, ("response",)),
        ),
        (
            {"findings": NOTICE, "known": Known(tickets=(OPEN_CASE,))},
            ("bounce", "case", "bounce", 5, ()),
        ),
    ],
)
def test_what_an_accepted_message_becomes(changes: dict[str, Any], becomes: tuple[Any, ...]) -> None:
    assert kind(replace(GENUINE, **changes)) == becomes


def test_a_return_request_has_the_earlier_deadline() -> None:
    friday = NOON - timedelta(days=4)
    usual, hurried = (
        replace(
            GENUINE, findings=replace(CASE, contact_reason=reason), known=Known(first_seen=friday)
        ).decide()
        for reason in ("", "return_request")
    )
    assert usual.clocks[0].due == friday + timedelta(days=4)  # two business days
    assert hurried.clocks[0].due == friday + timedelta(days=2)
    assert "return_request" in [reason.code for reason in hurried.reasons]


def test_a_clock_runs_from_the_first_attempt() -> None:
    (clock,) = replace(GENUINE, known=Known(first_seen=NOON - HOUR)).decide().clocks
    assert clock.start == NOON - HOUR


@pytest.mark.parametrize("origin", [DIRECT, RELAYED, RELAYED_UNKNOWN, STRANGER, SILENT_PROXY])
@pytest.mark.parametrize("mail_from", ["", "somebody@other.example"])
@pytest.mark.parametrize("rcpt", [MAILBOX, BOUNCE, WRONG_SEAL, "x@other.example", "postmaster", ""])
def test_what_rcpt_refuses_the_whole_message_is_refused_for(
    origin: Origin, mail_from: str, rcpt: str
) -> None:
    """The two entries share one policy."""
    admission = admit(origin, mail_from, rcpt, POLICY)
    decision = Arriving(origin, mail_from, (rcpt,), proof=Proof(("fail", OTHER), ())).decide()
    if admission.outcome != "accepted":
        assert admission.reason is not None
        assert (decision.outcome, decision.code) == (admission.outcome, admission.reason.code)
    else:
        assert decision.code not in ("unknown_mailbox", "no_role", "proxy_without_header")


# --- our own bug is never a verdict ------------------------------------------------------------------

MODULES = (CHECKS, DECIDE, THREADING)
FUNCTIONS = {
    f"{value.__module__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if inspect.isfunction(value) and value.__module__.startswith("relaydesk.")
}
ALL_SORTS = [replace(GENUINE, **row.changes) for row in TABLE] + [
    replace(GENUINE, findings=findings, known=Known(tickets=(OPEN_CASE,), orders=(KnownOrder(ORDER),)))
    for findings in (CASE, NOTICE, replace(CASE, relay_address="", contact_reason="return_request"))
]


@pytest.mark.parametrize(
    ("signed_at", "old"),
    [
        (0, True),
        (int((NOON - timedelta(days=8)).timestamp()), True),
        (int((NOON - timedelta(days=6)).timestamp()), False),
        (10**12, False),  # past the last year of a datetime; t= may be as large (RFC 6376 §3.5)
    ],
)
def test_a_signature_of_any_age_is_at_most_marked(signed_at: int, old: bool) -> None:
    decision = replace(GENUINE, proof=Proof(signed_at=signed_at)).decide()
    assert decision.outcome == "accepted"
    assert ("old_signature" in [reason.code for reason in decision.reasons]) == old


NOT_BELOW_DECIDE = (".decide", ".decide_unread", ".decide_unproven", ".refused_unproven")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.endswith(NOT_BELOW_DECIDE)])
def test_a_bug_in_any_part_of_the_policy_is_no_verdict(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever called decide gets the error, which is logged and answered 451; nobody gets a refusal."""
    expected = [arriving.decide() for arriving in ALL_SORTS]
    plant_bug(FUNCTIONS[name], monkeypatch)
    raised = 0
    for arriving, decision in zip(ALL_SORTS, expected, strict=True):
        try:
            assert arriving.decide() == decision
        except PlantedError:
            raised += 1
    assert raised > 0, "no message reaches it"


class PlantedError(Exception):
    """A bug of ours."""


def plant_bug(function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise PlantedError

    for module, (name, value) in chain.from_iterable(
        ((module, item) for item in list(vars(module).items())) for module in MODULES
    ):
        if value is function:
            monkeypatch.setattr(module, name, broken)
        elif isinstance(value, tuple) and function in value:
            monkeypatch.setattr(module, name, tuple(broken if part is function else part for part in value))
