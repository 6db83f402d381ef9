"""The header alone is read as it is read with its content: what is decided by it holds for the whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from relaydesk.message.parse import parse_header, parse_message
from relaydesk_testkit.buyers import mail

FIELDS = st.sampled_from(
    [
        b"From: Alice <a@support.facebook.com>",
        b"From: b@x.example, c@y.example",
        b"From: group: a@b.example;",
        "From: Zoë <z@exämple.example>".encode(),
        b"From : spaced@x.example",
        b"Subject: =?utf-8?q?Caf=C3=A9?=",
        b"Subject: twice",
        b"Received: by x; Sat, 21 Nov 2026 10:00:00 +0000",
        b"Content-Type: text/plain; charset=iso-8859-1",
        b"Content-Type: multipart/mixed; boundary=b",
        b"Reply-To: <r@z.example>",
        b"Date: Sat, 21 Nov 2026 10:00:00 +0000",
        b"Message-ID: <1@x.example>",
        b"In-Reply-To: <0@x.example>",
        b"X-Long: " + b"x" * 9_000,
        b"X-Folded: a\r\n b\r\n\tc",
        b"no field at all",
        b"",
    ]
)
BODIES = st.sampled_from([b"", b"hello\r\n", b"--b\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--b--\r\n"])
OF_HEADER = (
    "headers", "from_", "reply_to", "subject", "date", "message_id", "in_reply_to", "references", "received",
    "duplicated",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(FIELDS, max_size=8), BODIES)
def test_it_says_of_the_header_what_the_whole_message_says(fields: list[bytes], body: bytes) -> None:
    raw = b"\r\n".join((*fields, b"", body))
    headed, whole = parse_header(raw), parse_message(raw)
    for name in OF_HEADER:
        assert getattr(headed, name) == getattr(whole, name), name
    assert parse_message(raw, headed) == whole


def test_it_holds_nothing_of_the_content() -> None:
    headed = parse_header(mail(1, photo=b"photo").raw)
    assert (headed.text, headed.html, headed.bodies, headed.attachments) == ("", "", (), ())
    assert headed.from_[0].domain == "support.instagram.com"


def test_only_eight_bit_bytes_of_a_charset_that_the_content_names_may_read_otherwise() -> None:
    """So a From that does is authenticated again, by the reading that counts."""
    raw = (
        b"From: a@\xe4\xee\xec.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nx\r\n--b--\r\n"
    )
    assert parse_header(raw).from_[0].domain != parse_message(raw).from_[0].domain
    assert parse_message(raw, parse_header(raw)) == parse_message(raw)
