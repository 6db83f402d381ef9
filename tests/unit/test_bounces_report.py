"""Reports for machines as they come in the wild: their groups, their fields, their names."""

from __future__ import annotations

import base64

import pytest

from relaydesk.bounces import read_bounce
from relaydesk.message import parse_message

# What the sibling is: the delivery status, and what it must be read as.
STATUSES = {
    "noblank": (
        "Reporting-MTA: dns; a\nFinal-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1",
        "undelivered",
    ),
    "order": (
        "Action: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; a@b\n\nReporting-MTA: dns;a",
        "undelivered",
    ),
    "blank in group": ("Final-Recipient: rfc822; a@b\n\nAction: failed\n\nStatus: 5.1.1", "undelivered"),
    "space blank": (
        "Reporting-MTA: dns; a\n \t \nFinal-Recipient: rfc822; a@b\n  \nAction: failed",
        "undelivered",
    ),
    "undeliverable": ("Final-Recipient: rfc822; a@b\nAction: undeliverable\nStatus: 4.0.0", "undelivered"),
    "5.x action": ("Final-Recipient: rfc822; a@b\nAction: 5.1.1\n", "undelivered"),
    "4 action": ("Final-Recipient: rfc822; a@b\nAction: 4.1.1\n", "delayed"),
    "deferred": ("Final-Recipient: rfc822; a@b\nAction: deferred (4.2.2)\n", "delayed"),
    "not deliver": ("Final-Recipient: rfc822; a@b\nAction: not delivered\n", "undelivered"),
    "upper": ("FINAL-RECIPIENT: RFC822; a@b\nACTION: FAILED", "undelivered"),
    "nocolonspace": ("Final-Recipient:rfc822;a@b\nAction:failed\nStatus:5.0.0", "undelivered"),
    "space colon": ("Final-Recipient : rfc822; a@b\nAction : failed", "undelivered"),
    "indent": ("  Final-Recipient: rfc822; a@b\n  Action: failed\n  Status: 5.0.0", "undelivered"),
    "comment": ("Final-Recipient: rfc822; a@b\nAction: (permanently) failed\n", "undelivered"),
    "diag only 4": ("Final-Recipient: rfc822; a@b\nDiagnostic-Code: smtp; 451 try later\n", "delayed"),
    "diag only 5": ("Final-Recipient: rfc822; a@b\nDiagnostic-Code: smtp; 5.1.1 no\n", "undelivered"),
    "diag smtp550": ("Final-Recipient: rfc822; a@b\nDiagnostic-Code: smtp;550-no\n", "undelivered"),
    "status text": ("Final-Recipient: rfc822; a@b\nStatus: 5.1.1 (User unknown)\n", "undelivered"),
    "status 553": ("Final-Recipient: rfc822; a@b\nAction: failure\nStatus: 553 too big\n", "undelivered"),
    "delivered+failed": (
        "Final-Recipient: rfc822; a@b\nAction: delivered\n\nFinal-Recipient: rfc822; c@b\nAction: failed",
        "undelivered",
    ),
    "delayed+delivered": (
        "Final-Recipient: rfc822; a@b\nAction: delayed\n\nFinal-Recipient: rfc822; c@b\nAction: delivered",
        "delayed",
    ),
    "success": ("Final-Recipient: rfc822; a@b\nAction: success\nStatus: 2.0.0", "delivered"),
    "status2": ("Final-Recipient: rfc822; a@b\nStatus: 2.1.5", "delivered"),
    "empty": ("", "unclear"),
    "reporting only": ("Reporting-MTA: dns; a", "unclear"),
    "orig rcpt": (
        "Original-Recipient: rfc822; a@b\nFinal-Recipient: rfc822; a@b\nAction: relayed\n"
        "\nOriginal-Recipient: rfc822; c@d\nFinal-Recipient: rfc822; c@d\nAction: failed",
        "undelivered",
    ),
    "relay-mta lines": (
        "Reporting-MTA: dns; a\nReceived-From-MTA: dns; b\n\n\n\n\n"
        "Final-Recipient: rfc822; a@b\nAction: failed (too many)\nStatus: 5.4.6\nRemote-MTA: dns;c",
        "undelivered",
    ),
    "junk line": (
        "Reporting-MTA: dns; a\n\n*** junk here\nFinal-Recipient: rfc822; a@b\n---\nAction: failed",
        "undelivered",
    ),
    "diag unfolded": (
        "Final-Recipient: rfc822; a@b\nDiagnostic-Code: smtp; 550 bla\n"
        "second line: with colon\nAction: failed\nStatus: 5.1.1",
        "undelivered",
    ),
    "expanded": (
        "Final-Recipient: rfc822; a@b\nAction: expanded (to mailing list)\nStatus: 2.1.5",
        "delivered",
    ),
    "hard bounce": ("Final-Recipient: rfc822; a@b\nAction: hard bounce", "undelivered"),
    "soft bounce": ("Final-Recipient: rfc822; a@b\nAction: soft-bounce", "delayed"),
    "Failed due": ("Final-Recipient: rfc822; a@b\nAction: Delivery failed", "undelivered"),
    "temporary failure": ("Final-Recipient: rfc822; a@b\nAction: temporary failure", "delayed"),
}

