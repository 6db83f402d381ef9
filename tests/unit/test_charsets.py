"""Bytes to text: labels, what people type under them, labels that lie, and single odd bytes."""

from __future__ import annotations

import codecs
import re

import pytest

from relaydesk.message.charset_labels import encoding_of
from relaydesk.message.charsets import decode, one_line, raw_text, to_text
from relaydesk.message.decoders import ODD, decoded
from tests.support.growth import LINEAR, growth

# The Encoding Standard's labels (§4.2) by encoding, written down from the standard and not from our table.
LABELS = {
    "utf-8": ["unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "utf-8", "utf8", "x-unicode20utf8"],
    "ibm866": ["866", "cp866", "csibm866", "ibm866"],
    "iso-8859-2": [
        *("csisolatin2", "iso-8859-2", "iso-ir-101", "iso8859-2", "iso88592", "iso_8859-2"),
        *("iso_8859-2:1987", "l2", "latin2"),
    ],
    "iso-8859-3": [
        *("csisolatin3", "iso-8859-3", "iso-ir-109", "iso8859-3", "iso88593", "iso_8859-3"),
        *("iso_8859-3:1988", "l3", "latin3"),
    ],
    "iso-8859-4": [
        *("csisolatin4", "iso-8859-4", "iso-ir-110", "iso8859-4", "iso88594", "iso_8859-4"),
        *("iso_8859-4:1988", "l4", "latin4"),
    ],
    "iso-8859-5": [
        *("csisolatincyrillic", "cyrillic", "iso-8859-5", "iso-ir-144", "iso8859-5", "iso88595"),
        *("iso_8859-5", "iso_8859-5:1988"),
    ],
    "iso-8859-6": [
        *("arabic", "asmo-708", "csiso88596e", "csiso88596i", "csisolatinarabic", "ecma-114", "iso-8859-6"),
        *("iso-8859-6-e", "iso-8859-6-i", "iso-ir-127", "iso8859-6", "iso88596", "iso_8859-6"),
        "iso_8859-6:1987",
    ],
    "iso-8859-7": [
        *("csisolatingreek", "ecma-118", "elot_928", "greek", "greek8", "iso-8859-7", "iso-ir-126"),
        *("iso8859-7", "iso88597", "iso_8859-7", "iso_8859-7:1987", "sun_eu_greek"),
    ],
    "iso-8859-8": [
        *("csiso88598e", "csisolatinhebrew", "hebrew", "iso-8859-8", "iso-8859-8-e", "iso-ir-138"),
        *("iso8859-8", "iso88598", "iso_8859-8", "iso_8859-8:1988", "visual"),
        *("csiso88598i", "iso-8859-8-i", "logical"),  # iso-8859-8-i: the same bytes
    ],
    "iso-8859-10": [
        *("csisolatin6", "iso-8859-10", "iso-ir-157", "iso8859-10", "iso885910", "l6", "latin6"),
    ],
    "iso-8859-13": ["iso-8859-13", "iso8859-13", "iso885913"],
    "iso-8859-14": ["iso-8859-14", "iso8859-14", "iso885914"],
    "iso-8859-15": ["csisolatin9", "iso-8859-15", "iso8859-15", "iso885915", "iso_8859-15", "l9"],
    "iso-8859-16": ["iso-8859-16"],
    "koi8-r": ["cskoi8r", "koi", "koi8", "koi8-r", "koi8_r"],
    "koi8-u": ["koi8-ru", "koi8-u"],
    "macintosh": ["csmacintosh", "mac", "macintosh", "x-mac-roman"],
    "windows-874": ["dos-874", "iso-8859-11", "iso8859-11", "iso885911", "tis-620", "windows-874"],
    "windows-1250": ["cp1250", "windows-1250", "x-cp1250"],
    "windows-1251": ["cp1251", "windows-1251", "x-cp1251"],
    "windows-1252": [
        *("ansi_x3.4-1968", "ascii", "cp1252", "cp819", "csisolatin1", "ibm819", "iso-8859-1", "iso-ir-100"),
        *("iso8859-1", "iso88591", "iso_8859-1", "iso_8859-1:1987", "l1", "latin1", "us-ascii"),
        *("windows-1252", "x-cp1252"),
    ],
    "windows-1253": ["cp1253", "windows-1253", "x-cp1253"],
    "windows-1254": [
        *("cp1254", "csisolatin5", "iso-8859-9", "iso-ir-148", "iso8859-9", "iso88599", "iso_8859-9"),
        *("iso_8859-9:1989", "l5", "latin5", "windows-1254", "x-cp1254"),
    ],
    "windows-1255": ["cp1255", "windows-1255", "x-cp1255"],
    "windows-1256": ["cp1256", "windows-1256", "x-cp1256"],
    "windows-1257": ["cp1257", "windows-1257", "x-cp1257"],
    "windows-1258": ["cp1258", "windows-1258", "x-cp1258"],
    "x-mac-cyrillic": ["x-mac-cyrillic", "x-mac-ukrainian"],
    "gb18030": [
        *("chinese", "csgb2312", "csiso58gb231280", "gb2312", "gb_2312", "gb_2312-80", "gbk", "iso-ir-58"),
        *("x-gbk", "gb18030"),  # gbk's decoder is gb18030's
    ],
    "big5": ["big5", "big5-hkscs", "cn-big5", "csbig5", "x-x-big5"],
    "euc-jp": ["cseucpkdfmtjapanese", "euc-jp", "x-euc-jp"],
    "iso-2022": [
        *("csiso2022jp", "iso-2022-jp"),
        *("iso-2022-cn", "iso-2022-cn-ext"),  # the web replaces these
    ],
    "iso-2022-kr": ["csiso2022kr", "iso-2022-kr"],  # and these
    "shift_jis": [
        *("csshiftjis", "ms932", "ms_kanji", "shift-jis", "shift_jis", "sjis", "windows-31j", "x-sjis"),
    ],
    "euc-kr": [
        *("cseuckr", "csksc56011987", "euc-kr", "iso-ir-149", "korean", "ks_c_5601-1987", "ks_c_5601-1989"),
        *("ksc5601", "ksc_5601", "windows-949"),
    ],
    "hz": ["hz-gb-2312"],  # and this
    "": ["replacement"],
    "utf-16be": ["unicodefffe", "utf-16be"],
    "utf-16le": ["unicodefeff", "utf-16le"],
    # Little-endian unless its bytes say otherwise.
    "utf-16": ["csunicode", "iso-10646-ucs-2", "ucs-2", "unicode", "utf-16"],
    "x-user-defined": ["x-user-defined"],
}


def test_it_reads_all_labels_of_the_standard_in_any_case():
    rows = [(label, encoding) for encoding, labels in LABELS.items() for label in labels]
    assert len(rows) == 228
    for label, encoding in rows:
        for spelled in (label, label.upper(), f' "{label}" ', f"{label};x=y"):
            assert encoding_of(spelled) == encoding, spelled


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        *(("utf8mb4", "utf-8"), ("csUTF8", "utf-8"), ("UTF_8", "utf-8"), ("utf-8 (Unicode)", "utf-8")),
        *(("charset=utf-8", "utf-8"), ("utf-8,utf-8", "utf-8"), ("cp65001", "utf-8")),
        *(("utf-7", "utf-7"), ("unicode-1-1-utf-7", "utf-7"), ("UNICODE-2-0-UTF-7", "utf-7")),
        *(("utf-32", "utf-32"), ("UTF-32LE", "utf-32le"), ("UCS-4", "utf-32")),
        *(("cp437", "cp437"), ("IBM850", "cp850"), ("cp-850", "cp850"), ("cp858", "cp858")),
        *(("windows-31j", "shift_jis"), ("csWindows31J", "shift_jis"), ("x-sjis-win", "shift_jis")),
        *(("_iso-2022-jp$ESC", "iso-2022"), ("iso-2022-jp-2", "iso-2022"), ("cp50221", "iso-2022")),
        *(("eucJP-ms", "euc-jp"), ("ujis", "euc-jp"), ("CP51932", "euc-jp")),
        *(("x-windows-949", "euc-kr"), ("uhc", "euc-kr"), ("cp949", "euc-kr"), ("johab", "johab")),
        *(("cp936", "gb18030"), ("EUC-CN", "gb18030"), ("GB18030-2005", "gb18030"), ("cp950", "big5")),
        *(("HZ", "hz"), ("latin-1", "windows-1252"), ("iso-8859-1 (Latin)", "windows-1252")),
        *(("latin9", "iso-8859-15"), ("ISO_8859-15", "iso-8859-15"), ("win-1251", "windows-1251")),
        *(("x-mac-ce", "mac-latin2"), ("x-mac-greek", "mac-greek"), ("TIS-620-2533", "windows-874")),
        *(("default", ""), ("x-unknown", ""), ("unknown-8bit", ""), ("", ""), ("charset=default", "")),
    ],
)  # fmt: skip
def test_it_reads_the_other_names_that_mail_uses(label, encoding):
    assert encoding_of(label) == encoding
    decoded(bytes(range(256)), encoding or "utf-8")


