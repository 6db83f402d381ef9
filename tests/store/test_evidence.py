"""What was found of a message comes out of the store as the values that went in."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from relaydesk.classify.findings import Candidate, Findings, Match
from relaydesk.message.auth_results import AuthResults, DkimResult, DmarcResult, SpfResult
from relaydesk.message.envelope import Origin
from relaydesk.reasons import Reason
from relaydesk.store import tickets
from relaydesk.store.columns import read_value
from relaydesk.store.tables import MessageTable, table
from relaydesk_testkit.arriving import ALICE, AUTH, open_ticket

if TYPE_CHECKING:
    from relaydesk.store.engine import Store
    from relaydesk.store.tickets import MessageRow

# Columns of one row as release 0.1 wrote them (key and signature shortened). Add, never change.
OF_0_1 = {
    "origin": """{"ip": "66.220.144.130", "role": "origin", "allowlisted": true, "how": "peer", \
"shared": false, "network": "66.220.144.128/25", "note": ""}""",
    "auth": """{"spf": {"result": "pass", "domain": "facebookmail.com", "reason": "permitted", \
"identity": "mailfrom", "ip": "66.220.144.130", "record": "v=spf1 redirect=_spf.facebook.com", \
"explanation": ""}, "dkim": [{"result": "pass", "domain": "mail.instagram.com", "selector": "s1", \
"reason": "holds", "identity": "", "algorithm": "rsa-sha256", "key_bits": 1024, \
"signed_headers": ["date", "from"], "record": "v=DKIM1; p=MIGf", "b": "aXp3", "signed_at": null}], \
"dmarc": {"result": "pass", "policy": "reject", "domain": "instagram.com", \
"from_domain": "shopping.instagram.com", "organizational_domain": "instagram.com", "aligned_by": ["dkim"], \
"reason": "aligned", "record": "v=DMARC1; p=reject", "undecided": false, "open_by": [], \
"aligned_dkim": ["mail.instagram.com"]}, "aligned_dkim": [0]}""",
    "reasons": """[{"code": "aligned_dkim", "text": "DKIM of mail.instagram.com."}]""",
    "findings": """{"match": {"kind": "claim", "rule": "claim-opened", "why": "a claim", \
"near": [["order-notice", "the Subject is an exception"]]}, "relay_address": "", "case_token": "", \
"username": "", "case_number": "", "contact_reason": "", "candidates": [{"value": "371202934455811", \
"what": "order", "where": "subject", "label": "order", "sure": "labelled"}], "foreign_reply_to": "", \
"failed_recipient": ""}""",
}
AS_VALUES = {
    "origin": Origin("66.220.144.130", "origin", True, "peer", network="66.220.144.128/25"),
    "auth": AuthResults(
        SpfResult(
            "pass",
            "facebookmail.com",
            "permitted",
            "mailfrom",
            "66.220.144.130",
            "v=spf1 redirect=_spf.facebook.com",
        ),
        (
            DkimResult(
                "pass",
                "mail.instagram.com",
                "s1",
                "holds",
                algorithm="rsa-sha256",
                key_bits=1024,
                signed_headers=("date", "from"),
                record="v=DKIM1; p=MIGf",
                b="aXp3",
            ),
        ),
        DmarcResult(
            "pass",
            "reject",
            "instagram.com",
            "shopping.instagram.com",
            "instagram.com",
            aligned_by=("dkim",),
            reason="aligned",
            record="v=DMARC1; p=reject",
            aligned_dkim=("mail.instagram.com",),
        ),
        aligned_dkim=(0,),
    ),
    "reasons": (Reason("aligned_dkim", "DKIM of mail.instagram.com."),),
    "findings": Findings(
        Match("claim", "claim-opened", "a claim", (("order-notice", "the Subject is an exception"),)),
        candidates=(Candidate("371202934455811", "order", "subject", "order", "labelled"),),
    ),
}


def message(store: Store, ticket: int) -> MessageRow:
    with store.reading() as session:
        return tickets.messages(session, ticket)[0]


def rewrite(store: Store, **columns: Any) -> None:
    with store.transaction() as session:
        session.connection().execute(update(table(MessageTable)).values(columns))


def test_the_values_that_went_in_come_out(store: Store) -> None:
    kept = message(store, open_ticket(store))
    assert kept.auth == AUTH
    assert kept.findings == Findings(Match("case"), "case++alice@support.facebook.com", "aaaa", "alice")
    assert kept.origin == Origin("66.220.144.130", "origin", allowlisted=True, how="peer")
    assert [why.code for why in kept.reasons] == ["aligned_dkim"]
    assert kept.rcpt_to == ("help@shop.example",)


def test_a_row_of_the_first_release_is_read(store: Store) -> None:
    ticket = open_ticket(store)
    rewrite(store, **{name: json.loads(text) for name, text in OF_0_1.items()})
    kept = message(store, ticket)
    assert {name: getattr(kept, name) for name in AS_VALUES} == AS_VALUES


@pytest.mark.parametrize("name", OF_0_1)
def test_it_is_printed_as_it_was_written(store: Store, name: str) -> None:
    """``ticket --json`` keeps its keys."""
    ticket = open_ticket(store)
    rewrite(store, **{name: json.loads(OF_0_1[name])})
    assert json.dumps(asdict(message(store, ticket))[name]) == OF_0_1[name]


def test_what_an_older_row_lacks_is_the_default(store: Store) -> None:
    ticket = open_ticket(store)
    auth = {"spf": {"result": "none"}, "dkim": [], "dmarc": {"result": "none"}}
    rewrite(store, findings={"match": {"kind": "case"}, "relay_address": ALICE}, auth=auth)
    kept = message(store, ticket)
    assert kept.findings == Findings(Match("case"), ALICE)
    assert kept.auth == AuthResults(SpfResult("none"), (), DmarcResult("none"))


def test_what_a_newer_row_has_beyond_is_passed_over(store: Store) -> None:
    ticket = open_ticket(store)
    rewrite(store, findings={"match": {"kind": "case", "score": 3}, "language": "de"})
    assert message(store, ticket).findings == Findings(Match("case"))


def test_what_no_default_stands_for_is_named() -> None:
    with pytest.raises(ValueError, match="Match has no kind"):
        read_value(Findings, {"match": {"rule": "facebook-case"}})
