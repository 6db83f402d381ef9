"""Which parts are the text of a message, and how each kind of text is read."""

from __future__ import annotations

import base64
import time

import pytest

from relaydesk.message.flowed import unflowed
from relaydesk.message.parse import parse_message
from relaydesk.message.signed import signed_content
from relaydesk.message.text_forms import calendar_text, enriched_text, rtf_text
from tests.unit.test_parse_parts import HTML, PHOTO, PLAIN, multipart


def read(*lines: str | bytes):
    return parse_message(b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines))


def part(kind: str, body: str, disposition: str = "") -> str:
    placed = f"\r\nContent-Disposition: {disposition}" if disposition else ""
    return f"Content-Type: {kind}{placed}\r\n\r\n{body}"


def summary(*pieces: str, kind: str = "mixed"):
    message = parse_message(multipart(kind, *pieces).encode())
    return message.text.strip(), [file.name for file in message.attachments]


@pytest.mark.parametrize(
    ("pieces", "text", "files"),
    [
        # A text with a name, alone and beside another text.
        ([part("text/plain; name=message.txt", "Where is it?")], "Where is it?", ["message.txt"]),
        ([part("text/plain", "Where is it?", "attachment; filename=a.txt")], "Where is it?", ["a.txt"]),
        ([part("text/html; name=m.html", "<p>Where?</p>")], "Where?", ["m.html"]),
        ([part("text/plain", "Where?", "inline; filename=m.txt"), PHOTO], "Where?", ["m.txt", "photo.png"]),
        ([PLAIN, part("text/plain; name=note.txt", "in the note")], "plain text", ["note.txt"]),
        ([part("text/plain", " \r\n"), part("text/plain; name=n.txt", "the note")], "the note", ["n.txt"]),
        (
            [part("text/plain", "first", "attachment; filename=1.txt"),
             part("text/plain", "second", "attachment; filename=2.txt")],
            "first", ["1.txt", "2.txt"],
        ),
        ([part("image/png; name=a.png", "x")], "", ["a.png"]),
        ([part("text/css; name=a.css", "p {}")], "", ["a.css"]),
        # Several texts, between pictures.
        ([PLAIN, PHOTO, part("text/plain", "and more")], "plain text\nand more", ["photo.png"]),
        ([PLAIN, PHOTO, HTML], "plain text\n\nrich text", ["photo.png"]),
        ([HTML, PHOTO, part("text/plain", "> quoted\r\nfooter")],
         "rich text\n\n> quoted\n\nfooter", ["photo.png"]),
        # Other kinds, alone.
        ([part("text/markdown", "# Where?")], "# Where?", ["part-1"]),
        ([part("text/csv; name=a.csv", "a;b")], "a;b", ["a.csv"]),
        ([part("text/x-other", "Where?")], "Where?", ["part-1"]),
        ([part("text/enriched", "<bold>Where</bold> is it?")], "Where is it?", ["part-1"]),
        ([PLAIN, part("text/markdown; name=a.md", "x")], "plain text", ["a.md"]),
        # Text by its bytes alone, of a type that nobody shows.
        ([part("application/octet-stream", "Where is it?")], "Where is it?", ["part-1"]),
        ([part("plain/text; charset=utf-8", "Grüße")], "Grüße", ["part-1"]),
        ([part("*/*", "Where is it?")], "Where is it?", ["part-1"]),
        ([part("application/octet-stream", "Where\0")], "", ["part-1"]),
        ([part("application/octet-stream; name=a.bin", "Where?")], "", ["a.bin"]),
        ([part("application/octet-stream", "Where?", "attachment")], "", ["part-1"]),
        ([part("application/octet-stream", "Where?"), PLAIN], "plain text", ["part-1"]),
        ([part("image/svg+xml", "<svg/>")], "", ["part-1"]),
    ],
)  # fmt: skip
def test_it_chooses_the_text(pieces, text, files):
    assert summary(*pieces) == (text, files)