@pytest.mark.parametrize(
    "name", ["punycode", "idna", "zlib", "rot13", "unicode_escape", "../x", "hex", "x-klingon", "mbcs"]
)
def test_it_takes_no_codec_that_is_not_a_charset(name):
    assert encoding_of(name) is None
    assert to_text(b"caf\xc3\xa9", name)[0] == "caf\xe9"


# What people type: one character by one, through bytes that are an oracle of their own. Python's codecs are
# independent of ours where ours fills their gaps; rows of JIS are read through Shift_JIS's arithmetic
# (JIS X 0208 annex 1), which the code under test uses nowhere but for the vendor rows.
def test_every_pair_of_cp932_is_read_under_the_label_shift_jis():
    for lead in (*range(0x81, 0xA0), *range(0xE0, 0xFD)):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFD)):
            pair = bytes((lead, trail))
            char = pair.decode("cp932", "replace")
            if ODD not in char:
                assert decoded(pair, "shift_jis") == char


def jis_rows():
    """(JIS pair, its character by the cp932 codec) of every mapped place in the 94 rows."""
    for row in range(94):
        for cell in range(94):
            second = cell + (94 if row % 2 else 0)
            lead = row // 2 + (0x81 if row < 62 else 0xC1)
            char = bytes((lead, second + (0x40 if second < 63 else 0x41))).decode("cp932", "replace")
            if ODD not in char and not "\ue000" <= char <= "\uf8ff":
                yield bytes((row + 0x21, cell + 0x21)), char


