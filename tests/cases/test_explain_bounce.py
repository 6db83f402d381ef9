"""``explain`` says what a notification means, whoever it was for and whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from relaydesk.bounces import read_bounce
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.intake.explain import envelope_of_file, explain, explanation
from relaydesk.message import parse_message
from tests.support import bounce_set, cases
from tests.support.shared import shared

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)
LOST = b"Subject: Undelivered Mail Returned to Sender\n\nann@relay.example: 550 5.1.1 no such user"


async def bounce_of(raw: bytes, *, mail_from: str | None = "", rcpt: str = "help@shop.example") -> Any:
    policy = cases.snapshot().policy
    envelope = envelope_of_file(
        raw, peer="198.51.100.7", helo=None, mail_from=mail_from, rcpt=(rcpt,), policy=policy, now=NOW
    )
    resolver = Resolver(ZoneSource(parse_zone({})))
    gathered, decision = await explain(envelope, resolver, policy, cases.snapshot().rules, None)
    return explanation(envelope, gathered, decision, "")["bounce"]


@pytest.mark.parametrize(
    ("sender", "mail_from", "bounced"),
    [
        (b"From: MAILER-DAEMON@mx.example\n", "", True),
        (b"From: MAILER-DAEMON@mx.example\n", "bounce@mx.example", True),  # a daemon's From
        (b"From: MAILER-DAEMON\n", None, True),  # no Return-Path either
        (b"From: Ann <ann@mx.example>\n", "", True),  # a null sender
        (b"Return-Path: <>\nFrom: Ann <ann@mx.example>\n", None, True),
        (b"From: Ann <ann@mx.example>\n", "ann@mx.example", False),
        (b"Return-Path: <ann@mx.example>\nFrom: Ann <ann@mx.example>\n", None, False),
    ],
)
async def test_it_reads_the_mail_of_a_null_sender_or_a_daemon(
    sender: bytes, mail_from: str | None, bounced: bool
) -> None:
    assert (await bounce_of(sender + LOST, mail_from=mail_from) is not None) is bounced


@pytest.mark.parametrize("rcpt", ["help@shop.example", "nobody@elsewhere.example"])
async def test_it_reads_it_whoever_it_was_for(rcpt: str) -> None:
    answer = await bounce_of(b"From: MAILER-DAEMON@mx.example\n" + LOST, rcpt=rcpt)
    assert answer == {"about": "undelivered", "hard": True, "status": "5.1.1"}


@pytest.mark.parametrize("mail", bounce_set.returned_mails()[::10], ids=str)
async def test_it_reads_the_set_as_the_room_does(mail: bounce_set.Returned) -> None:
    assert (await bounce_of(mail.raw))["about"] == mail.about


NOT_UNDELIVERED = ("corpus/talon", "corpus/stalwart-mail-parser", "corpus/mime4j-testmsgs")


@pytest.mark.parametrize("folder", NOT_UNDELIVERED)
def test_no_other_mail_is_taken_for_an_undelivered_one(folder: str) -> None:
    wrong = [
        file.name
        for file in sorted(shared(folder).rglob("*"))
        if file.suffix in (".eml", ".txt", ".msg", ".html") and file.stat().st_size < 1_000_000
        if read_bounce(parse_message(file.read_bytes())).about == "undelivered"
    ]
    assert wrong == []
