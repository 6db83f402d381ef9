"""The charset names of mail and the encoding by which each is read: data.

The first table is the Encoding Standard's (https://encoding.spec.whatwg.org/#names-and-labels): what people
type under a label is read by the superset that every browser takes for it. The second adds what mail names
besides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UTF_8, WINDOWS_1252 = "utf-8", "windows-1252"

# Each row: an encoding, then its labels; "-" stands for labels that say nothing. What the web refuses to
# read (hz and the like), mail still carries.
_WEB = """
utf-8           unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
ibm866          866 cp866 csibm866 ibm866
iso-8859-2      csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
iso-8859-3      csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
iso-8859-4      csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
iso-8859-5      csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5
                iso_8859-5:1988
iso-8859-6      arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e
                iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
iso-8859-7      csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597
                iso_8859-7 iso_8859-7:1987 sun_eu_greek
iso-8859-8      csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598
                iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical
iso-8859-10     csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6
iso-8859-13     iso-8859-13 iso8859-13 iso885913
iso-8859-14     iso-8859-14 iso8859-14 iso885914
iso-8859-15     csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9
iso-8859-16     iso-8859-16
koi8-r          cskoi8r koi koi8 koi8-r koi8_r
koi8-u          koi8-ru koi8-u
macintosh       csmacintosh mac macintosh x-mac-roman
windows-874     dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
windows-1250    cp1250 windows-1250 x-cp1250
windows-1251    cp1251 windows-1251 x-cp1251
windows-1252    ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1
                iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252
windows-1253    cp1253 windows-1253 x-cp1253
windows-1254    cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5
                latin5 windows-1254 x-cp1254
windows-1255    cp1255 windows-1255 x-cp1255
windows-1256    cp1256 windows-1256 x-cp1256
windows-1257    cp1257 windows-1257 x-cp1257
windows-1258    cp1258 windows-1258 x-cp1258
x-mac-cyrillic  x-mac-cyrillic x-mac-ukrainian
gb18030         chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030
big5            big5 big5-hkscs cn-big5 csbig5 x-x-big5
euc-jp          cseucpkdfmtjapanese euc-jp x-euc-jp
iso-2022        csiso2022jp iso-2022-jp iso-2022-cn iso-2022-cn-ext
iso-2022-kr     csiso2022kr iso-2022-kr
shift_jis       csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
euc-kr          cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601
                ksc_5601 windows-949
hz              hz-gb-2312
utf-16be        unicodefffe utf-16be
utf-16le        csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le
x-user-defined  x-user-defined
-               replacement
"""
_MAIL = """
utf-8           utf8mb4 utf8mb3 csutf8 cp65001 65001 windows65001 xutf8 unicode20utf8 utf
utf-7           utf7 csutf7 unicode11utf7 csunicode11utf7 xunicode20utf7 utf7imap
utf-16          utf16 csutf16
utf-32          utf32 csutf32 ucs4 iso10646ucs4 csucs4
utf-32be        utf32be
utf-32le        utf32le
windows-1252    cp367 ibm367 iso646us isoir6 us csascii ansi_x3.4-1986 iso646irv:1991 7bit ansi ansix34
                windows1252 win1252 1252 8859-1 iso8859 iso1 latin iso88591windows xansi
windows-1250    win1250 1250
windows-1251    win1251 1251 xwindows1251
windows-1253    win1253 1253
windows-1254    win1254 1254
windows-1255    win1255 1255
windows-1256    win1256 1256
windows-1257    win1257 1257
windows-1258    win1258 1258
windows-874     cp874 874 ibm874 tis620.2533 xwindows874 isoir166 thai
iso-8859-10     iso_8859-10:1992
iso-8859-13     latin7 l7 csisolatin7
iso-8859-14     latin8 l8 iso_8859-14 iso_8859-14:1998 isoir199
iso-8859-15     latin9 latin0 l0 csiso885915
iso-8859-16     latin10 l10 iso_8859-16 iso_8859-16:2001 isoir226 csiso885916
koi8-u          cskoi8u
ibm866          ibm866 dos866 csibm866 x866 cp0866
x-mac-cyrillic  maccyrillic
macintosh       macroman
shift_jis       cp932 932 ms932 xmscp932 cswindows31j windows932 xshiftjis sjiswin mskanji cp943 cp943c
                ibm943 ibm932