def test_every_vendor_row_is_read_in_iso_2022_jp_and_euc_jp():
    rows = dict(jis_rows())
    assert len(rows) == 6879 + 83 + 374  # JIS X 0208, NEC row 13, IBM's of NEC
    assert "①" in rows.values() and "髙" in rows.values()  # NEC row 13, NEC selected IBM rows
    for pair, char in rows.items():
        assert decoded(b"\x1b$B" + pair + b"\x1b(B", "iso-2022") == char
        assert decoded(bytes(byte | 0x80 for byte in pair), "euc-jp") == char


@pytest.mark.parametrize("pair", range(0x21, 0x60))
def test_half_width_kana_in_all_japanese_encodings(pair):
    kana = bytes([pair | 0x80]).decode("cp932")
    assert to_text(b"\x1b(I" + bytes([pair]) + b"\x1b(B", "iso-2022-jp")[0] == kana
    assert to_text(b"\x8e" + bytes([pair | 0x80]), "euc-jp")[0] == kana
    assert to_text(bytes([pair | 0x80]) + b"\x1b(B", "iso-2022-jp")[0] == kana  # as 8-bit bytes
    assert to_text(b"x\x0e" + bytes([pair]) + b"\x0fy", "iso-2022-jp")[0] == f"x{kana}y"


