"""Forwarding an accepted message to another help desk: our lines on top, the original untouched below.

The original keeps every byte, so that its DKIM signatures still pass, except Authentication-Results fields
that claim to be ours: those are forged or stale, and a reader behind us would believe them (RFC 8601 §5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.message import header_section, header_values
from relaydesk.outbound import AnswerRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from relaydesk.events import Kind

LOOP = "X-Relaydesk-Loop"
"""Names the host that forwarded the message; one that stands there already is never forwarded again."""

_RESULTS = b"authentication-results"
_FIELD = re.compile(rb"[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s;"]+)')
_MAX_VALUE = 900  # with the name still one line of at most 998 octets (RFC 5322 §2.1.1)


def forwarded(raw: bytes, added: Sequence[tuple[str, str]], authserv_id: str) -> bytes:
    """``raw`` with the ``added`` header fields and our loop mark on top.

    ``authserv_id`` is ours: fields of that name below are removed. ``raw`` has CR LF line ends.

    :raises AnswerRefused: when this host has forwarded the message before.
    """
    if any(mark.strip().lower() == authserv_id.lower() for mark in header_values(raw, LOOP)):
        raise AnswerRefused("This message was forwarded by us before: a loop, so it is not forwarded again.")
    top = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in (*added, (LOOP, authserv_id)))
    return top.encode("ascii") + b"".join(_without_ours(raw, authserv_id))


@dataclass(frozen=True, slots=True)
class Sorted:
    """What we tell of a message: where it was sorted to, the ticket's orders, and when an answer is due.

    ``due`` is aware: the earliest running deadline of the ticket, None when no clock runs.
    """

    ticket: int
    queue: str
    kind: Kind
    orders: tuple[str, ...] = ()
    due: datetime | None = None


def added_fields(found: Sorted, trace: str) -> tuple[tuple[str, str], ...]:
    """Our Received and Authentication-Results, then what the message was sorted as; nothing empty.

    ``trace`` is the text kept beside the raw bytes, a field a line.
    """
    said = [line.partition(":") for line in trace.split("\r\n") if ":" in line]
    about = {
        "X-Relaydesk-Queue": found.queue,
        "X-Relaydesk-Kind": found.kind,
        "X-Relaydesk-Order": ", ".join(found.orders),
        "X-Relaydesk-Due": found.due.isoformat(timespec="seconds") if found.due is not None else "",
        "X-Relaydesk-Ticket": str(found.ticket),
    }
    told = ((name, value) for name, value in about.items() if value)
    return (*((name, value.strip()) for name, _, value in said), *told)


def _one_line(value: str) -> str:
    """Printable ASCII without line ends, of bounded length: no value can begin a field of its own."""
    return "".join(char if " " <= char <= "~" else "?" for char in value)[:_MAX_VALUE]


def _without_ours(raw: bytes, authserv_id: str) -> Iterator[bytes]:
    section = header_section(raw)
    end = min(len(section) + 2, len(raw)) if section else 0
    for field in _FIELD.findall(raw[:end]):
        named = _NAME.match(field)
        if named is None or named[1].lower() != _RESULTS or not _claims(field[named.end() :], authserv_id):
            yield field
    yield raw[end:]


def _claims(value: bytes, authserv_id: str) -> bool:
    """Whether an Authentication-Results value bears this authserv-id (RFC 8601 §2.2)."""
    text = _without_comments(value.decode("latin-1"))
    found = _TOKEN.match(text.strip())
    if found is None:
        return False
    said = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
    return said.rstrip(".").lower() == authserv_id.rstrip(".").lower()


def _without_comments(text: str) -> str:
    """The text with comments (RFC 5322 §3.2.2, nested) replaced by a blank; quoted strings stay."""
    kept: list[str] = []
    depth, quoted, at = 0, False, 0
    while at < len(text):
        char = text[at]
        step = 2 if char == "\\" and (depth or quoted) else 1
        if quoted or (char == '"' and not depth):
            quoted ^= char == '"'
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            at += 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(text[at : at + step])
        at += step
    return "".join(kept)
