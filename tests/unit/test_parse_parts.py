"""MIME structure, HTML and attachments."""

import base64
import hashlib

import pytest

from relaydesk.message import html as hypertext
from relaydesk.message import parts
from relaydesk.message.parse import parse_message

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256))


def multipart(kind: str, *pieces: str, boundary: str = "edge", close: bool = True) -> str:
    inner = "".join(f"--{boundary}\r\n{piece}\r\n" for piece in pieces)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inner}' + (
        f"--{boundary}--\r\n" if close else ""
    )


PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\nplain text"
HTML = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>rich <b>text</b></p>"
PHOTO = (
    "Content-Type: image/png; name=photo.png\r\nContent-Disposition: attachment; filename=photo.png\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(JPEG).decode()
)


def test_it_prefers_plain_text_and_keeps_the_html():
    found = parse_message(multipart("alternative", PLAIN, HTML).encode())
    assert (found.text, found.html, found.attachments, found.defects) == (
        "plain text",
        "<p>rich <b>text</b></p>",
        (),
        (),
    )


def test_it_makes_text_of_html_when_there_is_no_other():
    found = parse_message(multipart("related", HTML).encode())
    assert found.text == "rich text"


def test_it_takes_attachments_apart():
    inner = multipart("alternative", PLAIN, HTML, boundary="inner")
    found = parse_message(multipart("mixed", inner, PHOTO).encode())
    assert found.text == "plain text"
    (photo,) = found.attachments
    assert (photo.name, photo.declared_type, photo.sniffed_type) == ("photo.png", "image/png", "image/jpeg")
    assert (photo.content, photo.size) == (JPEG, len(JPEG))
    assert photo.sha256 == hashlib.sha256(JPEG).hexdigest()


def test_it_does_not_descend_into_an_attached_message():
    inner = "Content-Type: message/rfc822\r\n\r\nSubject: other\r\n\r\nOrder number: 64000841784004"
    found = parse_message(multipart("mixed", PLAIN, inner).encode())
    assert found.text == "plain text"
    assert found.attachments[0].declared_type == "message/rfc822"
    assert found.attachments[0].name == "other.eml"
    assert b"64000841784004" in found.attachments[0].content


def test_it_treats_a_named_text_part_as_an_attachment():
    named = 'Content-Type: text/plain; name="note.txt"\r\n\r\nin the note'
    found = parse_message(multipart("mixed", PLAIN, named).encode())
    assert found.text == "plain text"
    assert found.attachments[0].name == "note.txt"


def test_it_reads_a_multipart_without_its_end():
    found = parse_message(multipart("alternative", PLAIN, HTML, close=False).encode())
    assert found.text == "plain text"
    assert "closing delimiter" in found.defects[0]


def test_it_shows_a_multipart_without_any_delimiter_as_text():
    found = parse_message(b"Content-Type: multipart/mixed; boundary=x\r\n\r\nreadable all the same")
    assert found.text == "readable all the same"
    assert found.defects


def test_it_takes_neighbouring_and_similar_delimiters_apart():
    head = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    raw = head + b"--x\r\n--x \r\n\r\none --x\r\n--xy\r\n\r\n--x\r\n\r\ntwo\r\n--x--\r\nepilogue"
    assert parse_message(raw).text == "one --x\n--xy\n\ntwo"


def test_it_reads_damaged_base64_as_far_as_it_goes():
    found = parse_message(b"Content-Transfer-Encoding: base64\r\n\r\naGVs!bG8\r\n")
    assert found.text == "hello"
    assert "base64" in found.defects[0]


@pytest.mark.parametrize(("levels", "deep"), [(10, False), (30, True)])
def test_it_stops_at_its_depth(levels, deep):
    raw = PLAIN
    for level in range(levels):
        raw = multipart("mixed", raw, boundary=f"edge{level}")
    found = parse_message(raw.encode())
    assert (found.text == "plain text") is not deep
    assert any("too deeply" in defect for defect in found.defects) is deep


def test_it_cuts_the_parameters_of_a_part():
    many = "".join(f"; x{number}=y" for number in range(1000))
    part = f"Content-Type: application/x-data{many}; name=late.bin\r\n\r\nx"
    assert parse_message(multipart("mixed", part).encode()).attachments[0].name == "part-1"


def test_it_stops_at_its_number_of_parts():
    found = parse_message(multipart("mixed", *[PHOTO] * (parts.MAX_PARTS + 50)).encode())
    assert 0 < len(found.attachments) <= parts.MAX_PARTS
    assert any("parts" in defect for defect in found.defects)


@pytest.mark.parametrize("many", [1, 400])
def test_it_makes_html_safe(many):
    filler = "<p>x</p>" * many
    html = (
        f'{filler}<script>alert(1)</script><style>p{{}}</style><!-- c --><p onclick="x()">a</p>'
        '<a href="javascript:x()">b</a><a href="https://ok.example/?a=1&amp;b=2">c</a><img src="https://spy.example/x">'
        "<iframe src=x>d</iframe><form><input></form><a href='https://q.example/\"x'>e</a>"
    )
    found = hypertext.read(html).html
    for bad in (
        "script",
        "alert",
        "style",
        "onclick",
        "javascript:",
        "<img",
        "spy",
        "iframe",
        "<form",
        "<!--",
    ):
        assert bad not in found, bad
    assert 'href="https://ok.example/?a=1&amp;b=2"' in found
    assert hypertext.read(html).anchors[1] == ("https://ok.example/?a=1&b=2", False)


def test_it_writes_html_as_lines_and_cells():
    page = hypertext.read(
        "<div>One<br>two <b>th</b>ree\n four</div><table><tr><td>Order\n number</td><td>123</td></tr>"
        "<tr><td>Total</td><td>5&nbsp;€</td></tr></table><ul><li>a</li><li>b</li></ul>"
    )
    lines = [line for line in page.text.split("\n") if line]
    assert lines == ["One", "two three four", "Order number\t123", "Total\t5 €", "a", "b"]


def test_it_rewrites_much_markup_to_the_same_text():
    html = "<div><b>Order</b> <i>number</i>: 1 &lt; 2</div>"
    few = hypertext.read(html).text
    many = hypertext.read(html * 200).text
    assert few == "Order number: 1 < 2"
    assert {line for line in many.split("\n") if line} == {few}


def test_no_control_comes_out_of_an_entity():
    found = parse_message(b"Content-Type: text/html\r\n\r\n<p>a&#x202e;b&#27;[31m&#x9b;c&#0;d</p>")
    for text in (found.text, found.html):
        assert not set(text) & set("\u202e\x1b\x9b\0"), text
    assert found.text.startswith("ab[31m")
