"""The fixtures themselves: readable, complete, and free of contradictions."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from relaydesk.classify.findings import KINDS
from relaydesk.outbound.smtp_client import proxy_header
from relaydesk.policy.allowlist import FORMATS
from relaydesk.samples.case import CaseError, Step, case_names, common_zone, load_case
from relaydesk.samples.compose import compose_case, composed_mail
from tests.support import cases
from tests.support.commands import run

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk.samples.case import Case

NAMES = case_names(cases.FIXTURES)


def every() -> tuple[Case, ...]:
    """All cases. Read when a test asks, not when the tests are gathered, which every worker does."""
    return tuple(map(cases.golden, NAMES))


def codes() -> set[str]:
    steps = [step.expected for case in every() for step in case.steps]
    return {code for expected in steps for code in expected.get("reasons", ())}


def test_it_has_a_case_for_every_kind_and_outcome() -> None:
    expected = [case.last.expected for case in every()]
    assert len(expected) >= 45
    assert {one["kind"] for one in expected if one.get("kind")} == set(KINDS)
    assert {one["outcome"] for one in expected} == {"accepted", "refused", "deferred"}


def test_it_has_a_case_for_every_row_of_the_policy() -> None:
    rows = {
        "mail_loop", "bare_newline", "bounce_of_answer", "unknown_mailbox", "no_role", "proxy_without_header",
        "origin_not_listed", "drift", "not_one_from", "duplicate_headers", "auth_unknown", "auth_outage",
        "aligned_dkim", "mapped_dkim", "aligned_spf", "forged", "unverified", "not_listed_sender",
        "unauthenticated",
    }  # fmt: skip
    assert rows - codes() == set()


def test_it_has_a_case_for_every_thread() -> None:
    threads = {
        "opens", "joins_relay_address", "joins_order", "reopens", "joins_bounce", "bounce_unmatched",
        "escalates", "links", "already_stored", "replayed",
    }  # fmt: skip
    assert threads - codes() == set()


def test_it_has_a_case_for_every_format_of_a_relay() -> None:
    lists = cases.snapshot().allowlist
    peers = [lists.role(case.last.peer)[1] for case in every()]
    assert {entry.format for entry in peers if entry is not None and entry.role == "relay"} == set(FORMATS)


def test_its_zones_can_be_served_together() -> None:
    assert "_spf.facebook.com" in common_zone(every())


@pytest.mark.parametrize("name", NAMES)
def test_it_says_why(name: str) -> None:
    case = cases.golden(name)
    assert len(case.why.split()) >= 14
    assert case.last.expected["outcome"]


HANDFUL = (
    "101-instagram-case",
    "105-chargeback",
    "212-saved-with-line-feeds",
    "324-forged",
    "402-three-hops",
)


@pytest.mark.parametrize("name", HANDFUL)
def test_the_command_decides_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, step = cases.golden(name), cases.golden(name).last
    (tmp_path / "message.eml").write_bytes(compose_case(step, case.received_at, cases.KEYS, as_file=True))
    (tmp_path / "zone.yaml").write_text(json.dumps(case.zone))
    for variable in [variable for variable in os.environ if variable.startswith("RELAYDESK_")]:
        monkeypatch.delenv(variable)
    command = ["--config", str(cases.FIXTURES / "relaydesk.yaml"), "explain"]
    command += [str(tmp_path / "message.eml"), "--peer", step.peer, "--helo", step.helo, "--json"]
    command += ["--mail-from", step.mail_from, "--rcpt", step.rcpt[0], "--now", case.received_at.isoformat()]
    command += ["--zone", str(tmp_path / "zone.yaml"), "--allowlist", str(cases.FIXTURES / "allowlist.yaml")]
    done = run(*command)
    assert done.stderr == ""
    assert cases.differences(step.expected, json.loads(done.stdout)) == []


# --- how cases are read and composed ----------------------------------------------------------------


def write(place: Path, envelope: str, expected: str = "outcome: accepted", **files: str) -> Path:
    """A folder of fixtures that holds one case of one's own, ``cases/own``."""
    own = place / "cases" / "own"
    own.mkdir(parents=True)
    for name, text in {"message": "From: a@b.example\n\nhi\n", **files}.items():
        (own / f"{name}.eml").write_text(text)
    (own / "why.md").write_text("Because.")
    (own / "envelope.yaml").write_text(envelope)
    (own / "expected.yaml").write_text(expected)
    (place / "zone.yaml").write_text("b.example: [{A: 192.0.2.1}]\n")
    return place


