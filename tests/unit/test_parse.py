"""Reading whole messages: headers, addresses, text."""

import base64
from datetime import UTC, datetime

import pytest

from relaydesk.message.charsets import codec, decode, to_text
from relaydesk.message.parse import parse_message


def letter(*lines: str | bytes):
    return parse_message(b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines))


def senders(*values: str | bytes) -> list[str]:
    fields = [b"From: " + (value.encode() if isinstance(value, str) else value) for value in values]
    return [address.addr for address in letter(*fields, "", "x").from_]


def test_it_reads_a_case_mail():
    found = letter(
        "Received: from mx by us; Mon, 23 Nov 2026 10:00:01 +0000",
        "Received: from app by mx; Mon, 23 Nov 2026 10:00:00 +0000",
        "Date: Mon, 23 Nov 2026 02:00:00 -0800",
        "From: Instagram Support <case++Abc12@Support.Instagram.com>",
        "Reply-To: help@elsewhere.example",
        "Subject: Message from alice",
        "Message-ID: <1@x>",
        "In-Reply-To: <0@x>",
        "References: <a@x>",
        " <0@x>",
        "",
        "Hello",
    )
    assert found.from_[0].addr == "case++Abc12@support.instagram.com"
    assert found.from_[0].name == "Instagram Support"
    assert found.reply_to[0].domain == "elsewhere.example"
    assert (found.subject, found.text, found.html) == ("Message from alice", "Hello", "")
    assert found.date == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert (found.message_id, found.in_reply_to, found.references) == (
        "<1@x>",
        ("<0@x>",),
        ("<a@x>", "<0@x>"),
    )
    assert [line[:8] for line in found.received] == ["from mx ", "from app"]
    assert found.header("SUBJECT") == "Message from alice"
    assert found.defects == ()


def test_it_answers_for_no_bytes_at_all():
    found = parse_message(b"")
    assert (found.headers, found.from_, found.text, found.date) == ((), (), "", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?utf-8?B?w6=?= =?utf-8?Q?=A4x?=", "äx"),  # not a whole number of bits: still read
        ("=?UTF-8?B?w6Q=?=\t=?utf-8?Q?_b?= c", "ä b c"),
        ("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC_5?=", "€ 5"),  # one character split over two words
        ("=?utf-8?Q?=E2=82?=\r\n =?utf-8?B?rA==?=", "€"),
        ("=?iso-8859-1?Q?=E4?= =?utf-8?Q?=C3=A4?=", "ää"),
        ("=?utf-8*en?Q?a?=", "a"),
        ("=?us-ascii?Q?a?= b =?us-ascii?Q?c?=", "a b c"),
        ("=?iso-2022-jp?B?GyRCJCIbKEI=?=", "あ"),
        ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),  # no second header out of an encoded word
        ("plain =?broken", "plain =?broken"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
    ],
)
def test_it_decodes_encoded_words(value, expected):
    assert letter(f"Subject: {value}", "", "").subject == expected


def test_it_names_an_unknown_charset_and_still_shows_something():
    found = letter("Subject: =?x-klingon?Q?caf=C3=A9?=", "", "")
    assert found.subject == "café"
    assert "x-klingon" in found.defects[0]


@pytest.mark.parametrize("name", ["punycode", "idna", "zlib", "rot13", "unicode_escape", "../x", "hex", ""])
def test_it_takes_no_codec_that_is_not_a_charset(name):
    assert codec(name) is None


def test_it_leaves_no_nul_and_no_lone_surrogate():
    assert to_text(b"a\0b")[0] == "a\ufffdb"
    assert to_text(b"+2AA-", "utf-7")[0].isascii() is False
    to_text(b"+2AA-", "utf-7")[0].encode("utf-8")