@pytest.mark.parametrize(
    ("encoding", "codec", "elsewhere"),
    [
        ("euc-kr", "cp949", {}),
        ("gb18030", "gbk", {"a1a4": "·", "a1aa": "—"}),
        # A place with two readings: the web takes Taiwan's for symbols, and the codec for the rest.
        ("big5", "big5hkscs", {
            "a145": "‧", "a14e": "﹑", "a1c2": "¯", "a1e3": "\uff5e", "a1f2": "⊕", "a1f3": "⊙", "a244": "￥",
            "a246": "￠", "a247": "￡",
        }),
    ],
)  # fmt: skip
def test_every_pair_of_the_superset_is_read(encoding, codec, elsewhere):
    read = 0
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            pair = bytes((lead, trail))
            char = elsewhere.get(pair.hex(), pair.decode(codec, "ignore"))
            if len(char) >= 1 and not char.endswith(chr(trail)):
                assert decoded(pair, encoding) == char, pair.hex()
                read += 1
    assert read > 13_000


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("big5", "877a 87df 9244 8ecd a3e1 a3c0 f9fe", "㡵鿋蔃者€␀￭"),  # not in Python's codec
        ("gb18030", "80 a2e3 a8bc 8130 8130", "€€ḿ\x80"),
        ("euc-kr", "8c63 b9e6", "똠방"),
        ("koi8-u", "ae be", "ўЎ"),
        ("windows-1255", "ca", "\u05ba"),
        ("windows-874", "80 a1 fb", "€ก๛"),
        ("iso-8859-15", "a4", "€"),
        ("x-mac-cyrillic", "80 ff", "\u0410€"),
        ("macintosh", "db 8a", "€ä"),
        ("x-user-defined", "41 80", "A\uf780"),
        ("iso-8859-3", "a5 a6", "\ufffdĤ"),
    ],
)
def test_it_reads_what_pythons_codecs_lack(encoding, data, text):
    assert decoded(bytes.fromhex(data), encoding) == text


