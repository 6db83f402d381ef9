"""A help desk's bytes, read by the reader of inbound mail: every letter arrives, or the answer is refused."""

from __future__ import annotations

import base64
import quopri
import time
from email import policy
from email.parser import BytesParser

import pytest

from relaydesk.gateway.submission import Submitted, submitted
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.mime import clean_line
from tests.support.gateway import RULES
from tests.unit.test_rewrite import sent


def read(kind: str, body: bytes, *more: str, subject: bytes = b"Re: hi") -> Submitted:
    head = b"Subject: " + subject + f"\r\nContent-Type: {kind}\r\n".encode()
    return submitted(
        head + "".join(f"{line}\r\n" for line in more).encode() + b"\r\n" + body + b"\r\n", RULES
    )


READABLE = [
    ("iso-8859-1", "It\u2019s on its way \u2013 49,90 \u20ac back", "windows-1252"),
    ("latin1", "\u201cZo\u00eb\u201d\u2026", "windows-1252"),
    ("us-ascii", "Gr\u00fc\u00dfe 5 \u20ac", "utf-8"),
    ("us-ascii", "Gr\u00fc\u00dfe 5 \u20ac", "windows-1252"),
    ("utf-8", "Gr\u00fc\u00dfe 5 \u20ac", "windows-1252"),
    ("iso-8859-1", "Gr\u00fc\u00dfe 5 \u20ac", "utf-8"),
    ("iso-8859-9", "\u011eul \u015fehir \u20ac", "windows-1254"),
    ("iso-8859-15", "5 \u20ac \u0160", "iso-8859-15"),
    ("windows-1251", "\u0417\u0430\u043a\u0430\u0437 \u2116 5", "windows-1251"),
    ("koi8-r", "\u0417\u0430\u043a\u0430\u0437", "koi8-r"),
    ("gb2312", "\u60a8\u7684\u8ba2\u5355 \u955c\u7199", "gbk"),
    ("gb2312", "\u8ba2\u5355 \u20ac \u3400", "gb18030"),
    ("big5", "\u8a02\u55ae\u7de8\u865f", "big5"),
    ("shift_jis", "\u3054\u6ce8\u6587 \u2460 \u9ad9\u6a4b \u2161", "cp932"),
    ("ks_c_5601-1987", "\uc8fc\ubb38 \ub611\ubc29\uac01\ud558 \uba54\ub3c4\uc720 \ubdc1", "cp949"),
    ("euc-kr", "\uc8fc\ubb38 \ubdc1", "cp949"),
    ("euc-jp", "\u3054\u6ce8\u6587\u756a\u53f7", "euc-jp"),
    ("iso-2022-jp", "\u3054\u6ce8\u6587\u756a\u53f7", "iso-2022-jp"),
    ("utf-16", "Gr\u00fc\u00dfe \u20ac", "utf-16"),
    ("x-unknown", "Gr\u00fc\u00dfe \u20ac", "utf-8"),
    ("utf-8", "what its author wrote: \ufffd", "utf-8"),
]


@pytest.mark.parametrize(("label", "text", "codec"), READABLE)
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_every_letter_arrives(label: str, text: str, codec: str, encoding: str, kind: str) -> None:
    data = (text if kind == "plain" else f"<p>{text}</p>").encode(codec)
    body = {"8bit": data, "base64": base64.encodebytes(data), "quoted-printable": quopri.encodestring(data)}
    if encoding == "8bit" and codec == "utf-16":
        return  # not a body that SMTP carries
    answer = read(f"text/{kind}; charset={label}", body[encoding], f"Content-Transfer-Encoding: {encoding}")
    assert text in answer.text + answer.html


def test_iso_2022_jp_carries_the_rows_of_nec() -> None:
    answer = read("text/plain; charset=iso-2022-jp", b"\x1b$B-!-5-j\x1b(B ok")
    assert answer.text == "\u2460\u2160\u3231 ok"


