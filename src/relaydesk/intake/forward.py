"""Forwarding an accepted message to another help desk: our lines on top, the original untouched below.

The original keeps every byte, so that its DKIM signatures still pass, except for what a reader behind us
would take for our word. Authentication-Results fields that claim to be ours are removed: they are forged or
stale (RFC 8601 §5). Fields that are named as ours get another name of the same length: ``X-Untrusted-Queue``.
A signature that covers such a field breaks; Meta's mail has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.clocks import demand_look
from relaydesk.logs import log
from relaydesk.message import header_section, header_values
from relaydesk.outbound import bound_orders
from relaydesk.store import Finished, Outgoing, outbox, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Kind
    from relaydesk.message import Envelope
    from relaydesk.outbound import Sender
    from relaydesk.policy import Decision
    from relaydesk.store import Recorded

FORWARDED = ("open", "join")
"""Placements whose message goes on; duplicates and bounces are not for another desk."""
LOOP = "X-Relaydesk-Loop"
"""Names the host that forwarded the message; a message that has ours already is never forwarded again."""
LOOPED = "This host has already forwarded the message: it is in a loop, and stays here."

_RESULTS = b"authentication-results"
_OURS, _NOT_OURS = b"x-relaydesk-", b"X-Untrusted-"
_UNNAMED = b"X-Untrusted-Line:"  # takes up a first line that would else go on with our last one
_FIELD = re.compile(rb"[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")
_TOKEN = re.compile(r'"((?:[^"\\]++|\\.)*+)"|([^\s;"]++)')
_MAX_VALUE = 900  # with the name still one line of at most 998 octets (RFC 5322 §2.1.1)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Which queues go on to which address, under whose name. ``authserv_id`` marks what we have forwarded."""

    addresses: Mapping[str, str]
    sender: Sender
    authserv_id: str

    def below(self, envelope: Envelope, decision: Decision) -> bytes | None:
        """The message as it goes on below our lines; made before the transaction that records it.

        None when it does not go on: its queue stays here, or it is not a new message of a ticket.
        """
        is_new = decision.placement is not None and decision.placement.action in FORWARDED
        if decision.queue not in self.addresses or not is_new:
            return None
        return below(envelope.raw, self.authserv_id)

    def lay(  # noqa: PLR0913 - what came, what was decided, what goes with it
        self,
        session: Session,
        envelope: Envelope,
        decision: Decision,
        kept: Recorded,
        *,
        below: bytes,
        trace: str,
        subject: str,
        now: datetime,
    ) -> int | None:
        """Lays an accepted message in the outbox, in the transaction that records it; the row's number.

        ``below`` is what :meth:`below` gave, ``trace`` our Received and Authentication-Results text. None
        when it was forwarded by us before (logged: only a person can end a loop).
        """
        ticket_id = kept.ticket_id
        if ticket_id is None:
            return None
        if forwarded_before(envelope.raw, self.authserv_id):
            _end_loop(session, kept, at=envelope.received_at, now=now)
            return None
        ticket = tickets.row(session, ticket_id)
        bound = bound_orders(ticket_orders.of_tickets(session, [ticket_id]))
        due = ticket.next_due if ticket is not None else None
        fields = added_fields(Sorted(ticket_id, decision.queue, decision.kind, tuple(bound), due), trace)
        raw = on_top(fields, self.authserv_id) + below
        sender = self.sender
        outgoing = Outgoing(
            purpose="forward",
            ticket=ticket_id,
            message=kept.message_id,
            author="relaydesk",
            recipient=self.addresses[decision.queue],
            order_id=bound[0] if bound else None,
            not_before=now,
            give_up_at=now + sender.give_up,
        )

        number = outbox.next_number(session)
        # The message keeps its own Message-ID; the row's is only its name in the outbox.
        name = sender.message_id(ticket_id, number)
        finished = Finished(sender.envelope_from(ticket_id, number), name, subject, raw)
        outbox.put(session, number, outgoing, finished, now)
        return number