@pytest.mark.parametrize(
    ("pieces", "text", "files"),
    [
        ([PLAIN, HTML], "plain text", []),
        ([HTML, PLAIN], "plain text", []),
        ([part("text/plain", "\r\n"), HTML], "rich text", []),
        (
            [part("text/plain; name=a.txt", "plain"), part("text/html; name=a.html", "<p>rich</p>")],
            "plain",
            [],
        ),
        ([PLAIN, part("text/x-amp-html", "<html amp4email>"), HTML], "plain text", []),
        ([PLAIN, part("text/watch-html", "<b>w</b>"), HTML], "plain text", []),
        ([PLAIN, HTML, part("text/calendar; name=i.ics", "BEGIN:VCALENDAR")], "plain text", ["i.ics"]),
        ([PLAIN, multipart("related", HTML, PHOTO, boundary="in")], "plain text", ["photo.png"]),
        ([PLAIN, multipart("mixed", HTML, PHOTO, HTML, boundary="in")], "plain text", ["photo.png"]),
    ],
)
def test_the_branches_of_an_alternative_are_one_text(pieces, text, files):
    assert summary(*pieces, kind="alternative") == (text, files)


def test_texts_beside_an_alternative_are_read_too():
    alternative = multipart("alternative", PLAIN, HTML, boundary="in")
    assert summary(alternative, part("text/plain", "footer")) == ("plain text\nfooter", [])
    message = parse_message(multipart("mixed", alternative, part("text/plain", "5 < 6")).encode())
    assert [body.source for body in message.bodies] == ["text", "html"]
    assert message.bodies[1].text.split() == ["rich", "text", "5", "<", "6"]


def test_many_long_texts_cost_no_more_than_what_is_shown():
    odd = b"\x81\xff" * 500_000

    def seconds(parts: int) -> float:
        piece = b"--edge\r\nContent-Type: text/plain; charset=shift_jis\r\n\r\n" + odd + b"\r\n"
        raw = b"Content-Type: multipart/mixed; boundary=edge\r\n\r\n" + piece * parts
        started = time.process_time()
        assert "The text is too long to show in full." in parse_message(raw).defects
        return time.process_time() - started

    few = min(seconds(2), seconds(2))
    assert min(seconds(12), seconds(12)) < 3 * few


def test_a_single_text_under_any_header():
    assert read("Content-Type: text", "", "x").text == "x"
    assert read("Content-Type: html", "", "<p>x</p>").text == "x"
    assert read("Content-Disposition: attachment; filename=a.txt", "", "x").text == "x"
    assert read("X: no mime at all", "", "für").text == "für"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        # Named otherwise, or not at all.
        ("multipart/mixed", "--edge\r\nContent-Type: text/plain\r\n\r\nHello\r\n--edge--"),
        ("multipart/mixed; boundary=other", "--edge\r\nContent-Type: text/plain\r\n\r\nHello\r\n--edge--"),
        ('multipart/mixed; boundary="e d"', "--e  d\r\nContent-Type: text/plain\r\n\r\nHello\r\n--e  d--"),
        ("multipart/mixed; boundary=edge (x)", "--edge\r\n\r\nHello\r\n--edge--"),
        ('multipart/mixed; boundary="edge "', "--edge \r\n\r\nHello\r\n--edge-- "),
        ('multipart/mixed; boundary="=_?:/ ()+,\'"', "--=_?:/ ()+,'\r\n\r\nHello\r\n--=_?:/ ()+,'--"),
        ("multipart/mixed; boundary*=us-ascii''e%20d", "--e d\r\n\r\nHello\r\n--e d--"),
        ("multipart", "--edge\r\ncontent-type: text/plain\r\n\r\nHello\r\n--edge--"),
        ("multipart/mixed; boundary=edge", "preamble\r\n--edge\r\n\r\nHello"),
        ("multipart/mixed; boundary=edge", "--edge\nContent-Type: text/plain\n\nHello\n--edge--\nepilogue"),
    ],
)  # fmt: skip
def test_it_finds_the_delimiters(head, body):
    assert read(f"Content-Type: {head}", "", body).text == "Hello"


def test_a_multipart_that_was_encoded_as_a_whole_is_read():
    body = base64.encodebytes(multipart("mixed", PLAIN).partition("\r\n\r\n")[2].encode())
    head = ("Content-Type: multipart/mixed; boundary=edge", "Content-Transfer-Encoding: base64", "")
    assert read(*head, body).text == "plain text"


def test_a_mail_passed_on_is_a_file_with_its_subject_as_name():
    for subject, name in [
        ("Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Re: Grüße.eml"),
        ("a/b\\c", "a-b-c.eml"),
        ("", "part-1.eml"),
        ("../x", "-x.eml"),
    ]:
        inner = f"Content-Type: message/rfc822\r\n\r\nSubject: {subject}\r\n\r\nOrder number: 64000841784004"
        assert summary(PLAIN, inner) == ("plain text", [name])


