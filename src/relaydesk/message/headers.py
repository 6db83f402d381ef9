"""The header section as raw fields: what the SMTP server, DKIM and the parser all start from."""

from __future__ import annotations

import re

# One field with its folded lines (RFC 5322 §2.2.3); possessive, so that hostile text costs one pass.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_MBOX = re.compile(rb"From [^\n]*\n")
_NAMES = (
    rb"(?:received|return-path|delivered-to|from|to|subject|date|message-id|mime-version|content-type"
    rb"|dkim-signature|sender|reply-to|x-[!-9;-~]{1,60}):"
)
# What some hosts put in front of a message, and the byte order mark of editors; a header field must follow,
# or it is the body.
_AHEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[ \t]{0,80}\r?\n|>?From [^\n]{0,1000}\n){0,100}(?=" + _NAMES + rb")", re.IGNORECASE
)
# A line that is no field amid those that tell how the body is to be read.
_JUNK = re.compile(
    rb"(?!--)[^\r\n]{1,1000}\r?\n(?=(?:content-(?:type|transfer-encoding|disposition)|mime-version|received"
    rb"|message-id|dkim-signature):)",
    re.IGNORECASE,
)
_MAX_JUNK = 10


def header_section(raw: bytes) -> bytes:
    """The bytes before the first empty line (RFC 5322 §2.1), without it; all of them when there is none."""
    if raw.startswith((b"\r\n", b"\n")):
        return b""
    ends = [end for end in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if end >= 0]
    return raw[: min(ends)] if ends else raw


def start_of(raw: bytes) -> int:
    """The offset of a message's first field, behind empty lines, mbox lines and a byte order mark."""
    ahead = _AHEAD.match(raw)
    return ahead.end() if ahead else 0


def split(
    raw: bytes, limit: int = 65_536, at: int = 0, end: int | None = None
) -> tuple[list[tuple[str, bytes]], int]:
    """The header fields from ``at``, as :func:`header_fields` gives them, and where the body starts.

    ``end`` is where a part ends that begins at ``at``; without it the message goes from 0 to its end. The
    body starts after the first empty line, or at the first line that is no field, so that nothing
    a person might want to read is lost.
    """
    fields: list[tuple[str, bytes]] = []
    start, end, limit = (0, len(raw), limit) if end is None else (at, end, at + limit)
    reach = min(limit, end)
    if not _FIELD.match(raw, at, reach) and (mbox := _MBOX.match(raw, at, reach)):
        at = mbox.end()
    for _ in range(_MAX_JUNK):
        while field := _FIELD.match(raw, at, reach):
            value = field[2]
            fields.append(
                (field[1].decode("ascii"), (_FOLD.sub(b"", value) if b"\n" in value else value).strip())
            )
            at = field.end()
        junk = _JUNK.match(raw, at, reach) if fields else None
        if junk is None:
            break
        at = junk.end()
    if at >= limit:
        at = start + len(header_section(raw[start:end])) + 2
    for empty in (b"\r\n", b"\n"):
        if raw.startswith(empty, at, end):
            return fields, at + len(empty)
    return fields, min(at, end)


def header_fields(raw: bytes, limit: int = 65_536) -> list[tuple[str, bytes]]:
    """(name as written, unfolded value without outer white space) of each header field, top first.

    Reads at most ``limit`` bytes of the header section. The first line that is no field ends the
    headers, as it does for the standard parser; leading empty and mbox lines are passed over.
    """
    return split(raw, limit, start_of(raw))[0]


def header_values(raw: bytes, name: str, limit: int = 65_536) -> list[str]:
    """Every value of one header, top first, as text with undecodable bytes replaced."""
    wanted = name.lower()
    return [
        value.decode("utf-8", "replace") for key, value in header_fields(raw, limit) if key.lower() == wanted
    ]
