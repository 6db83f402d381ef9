"""File names, parameters and types of parts, as mail programs write them."""

from __future__ import annotations

import time

import pytest

from relaydesk.message.content_type import described
from relaydesk.message.parse import parse_message


def part_name(
    disposition: str | bytes, content_type: str | bytes = "application/x-data", charset: str = ""
) -> str:
    fields = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in (("Content-Type", content_type), ("Content-Disposition", disposition))
    ]
    return described(fields, "text/plain", charset).name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        # RFC 2231
        ("attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "Grüße.pdf"),
        ("attachment; filename*=utf-8'de'Gr%C3%BC%C3%9Fe.pdf", "Grüße.pdf"),
        ("attachment; filename*=iso-8859-1''Gr%FC%DFe%80.pdf", "Grüße€.pdf"),
        ("attachment; filename*=shift_jis''%87%40.pdf", "①.pdf"),
        ("attachment; filename*=Gr%C3%BC.pdf", "Grü.pdf"),
        ("attachment; filename*0*=utf-8''Gr%C3%BC; filename*1=sse.pdf", "Grüsse.pdf"),
        ("attachment; filename*0*=utf-8''Gr%C3; filename*1*=%BC.pdf", "Grü.pdf"),  # one character in two
        ("attachment; filename*1*=%BC.pdf; filename*0*=utf-8''Gr%C3", "Grü.pdf"),  # any order
        ('attachment; filename*0="one two "; filename*1="three.pdf"', "one two three.pdf"),
        ("attachment; filename*0*=utf-8''%E2%82%AC; filename*1=\" a.pdf\"", "€ a.pdf"),
        ("attachment; filename=plain.pdf; filename*=utf-8''Gr%C3%BC.pdf", "Grü.pdf"),
        ("attachment; filename=\"utf-8''Gr%C3%BC.pdf\"", "Grü.pdf"),  # not extended, but written so
        # RFC 2047, which does not belong there
        ('attachment; filename="=?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf?="', "Grüße.pdf"),
        ("attachment; filename==?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ('attachment; filename="=?utf-8?B?R3LDvA==?= =?utf-8?B?w59lLnBkZg==?="', "Grüße.pdf"),
        ('attachment; filename*0="=?utf-8?B?R3LD"; filename*1="vMOfZQ==?="', "Grüße"),
        ('attachment; filename="=?iso-2022-jp?B?GyRCLSEbKEIucGRm?="', "①.pdf"),
        # Written without care
        ("attachment; filename=my file.pdf", "my file.pdf"),
        ("attachment; filename=my file.pdf; size=3", "my file.pdf"),
        ('attachment; filename = "a.pdf"', "a.pdf"),
        ('attachment;; ;filename="a.pdf";', "a.pdf"),
        ('attachment; filename="a.pdf" size=3', "a.pdf"),
        ('attachment; filename="unended.pdf', "unended.pdf"),
        ('attachment; FILENAME="A;B.pdf"', "A;B.pdf"),
        (r'attachment; filename="say \"hi\".pdf"', 'say "hi".pdf'),
        ('filename="a.pdf"', "a.pdf"),
        # Raw 8-bit
        ('attachment; filename="Hofjäger.jpg"'.encode(), "Hofjäger.jpg"),
        (b'attachment; filename="Hofj\xe4ger.jpg"', "Hofjäger.jpg"),
        # Not to be saved as written
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\a.txt"', "a.txt"),
        (r'attachment; filename="C:\temp\a.txt"', "a.txt"),
        ('attachment; filename=".."', ""),
        ("attachment; filename='a b.txt'", "a b.txt"),
        ('attachment; =?utf-8?Q?filename=3D"=C3=BC_b.txt"?=; size=3', "ü b.txt"),
        ("attachment; =?utf-8?B?ZmlsZW5hbWU9w7wudHh0?=", "ü.txt"),
        ('attachment; filename="\'"', "'"),
        ("attachment; filename*0*=utf-8''Gr%C; filename*1*=3%BC.txt", "Grü.txt"),  # cut in an escape
        ("attachment; filename*0*=utf-8''%C3; filename*1=%BC; filename*2*=%BC.txt", "Ã%BC¼.txt"),
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename="a.pdf. . "', "a.pdf"),
        ('attachment; filename="gpj\u202eexe.txt"', "gpjexe.txt"),
        ('attachment; filename="a\x9b31m\u2066b.txt"', "a31mb.txt"),
        ("attachment; filename*=utf-8''a%0D%0Ab%00.txt", "a b.txt"),
        ('attachment; filename="' + "x" * 300 + '.pdf"', "x" * 196 + ".pdf"),
        ("attachment", ""),
    ],
)
def test_it_reads_file_names(disposition, name):
    assert part_name(disposition) == name


