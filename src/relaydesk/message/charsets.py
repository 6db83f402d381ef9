"""Bytes to text: the charsets that mail names or forgets to, and the encoded words of headers (RFC 2047).

One reader for bodies, header fields, display names and file names.
"""

from __future__ import annotations

import binascii
import codecs
import re

from relaydesk.characters import CONTROLS, DIRECTION, TAGS
from relaydesk.message.charset_labels import UTF_8, WINDOWS_1252, encoding_of
from relaydesk.message.decoders import ODD, decoded, is_single_byte

# A word may hold blanks and question marks; its text ends before the next word, so that search is linear.
_WORD = re.compile(
    rb"=\?([!-<>@-~]{0,60})\?"
    rb"(?:[bB]\?(?:([^?\r\n]*+)\?=|([A-Za-z0-9+/]++=*+)(?=[ \t]++=\?|[ \t]*+\Z))"
    rb"|[qQ]\?((?:[^?=\r\n]|=(?!\?)|\?(?!=))*+)=?+(?:\?=|\?\Z|(?<![ \t])\Z))"
)
_GAP = re.compile(rb"[ \t\r\n]*")

# Where a line ends for anybody: str.splitlines, terminals, browsers.
_BREAK = "\n\x0b\x0c\r\x85\u2028\u2029"
_BREAKS_AND_TABS = re.compile(rf"[\t{_BREAK}]+")
_NOT_IN_A_LINE = re.compile(f"[{CONTROLS}{DIRECTION}{TAGS}\ufeff]+")
_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BODY_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\u2028\u2029]")
_C1 = re.compile("[\x80-\x9f]")
_AS_WINDOWS = {
    chr(byte): char
    for byte in range(0x80, 0xA0)
    if (char := decoded(bytes([byte]), WINDOWS_1252)) != chr(byte)
}
_NOT_IN_A_BODY = re.compile(f"[{CONTROLS}{TAGS}\u206a-\u206f\u202d\u202e]+")
_SURROGATE = re.compile("[\ud800-\udfff]")

_ESCAPE = re.compile(rb"\x1b\$[@B]")
_SURROGATE_PAIRS = re.compile(rb"(?:\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf])++")
# Three such characters of UTF-8 by chance are all but impossible in an encoding of two bytes a character.
_IDEOGRAPHS = re.compile("(?:[^\u0800-\uffff]*+[\u0800-\uffff]){3}")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, UTF_8), (codecs.BOM_UTF32_LE, "utf-32le"), (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"),
)  # fmt: skip
# Encodings in which ASCII bytes may mean something else.
_NOT_ASCII = {"utf-7", "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be", "hz", "iso-2022",
              "iso-2022-kr", "cp037", "cp500", "cp1026", "cp1140"}  # fmt: skip
_MOSTLY = 2
# What 8-bit bytes are under a label of 7-bit ones.
_EIGHT_BIT = {"iso-2022": "shift_jis", "iso-2022-kr": "euc-kr"}
# Programs take one for the other: then most characters are odd, not one.
_OTHER_JAPANESE = {"shift_jis": "euc-jp", "euc-jp": "shift_jis"}
_TWO_SCRIPTS = re.compile("[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]")
_PLAIN = re.compile(rb"[\t\r!-~]*+[\n ][\t\n\r -~]*+")
_LETTERS = re.compile(rb"[A-Za-z]")


def to_text(data: bytes, charset: str = "", otherwise: str = "") -> tuple[str, str]:
    """Bytes as text of several lines without controls, and what went wrong ("" for nothing). Never raises.

    A label is read as the web reads it (Encoding Standard). Without one, and for ``us-ascii``, 8-bit bytes
    are UTF-8, else of the charset ``otherwise`` where all of them fit, else windows-1252. What is UTF-8 by
    its own bytes is UTF-8 under a label of one byte a character, under others where it is enough to be no
    chance, and wherever the label does not fit. What is labelled UTF-8 and is hardly any is ``otherwise``.
    An odd character in a text that otherwise fits becomes U+FFFD and leaves the rest alone.
    """
    text, defect = as_written(data, charset, otherwise)
    return readable(text), defect