@pytest.mark.parametrize("encoding", ["x-uuencode", "uuencode", "x-uue", "uu"])
def test_a_uuencoded_file_has_its_own_name_where_no_field_names_it(encoding):
    body = "begin 644 a.png\r\n#86)C\r\n`\r\nend"
    file = f"Content-Type: image/png\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"
    message = parse_message(multipart("mixed", PLAIN, file).encode())
    assert [(a.name, a.content) for a in message.attachments] == [("a.png", b"abc")]


def test_a_file_in_the_text_is_taken_out_as_an_attachment():
    message = read("Subject: x", "", "Hi,", "begin 644 ../a.txt", "#86)C", "`", "end", "Bye")
    assert (message.text, [(a.name, a.content) for a in message.attachments]) == (
        "Hi,\nBye",
        [("a.txt", b"abc")],
    )


FLOWED = [
    ("a \nb\nc", "a b\nc", "ab\nc"),
    ("a \n\nb", "a \n\nb", "a\n\nb"),
    ("  stuffed\n >not quoted", " stuffed\n>not quoted", " stuffed\n>not quoted"),
    ("> a \n> b\n>> c \n>> d\ne", "> a b\n>> c d\ne", "> ab\n>> cd\ne"),
    ("> a \nb", "> a \nb", "> a\nb"),  # another depth ends it
    (">> a \n> b", ">> a \n> b", ">> a\n> b"),
    ("a \n-- \nsignature", "a \n-- \nsignature", "a\n-- \nsignature"),
    ("> -- \n> x", "> -- \n> x", "> -- \n> x"),
    (" From me \nto you", "From me to you", "From meto you"),
    ("", "", ""),
    (">\n>", "> \n> ", "> \n> "),
]


@pytest.mark.parametrize(("text", "joined", "without_space"), FLOWED)
def test_flowed_lines_are_joined_into_paragraphs(text, joined, without_space):
    assert unflowed(text, delete_space=False) == joined
    assert unflowed(text, delete_space=True) == without_space


def test_only_text_that_says_so_is_flowed():
    assert (
        read("Content-Type: text/plain; format=Flowed", "", "Order ", "number: 1 ", "", "x").text
        == "Order number: 1 \n\nx"
    )
    assert read("Content-Type: text/plain; format=flowed; delsp=YES", "", "注 ", "文").text == "注文"
    assert read("Content-Type: text/plain", "", "a ", "b").text == "a \nb"


def der(tag: int, *content: bytes) -> bytes:
    inner = b"".join(content)
    length = len(inner)
    size = bytes([length]) if length < 128 else (b := length.to_bytes(3, "big")) and bytes([0x83]) + b
    return bytes([tag]) + size + inner


def ber(tag: int, *content: bytes) -> bytes:
    """The same in the indefinite form."""
    return bytes([tag, 0x80]) + b"".join(content) + b"\0\0"


SIGNED_DATA, DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
ENVELOPED = bytes.fromhex("06092a864886f70d010703")


def signed(content: bytes, wrap=der, pieces: int = 0, oid: bytes = SIGNED_DATA) -> bytes:
    cut = [content[at : at + pieces] for at in range(0, len(content), pieces)] if pieces else []
    octets = wrap(0x24, *(der(4, piece) for piece in cut)) if cut else der(4, content)
    inner = wrap(0x30, DATA, wrap(0xA0, octets))
    return wrap(0x30, oid, wrap(0xA0, wrap(0x30, der(2, b"\1"), wrap(0x31, der(0x30, der(6, b"\1"))), inner)))


@pytest.mark.parametrize("wrap", [der, ber])
@pytest.mark.parametrize("pieces", [0, 7, 1000])
def test_signed_content_is_taken_out_of_its_wrapping(wrap, pieces):
    content = b"Content-Type: text/plain\r\n\r\nWhere is it?" * 20
    assert signed_content(signed(content, wrap, pieces)) == content


def test_bytes_that_are_no_signature_give_none_and_never_fail():
    whole = signed(b"x" * 300, ber, 7)
    for end in range(len(whole)):
        signed_content(whole[:end])
    for data in (
        b"",
        b"\x30",
        b"\x30\x80" * 50_000,
        b"\x31\x80" * 50_000,
        b"\x30\x84\xff\xff\xff\xff",
        whole[2:],
        b"MIME",
    ):
        assert signed_content(data) is None
    assert signed_content(signed(b"x", oid=ENVELOPED)) is None


