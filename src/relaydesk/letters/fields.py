"""The header section as raw fields: what the door, DKIM and the parser all start from."""

from __future__ import annotations

import re

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


def header_section(raw: bytes) -> bytes:
    """The bytes before the first empty line (RFC 5322 §2.1), without it; all of them when there is none."""
    if raw.startswith((b"\r\n", b"\n")):
        return b""
    ends = [end for end in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if end >= 0]
    return raw[: min(ends)] if ends else raw


def fields(raw: bytes, limit: int = 65_536) -> list[tuple[str, bytes]]:
    """(name as written, unfolded value without outer white space) of each header field, top first.

    Reads at most ``limit`` bytes of the header section. The first line that is no field ends the
    headers, as it does for the standard parser; a leading mbox ``From `` line is passed over.
    """
    found: list[tuple[str, bytes]] = []
    for number, line in enumerate(_FOLD.sub(b"", header_section(raw[: limit + 4])[:limit]).split(b"\n")):
        field = _FIELD.fullmatch(line.removesuffix(b"\r"))
        if field is None:
            if number == 0 and line.startswith(b"From "):
                continue
            break
        found.append((field[1].decode("ascii"), field[2].strip()))
    return found


def values(raw: bytes, name: str, limit: int = 65_536) -> list[str]:
    """Every value of one header, top first, as text with undecodable bytes replaced."""
    wanted = name.lower()
    return [value.decode("utf-8", "replace") for key, value in fields(raw, limit) if key.lower() == wanted]