@pytest.mark.parametrize("page", range(1250, 1259))
def test_windows_code_pages_have_no_open_byte(page):
    text = decoded(bytes(range(256)), f"windows-{page}")
    assert [char for byte, char in enumerate(text) if byte < 0xA0 and char == ODD] == []
    for byte, char in enumerate(text):
        assert char in (bytes([byte]).decode(f"cp{page}", "ignore") or chr(byte), ODD, "\u05ba")


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("iso-8859-1", "It\x92s 5 \x80".encode("latin-1"), "It\u2019s 5 €"),
        ("iso-8859-9", "İstanbul ğış “x”".encode("cp1254"), "İstanbul ğış “x”"),
        ("tis-620", "สวัสดี €".encode("cp874"), "สวัสดี €"),
        ("gb2312", "這個€朱镕基".encode("gb18030"), "這個€朱镕基"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("big5", "訂單喺邊度".encode("big5hkscs"), "訂單喺邊度"),
        ("shift_jis", "注文①が届かない㈱髙﨑".encode("cp932"), "注文①が届かない㈱髙﨑"),
        ("euc-jp", "注文".encode("euc_jp") + b"\xad\xa1\xfc\xe2", "注文①髙"),
        ("iso-2022-jp", b"\x1b$B-!\x1b(B \x1b$B4]?t;z\x1b(B", "① 丸数字"),
        ("iso-2022-jp", b"\x1b(J~\\\x1b(B", "‾¥"),
        ("iso-2022-jp-2", b"\x1b$A:C\x1b$(C:C\x1b(B", "好뵬"[0] + b"\xba\xc3".decode("cp949")),
        (
            "iso-2022-kr",
            b"\x1b$)C\x0e" + bytes(b & 0x7F for b in "한글".encode("euc_kr")) + b"\x0f!",
            "한글!",
        ),
        ("iso-2022-kr", b"x \x0eGQ1[\x0f!", "x 한글!"),  # in a part that does not repeat the designation
        ("iso-2022-kr", "한글!".encode("euc_kr"), "한글!"),
        ("hz-gb-2312", b"~{<:Ky2;~} x", "己所不 x"),
        ("utf-16", codecs.BOM_UTF16_BE + "ä€".encode("utf-16-be"), "ä€"),
        ("utf-16", "Order 5 €".encode("utf-16-le"), "Order 5 €"),
        ("utf-16", "Order 5 €".encode("utf-16-be"), "Order 5 €"),
        ("iso-10646-ucs-2", "ä".encode("utf-16-le"), "ä"),
        ("ucs-2", "Wo ist es?".encode("utf-16-be"), "Wo ist es?"),
        ("utf-16", "注文　一最开".encode("utf-16-le"), "注文　一最开"),  # its zero bytes look big-endian
        ("iso-2022-jp-1", b"\x1b$(D0!\x1b(B x", "丂 x"),  # JIS X 0212
        ("utf-8", b"x \xed\xa0\xbd\xed\xb8\x80", "x 😀"),  # two surrogates, as Java writes them
        ("utf-7", b"Gr+APwA3w-e", "Grüße"),
        ("cp850", "Grüße".encode("cp850"), "Grüße"),
        ("cp437", "Grüße".encode("cp437"), "Grüße"),
        ("utf-32", "ä".encode("utf-32"), "ä"),
        ("utf-8", codecs.BOM_UTF8 + b"x", "x"),
        ("iso-8859-1", codecs.BOM_UTF8 + "ä".encode(), "ä"),
    ],
)
def test_it_reads_text_as_its_sender_typed_it(charset, data, text):
    assert to_text(data, charset) == (text, "")


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        # No label, or none that says anything.
        ("", "für €".encode(), "für €"),
        ("", b"f\xfcr 5 \x80", "für 5 €"),
        ("us-ascii", b"f\xfcr Sie", "für Sie"),
        ("us-ascii", b"\x93x\x94", "“x”"),
        ("x-unknown", b"caf\xe9", "café"),
        ("", b"\x1b$B-!\x1b(B", "①"),
        # A label that is not true.
        ("iso-8859-1", "Grüße".encode(), "Grüße"),
        ("windows-1251", "Привет".encode(), "Привет"),
        ("iso-2022-jp", "注文①です".encode(), "注文①です"),
        ("iso-2022-jp", "注文①です".encode("cp932"), "注文①です"),
        ("shift_jis", b"\x1b$B-!\x1b(B x", "① x"),
        ("euc-jp", "注文①です".encode("cp932"), "注文①です"),
        ("utf-16", b"plain words", "plain words"),
        ("gb2312", "你好，订单没有到".encode(), "你好，订单没有到"),
        ("euc-kr", "주문이 왔어요".encode(), "주문이 왔어요"),
        ("big5", "訂單喺邊度呀".encode(), "訂單喺邊度呀"),
        ("x-user-defined", "Grüße".encode(), "Grüße"),
        ("no-such", "Grüße".encode(), "Grüße"),
        ("utf-8", b"caf\xe9 f\xfcr 5 \x80", "café für 5 €"),
    ],
)
def test_it_reads_by_the_bytes_where_the_label_lies(charset, data, text):
    assert to_text(data, charset)[0] == text


