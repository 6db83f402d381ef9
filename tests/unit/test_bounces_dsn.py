"""What comes back for an answer: reports, notices in prose, automatic replies, bounces of bounces."""

from __future__ import annotations

import time

import pytest

from relaydesk.bounces import dsn, from_daemon
from relaydesk.message import Attachment, Body, Message
from relaydesk.message.message import Passage
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


@pytest.mark.parametrize(
    ("original", "of_bounce"),
    [
        ("From: webpostmaster@shop.example", False),  # ends as a daemon's name does
        ("From: Postmaster of the shop <help@shop.example>", False),
        ("From: help@postmaster.example", False),
        ("From: Shop <POSTMASTER@shop.example>", True),
        ("From: MAILER-DAEMON (Mail Delivery System)", True),
        ("From: help@shop.example\nReturn-Path: <>", True),
        ("From: help@shop.example\nReturn-Path: <bounces@shop.example>", False),
        ("From: help@shop.example\nSubject: multipart/report mailer-daemon@x", False),
    ],
)
def test_a_bounce_of_a_bounce_is_known_by_who_sent_it(original: str, of_bounce: bool) -> None:
    assert report(original=original).of_bounce is of_bounce


@pytest.mark.parametrize(
    "below",
    [
        f"--- Below this line is a copy of the message.\n\nReturn-Path: <a@b>\nMessage-ID: {OURS}",
        f"--- Below this line is a copy of the message.\n\nMessage-ID: {OURS}",
        f"------ This is a copy of your message, with its headers. ------\n\nMessage-ID: {OURS}\nX: y",
        f"Original message headers:\n\nReceived: from a (1.2.3.4)\n by b\nMessage-ID:\n {OURS}\nSubject: x",
        f"   ----- Original message -----\n\nReceived: by x\nMessage-ID: {OURS}",
        f"> Received: from a\n> by b\n> Message-ID: {OURS}\n> Subject: x",
        f"Die Kopfzeilen der ursprünglichen Nachricht:\n\nReceived: von x\nMessage-ID: {OURS}",
        f"Received: from a\n\tby b\nMessage-Id: {OURS}",  # without a word
        f"Message-ID: {OURS}",
    ],
)
def test_it_finds_the_returned_message_in_the_text(below: str) -> None:
    found = prose(f"<a@b.example>:\n550 no\n\n{below}\n\nHello, Message-ID: <other@x>")
    assert (found.original_message_id, found.undelivered) == (OURS, True)


def test_the_returned_message_says_nothing_of_the_delivery() -> None:
    returned = "Received: from a\nMessage-ID: <a@b>\n\nYour parcel could not be delivered. 550 5.1.1"
    assert prose(f"See below.\n\n{returned}").about == "unclear"


@pytest.mark.parametrize(
    ("subject", "about"),
    [
        ("Undeliverable: Your order is delayed", "undelivered"),
        ("Delivery delayed: undeliverable parcel", "delayed"),
        ("Delivered: Undeliverable parcel", "delivered"),
        ("Warning: message 1x delayed 24 hours", "delayed"),
    ],
)
def test_the_first_words_of_a_subject_are_the_servers(subject: str, about: str) -> None:
    assert prose("to ann", extra=f"Subject: {subject}\r\n").about == about


@pytest.mark.parametrize(
    ("sender", "daemon"),
    [
        ("MAILER-DAEMON", True),
        ("<MAILER-DAEMON>", True),
        ("<>", True),
        ("", True),
        ("Mail Delivery System", True),
        ('"Mail Delivery Subsystem" <noreply@mx.example>', True),
        ("MAILER-DAEMON@mx.example (Mail Delivery System)", True),
        ("mail-daemon@mx.example", True),
        ("Mailer_Daemon@mx.example", True),
        ("MDaemon@mx.example", True),
        ("postmaster-eu@mx.example", True),
        ("=?iso-2022-jp?B?TWFpbCBEZWxpdmVyeSBTdWJzeXN0ZW0=?= <x@mx.example>", True),
        ("webpostmaster@mx.example", False),
        ("Ann <ann@mx.example>", False),
        ("Ann <ann@postmaster.example>", False),
    ],
)
def test_it_knows_a_daemon_by_its_name(sender: str, daemon: bool) -> None:
    assert from_daemon(parse_message(f"From: {sender}\r\n\r\nx".encode())) is daemon


HOSTILE = {
    "empty lines": "\n",
    "fields": "Message-ID: <\n",
    "folds": " \n",
    "codes": "5.1.1 550 ",
    "quotes": '"',
    "addresses": "a@",
    "accents": "a\u0301\u0323",
    "rules": "- ",
    "conditions": "if ",
    "questions": "?  ",
    "names": "a@b ",
}


@pytest.mark.parametrize("sender", ["<>", "Ann <ann@x.example>"])
@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_its_work_grows_with_the_text_at_most(unit: str, sender: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        body = Body("text", (Passage(text), Passage(text, quoted=True)))
        message = Message(headers=(("From", sender), ("Subject", "Re: x")), text=body.text, bodies=(body,))
        times = []
        for _ in range(3):
            start = time.process_time()
            dsn.read_bounce(message)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(80_000) < 16 * seconds(10_000) + 0.05  # 8 were linear, 64 quadratic


def test_of_a_report_without_end_only_the_first_groups_are_read() -> None:
    status = b"Final-Recipient: rfc822; a\nAction: delayed\n" * 1000
    last = b"Final-Recipient: rfc822; a\nAction: failed\n"
    parts = [Attachment("", "message/delivery-status", "", 0, "", content) for content in (status, last)]
    message = Message(headers=(("From", "<>"),), attachments=tuple(parts))
    assert dsn.read_bounce(message).about == "delayed"


@pytest.mark.parametrize("raw", [b"", b"\0" * 99, b"Content-Type: multipart/report; boundary=b\r\n\r\n--b"])
def test_it_reads_any_bytes(raw: bytes) -> None:
    assert dsn.read_bounce(parse_message(raw)).hard is None