def _end_loop(session: Session, kept: Recorded, *, at: datetime, now: datetime) -> None:
    """Only a person can end a loop: the log and the ticket say so."""
    log("forward_loop", level="error", ticket=kept.ticket_id, problem=LOOPED)
    if kept.ticket_id is not None:
        demand_look(session, kept.ticket_id, "forward_loop", message=kept.message_id, at=at, now=now)


def forwarded_before(raw: bytes, authserv_id: str) -> bool:
    """Whether this host has forwarded the message: it bears our loop mark."""
    return any(mark.strip().lower() == authserv_id.lower() for mark in header_values(raw, LOOP))


def on_top(added: Sequence[tuple[str, str]], authserv_id: str) -> bytes:
    """The ``added`` header fields and our loop mark, as lines."""
    fields = (*added, (LOOP, authserv_id))
    return "".join(f"{name}: {_one_line(value)}\r\n" for name, value in fields).encode("ascii")


def below(raw: bytes, authserv_id: str) -> bytes:
    """``raw`` without Authentication-Results that claim to be ours, and with no field named as ours.

    Loop marks of others stay: each host must find its own again. ``raw`` has CR LF line ends.
    """
    section = header_section(raw)
    end = min(len(section) + 2, len(raw)) if section else 0
    first = _UNNAMED if raw.startswith((b" ", b"\t")) else b""
    return b"".join((first, *_others(raw[:end], authserv_id), memoryview(raw)[end:]))


@dataclass(frozen=True, slots=True)
class Sorted:
    """What is said of a message: where it was sorted to, the ticket's orders, and when an answer is due.

    ``due`` is aware: the earliest running deadline of the ticket, None when no clock runs.
    """

    ticket: int
    queue: str
    kind: Kind
    orders: tuple[str, ...] = ()
    due: datetime | None = None


def added_fields(message: Sorted, trace: str) -> tuple[tuple[str, str], ...]:
    """Our Received and Authentication-Results, then what the message was sorted as; nothing empty.

    ``trace`` is the text kept beside the raw bytes, a field a line.
    """
    traced = [line.partition(":") for line in trace.split("\r\n") if ":" in line]
    facts = {
        "X-Relaydesk-Queue": message.queue,
        "X-Relaydesk-Kind": message.kind,
        "X-Relaydesk-Order": ", ".join(message.orders),
        "X-Relaydesk-Due": message.due.isoformat(timespec="seconds") if message.due is not None else "",
        "X-Relaydesk-Ticket": str(message.ticket),
    }
    filled = ((name, value) for name, value in facts.items() if value)
    return (*((name, value.strip()) for name, _, value in traced), *filled)


def _one_line(value: str) -> str:
    """Printable ASCII without line ends, of bounded length: no value can begin a field of its own."""
    return "".join(char if " " <= char <= "~" else "?" for char in value)[:_MAX_VALUE]


def _others(section: bytes, authserv_id: str) -> Iterator[bytes]:
    """The header fields, none of which a reader can take for our word."""
    for field in _FIELD.findall(section):
        named = _NAME.match(field)
        name = named[1].lower() if named else b""
        if named and name == _RESULTS and _claims(field[named.end() :], authserv_id):
            continue
        is_forged = name.startswith(_OURS) and name != LOOP.lower().encode()
        yield _NOT_OURS + field[len(_OURS) :] if is_forged else field


def _claims(value: bytes, authserv_id: str) -> bool:
    """Whether an Authentication-Results value bears this authserv-id (RFC 8601 §2.2)."""
    text = _without_comments(value.decode("latin-1"))
    token = _TOKEN.match(text.strip())
    if token is None:
        return False
    claimed = re.sub(r"\\(.)", r"\1", token[1]) if token[1] is not None else token[2]
    return claimed.rstrip(".").lower() == authserv_id.rstrip(".").lower()


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