def as_written(data: bytes, charset: str = "", otherwise: str = "") -> tuple[str, str]:
    """Bytes as :func:`to_text` reads them, with the controls that they hold."""
    encoding = encoding_of(charset)
    defect = "" if encoding is not None else f"The charset {charset[:40]!a} is unknown."
    if data.isascii() and b"\x1b" not in data and encoding not in _NOT_ASCII:
        return data.decode("ascii"), defect
    for mark, marked in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], marked
            break
    says_nothing = not encoding or charset.strip().lower() in ("us-ascii", "ascii")
    if says_nothing:
        text, fits = _by_its_bytes(data, otherwise)
    else:
        text, fits = _by_its_label(data, encoding or "", otherwise)
    if not fits and not defect:
        defect = f"The bytes do not fit the charset {charset[:40] or 'us-ascii'!a}."
    return text, defect


def _by_its_bytes(data: bytes, otherwise: str = "") -> tuple[str, bool]:
    """The text of bytes that no label describes, and whether something else does.

    ``otherwise`` does not fit a word in which it mixes Latin letters with Greek or Cyrillic ones.
    """
    if (text := _by_its_form(data)) is not None:
        return text, True
    text = _in_charset(data, otherwise)
    return (text, True) if text else _nearly_utf_8(data)


def _by_its_form(data: bytes) -> str | None:
    """The text of bytes that by their form are ISO-2022-JP or UTF-8, None for others."""
    return decoded(data, "iso-2022") if _is_iso_2022(data) else _utf_8(data)


def _in_charset(data: bytes, charset: str) -> str:
    """The text in an 8-bit charset that all of it fits, else ""."""
    encoding = encoding_of(charset)
    if not encoding or encoding in _NOT_ASCII | {UTF_8, WINDOWS_1252}:
        return ""
    text = decoded(data, encoding)
    return "" if ODD in text or (is_single_byte(encoding) and _TWO_SCRIPTS.search(text)) else text


def _by_its_label(data: bytes, encoding: str, otherwise: str) -> tuple[str, bool]:
    if encoding == UTF_8 or (encoding not in _EIGHT_BIT and _is_iso_2022(data)):
        text = _by_its_form(data)
        return (text, True) if text is not None else _nearly_utf_8(data, otherwise)
    if b"\x1b" not in data and b"\x0e" not in data and not data.isascii():
        encoding = _EIGHT_BIT.get(encoding, encoding)
    as_utf_8 = None if encoding == "hz" or encoding in _EIGHT_BIT else _utf_8(data)
    if as_utf_8 is not None:
        if is_single_byte(encoding) or (encoding.startswith("utf-16") and _PLAIN.fullmatch(data)):
            return as_utf_8, data.isascii() and not encoding.startswith("utf-16")
        if encoding not in _NOT_ASCII and _IDEOGRAPHS.match(as_utf_8):
            return as_utf_8, False
    text = decoded(data, encoding)
    if ODD not in text:
        return text, True
    if as_utf_8 is not None:
        return as_utf_8, False
    letters = sum(not char.isascii() for char in text)
    if (other := _OTHER_JAPANESE.get(encoding)) and text.count(ODD) * 2 > letters:
        text = min(text, decoded(data, other), key=lambda reading: reading.count(ODD))
    return text, False


def _is_iso_2022(data: bytes) -> bool:
    return b"\x1b" in data and data.isascii() and _ESCAPE.search(data) is not None


def _utf_8(data: bytes) -> str | None:
    try:
        return _without_surrogates(data).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _without_surrogates(data: bytes) -> bytes:
    """UTF-8 whose characters beyond U+FFFF programs in Java wrote as two surrogates (CESU-8)."""
    return _SURROGATE_PAIRS.sub(
        lambda pair: (
            pair[0]
            .decode("utf-8", "surrogatepass")
            .encode("utf-16", "surrogatepass")
            .decode("utf-16")
            .encode()
        ),
        data,
    )


def _nearly_utf_8(data: bytes, otherwise: str = "") -> tuple[str, bool]:
    """Bytes that are not UTF-8 throughout: another charset, or UTF-8 with odd bytes in it.

    Where hardly a character but those of ASCII is UTF-8, not even one cut short, the whole is of the charset
    ``otherwise`` where all of it fits, else windows-1252. Else an odd byte is U+FFFD, unless it is a small
    letter of windows-1252 beside one of ASCII, as when a relay added its footer in another charset.
    """
    data = _without_surrogates(data)
    kept = data.decode("utf-8", "ignore")
    odd = data.decode("utf-8", "replace").count(ODD)
    cut_short = len(data) - len(kept.encode()) - odd
    if odd > _MOSTLY * (cut_short + sum(not char.isascii() for char in kept)):
        return _in_charset(data, otherwise) or decoded(data, WINDOWS_1252), False
    return data.decode("utf-8", _odd_bytes()), False


