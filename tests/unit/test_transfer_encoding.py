"""Transfer encodings as mail programs leave them: no byte lost, and plain text stays what it is."""

from __future__ import annotations

import base64
import binascii
import random
import time

import pytest

from relaydesk.message.transfer_encoding import encoding_name, undone, uu_name, without_uuencoded

EVERY_BYTE = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *(("BASE64", "base64"), (' "base64" ', "base64"), ("base64;", "base64"), ("base 64", "base64")),
        *(("base-64 (comment)", "base64"), ("Quoted-Printable", "quotedprintable")),
        *(("quoted printable", "quotedprintable"), ("quoted_printable; x=y", "quotedprintable")),
        *(("quoted-printable, 8bit", "quotedprintable"), ("x-base64", "base64")),
        *(("8-bit", "8bit"), ("8 Bit", "8bit"), ("7-bit", "7bit"), ("BINARY", "binary"), ("", "")),
        *(("x-uuencode", "uuencode"), ("x-uue", "uuencode"), ("uu", "uuencode"), ("UUENCODE", "uuencode")),
    ],
)
def test_it_knows_an_encoding_however_it_is_spelled(written, name):
    assert encoding_name(written) == name
    assert undone(b"x", name, is_text=True)[1] == "" or name in ("base64", "uuencode")


def test_an_unknown_encoding_leaves_the_bytes_with_a_defect():
    assert undone(b"x", "gzip64", is_text=False) == (b"x", "The transfer encoding 'gzip64' is unknown.")


@pytest.mark.parametrize(
    ("body", "content"),
    [
        # Without padding, or with too much of it.
        (b"T3JkZXIgNjQwMDA4NDE3ODQwMDQ\r\n", b"Order 64000841784004"),
        (b"aGVsbG8gdw\r\n", b"hello w"),
        (b"aGVsbG8", b"hello"),
        (b"aGVsbG8gd29ybGQ=====\r\n", b"hello world"),
        # In pieces.
        (b"YWI=\r\nY2Q=\r\n", b"abcd"),
        (b"YQ==YmM=\r\nZGVm\r\nZw==", b"abcdefg"),
        (b"YW\r\nI=\r\nY2Q=\r\n", b"abcd"),
        (b"aGVs bG8g d29y bGQ=\r\n", b"hello world"),
        (b"\r\n aGVsbG8g\r\n\r\n d29ybGQ=\r\n", b"hello world"),
        # Junk between, and footers behind.
        (b"aGVs!bG8g\r\nd29y*bGQ=\r\n", b"hello world"),
        (b"aGVsbG8gd29ybGQ=\r\n\r\n--\r\nSent by my list\r\n", b"hello world"),
        (b"aGVsbG8gd29ybGQ=\r\n_______\r\nhttp://list.example/\r\n", b"hello world"),
        (b"aGVsbG8gd29ybGQh\r\n\r\nThis mail was scanned\r\n", b"hello world!"),
        (b"ecO2dMOkIHZhYW4uCg== ignored\r\n", "yötä vaan.\n".encode()),
        (b"aGVsbG8=\r\n\0\0", b"hello"),
        (b"", b""),
    ],
)
def test_base64_loses_no_byte(body, content):
    assert undone(body, "base64", is_text=True)[0] == content


def test_base64_of_any_content_and_width_survives():
    for width in (4, 60, 72, 76, 1000, 100_000):
        encoded = base64.b64encode(EVERY_BYTE * 20)
        lines = b"\r\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
        for body in (lines, lines.rstrip(b"="), b" " + lines.replace(b"\r\n", b" \r\n ")):
            for is_text in (True, False):
                assert undone(body, "base64", is_text=is_text) == (EVERY_BYTE * 20, ""), width


def test_short_base64_of_random_bytes_is_never_taken_for_text():
    chance = random.Random(7)
    for length in range(1, 60):
        data = chance.randbytes(length)
        encoded = base64.encodebytes(data)
        assert undone(encoded, "base64", is_text=False)[0] == data
        text = chance.choice(["Grüße", "abc", "注文です", "x"]) * length
        for form in (base64.b64encode(text.encode()), base64.b64encode(text.encode()).rstrip(b"=")):
            assert undone(form, "base64", is_text=True)[0] == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "Hello, where is my parcel? It was due on Monday.\r\n",
        "Order 64000841784004 please",
        "this fine text okay",
        "Where is it",
        "Hello!",
        "Danke",
        "Grüße, wo ist mein Paket?",
        "See https://www.facebook.com/commerce/orders/64000841784004?ref=mail_with_a_long_name\r\n",
        "Hello,\r\n\r\nwhere is my parcel?\r\n\r\nThanks\r\n",
        "<html><body><p>Where is it?</p></body></html>",
        "注文が届かない",
    ],
)
def test_plain_text_labelled_base64_stays_readable(text):
    body, defect = undone(text.encode(), "base64", is_text=True)
    assert (body.decode(), defect) == (text, "A part is labelled base64 but is plain text.")


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"a=3Db=\r\nc\r\nd", b"a=bc\r\nd"),
        (b"a=e4=C3=bc", b"a\xe4\xc3\xbc"),
        (b"soft= \r\nline=\t\nend", b"softlineend"),
        (b"100% =3D all = some =", b"100% = all = some "),
        (b"a==3D=b =\rc", b"a===b =\rc"),
        (b"raw \xe4 and =C3=A4", b"raw \xe4 and \xc3\xa4"),
        (b"=46rom me", b"From me"),
        (b"=zz=3D", b"=zz="),
        (b"cut off=", b"cut off"),  # a delimiter has taken the line end
        (b"cut off= \t", b"cut off"),
        (b"no escape", b"no escape"),
    ],
)
def test_quoted_printable_is_undone_broken_or_not(body, content):
    assert undone(body, "quotedprintable", is_text=True) == (content, "")


