"""Writing down what was decided about a message: its rows, its events and its clocks, in one transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, insert, select, update

from relaydesk.classify import excerpt_of
from relaydesk.events import (
    BounceJoined,
    DuplicateJoined,
    Event,
    MessageJoined,
    OrderBound,
    TicketOpened,
    TicketReopened,
)
from relaydesk.reasons import NEEDS_LOOK
from relaydesk.store import deadlines, links, merges, raw_bytes, search, snoozes, ticket_orders
from relaydesk.store import events as journal
from relaydesk.store.errors import Conflict
from relaydesk.store.junk import FOLLOWS_JUNK, JUNK_SUSPECT
from relaydesk.store.tables import AttachmentTable, MessageTable, TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlmodel import Session

    from relaydesk.events import OfMessage
    from relaydesk.message import AuthResults, Envelope, Message
    from relaydesk.policy import Decision, Placement

M, T = table(MessageTable).c, table(TicketTable).c
_NEW_TICKET, _NEW_MESSAGE = insert(table(TicketTable)), insert(table(MessageTable))
_NEW_UNMARKED = _NEW_TICKET.values(
    needs_look=case((FOLLOWS_JUNK, JUNK_SUSPECT)),
    needs_look_since=case((FOLLOWS_JUNK, bindparam("at", type_=T.opened_at.type))),
)
_JOINED: dict[str, type[OfMessage]] = {
    "join": MessageJoined,
    "duplicate": DuplicateJoined,
    "bounce": BounceJoined,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the transaction wrote, or found written already."""

    message_id: int
    ticket_id: int | None


@dataclass(frozen=True, slots=True)
class _Recording:
    envelope: Envelope
    message: Message
    auth: AuthResults
    decision: Decision
    placement: Placement
    trace: str
    now: datetime

    @property
    def at(self) -> datetime:
        return self.envelope.received_at

    @property
    def sender(self) -> str:
        return self.message.from_[0].addr.lower() if self.message.from_ else ""

    @property
    def excerpt(self) -> str:
        return excerpt_of(self.message, self.decision.kind, self.decision.findings.username)


def record(  # noqa: PLR0913 - what arrived, what was found, what was decided
    session: Session,
    envelope: Envelope,
    message: Message,
    auth: AuthResults,
    decision: Decision,
    *,
    trace: str,
    now: datetime,
) -> Recorded:
    """Writes an accepted message and all that its decision says, in the caller's transaction.

    ``now`` dates only when the events were noted; what happened is dated by the envelope and the plans.
    Raises Conflict when the store has moved on since the decision; then read and decide again.
    """
    if decision.placement is None:
        raise ValueError("A decision without a placement has nothing to record.")
    arrival = _Recording(envelope, message, auth, decision, decision.placement, trace, now)
    action = arrival.placement.action
    if action == "stored":
        return _recorded(session, envelope.delivery_key)
    ticket_id = _open(session, arrival) if action == "open" else arrival.placement.ticket
    if ticket_id is None:
        raise ValueError(f"The placement {action} needs a ticket.")
    if action == "join":
        _join(session, ticket_id, arrival)
    message_id = _message(session, ticket_id, arrival)
    _tell(session, ticket_id, message_id, arrival)
    if action in ("open", "join"):
        _note_numbers(session, ticket_id, arrival)
        _start_clocks(session, ticket_id, arrival)
        placement = arrival.placement
        links.relate(session, ticket_id, placement.escalates, placement.links, at=arrival.at, noted_at=now)
    return Recorded(message_id, ticket_id)


def _recorded(session: Session, delivery_key: str) -> Recorded:
    row = session.connection().execute(select(M.id, M.ticket_id).where(M.delivery_key == delivery_key)).one()
    return Recorded(row.id, row.ticket_id)


def filed_in(session: Session, delivery_key: str) -> int | None:
    """The ticket that holds a delivery, None when it is not in this store."""
    return session.connection().scalar(select(M.ticket_id).where(M.delivery_key == delivery_key))


def _open(session: Session, arrival: _Recording) -> int:
    decision, findings = arrival.decision, arrival.decision.findings
    row = {
        "kind": decision.kind,
        "queue": decision.queue,
        "state": "open",
        "thread_key": arrival.placement.thread_key.lower() or None,
        "relay_address": findings.relay_address.lower(),
        "case_token": findings.case_token,
        "case_number": findings.case_number,
        "username": findings.username,
        "sender": arrival.sender,
        "subject": arrival.message.subject,
        "contact_reason": findings.contact_reason,
        "escalated": False,
        "verified": decision.vouched,
        "opened_at": arrival.at,
        "last_message_at": arrival.at,
        "excerpt": arrival.excerpt,
        **_next_clock(arrival),
        "message_count": 1,
        **_mark(arrival),
    }
    if "needs_look" not in row:
        row |= {"at": arrival.at, "of_sender": "" if decision.vouched else arrival.sender}
        row["of_address"] = row["relay_address"]
        return _inserted(session.connection().execute(_NEW_UNMARKED, row))
    return _inserted(session.connection().execute(_NEW_TICKET, row))