euc-jp          eucjp ujis eucjpms cp51932 xeucjp eucjpwin
iso-2022        jis iso2022jp1 iso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpext csiso2022jp2 iso2022jpms
                cp50220 cp50221 cp50222 50220 50221 50222 xcp50220 xcp50221 iso2022
euc-kr          cp949 949 ms949 uhc xwindows949 euckr ksx1001 ksc56011992 windowsks
gb18030         cp936 936 ms936 windows936 euccn gb231280 gbk2312 xgb18030 gb180302000 gb180302005 xeuccn
big5            cp950 950 ms950 big5hkscs2004 big5tw xbig5 big5eten windows950 cp951 big5windows
hz              hz hzgb hzgb2312 xhz
johab           johab cp1361 ms1361
ptcp154         ptcp154 csptcp154 pt154 cp154
kz1048          kz1048 strk10482002 rk1048
koi8-t          koi8t
hp-roman8       hproman8 roman8 r8 cshproman8
mac-greek       xmacgreek macgreek
mac-turkish     xmacturkish macturkish
mac-latin2      xmacce xmaccentraleurope maccentraleurope maclatin2 xmaccentraleurroman
mac-iceland     xmacicelandic maciceland
mac-croatian    xmaccroatian maccroatian
mac-romanian    xmacromanian macromanian
-               default unknown xunknown unknown8bit xunknown8bit none null binary 8bit auto userdefined
                undefined no
"""
_PYTHON = {
    f"cp{page}": f"cp{page} ibm{page} {page} csibm{page} dos{page} x{page} cspc{page} cp0{page} ibm00{page}"
    for page in (437, 720, 737, 775, 850, 852, 855, 856, 857, 858, 860, 861, 862, 863, 864, 865, 869, 1125)
}

_LETTERS = re.compile(r"[^a-z0-9]+")
# Labels come with parameters, escapes and words around them: "utf-8;format=flowed", "_iso-2022-jp$ESC".
_WITHIN = re.compile(
    r"utf8|utf7|utf16[bl]e|utf16|utf32|iso2022(?:jp|kr|cn)|iso88591[0-6]|iso8859[1-9]|windows125[0-8]"
    r"|windows(?:874|949|31j)|cp125[0-8]|cp9(?:32|36|49|50)|cp8\d\d|cp437|koi8[ru]|gb18030|gb2312|gbk"
    r"|big5|euc(?:jp|kr|cn)|shiftjis|sjis|usascii|ascii|latin1|ksc5601|tis620"
)


def _key(label: str) -> str:
    return _LETTERS.sub("", label.lower())


def _rows(table: str) -> Iterator[tuple[str, str]]:
    """(label, encoding) of a table."""
    encoding = ""
    for line in table.strip().splitlines():
        labels = line.split()
        if not line.startswith(" "):
            encoding = labels.pop(0).strip("-")
            yield encoding, encoding
        yield from ((label, encoding) for label in labels)


_NAMES = {
    _key(label): encoding
    for rows in (
        ((label, page) for page, labels in _PYTHON.items() for label in labels.split()),
        _rows(_MAIL),
        _rows(_WEB),
    )
    for label, encoding in rows
}
# Their byte order is seen from the bytes.
_NAMES |= dict.fromkeys(("utf16", "ucs2", "iso10646ucs2", "unicode", "csunicode"), "utf-16")


@lru_cache(maxsize=256)
def encoding_of(label: str) -> str | None:
    """The encoding a charset label stands for; "" for a label that says nothing, None for an unknown one."""
    key = _key(label[:80].partition(";")[0]).removeprefix("charset")
    if key in _NAMES:
        return _NAMES[key]
    within = _WITHIN.search(key)
    return _NAMES.get(within[0]) if within else None
