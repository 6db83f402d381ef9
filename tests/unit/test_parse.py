"""Reading whole messages: headers, addresses, text."""

import base64
from datetime import UTC, datetime

import pytest

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


def test_it_names_an_unknown_charset_and_still_shows_something():
    found = letter("Subject: =?x-klingon?Q?caf=C3=A9?=", "", "")
    assert found.subject == "café"
    assert "x-klingon" in found.defects[0]


@pytest.mark.parametrize(
    ("charset", "name", "shown"),
    [
        ("windows-1251", b"Wilhelmsen H\xe5vard", "Wilhelmsen Håvard"),
        ("windows-1251", "Тест".encode("cp1251"), "Тест"),
        ("utf-8", "Grüße".encode(), "Grüße"),
        ("", b"Gr\xfc\xdfe", "Grüße"),
        ("shift_jis", "注文①".encode("cp932"), "注文①"),
        ("gb2312", "订单".encode("gbk"), "订单"),
        ("iso-2022-jp", b"\x1b$BCmJ8\x1b(B", "注文"),  # holds no byte that an address could
        ("us-ascii", b"a\xc2\x9b31m\xe2\x80\xaeb", "a31mb"),
        ("us-ascii", b"=?utf-8?Q?a=C2=9B31m=E2=80=AEb=00?=", "a31mb"),
    ],
)
def test_subject_and_names_are_read_alike(charset, name, shown):
    kind = f"Content-Type: text/plain; charset={charset}" if charset else "X: y"
    for spelled in (name, b'"' + name + b'"'):
        sent = letter(b"From: " + spelled + b" <a@b.example>", b"Subject: " + name, kind, "", "x")
        assert sent.subject == shown
        assert [(address.name, address.addr) for address in sent.from_] == [(shown, "a@b.example")]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('"a@b" <c@d.example>', "a@b"),
        ('"=?utf-8?Q?M=C3=BCller,_A.?=" <c@d.example>', "Müller, A."),
        ("=?utf-8?Q?M=C3=BCller=2C?= =?utf-8?Q?_A=2E?= <c@d.example>", "Müller, A."),
        ("=?utf-8?Q?M=C3=BC?=ller <c@d.example>", "Müller"),
        ("c@d.example (Alice)", "Alice"),
        ("Alice (at home) <c@d.example>", "Alice"),
        ("=?utf-8?B?TcO8bGxlcg <c@d.example>", "Müller"),  # without its end
        ("=?iso-8859-1?Q?M=FC?= =?utf-8?Q?=C3=9F?= <c@d.example>", "Müß"),
        ("=?utf-8?Q?a b?= <c@d.example>", "a b"),
        ("=?utf-8?Q?M=C3=BCller,_A.?= <c@d.example>", "Müller, A."),  # a bare comma in the word
        ("=?utf-8?Q?Shop:_A;?= <c@d.example>", "Shop: A;"),
        ("Müller, A. <c@d.example>", "Müller, A."),
        ("Shop/Berlin, =?utf-8?Q?Gr=C3=BC=C3=9Fe?=, Ltd. <c@d.example>", "Shop/Berlin, Grüße, Ltd."),
    ],
)
def test_it_reads_display_names(value, name):
    (sender,) = letter(f"From: {value}", "", "").from_
    assert (sender.name.partition(" (")[0], sender.addr) == (name, "c@d.example")


def test_an_address_with_an_invisible_character_is_not_the_one_it_imitates():
    for hidden in ("\u200e", "\u202e", "\x9b", "\x01", "\ufeff", "\U000e0041"):
        for value in (f"<case++a{hidden}@support.instagram.com>", f"<a@support{hidden}.instagram.com>"):
            for sender in letter(f"From: {value}", "", "").from_:
                assert sender.addr not in {"case++a@support.instagram.com", "a@support.instagram.com"}
                assert hidden not in sender.addr


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("a\r\n b", "a b"),
        ("a\r b", "a  b"),
        ("\ta\tb", "a b"),
        ("=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a=E2=80=A8b?=", "a b"),
        ("=?utf-8?Q?_a_?=", "a"),
    ],
)
def test_a_subject_is_one_line(value, subject):
    assert letter(f"Subject: {value}", "", "").subject == subject


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
        ("A <a@x.example", ["a@x.example"]),
        ('"A <a@x.example>', ["a@x.example"]),
        ("A <mailto:a@x.example>;", ["a@x.example"]),
        ("A <a@x.example.>", ["a@x.example"]),
        ("<a..b.@x.example>", ["a..b.@x.example"]),  # Japanese mobile hosts gave such addresses out
        ('"A <a@x.example> <b@y.example>', []),
        ('"a@x.example <b@y.example>', []),
        ("A <<a@x.example>>", []),
        ("a@x.example, B <b@y.example>", ["a@x.example", "b@y.example"]),
        ("A, B <b@y.example>, C <c@z.example>", ["b@y.example", "c@z.example"]),
        ("=?utf-8?Q?A,?= <a@x.example>, =?utf-8?Q?B?= <b@y.example>", ["a@x.example", "b@y.example"]),
        ("=?utf-8?Q?<a@x.example>,?= <b@y.example>", ["a@x.example", "b@y.example"]),
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
        ("utf-8", b"a\xfcb", "aüb"),
        ("utf-8", "ü ".encode() + b"\xff b", "ü \ufffd b"),
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


def test_a_part_without_a_charset_is_of_the_one_that_the_message_names_elsewhere():
    body = "订单在哪里".encode("gbk")
    assert letter("Subject: =?gb2312?B?xOO6ww==?=", "", body).text == "订单在哪里"
    assert letter(
        "Subject: =?gb2312?B?xOO6ww==?=", "Content-Type: text/plain; charset=us-ascii", "", body
    ).text[0]
    assert letter("Subject: =?utf-8?B?w6Q=?=", "", b"f\xfcr").text == "für"


def test_html_without_a_charset_is_of_the_one_in_its_head():
    head = b'<meta http-equiv=Content-Type content="text/html; charset=windows-1251">'
    body = head + "<p>Привет</p>".encode("cp1251")
    assert letter("Content-Type: text/html", "", body).text == "Привет"
    assert (
        letter("Content-Type: text/html; charset=koi8-r", "", head + "<p>Привет</p>".encode("koi8-r")).text
        == "Привет"
    )


@pytest.mark.parametrize("label", ["", "; charset=us-ascii", "; charset=utf-8"])
@pytest.mark.parametrize("head", ["<meta charset=windows-1251>", '<?xml version="1.0" encoding="cp1251"?>'])
def test_html_is_of_the_charset_in_its_head_where_its_label_does_not_fit(label, head):
    body = head.encode() + "<p>Привет</p>".encode("cp1251")
    assert letter(f"Content-Type: text/html{label}", "", body).text == "Привет"


def test_it_undoes_quoted_printable_and_line_ends():
    assert letter("Content-Transfer-Encoding: Quoted-Printable", "", "a=3Db=\r\nc\r\nd").text == "a=bc\nd"


def test_it_reads_an_unparsable_date_as_none():
    assert letter("Date: yesterday", "", "").date is None