def test_it_reads_raw_bytes_in_headers_as_utf8_then_latin1():
    assert letter("Subject: Grüße".encode(), "", "").subject == "Grüße"
    assert letter("Subject: Grüße".encode("latin-1"), "", "").subject == "Grüße"
    assert decode(b"\xff")[0] == "ÿ"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"case++x@support.instagram.com" <evil@evil.example>', ["evil@evil.example"]),
        ("case++x@support.instagram.com <evil@evil.example>", ["evil@evil.example"]),
        ("(case++x@support.instagram.com) evil@evil.example", ["evil@evil.example"]),
        ("=?utf-8?Q?case=2B=2Bx=40support.instagram.com?= <evil@evil.example>", ["evil@evil.example"]),
        ("a@x.example, b@y.example", ["a@x.example", "b@y.example"]),
        ("Team: a@x.example, B <b@y.example>;", ["a@x.example", "b@y.example"]),
        ("<a@x.example><b@y.example>", []),
        ("undisclosed-recipients:;", []),
        ("nobody", []),
        ('"a@b"@X.example', ['"a@b"@x.example']),
        ("a@BÜCHER.example", ["a@xn--bcher-kva.example"]),  # RFC 5895 §2.1
        ("a@bücher.example", ["a@xn--bcher-kva.example"]),
        ("a@facebook\u2024com", ["a@facebook\u2024com"]),
        ("a@faceboo\u212a.com", ["a@faceboo\u212a.com"]),  # str.lower() would make it facebook.com
        ("a@\uff46acebook.com", ["a@\uff46acebook.com"]),
    ],
)
def test_it_finds_exactly_the_mailboxes(value, expected):
    found = senders(value)
    assert [addr.casefold() for addr in found] == [addr.casefold() for addr in expected]
    assert "support.instagram.com" not in {addr.rpartition("@")[2] for addr in found}
    assert "facebook.com" not in {addr.rpartition("@")[2] for addr in found}


def test_it_collects_every_from_field():
    assert senders("a@x.example", "b@y.example") == ["a@x.example", "b@y.example"]


def test_it_names_doubled_singletons():
    lines = ["Subject: a", "From: a@x.example", "subject: b", "Received: 1", "Received: 2"]
    found = letter(*lines, "Content-type: x", "Content-Type: y", "", "")
    assert set(found.duplicated) == {"subject", "content-type"}
    assert found.subject == "a"


def test_it_sees_a_second_from_behind_a_thousand_fields():
    found = letter("From: a@x.example", *["X: y"] * 1500, "From: b@y.example", "", "")
    assert found.duplicated == ("from",)


@pytest.mark.parametrize(
    ("charset", "data", "expected"),
    [
        ("utf-8", "Grüße €".encode(), "Grüße €"),
        ("iso-8859-15", "Grüße €".encode("iso-8859-15"), "Grüße €"),
        ("windows-1252", "“x”".encode("cp1252"), "“x”"),
        ("utf-16", "hi".encode("utf-16"), "hi"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("no-such", "Grüße".encode(), "Grüße"),
        ("utf-8", b"a\xffb", "a\ufffdb"),
    ],
)
def test_it_decodes_text_by_its_charset_or_the_next_best(charset, data, expected):
    for encoding, encoded in [("base64", base64.encodebytes(data)), ("8bit", data)]:
        found = letter(
            f"Content-Type: text/plain; charset={charset}",
            f"Content-Transfer-Encoding: {encoding}",
            "",
            encoded,
        )
        assert found.text.rstrip("\n") == expected


def test_it_tells_when_text_did_not_fit_its_charset():
    assert "no-such" in letter("Content-Type: text/plain; charset=no-such", "", "ü").defects[0]
    assert "utf-8" in letter("Content-Type: text/plain; charset=utf-8", "", b"\xff").defects[0]


def test_it_undoes_quoted_printable_and_line_ends():
    assert letter("Content-Transfer-Encoding: Quoted-Printable", "", "a=3Db=\r\nc\r\nd").text == "a=bc\nd"


def test_it_reads_an_unparsable_date_as_none():
    assert letter("Date: yesterday", "", "").date is None