@pytest.mark.parametrize(
    ("raw", "charset", "name"),
    [
        ("订单.jpg".encode("gbk"), "gb2312", "订单.jpg"),
        ("注文①.jpg".encode("cp932"), "shift_jis", "注文①.jpg"),
        ("заказ.jpg".encode("cp1251"), "windows-1251", "заказ.jpg"),
        ("Größe.jpg".encode("latin-1"), "windows-1251", "Größe.jpg"),
        ("Größe.jpg".encode(), "windows-1251", "Größe.jpg"),
    ],
)
def test_raw_file_names_are_of_the_charset_of_the_text_beside_them(raw, charset, name):
    assert part_name(b'attachment; filename="' + raw + b'"', charset=charset) == name
    whole = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=%b"
        b"\r\n\r\nx\r\n--b\r\nContent-Type: image/png; name=%b\r\n\r\nx\r\n--b--"
    ) % (charset.encode(), raw)
    assert [file.name for file in parse_message(whole).attachments] == [name]


def test_the_disposition_names_a_file_before_the_type_does():
    assert part_name("attachment; filename=a.pdf", "application/pdf; name=b.pdf") == "a.pdf"
    assert part_name("attachment", "application/pdf; name=b.pdf") == "b.pdf"
    assert part_name("attachment", "application/pdf; name*=utf-8''%C3%BC.pdf") == "ü.pdf"
    assert part_name("attachment; name=a.pdf", "application/pdf; filename=b.pdf") == "b.pdf"
    assert part_name("attachment; name=a.pdf", "application/pdf") == "a.pdf"


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        *(("TEXT/HTML; charset=x", "text/html"), ("text", "text/plain"), ("html", "text/html")),
        *(
            ("text/html charset=utf-8", "text/html"),
            ('"text/html"', "text/html"),
            ("text/html,x", "text/html"),
        ),
        *(("Content-Type: text/html", "text/html"), ("no type at all", "text/plain"), ("", "image/x")),
        *(("application/pdf name=x.pdf", "application/pdf"), ("name=x.pdf", "text/plain")),
        ("a/b/c", "text/plain"),
        *(("multipart/; boundary=x", "multipart/mixed"), ("text/", "text/plain")),
    ],
)
def test_it_reads_types(written, kind):
    assert described([("Content-Type", written.encode())], "image/x").type == kind


def test_the_first_content_type_that_is_one_counts():
    fields = [("content-type", b"text"), ("Content-Type", b"text/html"), ("Content-Type", b"image/png")]
    assert described(fields, "text/plain").type == "text/html"


@pytest.mark.parametrize(
    ("written", "boundary"),
    [
        ("multipart/mixed; boundary=abc", b"abc"),
        ('multipart/mixed; boundary="a b;c=d"', b"a b;c=d"),
        ('multipart/mixed; boundary="abc "', b"abc"),
        ("multipart/mixed; boundary*0*=us-ascii''%3D_8853; boundary*1*=24f3", b"=_885324f3"),
        ("multipart/mixed; boundary*=us-ascii''%3D_88", b"=_88"),
        ('multipart/mixed; boundary*0="ab"; boundary*1="cd"', b"abcd"),
        ("multipart/mixed; charset=utf-8 boundary=abc", b""),
        ('multipart/mixed; charset="utf-8" boundary=abc', b"abc"),
        ("text/plain; boundary=abc", b""),
        ("multipart/mixed", b""),
    ],
)
def test_it_reads_boundaries(written, boundary):
    assert described([("Content-Type", written.encode())], "text/plain").boundary == boundary


@pytest.mark.parametrize(
    "unit", ["; filename*{0}=x", "; filename*{0}*=%41", ";a=b", '"', "\\", "a ", ";", "'", " = ", '"="']
)
def test_parameters_cost_no_more_than_their_length(unit):
    def seconds(count: int) -> float:
        value = ("attachment" + "".join(unit.format(number) for number in range(count))).encode()
        started = time.process_time()
        for _ in range(20):
            described([("Content-Disposition", value)], "text/plain")
        return time.process_time() - started

    assert seconds(4000) < 8 * seconds(1000) + 0.2