def test_bytes_that_name_no_charset_are_utf_8_else_windows_1252() -> None:
    assert read("text/plain", "Gr\u00fc\u00dfe 5 \u20ac".encode()).text == "Gr\u00fc\u00dfe 5 \u20ac"
    assert read("text/plain", "Gr\u00fc\u00dfe 5 \u20ac".encode("cp1252")).text == "Gr\u00fc\u00dfe 5 \u20ac"


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ('<meta charset="windows-1251">', "windows-1251"),
        ("<META CHARSET=koi8-r />", "koi8-r"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "windows-1251"),
        ("<meta content='text/html;charset=gb2312' http-equiv=content-type>", "gbk"),
        ('<!-- <meta charset="koi8-r"> --><meta charset="windows-1251">', "windows-1251"),
        ('<meta name="x" content="y"><meta charset="utf-16">', "utf-8"),
        ("", "utf-8"),
        ("", "utf-8-sig"),
    ],
)
def test_html_may_name_its_charset_itself_and_leaves_as_utf_8(head: str, codec: str) -> None:
    html = f"<html><head>{head}</head><body><p>\u0417\u0430\u043a\u0430\u0437</p></body></html>"
    raw = b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + html.encode(codec) + b"\r\n"
    shown = submitted(raw, RULES).html
    assert "<p>\u0417\u0430\u043a\u0430\u0437</p>" in shown
    assert "charset" not in shown.replace("<!-- ", "")
    [part] = [part for part in sent(raw).walk() if part.get_content_type() == "text/html"]
    assert part.get_content_charset() == "utf-8"


def test_the_parts_label_counts_before_that_in_the_html() -> None:
    html = '<meta charset="koi8-r"><p>\u0417\u0430\u043a\u0430\u0437</p>'.encode("windows-1251")
    assert "\u0417\u0430\u043a\u0430\u0437" in read("text/html; charset=windows-1251", html).html


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain; charset=utf-8", b"Gr\xc3\xbc\xc3\x9fe \xe2\x82"),
        ("text/plain; charset=shift_jis", b"\x82\xb2\x92\x8d\x95\xb6 \xfc\xfc \x82"),
        ("text/plain; charset=gb2312", b"\xb6\xa9\xb5\xa5 \xff\xff"),
        ("text/plain; charset=x-klingon", b"Gr\xfc\xdfe"),
        ("text/plain; charset=no-such", b"\xff\xfe"),
        ("text/html; charset=utf-8", b"<p>Gr\xc3\xbc\xc3\x9fe \xf0\x9f\x98</p>"),
        ("text/html", b"<meta charset=x-klingon><p>Gr\xfc\xdfe</p>"),
    ],
)
def test_what_cannot_be_read_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(AnswerRefused, match=r"cannot be read\. .+ Send it as UTF-8\."):
        read(kind, body)


SUBJECTS = [
    (b"=?iso-8859-1?q?5_=80_=96_Zo=EB?=", "5 \u20ac \u2013 Zo\u00eb"),
    (b"=?gb2312?b?" + base64.b64encode("\u955c\u7199".encode("gbk")) + b"?=", "\u955c\u7199"),
    (b"=?iso-2022-jp?b?" + base64.b64encode(b"\x1b$B-!\x1b(B") + b"?=", "\u2460"),
    ("Gr\u00fc\u00dfe".encode(), "Gr\u00fc\u00dfe"),
    ("Gr\u00fc\u00dfe".encode("cp1252"), "Gr\u00fc\u00dfe"),
    (b"=?utf-8?q?=EF=BF=BD?=", "\ufffd"),
]


@pytest.mark.parametrize(("subject", "text"), SUBJECTS)
def test_every_letter_of_the_subject_arrives(subject: bytes, text: str) -> None:
    assert read("text/plain", b"Hello", subject=subject).subject == text


@pytest.mark.parametrize(
    "subject",
    [
        b"=?utf-8?q?Gr=C3=BC=C3?=",
        b"=?shift_jis?b?" + base64.b64encode(b"\x82\xb2\x92\x8d \xfc\xfc") + b"?=",
        b"Gr\xc3\xbc\xc3\x9fe \xe2\x82",
    ],
)
def test_a_subject_that_cannot_be_read_is_refused(subject: bytes) -> None:
    with pytest.raises(AnswerRefused, match=r"The Subject cannot be read\. "):
        read("text/plain", b"Hello", subject=subject)


def mixed(disposition: str, kind: str = "application/pdf", content: bytes = b"%PDF-1.7 x") -> Submitted:
    parts = (
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
        b"--b\r\nContent-Type: " + kind.encode() + b"\r\nContent-Disposition: " + disposition.encode("utf-8")
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content) + b"--b--\r\n"
    )  # fmt: skip
    return submitted(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts, RULES)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename*=iso-8859-1''Ger%E4t%80.pdf", "Ger\u00e4t\u20ac.pdf"),
        ("attachment; filename*=utf-8''Ger%C3%A4t.pdf", "Ger\u00e4t.pdf"),
        ('attachment; filename="=?utf-8?q?Ger=C3=A4t.pdf?="', "Ger\u00e4t.pdf"),
        ('attachment; filename="Ger\u00e4t.pdf"', "Ger\u00e4t.pdf"),
    ],
)
def test_file_names_are_read_the_same_way(disposition: str, name: str) -> None:
    assert mixed(disposition).files == ((name, b"%PDF-1.7 x"),)