def _odd_bytes() -> str:
    name = "relaydesk.utf_8"
    codecs.register_error(name, _odd_byte)
    return name


def _odd_byte(failure: UnicodeError) -> tuple[str, int]:
    if not isinstance(failure, UnicodeDecodeError):
        raise failure
    data, at, end = failure.object, failure.start, failure.end
    letter = decoded(data[at:end], WINDOWS_1252)
    beside = data[max(at - 1, 0) : at] + data[end : end + 1]
    meant = end - at == 1 and letter.islower() and end < len(data) and _LETTERS.search(beside)
    return (letter if meant else ODD), end


def readable(text: str) -> str:
    """Text whose lines end in line feeds and which holds no other control than the tab.

    C1 controls are what windows-1252 has in their place, as in HTML: they come from programs that took it
    for Latin-1. The marks that only choose a direction stay, for Hebrew and Arabic need them and the end of
    a line closes them; the overrides, which show digits in reverse, go.
    """
    if text.isascii() and not _ASCII_CONTROL.search(text):
        return text
    text = _BODY_BREAKS.sub("\n", text.removeprefix("\ufeff"))
    text = _C1.sub(lambda control: _AS_WINDOWS.get(control[0], ""), text)
    return _NOT_IN_A_BODY.sub("", _SURROGATE.sub(ODD, text))


def one_line(text: str) -> str:
    """Text for one line: a line end or tab becomes a space; controls and direction marks are taken out."""
    if text.isascii() and text.isprintable():
        return text
    return _NOT_IN_A_LINE.sub("", _SURROGATE.sub(ODD, _BREAKS_AND_TABS.sub(" ", text)))


def for_addresses(text: str) -> str:
    """A field of addresses as one line. Nothing else is taken out before it is read as addresses: a domain
    with an invisible character in it must not become the one it imitates.
    """
    return _BREAKS_AND_TABS.sub(" ", text)


def harmless(text: str) -> str:
    """An address as it may be shown: U+FFFD for controls and direction marks, so that it equals no other."""
    return _NOT_IN_A_LINE.sub(ODD, text)


def raw_text(data: bytes, charset: str = "") -> str:
    """Header bytes outside of encoded words: UTF-8 (RFC 6532), else ``charset`` where all of it fits, else
    windows-1252. ``charset`` is that of the body; it never changes what ASCII bytes say.
    """
    if data.isascii() and b"\x1b" not in data:
        return data.decode("ascii")
    return _by_its_bytes(data, charset)[0]


def charset_of_words(value: bytes) -> str:
    """The charset of the first encoded word of a header value, "" where none is."""
    word = _WORD.search(value)
    return word[1].partition(b"*")[0].decode("ascii") if word else ""


def _base64(data: bytes) -> bytes:
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")


def decode(value: bytes, charset: str = "") -> tuple[str, str]:
    """A header value as one line of text, and what went wrong. Never raises; linear in its length.

    Neighbouring words of one charset are joined as *bytes* before they are decoded, since senders cut
    UTF-8 characters in two (RFC 2047 §5 forbids it; Meta's localised subjects do it). What no word encodes
    is read by :func:`raw_text` with ``charset``.
    """
    if b"=?" not in value:
        return one_line(raw_text(value, charset)), ""
    out: list[str] = []
    defect, at, joined = "", 0, ""
    pieces: list[bytes] = []

    def close() -> None:
        nonlocal defect, pieces
        if pieces:
            text, wrong = as_written(b"".join(pieces), joined)
            out.append(text)
            defect, pieces = defect or wrong, []

    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        adjacent = bool(pieces) and _GAP.fullmatch(between) is not None
        spelled = word[1].split(b"*")[0].decode("ascii").lower()  # RFC 2231 §5: charset*language
        if not (adjacent and (encoding_of(spelled) or spelled) == (encoding_of(joined) or joined)):
            close()
        if not adjacent:
            out.append(raw_text(between, charset))
        quoted = word[4]
        pieces.append(
            _base64(word[2] or word[3] or b"") if quoted is None else binascii.a2b_qp(quoted, header=True)
        )
        joined, at = spelled, word.end()
    close()
    out.append(raw_text(value[at:], charset))
    return one_line("".join(out)), defect


def printable(text: str, limit: int = 200) -> str:
    """Foreign text for a sentence of ours: one line of printable ASCII, cut at ``limit`` characters."""
    if text.isascii() and text.isprintable():
        return text[:limit].strip()
    return "".join(char if " " <= char <= "~" else " " for char in text[:limit]).strip()
