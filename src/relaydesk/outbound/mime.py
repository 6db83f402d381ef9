"""The wire form of an answer (RFC 2045, 2047, 5322): header text in ASCII, folded lines, parts, boundaries.

Everything made here is 7-bit with CR LF line ends and short lines, so that no server on the way has a
reason to change what the DKIM signature covers.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from relaydesk.characters import CONTROLS, harmless
from relaydesk.message import one_line
from relaydesk.outbound.answer import AnswerRefused

if TYPE_CHECKING:
    from relaydesk.outbound.answer import AttachedFile

LINE = 76  # RFC 2047 §2 and RFC 2045 §6.7
_PLAIN_WORD = 64  # characters that fit a line of their own
_ENCODED_BYTES = 45  # 60 of base64, and 12 characters around them

_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_UNSEEN = re.compile(f"[{CONTROLS}\u202d\u202e\ufeff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_LONE = re.compile("[\ud800-\udfff]")
_EXTRA_LINES = re.compile(r"\n{3,}")


def one_space(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def clean_line(text: str) -> str:
    """Text for one line of what leaves: a Subject, a name, a number.

    As :func:`relaydesk.message.one_line` gives it, with single spaces and without what has no width. Nobody's
    text may show our numbers in reverse.
    """
    return one_space(harmless(one_line(text)))


def clean_text(text: str) -> str:
    """Text as it can be sent: LF line ends, no control characters, no lone surrogates, one blank line.

    The marks that turn the direction of text round go; those that only choose it stay.
    """
    text = _UNSEEN.sub("", _LONE.sub("\ufffd", _LINE_END.sub("\n", text)))
    return _EXTRA_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def is_plain(word: str) -> bool:
    """Whether a word may be put in a header as it is."""
    return word.isascii() and len(word) <= _PLAIN_WORD and "=?" not in word


def encoded_words(text: str) -> str:
    """A header's text in ASCII (RFC 2047), with runs of words that need it encoded, the others as they are.

    ``text`` is one line with single spaces. Spaces within a run are encoded with it, since a reader drops
    those between encoded words.
    """
    out: list[str] = []
    run: list[str] = []
    for word in text.split(" "):
        if is_plain(word):
            out += _encoded(" ".join(run)) if run else []
            run = []
            out.append(word)
        else:
            run.append(word)
    return " ".join(out + (_encoded(" ".join(run)) if run else []))


def _encoded(text: str) -> list[str]:
    """Base64 words of at most 75 characters that cut no character in two (RFC 2047 §5)."""
    words, piece = [], b""
    for char in text:
        data = char.encode()
        if len(piece) + len(data) > _ENCODED_BYTES:
            words.append(piece)
            piece = b""
        piece += data
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in (*words, piece)]


def phrase(name: str) -> str:
    """A display name (RFC 5322 §3.2.5)."""
    shown = clean_line(name)[:100]
    if not shown.isascii() or "=?" in shown:
        return " ".join(_encoded(shown))
    return '"' + re.sub(r'(["\\])', r"\\\1", shown) + '"'


def folded(field: str) -> str:
    """A field folded at its spaces (RFC 5322 §2.2.3)."""
    lines, line = [], ""
    for word in field.split(" "):
        if line and len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line = f" {word}"  # the fold's own space
        else:
            line = f"{line} {word}" if line else word
    return "\r\n".join([*lines, line])


def text_part(subtype: str, text: str) -> bytes:
    """A body part of text, quoted-printable."""
    head = (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    data = text.replace("\n", "\r\n").encode() + b"\r\n"
    return head.encode("ascii") + binascii.b2a_qp(data, istext=True)


def attachment_part(enclosure: AttachedFile) -> bytes:
    """A part that is a file. AnswerRefused when its type is none."""
    if not _TYPE.fullmatch(enclosure.type):
        raise AnswerRefused(f"The attachment {enclosure.name!r} has no usable type.")
    head = (
        f"Content-Type: {enclosure.type}\r\n"
        f"Content-Disposition: attachment;\r\n {_filename(enclosure.name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + base64.encodebytes(enclosure.content).replace(b"\n", b"\r\n")


def _filename(name: str) -> str:
    """The file name as a parameter (RFC 2183; beyond ASCII RFC 2231), whatever was in it."""
    safe = re.sub(r'[/\\"%;\n\t]', "_", clean_line(name))[:60] or "enclosure"
    plain = safe.isascii() and "=?" not in safe  # some readers decode words there too, against RFC 2047 §5
    return f'filename="{safe}"' if plain else f"filename*=utf-8''{quote(safe, safe='')}"


def multipart(subtype: str, boundary: str, parts: list[bytes]) -> bytes:
    """Parts between boundaries (RFC 2046 §5.1). ``=_`` occurs neither in quoted-printable nor in base64."""
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'
    between = f"--{boundary}\r\n".encode()
    inner = b"".join(between + part + b"\r\n" for part in parts)
    return head.encode() + inner + f"--{boundary}--\r\n".encode()
