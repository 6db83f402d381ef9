"""Forwarding an accepted message to another help desk: our lines on top, the original untouched below.

The original keeps every byte, so that its DKIM signatures still pass, except Authentication-Results fields
that claim to be ours: those are forged or stale, and a reader behind us would believe them (RFC 8601 §5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.logs import log
from relaydesk.message import header_section, header_values
from relaydesk.outbound import AnswerRefused, bound_orders
from relaydesk.store import Finished, Outgoing, outbox, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.message import Envelope
    from relaydesk.outbound import Sender
    from relaydesk.policy import Decision
    from relaydesk.store import Recorded

FORWARDED = ("open", "join")
"""Placements whose message goes on; duplicates and bounces are not for another desk."""
LOOP = "X-Relaydesk-Loop"
"""Names the host that forwarded the message; one that stands there already is never forwarded again."""

_RESULTS = b"authentication-results"
_FIELD = re.compile(rb"[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s;"]+)')
_MAX_VALUE = 900  # with the name still one line of at most 998 octets (RFC 5322 §2.1.1)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Which queues go on to which address; ``letterhead`` is asked anew for each message."""

    addresses: Mapping[str, str]
    letterhead: Callable[[], Sender]
    authserv_id: str

    def lay(  # noqa: PLR0913 - see forward_row
        self,
        session: Session,
        envelope: Envelope,
        decision: Decision,
        kept: Recorded,
        *,
        trace: str,
        subject: str,
        now: datetime,
    ) -> int | None:
        """Lays a message in the outbox where its queue goes on; see :func:`forward_row`."""
        to = self.addresses.get(decision.queue)
        if to is None:
            return None
        head = self.letterhead()
        return forward_row(
            session, envelope, decision, kept, to=to, trace=trace, authserv_id=self.authserv_id,
            letterhead=head, subject=subject, now=now,
        )  # fmt: skip


def forward_row(  # noqa: PLR0913 - what came, what was decided, where it goes, under whose name
    session: Session,
    envelope: Envelope,
    decision: Decision,
    kept: Recorded,
    *,
    to: str,
    trace: str,
    authserv_id: str,
    letterhead: Sender,
    subject: str,
    now: datetime,
) -> int | None:
    """Lays an accepted message in the outbox for ``to``, in the transaction that records it; its number.

    ``trace`` is our Received and Authentication-Results text. None when it does not go on: it is no new
    message of a ticket, or it was forwarded by us before (logged: a loop must be mended by a person).
    """
    if decision.placement is None or decision.placement.action not in FORWARDED or kept.ticket_id is None:
        return None
    ticket = tickets.row(session, kept.ticket_id)
    bound = bound_orders(ticket_orders.of_tickets(session, [kept.ticket_id]))
    due = ticket.next_due if ticket is not None else None
    found = Sorted(kept.ticket_id, decision.queue, decision.kind, tuple(bound), due)
    try:
        raw = forwarded(envelope.raw, added_fields(found, trace), authserv_id)
    except AnswerRefused as refusal:
        log("forward_loop", level="error", ticket=kept.ticket_id, problem=str(refusal))
        return None
    outgoing = Outgoing(
        purpose="forward",
        ticket=kept.ticket_id,
        message=kept.message_id,
        author="relaydesk",
        recipient=to,
        order_id=bound[0] if bound else None,
        not_before=now,
        give_up_at=now + letterhead.give_up,
    )

    def build(number: int) -> Finished:
        sealed = letterhead.envelope_from(found.ticket, number)
        # The message keeps its own Message-ID; the row's is only its name in the outbox.
        return Finished(sealed, letterhead.message_id(found.ticket, number), subject, raw)

    return outbox.put(session, outgoing, build, now)


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
    kind: str
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
