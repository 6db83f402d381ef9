"""What comes back for an answer: reports, notices in prose, automatic replies, bounces of bounces."""

from __future__ import annotations

import pytest

from relaydesk.bounces import dsn
from relaydesk.message.parse import parse_message

OURS = "<answer.7.3.abcdefghijklmnop@shop.example>"


def report(
    status: str = "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 RCP-P1 no such user",
    *,
    original: str = f"From: help@shop.example\nMessage-ID: {OURS}\nSubject: Re: hello",
    returned_as: str = "message/rfc822",
    extra: str = "Auto-Submitted: auto-replied\n",  # as Postfix marks its reports
) -> dsn.Dsn:
    raw = (
        "From: Mail System <MAILER-DAEMON@mx.example>\nSubject: Undelivered Mail Returned to Sender\n"
        f"{extra}MIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nI'm sorry to have to inform you 5.9.9\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; case++aaaa@support.facebook.com\n{status}\n\n"
        f"--b\nContent-Type: {returned_as}\n\n{original}\n\nHello\n\n--b--\n"
    )
    return dsn.read_bounce(parse_message(raw.replace("\n", "\r\n").encode()))


def prose(text: str, sender: str = "mailer-daemon@mx.example", extra: str = "", **how: object) -> dsn.Dsn:
    raw = f"From: {sender}\r\n{extra}\r\n{text}"
    return dsn.read_bounce(parse_message(raw.encode()), **how)  # type: ignore[arg-type]


def test_it_reads_a_hard_bounce() -> None:
    found = report()
    assert (found.hard, found.status, found.undelivered) == (True, "5.1.1", True)
    assert found.final_recipient == "case++aaaa@support.facebook.com"
    assert found.original_message_id == OURS
    assert found.diagnostic == "550 5.1.1 RCP-P1 no such user"
    assert not found.is_auto_reply
    assert not found.of_bounce


@pytest.mark.parametrize(
    ("status", "hard"),
    [
        ("Action: failed\nStatus: 4.4.1", True),  # given up: final, whatever the class
        ("Action: FAILED (at last)\nStatus: 5.0.0", True),
        ("Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: later", False),
        ("Action: delivered\nStatus: 2.0.0", False),
        ("Action: relayed\nStatus: 2.0.0", False),
        ("Status: 5.7.1", True),  # no action: the class tells
        ("Status: 4.2.2", False),
        ("Action: pondered\nStatus: 5.0.0", True),
        ("Action: pondered\nStatus: perhaps", True),  # the Subject tells
        ("Action:\n failed\nStatus: 5.1.1", True),  # folded
    ],
)
def test_it_tells_what_failed_from_what_may_yet_arrive(status: str, hard: bool | None) -> None:
    assert report(status).hard is hard


def test_it_takes_the_worst_of_several_recipients() -> None:
    other = "Final-Recipient: rfc822; b@support.facebook.com\nAction: failed\nStatus: 5.2.2"
    two = f"Action: delivered\nStatus: 2.0.0\n\n{other}"
    found = report(two)
    assert (found.hard, found.status, found.final_recipient) == (True, "5.2.2", "b@support.facebook.com")


def test_it_reads_returned_headers_alone() -> None:
    assert report(returned_as="text/rfc822-headers").original_message_id == OURS


@pytest.mark.parametrize(
    "original",
    [
        "From: MAILER-DAEMON@other.example\nMessage-ID: <1@other.example>",
        f"From: a@b.example\nMessage-ID: {OURS}\nContent-Type: multipart/report; boundary=c",
    ],
)
def test_it_knows_a_bounce_of_a_bounce(original: str) -> None:
    found = report(original=original)
    assert found.of_bounce
    assert not found.undelivered


@pytest.mark.parametrize(
    ("text", "extra", "hard"),
    [
        ("This message was created automatically", "X-Failed-Recipients: a@support.facebook.com\r\n", True),
        ("550 5.7.1 POL-P7 rejected", "", True),
        ("host said: 550 no such user", "", True),
        ("It is 24 hours old", "Subject: Warning: message delayed 24 hours\r\n", False),
        ("452 4.2.2 mailbox full, trying on", "", False),
        ("Something happened.", "", None),
        ("version 10.5.1.1 of 192.0.2.5", "", None),  # neither a status nor a reply
    ],
)
def test_it_reads_notices_in_prose(text: str, extra: str, hard: bool | None) -> None:
    assert prose(text, extra=extra).hard is hard


def test_it_believes_metas_own_notice_without_a_report() -> None:
    found = prose(
        "Sorry, case++aaaa@support.facebook.com could not be reached.",
        "Facebook <mailer-daemon@mx.facebook.com>",
        "Auto-Submitted: auto-generated\r\n",
        notice=True,
        failed_recipient="case++aaaa@support.facebook.com",
    )
    assert (found.undelivered, found.final_recipient) == (True, "case++aaaa@support.facebook.com")


@pytest.mark.parametrize(
    "extra",
    [
        "Auto-Submitted: auto-replied (vacation); owner=a\r\n",
        "Precedence: auto_reply\r\n",
        "X-Autoreply: yes\r\n",
        "Subject: Out of office: back on Monday\r\n",
        "Subject: Automatische Antwort: Ihre Nachricht\r\n",
    ],
)
def test_it_knows_automatic_replies(extra: str) -> None:
    found = prose("I am away; 550 5.1.1 is my favourite number.", "Alice <alice@meta.example>", extra)
    assert (found.is_auto_reply, found.hard, found.undelivered) == (True, None, False)


def test_it_takes_a_persons_words_for_nothing() -> None:
    found = prose("550 5.1.1 user unknown, says my cat", "Alice <alice@meta.example>")
    assert (found.hard, found.is_auto_reply) == (None, False)


@pytest.mark.parametrize("raw", [b"", b"\0" * 99, b"Content-Type: multipart/report; boundary=b\r\n\r\n--b"])
def test_it_reads_any_bytes(raw: bytes) -> None:
    assert dsn.read_bounce(parse_message(raw)).hard is None
