"""What the header fields of a part say of it: type, parameters, disposition, transfer encoding, file name.

Parameters as RFC 2045 §5.1 and RFC 2231 write them, and as mail programs do: raw 8-bit bytes, encoded words
(RFC 2047) in quotes, blanks without quotes, semicolons left out. Linear, and each field is cut at a length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from relaydesk.message import charsets
from relaydesk.message.transfer_encoding import encoding_name

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FIELD = 8_192
MAX_PARAMETERS = 200
MAX_NAME = 200
_DESCRIBES = ("content-type", "content-disposition", "content-transfer-encoding", "content-id")
_MAIN = re.compile(rb"[\s\"']*+(?:content-type:\s*+)?([^\s;,\"'=]*+)(?![^;\s]*=)", re.IGNORECASE)
_PARAMETER = re.compile(
    rb"(?:\A|(?<=[\s;\"]))([^\s=;\"]{1,80})\s*+=\s*+(?:\"((?:[^\"\\]++|\\.)*+)\"?|([^;\"]*+))", re.DOTALL
)
# A parameter that is one encoded word, its name included.
_ENCODED = re.compile(rb";\s*+(=\?[^?\s;]{1,60}\?[bBqQ]\?[^?\s;]*+\?=)")
_ESCAPED = re.compile(rb"\\([\"\\])")
_SEGMENT = re.compile(r"([^*]+)\*(\d{1,3})?(\*)?")
# RFC 2231 §4, also where it stands in a plain parameter: charset'language'value
_EXTENDED = re.compile(rb"([A-Za-z0-9_.:-]{0,60})'[A-Za-z0-9-]{0,40}'(.*)", re.DOTALL)
_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "multipart": "multipart/mixed",
          "message": "message/rfc822"}  # fmt: skip
_TYPE = re.compile(r"[!#-.0-9A-Z^-~]+/[!#-.0-9A-Z^-~]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Description:
    """Of one part: its lower-case type, its disposition and transfer encoding, the parameters of its type as
    bytes (UTF-8 where RFC 2231 encoded them), and its decoded file name.
    """

    type: str
    disposition: str
    encoding: str
    content_id: str
    name: str
    parameters: Mapping[str, bytes] = field(repr=False)

    def parameter(self, name: str) -> str:
        return self.parameters.get(name, b"").decode("ascii", "replace").strip()

    @property
    def charset(self) -> str:
        return self.parameter("charset")

    @property
    def boundary(self) -> bytes:
        """The boundary of a multipart, empty for what is none."""
        return self.parameters.get("boundary", b"").rstrip() if self.type.startswith("multipart/") else b""


def described(fields: list[tuple[str, bytes]], default: str, charset: str = "") -> Description:
    """What header fields say; ``default`` is the type where they name none, ``charset`` that of raw names.

    Only the first field of each name counts; of Content-Type the first that names a type.
    """
    written: dict[str, bytes] = {}
    for name, value in fields:
        key = name.lower()
        if key in _DESCRIBES and (
            key not in written or (key == "content-type" and b"/" not in written[key][:MAX_FIELD])
        ):
            written[key] = value[:MAX_FIELD]
    typed = written.get("content-type", b"")
    placed = written.get("content-disposition", b"")
    parameters = _parameters(typed)
    raw_name = _raw_name(_parameters(placed), parameters)
    own = parameters.get("charset", b"").decode("ascii", "replace")
    return Description(
        type=_type(typed, default),
        disposition=_main(placed),
        encoding=encoding_name(charsets.decode(written.get("content-transfer-encoding", b""))[0]),
        content_id=charsets.decode(written.get("content-id", b""))[0].strip(),
        name=file_name(charsets.decode(raw_name, own or charset)[0]),
        parameters=parameters,
    )


def _raw_name(placed: Mapping[str, bytes], typed: Mapping[str, bytes]) -> bytes:
    """The file name of a disposition (RFC 2183 §2.3) or a type, without apostrophes for quotation marks."""
    name = placed.get("filename") or typed.get("name") or typed.get("filename") or placed.get("name") or b""
    quoted = len(name) > 1 and name.startswith(b"'") and name.endswith(b"'")
    return name[1:-1] if quoted else name


def file_name(text: str) -> str:
    """A file name as it may be shown and saved: its last component, without leading dots; may be "".

    A name that starts with a dot hides on Unix, and one of dots alone is a directory.
    """
    line = charsets.one_line(text)
    name = line[max(line.rfind("/"), line.rfind("\\")) + 1 :].strip().lstrip(". ").rstrip(". ")
    if len(name) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    kept = f"{dot}{extension}" if len(extension) < len("extension") else ""
    return (stem if kept else name)[: MAX_NAME - len(kept)] + kept


def _main(value: bytes) -> str:
    main = _MAIN.match(value)
    return main[1].decode("ascii", "replace").lower() if main else ""


def _type(value: bytes, default: str) -> str:
    named = _main(value)
    named = _TYPES.get(named.rstrip("/"), named)
    if _TYPE.fullmatch(named):
        return named[:100]
    return "text/plain" if value.strip() else default  # RFC 2045 §5.2: what cannot be read is plain text


def _parameters(value: bytes) -> dict[str, bytes]:
    """The parameters of a field, lower-case names; those of RFC 2231 are joined and decoded to UTF-8."""
    value = _ENCODED.sub(lambda word: b"; " + charsets.decode(word[1])[0].encode(), value)
    plain: dict[str, bytes] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for number, written in enumerate(_PARAMETER.finditer(value)):
        if number >= MAX_PARAMETERS:
            break
        name = written[1].decode("latin-1").lower()
        text = written[3].strip() if written[2] is None else _ESCAPED.sub(rb"\1", written[2])
        segment = _SEGMENT.fullmatch(name)
        if segment:
            place = int(segment[2] or 0)
            extended = segment[3] is not None or segment[2] is None
            pieces.setdefault(segment[1], {}).setdefault(place, (text, extended))
        else:
            plain.setdefault(name, text)
    for name, text in plain.items():
        if b"'" in text and b"%" in text and (extended_value := _EXTENDED.fullmatch(text)):
            plain[name] = _in_utf_8(unquote_to_bytes(extended_value[2]), extended_value[1])
    return plain | {name: _joined(segments) for name, segments in pieces.items()}


def _joined(segments: dict[int, tuple[bytes, bool]]) -> bytes:
    """The segments of one parameter in their order; the first names the charset of all (RFC 2231 §4.1)."""
    charset, joined = b"", b""
    # Neighbours are decoded together, since some programs cut an escape in two.
    for extended, run in groupby((segments[place] for place in sorted(segments)), key=itemgetter(1)):
        value = b"".join(text for text, _ in run)
        if extended and not joined and (first := _EXTENDED.fullmatch(value)):
            charset, value = first[1], first[2]
        joined += unquote_to_bytes(value) if extended else value
    return _in_utf_8(joined, charset) if any(extended for _, extended in segments.values()) else joined


def _in_utf_8(data: bytes, charset: bytes) -> bytes:
    return charsets.as_written(data, charset.decode("ascii"))[0].encode("utf-8", "replace")
