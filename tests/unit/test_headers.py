"""Header fields as raw values."""

from relaydesk.message import headers


def test_it_unfolds_and_keeps_order_and_spelling():
    raw = b"Subject: one\r\n two\r\nX-a:\tb\r\nSUBJECT : three\r\n\r\nBody: no\r\n"
    assert headers.header_fields(raw) == [("Subject", b"one two"), ("X-a", b"b"), ("SUBJECT", b"three")]
    assert headers.header_values(raw, "subject") == ["one two", "three"]


def test_it_tells_where_the_body_starts():
    for raw, body in [
        (b"A: b\r\n\r\nbody", b"body"),
        (b"A: b\n\nbody", b"body"),
        (b"\r\nbody", b"body"),
        (b"A: b\r\n", b""),
        (b"A: b", b""),
        (b"", b""),
        (b"no field\r\nA: b\r\n\r\nrest", b"no field\r\nA: b\r\n\r\nrest"),
        (b"A: b\r\nno field\r\n\r\nrest", b"no field\r\n\r\nrest"),
    ]:
        _, start = headers.split(raw)
        assert raw[start:] == body, raw


def test_it_passes_over_an_mbox_line_but_not_over_a_from_field():
    assert headers.header_fields(b"From alice Mon Nov 23 10:00\r\nA: b\r\n\r\n") == [("A", b"b")]
    assert headers.header_fields(b"From : a@b.example\r\nA: b\r\n\r\n")[0] == ("From", b"a@b.example")


def test_it_reads_no_further_than_its_limit():
    raw = b"A: b\r\n" * 1000 + b"\r\nbody"
    found, start = headers.split(raw, 600)
    assert len(found) == 100
    assert raw[start:] == b"body"


def test_it_takes_a_folded_line_of_white_space_as_part_of_the_field():
    found, start = headers.split(b"Subject: a\r\n \r\n b\r\n\r\nx")
    assert found == [("Subject", b"a  b")]
    assert start == len(b"Subject: a\r\n \r\n b\r\n\r\n")


def test_it_passes_over_what_hosts_put_in_front_of_a_message():
    for ahead in (
        b"\r\n",
        b"\n\n",
        b" \r\n",
        b">From alice Mon\r\n",
        b"\r\nFrom alice Mon\r\n",
        b"From a\n>From b\n",
        b"\xef\xbb\xbf",
    ):
        raw = ahead + b"Received: x\r\nSubject: y\r\n\r\nbody"
        assert headers.header_fields(raw) == [("Received", b"x"), ("Subject", b"y")], ahead
        fields, start = headers.split(raw, at=headers.start_of(raw))
        assert (len(fields), raw[start:]) == (2, b"body")


def test_text_behind_an_empty_line_is_no_header():
    for raw in (b"\r\nOrder number: 1\r\n\r\nx", b"\r\nHello\r\nFrom: me\r\n", b"\r\n"):
        assert headers.header_fields(raw) == []


def test_it_passes_over_a_line_of_junk_before_fields_that_tell_how_to_read_the_body():
    raw = b"Subject: a\r\nMessage ID: 1\r\nContent-Type: text/html\r\n\r\nbody"
    assert headers.header_fields(raw) == [("Subject", b"a"), ("Content-Type", b"text/html")]
    for kept in (b"Subject: a\r\nHello\r\nNote: b\r\n\r\n", b"Subject: a\r\n--b\r\nContent-Type: x\r\n\r\n"):
        fields, start = headers.split(kept)
        assert fields == [("Subject", b"a")]
        assert kept[start:] == kept.removeprefix(b"Subject: a\r\n")