FAILED = "Final-Recipient: rfc822; ann@relay.example\nAction: failed\nStatus: 5.1.1\n"
BASE64 = base64.b64encode(FAILED.encode()).decode()
PARTS = [
    ("Content-Type: message/delivery-status", FAILED),
    ('Content-Type: message/delivery-status; charset=us-ascii; name="x.txt"', FAILED),
    ("Content-Type: Message/Delivery-Status\nContent-Transfer-Encoding: base64", BASE64),
    ("Content-Type: message/delivery-status\nContent-Transfer-Encoding: quoted-printable", FAILED),
    ("Content-Type: message/deliverystatus", FAILED),
    ("Content-Type: message/global-delivery-status", FAILED),
    ("Content-Type: text/delivery-status", FAILED),
    ("Content-Type: text/plain\nContent-Disposition: attachment; filename=status.txt", FAILED),
    ("Content-Type: application/octet-stream; name=status.dat", FAILED),
]
# In an alternative such a part is one more version of the text.
NAMED = ('Content-Type: text/plain; name="DeliveryStatus.txt"', FAILED)
KINDS = ["report", "mixed", "alternative", 'report; report-type="delivery-status"']


def about(part: str, content: str, kind: str = "report", sender: str = "x@relay.example") -> str:
    raw = (
        f"From: {sender}\nSubject: notice\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\nhello\n--b\n{part}\n\n{content}\n--b--\n"
    )
    return read_bounce(parse_message(raw.replace("\n", "\r\n").encode())).about


@pytest.mark.parametrize(("status", "right"), STATUSES.values(), ids=STATUSES)
def test_it_reads_the_groups_however_they_stand(status: str, right: str) -> None:
    assert about("Content-Type: message/delivery-status", status) == right


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("part", "content"), PARTS)
def test_it_finds_the_status_whatever_it_is_called(part: str, content: str, kind: str) -> None:
    assert about(part, content, kind) == "undelivered"


@pytest.mark.parametrize("kind", ["report", "mixed"])
def test_it_finds_the_status_in_a_named_text(kind: str) -> None:
    assert about(*NAMED, kind) == "undelivered"


@pytest.mark.parametrize(
    "raw",
    [
        f"From: x@relay.example\nContent-Type: message/delivery-status\n\n{FAILED}",
        f"From: MAILER-DAEMON\n\nReporting-MTA: dns; x\n\n{FAILED}",
        f"From: MAILER-DAEMON\nContent-Type: multipart/report\n\n--b\n\n{FAILED}\n--b--",
        "From: x@relay.example\nContent-Type: multipart/mixed; boundary=a\n\n--a\n"
        "Content-Type: multipart/report; boundary=b\n\n--b\n"
        f"Content-Type: message/delivery-status\n\n{FAILED}\n--b--\n--a--",
        "From: postmaster@relay.example\nContent-Type: multipart/mixed; boundary=a\n\n--a\n"
        "Content-Type: message/rfc822\n\nFrom: postmaster@relay.example\nContent-Type: multipart/report; "
        f"boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n{FAILED}\n--b--\n--a--",
    ],
    ids=["alone", "as text", "no boundary", "nested", "wrapped by a gateway"],
)
def test_it_finds_the_status_wherever_it_is(raw: str) -> None:
    assert read_bounce(parse_message(raw.replace("\n", "\r\n").encode())).about == "undelivered"


@pytest.mark.parametrize(
    ("disposition", "right"),
    [
        ("manual-action/MDN-sent-manually; displayed", "delivered"),
        ("automatic-action/MDN-sent-automatically; processed", "delivered"),
        ("automatic-action/MDN-sent-automatically; deleted", "delivered"),  # unread, but it was there
        ("automatic-action/MDN-sent-automatically; failed", "unclear"),
        ("nonsense", "unclear"),
    ],
)
def test_it_reads_disposition_notifications(disposition: str, right: str) -> None:
    fields = f"Final-Recipient: rfc822; ann@relay.example\nDisposition: {disposition}"
    assert about("Content-Type: message/disposition-notification", fields) == right


def test_a_feedback_report_is_neither_lost_nor_answered() -> None:
    fields = "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1"
    assert about("Content-Type: message/feedback-report", fields) == "feedback"
    assert about("Content-Type: message/feedback-report", fields, sender="postmaster@x.example") == "feedback"