@pytest.mark.parametrize(
    ("charset", "unit"),
    [
        ("utf-8", b"\xed\xa0\xbd\xed\xb8\x80\xed\xa0"),
        ("gbk", "一a".encode()),
        ("utf-16", b"\0N\xd8"),
        ("iso-2022-jp", b"\x1b$(D!\x1b(B\xff"),
        ("iso-2022-kr", b"\x0e\x0f\xa1"),
    ],
)
def test_odd_text_costs_no_more_than_its_length(charset, unit):
    def text(size: int) -> bytes:
        return unit * (size // len(unit))

    assert growth(lambda data: to_text(data, charset, "euc-jp"), text, 100_000) < LINEAR


def test_few_pairs_that_could_be_utf_8_are_what_their_label_says():
    for pairs in (b"\xe4\xbd\xa0\xe5\xa5\xbd", b"\xc4\xb0\xd6\xbb", b"\xc3\xa4 \xc3\xb6 \xc3\xbc"):
        assert to_text(pairs, "gbk") == (pairs.decode("gbk"), "")


def test_what_is_labelled_utf_8_and_is_none_is_of_the_charset_declared_elsewhere():
    assert to_text("Привет".encode("cp1251"), "utf-8", "windows-1251")[0] == "Привет"
    odd_byte = "Grüße, wo ist mein Päckchen? ".encode() + b"\xff"
    assert to_text(odd_byte, "utf-8", "koi8-r")[0] == "Grüße, wo ist mein Päckchen? \ufffd"


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "Grüße ".encode() + b"\xff" + " ü".encode(), "Grüße \ufffd ü"),
        ("utf-8", "Grüße ".encode() + b"f\xfcr dich", "Grüße für dich"),  # a footer in another charset
        ("utf-8", "Grüße ".encode() + b"abc\xe2\x82", "Grüße abc\ufffd"),  # cut short
        ("utf-8", b"abc \xe2\x82 def", "abc \ufffd def"),
        ("iso-2022-jp", b"\x1b$B-!u~-!\x1b(B x \x1b$B4]\x1b(B", "①\ufffd① x 丸"),
        ("iso-2022-jp", b"\x1b$B4]?\x1b(B x\n\x1b$B4]\n y", "丸\ufffd x\n丸\n y"),
        ("shift_jis", "注文".encode("cp932") + b"\xa0\x85\x7b" + "届".encode("cp932"), None),
        ("euc-kr", "주문 ".encode("cp949") + b"\xfe\xfe" + " 번호".encode("cp949"), "주문 \ufffd 번호"),
        ("big5", "訂單".encode("big5hkscs") + b"\xff <b>" + "邊度".encode("big5hkscs"), "訂單\ufffd <b>邊度"),
        ("gbk", "你好".encode("gbk") + b"\xff," + "世界".encode("gbk"), "你好\ufffd,世界"),
        ("euc-jp", "注文".encode("euc_jp") + b"\xf5\xa1 x" + "届".encode("euc_jp"), "注文\ufffd x届"),
    ],
)
def test_one_odd_character_leaves_the_rest_alone(charset, data, text):
    shown, defect = to_text(data, charset)
    if text is None:
        assert shown.startswith("注文") and shown.endswith("届")
    else:
        assert shown == text
        assert charset in defect


def test_an_ascii_byte_behind_an_odd_one_is_not_swallowed():
    for charset in ("shift_jis", "euc-jp", "euc-kr", "gbk", "big5"):
        assert to_text(b"x\x81<b>5", charset)[0].endswith("b>5"), charset
        assert "\n" in to_text(b"\xa4\nx", charset)[0]


@pytest.mark.parametrize(
    ("value", "charset", "text"),
    [
        ("Тест".encode("cp1251"), "windows-1251", "Тест"),
        ("注文".encode("cp932"), "shift_jis", "注文"),
        (b"Wilhelmsen H\xe5vard", "windows-1251", "Wilhelmsen Håvard"),
        (b"M\xfcller", "iso-8859-7", "Müller"),
        ("Тест".encode(), "windows-1251", "Тест"),
        (b"Gr\xfc\xdfe", "", "Grüße"),
        (b"Gr\xfc\xdfe", "utf-8", "Grüße"),
        (b"Gr\xfc\xdfe", "utf-16", "Grüße"),  # never read ASCII as something else
        (b"\x1b$BCmJ8\x1b(B x", "", "注文 x"),
    ],
)
def test_raw_bytes_of_headers_are_utf8_then_of_the_bodys_charset(value, charset, text):
    assert raw_text(value, charset) == text