def _join(session: Session, ticket_id: int, arrival: _Recording) -> None:
    connection, head = session.connection(), merges.head(session, ticket_id)
    counted: dict[str, object] = {"message_count": T.message_count + 1, "last_message_at": arrival.at}
    if arrival.excerpt:
        counted["excerpt"] = arrival.excerpt
    values: dict[str, object] = dict(counted)
    needed = _mark(arrival)
    if arrival.placement.reopen:
        was_junk = connection.execute(select(T.junk_at).where(T.id == head)).scalar() is not None
        needed = needed or (_suspect(arrival) if was_junk else {})
        values |= {"state": "open", "closed_at": None, "junk_at": None}
    values |= {name: func.coalesce(T[name], value) for name, value in needed.items()}
    expected = "closed" if arrival.placement.reopen else "open"
    if arrival.placement.reopen:
        merges.reopen_others(session, head, ticket_id, at=arrival.at, noted_at=arrival.now)
    statement = update(table(TicketTable)).where(T.id == head, T.state == expected).values(values)
    if connection.execute(statement).rowcount != 1:
        raise Conflict(f"Ticket {ticket_id} is no longer {expected}.")
    if head != ticket_id:
        still = (T.id == ticket_id, T.merged_into == head)
        if connection.execute(update(table(TicketTable)).where(*still).values(counted)).rowcount != 1:
            raise Conflict(f"Ticket {ticket_id} is no longer merged into {head}.")
    snoozes.wake(session, [ticket_id])


def _next_clock(arrival: _Recording) -> dict[str, object]:
    first = min(arrival.decision.clocks, key=lambda plan: plan.due, default=None)
    return {"next_due": first and first.due, "next_warn": first and first.warn_at}


def _mark(arrival: _Recording) -> dict[str, object]:
    """The columns that say why a person must look at the ticket; none for most mail."""
    codes = (reason.code for reason in arrival.decision.reasons if reason.code in NEEDS_LOOK)
    code = next(codes, None)
    return {} if code is None else {"needs_look": code, "needs_look_since": arrival.at}


def _suspect(arrival: _Recording) -> dict[str, object]:
    return {"needs_look": JUNK_SUSPECT, "needs_look_since": arrival.at}


def _message(session: Session, ticket_id: int, arrival: _Recording) -> int:
    envelope, message, decision = arrival.envelope, arrival.message, arrival.decision
    original = _original(session, decision.replay_key) if arrival.placement.action == "duplicate" else None
    row = {
        "delivery_key": envelope.delivery_key,
        "replay_key": None if original is not None else decision.replay_key or None,
        "duplicate_of": original,
        "ticket_id": ticket_id,
        "kind": decision.kind,
        "vouched": decision.vouched,
        "received_at": envelope.received_at,
        "mail_from": envelope.mail_from,
        "rcpt_to": list(envelope.rcpt_to),
        "peer": envelope.peer,
        "helo": envelope.helo,
        "tls": envelope.tls,
        "size": len(envelope.raw),
        "from_addr": arrival.sender,
        "subject": message.subject,
        "message_id": message.message_id,
        "origin": asdict(envelope.origin),
        "auth": asdict(arrival.auth),
        "reasons": [{"code": reason.code, "text": reason.text} for reason in decision.reasons],
        "findings": asdict(decision.findings),
        "trace": arrival.trace,
        "raw": envelope.raw,
    }
    message_id = _inserted(session.connection().execute(_NEW_MESSAGE, row))
    raw_bytes.written(session, envelope.raw)
    _attach(session, message_id, message)
    search.will_index(session, "message", message_id)
    return message_id


def _original(session: Session, replay_key: str) -> int | None:
    return session.connection().scalar(select(M.id).where(M.replay_key == replay_key))


def _attach(session: Session, message_id: int, message: Message) -> None:
    rows = [
        {
            "message_id": message_id,
            "name": part.name,
            "declared_type": part.declared_type,
            "sniffed_type": part.sniffed_type,
            "size": part.size,
            "sha256": part.sha256,
        }
        for part in message.attachments
    ]
    if rows:
        session.connection().execute(insert(table(AttachmentTable)), rows)


def _tell(session: Session, ticket_id: int, message_id: int, arrival: _Recording) -> None:
    decision, placement = arrival.decision, arrival.placement
    codes = tuple(reason.code for reason in decision.reasons)
    payload: OfMessage
    if placement.action == "open":
        payload = TicketOpened(message_id, codes, decision.kind, decision.queue)
    else:
        payload = _JOINED[placement.action](message_id, codes)
    events = [Event(ticket_id, arrival.at, payload, "mail")]
    if placement.reopen:
        events.insert(0, Event(ticket_id, arrival.at, TicketReopened("a further message"), "mail"))
    journal.append(session, events, arrival.now)


def _note_numbers(session: Session, ticket_id: int, arrival: _Recording) -> None:
    placement = arrival.placement
    earlier = ticket_orders.of_tickets(session, [ticket_id]) if placement.action == "join" else ()
    settled = {n.value for n in earlier if n.what == "order" and n.how in ("bound", "released")}
    ticket_orders.note(session, ticket_id, arrival.decision.findings.candidates, placement.bind_orders)
    events = (
        Event(ticket_id, arrival.at, OrderBound(order, "mail"))
        for order in placement.bind_orders
        if order not in settled
    )
    journal.append(session, events, arrival.now)


def _start_clocks(session: Session, ticket_id: int, arrival: _Recording) -> None:
    """Clocks that the closing suspended run on first: a follow-up never moves an unanswered start."""
    decision, reopen = arrival.decision, arrival.placement.reopen
    if arrival.placement.action == "open":
        deadlines.start(session, ticket_id, decision.queue, decision.clocks, now=arrival.now)
        return
    if not (decision.clocks or reopen):
        return
    existing = deadlines.of_tickets(session, [ticket_id])
    suspended = [clock for clock in existing if clock.suspended]
    if reopen and suspended:
        deadlines.revive(session, suspended, "a further message", at=arrival.at, noted_at=arrival.now)
        existing = deadlines.of_tickets(session, [ticket_id])
    deadlines.start(session, ticket_id, decision.queue, decision.clocks, now=arrival.now, existing=existing)
    deadlines.refresh_next_due(session, ticket_id)


def _inserted(result: CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    if key is None:
        raise RuntimeError("The database gave no number for the new row.")
    return int(key[0])