AT = 'received_at: "2026-11-24T20:00:00Z"\n'


@pytest.mark.parametrize(
    ("envelope", "sentence"),
    [
        ("peer: 192.0.2.1", "'received_at' is missing"),
        ('received_at: "2026-11-24T20:00:00"', "no zone"),
        (AT + "pear: 192.0.2.1", "pear is not a key of an envelope"),
        (AT + "via: pigeon", "via must be one of proxy"),
        (AT + "history: [{message: lost.eml}]", "lost.eml cannot be read"),
        ("- 1", "must hold 'name: value' lines"),
    ],
)
def test_it_names_what_is_wrong_with_a_case(envelope: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=sentence):
        load_case(write(tmp_path, envelope), "own")


def test_it_takes_from_the_case_what_a_step_of_the_history_leaves_out(tmp_path: Path) -> None:
    steps = "[{message: first.eml, delay: 5, expected: {kind: case}}, {act: close}]"
    told = f"{AT}mail_from: a@b.example\nhistory: {steps}"
    case = load_case(write(tmp_path, told, first="From: a@b.example\n\nfirst\n"), "own")
    first, closing, last = case.steps
    assert (first.message, first.mail_from, first.expected) == (
        b"From: a@b.example\n\nfirst\n",
        "a@b.example",
        {"kind": "case"},
    )
    assert closing.act == "close"
    assert last.message == b"From: a@b.example\n\nhi\n"


def test_it_lets_no_case_contradict_the_common_zone(tmp_path: Path) -> None:
    write(tmp_path, AT)
    (tmp_path / "cases" / "own" / "zone.yaml").write_text("b.example: [TIMEOUT]")
    with pytest.raises(CaseError, match=r"b\.example is already in the common zone"):
        load_case(tmp_path, "own")


def test_it_changes_a_message_on_the_way() -> None:
    moment = datetime.fromisoformat("2026-11-24T20:00:00Z")
    step = Step(
        b"From: a@b.example\nDate: {date}\n\nhi\n",
        after=(
            {"prepend": ["X: {date}", "Y: 1"]},
            {"replace": ["hi", "ho"]},
            {"append": "end\n"},
            {"loop": ["Z: 1", 2]},
        ),
    )
    stamp = "Tue, 24 Nov 2026 19:59:30 +0000"
    wanted = f"Z: 1\r\nZ: 1\r\nX: {stamp}\r\nY: 1\r\nFrom: a@b.example\r\nDate: {stamp}\r\n\r\nho\r\nend\r\n"
    assert compose_case(step, moment, cases.KEYS) == wanted.encode()
    with pytest.raises(CaseError, match="does not hold 'hu'"):
        compose_case(Step(b"x: hi\n", after=({"replace": ["hu", "ho"]},)), moment, cases.KEYS)
    with pytest.raises(CaseError, match="burn is not a change"):
        compose_case(Step(b"x: hi\n", after=({"burn": "all"},)), moment, cases.KEYS)


def test_it_seals_the_bounce_address_of_a_ticket() -> None:
    given = composed_mail(
        Step(b"x: 1\n", rcpt=("{bounce}",)),
        cases.golden(NAMES[0]).received_at,
        cases.KEYS,
        secret="s",
        ticket=7,
    )
    assert given.rcpt[0].startswith("bounces+7.0-")


def test_it_writes_both_versions_of_the_proxy_header() -> None:
    assert proxy_header("66.220.144.130") == b"PROXY TCP4 66.220.144.130 127.0.0.1 25 25\r\n"
    assert proxy_header("2001:db8::1") == b"PROXY TCP6 2001:db8::1 ::1 25 25\r\n"
    assert (
        proxy_header("192.0.2.1", 2)
        == b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\x7f\0\0\x01\0\x19\0\x19"
    )