@pytest.mark.parametrize(
    "body", [b"see https://x.example/?order=64000841784004", b"x == y", b"100% = a lot", b"a=b&c=d\r\ne"]
)
def test_plain_text_labelled_quoted_printable_stays_what_it_is(body):
    content, defect = undone(body, "quotedprintable", is_text=True)
    assert content == body
    assert defect == "A part is labelled quoted-printable but is plain text."


def uuencoded(data: bytes, width: int = 45) -> bytes:
    return b"".join(binascii.b2a_uu(data[at : at + width]) for at in range(0, len(data), width))


@pytest.mark.parametrize(
    "encoded",
    [
        uuencoded(EVERY_BYTE),
        uuencoded(EVERY_BYTE).replace(b" ", b"`"),
        uuencoded(EVERY_BYTE, 30),
        b"\r\n".join(line.rstrip() for line in uuencoded(EVERY_BYTE).split(b"\n")),  # blanks lost on the way
        b"\n".join(line + b"x" for line in uuencoded(EVERY_BYTE).split(b"\n") if line),  # a check sum behind
    ],
)
def test_uuencode_is_undone(encoded):
    body = b"begin 644 every byte.bin\r\n" + encoded + b"`\r\nend\r\n"
    assert undone(body, "uuencode", is_text=False) == (EVERY_BYTE, "")
    assert undone(body.removesuffix(b"end\r\n"), "uuencode", is_text=False)[0] == EVERY_BYTE
    assert uu_name(body) == b"every byte.bin"


def test_what_is_not_uuencoded_stays_with_a_defect():
    content, defect = undone(b"just words\r\n", "uuencode", is_text=True)
    assert content == b"just words\r\n"
    assert "begin" in defect


def test_files_in_a_text_are_taken_out_of_it():
    text = (
        b"Hi,\n\nbegin 644 photo.bin\n" + uuencoded(EVERY_BYTE) + b"`\nend\n\nbegin 644 note\n"
        b"a poem, not encoded\nend\nbegin-base64 600 b.txt\naGVsbG8=\n====\nbegin by reading\nBye\n"
    )
    rest, files = without_uuencoded(text)
    assert files == [(b"photo.bin", EVERY_BYTE), (b"b.txt", b"hello")]
    assert rest == b"Hi,\n\n\nbegin 644 note\na poem, not encoded\nend\nbegin by reading\nBye\n"
    assert without_uuencoded(b"begin 644 x\nno end") == (b"begin 644 x\nno end", [])


def test_pieces_too_short_for_a_program_are_read_only_so_far():
    for encoding, piece in (("base64", b"YQ=="), ("uuencode", b"!80``\n")):
        begin = b"begin 644 x\n" if encoding == "uuencode" else b""
        for count, whole in ((900, True), (90_000, False)):
            content, _ = undone(begin + piece * count + b"end\n", encoding, is_text=False)
            assert (content.count(b"a") >= count) is whole, (encoding, count)
            assert content.count(b"a") >= min(count, 20_000)


HOSTILE = {
    "no alphabet": ("base64", b"!"),
    "padded pieces": ("base64", b"YQ==\r\n"),
    "one character pieces": ("base64", b"a="),
    "empty lines": ("base64", b"aaaa\r\n\r\n"),
    "words": ("base64", b"abc "),
    "equals": ("quotedprintable", b"="),
    "soft breaks": ("quotedprintable", b"=\r\n"),
    "blanks behind equals": ("quotedprintable", b"= "),
    "begins": ("uuencode", b"begin 644 x\n"),
    "begins and ends": ("uuencode", b"begin 644 x\nx\nend\n"),
    "short lines": ("uuencode", b"begin 644 x\n" + b"M\n" * 20),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_work_grows_with_the_length_only(shape):
    encoding, unit = HOSTILE[shape]

    def seconds(size: int) -> float:
        body = unit * (size // len(unit))
        started = time.process_time()
        undone(body, encoding, is_text=True)
        without_uuencoded(body)
        return time.process_time() - started

    seconds(100_000)
    small, large = seconds(300_000), seconds(1_200_000)
    assert large < 12 * small + 0.2


@pytest.mark.parametrize("line", ["MMM line {}", "MAY I ASK {}", "Hello", "`"])
def test_lines_of_words_are_no_uuencoded_file(line):
    text = "begin 644 poem\n" + "".join(f"{line.format(number)}\n" for number in range(10)) + "end\n"
    assert without_uuencoded(text.encode()) == (text.encode(), [])
