"""The table of replies, and the one function that makes reply lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relaydesk import reasons
from relaydesk.classify.findings import Findings, Match
from relaydesk.policy.decision import Admission, Decision
from relaydesk.reasons import Reason
from relaydesk.smtpd.replies import BY_NAME, BY_REASON, MAX_REPLY, Reply, build, reply_for

#: Reasons that only ever accompany an accepted message, or what became of an answer to one.
ACCEPTING = {
    "bounce_of_answer", "auth_outage", "aligned_dkim", "mapped_dkim", "aligned_spf", "rule", "no_rule",
    "return_request", "order_confirmed", "order_not_found", "order_mentioned", "no_order",
    "reply_to_ignored", "old_signature", "lf_read_as_crlf", "unreadable", "content_unread", "opens",
    "joins_relay_address", "joins_order", "reopens", "joins_bounce", "escalates", "links", "already_stored",
    "replayed", "bounce_unmatched", "bounce_hard", "bounce_soft", "bounce_unclear", "bounce_of_bounce",
    "auto_reply", "directory_address", "bounces_full", "forward_loop", "not_sent", "clock_not_stopped",
    "junk_suspect",
}  # fmt: skip


def decision(outcome: str, code: str) -> Decision:
    return Decision(outcome, (Reason(code, ""),), Findings(Match("unsorted")))  # type: ignore[arg-type]


def test_it_has_a_reply_for_every_reason_that_refuses_or_defers() -> None:
    assert set(reasons.SENTENCES) - ACCEPTING == set(BY_REASON)
    assert not set(BY_REASON) & set(BY_NAME)


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("too_large", "552 5.3.4 "),
        ("too_many_recipients", "452 4.5.3 "),
        ("too_slow", "421 4.4.2 "),
        ("bare_newline", "554 5.6.0 "),
        ("mail_loop", "554 5.4.6 "),
        ("unknown_mailbox", "550 5.1.1 "),
        ("no_role", "550 5.7.1 "),
        ("origin_not_listed", "550 5.7.1 "),
        ("forged", "550 5.7.1 "),
        ("auth_unknown", "451 4.7.0 "),
        ("store_unavailable", "451 4.3.0 "),
        ("internal_error", "451 4.3.0 "),
        ("too_many_connections", "421 4.7.0 "),
    ],
)
def test_it_answers_each_reason_with_its_codes(code: str, start: str) -> None:
    assert reply_for(code).line().startswith(start)


@pytest.mark.parametrize("reply", [*BY_REASON.values(), *BY_NAME.values()])
def test_it_keeps_basic_and_enhanced_class_together(reply: Reply) -> None:
    if reply.enhanced:
        assert reply.enhanced[0] == str(reply.code)[0]
        assert re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", reply.enhanced)
    assert reply.line().isascii()
    assert len(reply.line()) <= MAX_REPLY


def test_it_answers_by_outcome_first() -> None:
    assert reply_for(decision("accepted", "aligned_dkim")).line() == "250 2.0.0 Ok: stored"
    assert reply_for(decision("refused", "drift")).line().startswith("550 5.7.1")
    assert reply_for(decision("deferred", "drift")).line().startswith("451 4.7.0")
    assert reply_for(decision("deferred", "store_unavailable")).code == 451
    assert reply_for(decision("deferred", "something new")).code == 451
    assert reply_for(decision("refused", "something new")).code == 550
    assert reply_for(Admission("refused", Reason("unknown_mailbox", ""))).code == 550
    assert reply_for(Admission("deferred")).code == 451


def test_it_does_not_know_a_name_that_is_not_in_the_table() -> None:
    with pytest.raises(KeyError):
        reply_for("no such reply")


def test_it_writes_several_lines_as_one_reply() -> None:
    assert Reply(250, "", "mx.example", ("SIZE 1", "PIPELINING")).line() == (
        "250-mx.example\r\n250-SIZE 1\r\n250 PIPELINING"
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=700), min_size=1, max_size=3))
def test_it_never_lets_a_text_break_out_of_its_line(texts: list[str]) -> None:
    lines = build(550, texts).split("\r\n")
    assert len(lines) == len(texts)
    for line in lines:
        assert re.fullmatch(r"550(?:[ -][ -~]*)?", line)
        assert len(line) <= MAX_REPLY