@pytest.mark.parametrize(
    "kind", ["application/pkcs7-mime", "application/x-pkcs7-mime; smime-type=signed-data"]
)
def test_an_opaque_signature_shows_its_text_and_stays_a_file(kind):
    content = multipart("mixed", PLAIN, PHOTO, boundary="inner").encode()
    body = base64.encodebytes(signed(content))
    message = read(f"Content-Type: {kind}; name=smime.p7m", "Content-Transfer-Encoding: base64", "", body)
    assert message.text == "plain text"
    assert sorted(file.name for file in message.attachments) == ["photo.png", "smime.p7m"]


def test_signatures_in_signatures_are_taken_apart_only_so_deep():
    content = b"Content-Type: text/plain\r\n\r\ninnermost"
    for _ in range(40):
        content = b"Content-Type: application/pkcs7-mime\r\n\r\n" + signed(content)
    assert "innermost" not in parse_message(content).text
    assert len(parse_message(content).attachments) < 40


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [
        ("S/MIME", [part("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "x")]),
        ("S/MIME", [part("application/x-pkcs7-mime; name=smime.p7m", "x")]),
        (
            "OpenPGP",
            [
                part("application/pgp-encrypted", "Version: 1"),
                part("application/octet-stream; name=e.asc", "x"),
            ],
        ),
    ],
)
def test_what_is_encrypted_says_so(kind, pieces):
    text, files = summary(*pieces)
    assert text == f"This message is encrypted ({kind}) and cannot be read here."
    assert len(files) == len(pieces)


def test_a_calendar_entry_shows_what_it_is_about():
    entry = (
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nDTSTART:19700101T000000\nEND:VTIMEZONE\nBEGIN:VEVENT\n"
        "SUMMARY;LANGUAGE=en:Pick up\\, please\nDTSTART;TZID=Europe/Berlin:20261124T090000\n"
        "DTEND:20261124T100000Z\n"
        "LOCATION:Shop\nDESCRIPTION:Order 64000841\n 784004\\nBring it\nBEGIN:VALARM\nDESCRIPTION:Reminder\n"
        "END:VALARM\nEND:VEVENT\nEND:VCALENDAR"
    )
    times = "2026-11-24 09:00 Europe/Berlin \u2013 2026-11-24 10:00 UTC"
    shown = f"Pick up, please\n{times}\nShop\nOrder 64000841784004\nBring it"
    assert calendar_text(entry) == shown
    assert read("Content-Type: text/calendar", "", entry).text == shown
    assert calendar_text("BEGIN:VTODO\nSUMMARY:x\nDTSTART;VALUE=DATE:20261124") == "x\n2026-11-24"
    assert calendar_text("BEGIN:VEVENT\nDTSTART:someday\nEND:VEVENT") == "someday"
    assert calendar_text("no calendar") == ""


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<bold>Now</bold> is the time", "Now is the time"),
        ("a\nb\n\nc", "a b\nc"),
        ("<color><param>red</param>x</color> << y", "x < y"),
        ("<nofill>a\nb</nofill>", "a\nb"),
        ("5 < 6", "5 < 6"),
    ],
)
def test_enriched_text(source, text):
    assert enriched_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Where is it?\par Order 1}", "Where is it?\nOrder 1"),
        (r"{\rtf1 Gr\'fc\'dfe \u8364?5 \{x\}}", "Grüße €5 {x}"),
        (r"{\rtf1 \u-10179?\u-8704?}", "😀"),
        (r"{\rtf1{\*\generator X;}{\info{\author Y}}text}", "text"),
        ("}}}{", ""),
    ],
)
def test_rich_text(source, text):
    assert rtf_text(source) == text


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "}",
        "\\",
        "\\u1",
        "{\\*",
        "<",
        "<a",
        "<<",
        "<nofill>",
        "\nSUMMARY:x",
        'DTSTART;a="',
        "\n ",
        "> a \n",
        "a \n",
    ],
)
def test_other_forms_cost_no_more_than_their_length(unit):
    def seconds(size: int) -> float:
        text = "BEGIN:VEVENT" + unit * (size // len(unit))
        started = time.process_time()
        for form in (calendar_text, enriched_text, rtf_text):
            form(text)
        unflowed(text, delete_space=True)
        return time.process_time() - started

    seconds(10_000)
    assert seconds(200_000) < 10 * seconds(50_000) + 0.2