def test_controls_stay_in_no_text():
    everything = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
    everything += "\u2028\u2029\U000e0041\u202d\u202e\ud800"
    body, _ = to_text(everything.encode("utf-8", "surrogatepass"))
    assert re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\U000e0000-\U000e007f]", body) is None
    assert "\t" in body and body.count("\n") == 6
    line = one_line(f"a{everything}b\u200e\u200f\u061c\u2066\u2069\ufeff")
    assert line.startswith("a ") and line.endswith("b")
    assert line.replace("\ufffd", "").isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x9b31mb\x9bm", "a31mbm"),
        ("\u202eecila\u202c", "ecila"),
        ("a\r\n\x0b\x0c\x85\u2028b", "a b"),
        ("x\ty", "x y"),
        ("\U000e0041\U000e007fx", "x"),
        ("\ufeffx", "x"),
        ("a\0\x1b[31mb", "a[31mb"),
        ("👩\u200d💻 ab\u200cc", "👩\u200d💻 ab\u200cc"),  # joiners are letters' own
    ],
)
def test_one_line_is_safe_for_terminals_and_pages(text, shown):
    assert one_line(text) == shown


def test_bodies_keep_the_marks_that_hebrew_and_arabic_need():
    assert to_text("שלום\u200f 5 \u2067x\u2069".encode())[0] == "שלום\u200f 5 \u2067x\u2069"
    assert to_text("\u202e12345\u202c".encode())[0] == "12345\u202c"


def test_windows_1252_taken_for_latin_1_is_read_as_it_was_typed():
    assert to_text("It\x92s 5 \x80\x85".encode())[0] == "It\u2019s 5 €…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?B?w6=?= =?utf-8?Q?=A4x?=", "äx"),  # not a whole number of bits: still read
        ("=?UTF-8?B?w6Q=?=\t=?utf-8?Q?_b?= c", "ä b c"),
        ("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC_5?=", "€ 5"),  # one character split over two words
        ("=?iso-8859-1?Q?=E4?= =?utf-8?Q?=C3=A4?=", "ää"),
        ("=?utf-8*en?Q?a?=", "a"),
        ("=?us-ascii?Q?a?= b =?us-ascii?Q?c?=", "a b c"),
        ("=?iso-2022-jp?B?GyRCLSEbKEIgGyRCNF0/dDt6GyhC?=", "① 丸数字"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?shift_jis?B?h0A=?=", "①"),
        ("=?ks_c_5601-1987?B?jGO55g==?=", "똠방"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?Q?what?_now??=", "what? now?"),
        ("=?utf-8?Q??=", ""),
        ("=?utf-8?Q?=41=?= x", "A x"),  # ends in half an escape
        ("x=?utf-8?Q?a?=y=?utf-8?Q?b?=z", "xaybz"),  # no blanks round the words
        ("=?utf-8?B?R3LDvMOfZQ", "Grüße"),  # cut off
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe", "Grüße"),
        ("=?utf-8?B?R3LDvMOfZQ== =?utf-8?B?ZQ==?=", "Grüßee"),  # the first has no end
        ("plain =?broken", "plain =?broken"),
        ("5 =? 6 ?= 7", "5 =? 6 ?= 7"),
        ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),  # no second header out of an encoded word
        ("=?utf-8?Q?=C2=9B31m=E2=80=AEx?=", "31mx"),
        ("=?x-unknown?Q?caf=E9?=", "café"),
        ("=??Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?=E2=82?= =?UTF8?Q?=AC?=", "€"),  # one charset by two names
    ],
)
def test_it_decodes_encoded_words(value, text):
    assert decode(value.encode())[0] == text


@pytest.mark.parametrize("byte", [0xA0, 0xFD, 0xFE, 0xFF])
def test_a_byte_that_shift_jis_gives_no_character_is_odd(byte: int) -> None:
    assert decoded(b"a" + bytes([byte]), "shift_jis") == "a\ufffd"