def test_a_file_name_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(AnswerRefused, match=r"name of a file cannot be read\. Send it as UTF-8"):
        mixed("attachment; filename*=utf-8''Ger%C3%A4t%C3.pdf")


def test_the_bytes_of_a_text_file_are_nobodys_to_change() -> None:
    content = "Gr\u00fc\u00dfe 5 \u20ac".encode("cp1252") + b"\x81\0\xff"
    answer = mixed("attachment; filename=a.txt", "text/plain; charset=utf-8", content)
    assert answer.text == "Hello"
    assert answer.files == (("a.txt", content),)


def test_a_text_with_a_name_is_the_text_where_there_is_no_other() -> None:
    assert read("text/plain; name=answer.txt", b"Hello").text == "Hello"


@pytest.mark.parametrize("body", [b"SGVsbG8gQWxpY2U", b"SGVsbG8gQWxpY2U=\r\n", b"SGVs\r\nbG8gQWxp Y2U"])
def test_base64_without_its_padding_loses_no_byte(body: bytes) -> None:
    assert read("text/plain", body, "Content-Transfer-Encoding: base64").text == "Hello Alice"


def test_what_leaves_is_utf_8_throughout() -> None:
    raw = (
        b"Subject: =?iso-8859-1?q?5_=80?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n5 \x80\r\n"
        b"--b\r\nContent-Type: text/html; charset=shift_jis\r\n\r\n<p>\x87\x40</p>\r\n--b--\r\n"
    )
    message = BytesParser(policy=policy.default).parsebytes(sent(raw).as_bytes())
    assert message["Subject"].startswith("Re: 5 \u20ac")
    shown = {
        part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()
    }
    assert "\u2460" in shown["text/plain"] and "\u2460" in shown["text/html"]


def test_flowed_lines_are_joined_and_the_branches_of_an_alternative_stay_two() -> None:
    assert (
        read("text/plain; format=flowed", b"One long \r\nline\r\nand another").text
        == "One long line\nand another"
    )
    raw = (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n"
    )
    answer = submitted(raw, RULES)
    assert (answer.text, answer.html) == ("Hello", "<p>Hello</p>")


def test_a_text_too_long_to_be_read_to_its_end_is_refused() -> None:
    with pytest.raises(AnswerRefused, match="longer than"):
        read("text/plain", b"x" * 70 + b"\r\n" + b"yes\r\n" * 300_000)


def test_an_encrypted_message_is_refused() -> None:
    kind = b"application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"
    raw = b"Content-Type: " + kind + b"\r\n\r\nMIAGCSq\r\n"
    with pytest.raises(AnswerRefused, match=r"smime\.p7m"):
        sent(raw)


HOSTILE = {
    "quotes": lambda size: ("html", b"<blockquote>" * size),
    "open tags": lambda size: ("html", b"<div><b>x" * size),
    "footers": lambda size: ("plain", b"##- x -##\r\n" * size),
    "brackets": lambda size: ("plain", b"[ABC123-XYZ45]\r\n" * size),
    "dashes": lambda size: ("plain", b"-" * size * 8 + b"\r\n"),
    "joiners": lambda size: ("plain", "\u00e9\u200d\u200d\u200d".encode() * size),
    "comments": lambda size: ("html", b"<!-- x --><meta charset=" * size),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_twice_as_much_takes_no_more_than_twice_as_long(name: str) -> None:
    def took(size: int) -> float:
        kind, body = HOSTILE[name](size)
        best = []
        for _ in range(3):
            begun = time.process_time()
            read(f"text/{kind}; charset=utf-8", body, "X-Mailer: Zendesk Mailer, Freshdesk")
            best.append(time.process_time() - begun)
        return min(best)

    took(500)
    assert took(8000) < 3.5 * took(4000) + 0.05


def test_a_subject_of_joiners_is_cleaned_in_linear_time() -> None:
    def took(size: int) -> float:
        begun = time.process_time()
        clean_line("\u00e9" + "\u200d" * size + "\u00e9")
        return time.process_time() - begun

    assert min(took(200_000) for _ in range(3)) < 4 * min(took(100_000) for _ in range(3)) + 0.05
