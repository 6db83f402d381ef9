"""The header section as raw fields: what the SMTP server, DKIM and the parser all start from."""

from __future__ import annotations

import re

# One field with its folded lines (RFC 5322 §2.2.3); possessive, so that hostile text costs one pass.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_MBOX = re.compile(rb"From [^\n]*\n")


def header_section(raw: bytes) -> bytes:
    """The bytes before the first empty line (RFC 5322 §2.1), without it; all of them when there is none."""
    if raw.startswith((b"\r\n", b"\n")):
        return b""
    ends = [end for end in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if end >= 0]
    return raw[: min(ends)] if ends else raw


def split(raw: bytes, limit: int = 65_536) -> tuple[list[tuple[str, bytes]], int]:
    """The header fields, as :func:`fields` gives them, and the offset where the body starts.

    The body starts after the first empty line, or at the first line that is no field, so that nothing
    a person might want to read is lost.
    """
    fields: list[tuple[str, bytes]] = []
    at = 0
    if not _FIELD.match(raw, 0, limit) and (mbox := _MBOX.match(raw, 0, limit)):
        at = mbox.end()
    while field := _FIELD.match(raw, at, limit):
        value = field[2]
        fields.append(
            (field[1].decode("ascii"), (_FOLD.sub(b"", value) if b"\n" in value else value).strip())
        )
        at = field.end()
    if at >= limit:
        at = len(header_section(raw)) + 2
    for empty in (b"\r\n", b"\n"):
        if raw.startswith(empty, at):
            return fields, at + len(empty)
    return fields, min(at, len(raw))


def header_fields(raw: bytes, limit: int = 65_536) -> list[tuple[str, bytes]]:
    """(name as written, unfolded value without outer white space) of each header field, top first.

    Reads at most ``limit`` bytes of the header section. The first line that is no field ends the
    headers, as it does for the standard parser; a leading mbox ``From `` line is passed over.
    """
    return split(raw, limit)[0]


def header_values(raw: bytes, name: str, limit: int = 65_536) -> list[str]:
    """Every value of one header, top first, as text with undecodable bytes replaced."""
    wanted = name.lower()
    return [
        value.decode("utf-8", "replace") for key, value in header_fields(raw, limit) if key.lower() == wanted
    ]
