"""One ticket: with all that belongs to it, and what people change of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from sqlalchemy import func, select, union, update

from relaydesk.classify import Findings
from relaydesk.message import AuthResults, Origin
from relaydesk.reasons import Reason
from relaydesk.store import deadlines, lists, merges, raw_bytes, ticket_orders
from relaydesk.store.columns import read_value
from relaydesk.store.events import read_event
from relaydesk.store.tables import (
    AttachmentTable,
    MessageTable,
    TicketEventTable,
    TicketLinkTable,
    TicketTable,
    table,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row
    from sqlmodel import Session

    from relaydesk.events import Event, Kind
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.lists import TicketRow
    from relaydesk.store.ticket_orders import TicketOrder

T, M, A = table(TicketTable).c, table(MessageTable).c, table(AttachmentTable).c
E, L = table(TicketEventTable).c, table(TicketLinkTable).c
EVENTS_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment's description; its content is in the message's raw bytes."""

    name: str
    declared_type: str
    sniffed_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One stored message without its raw bytes, with what was found of it when it came."""

    id: int
    ticket_id: int
    kind: Kind
    vouched: bool
    duplicate_of: int | None
    received_at: datetime
    mail_from: str
    rcpt_to: tuple[str, ...]
    peer: str
    helo: str
    tls: bool
    size: int
    from_addr: str
    subject: str
    message_id: str
    origin: Origin
    auth: AuthResults
    reasons: tuple[Reason, ...]
    findings: Findings
    trace: str
    attachments: tuple[AttachmentRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket with everything that belongs to it and to the tickets merged into it, oldest first."""

    ticket: TicketRow
    messages: tuple[MessageRow, ...]
    events: tuple[tuple[int, Event], ...]
    clocks: tuple[DeadlineRow, ...]
    numbers: tuple[TicketOrder, ...]
    links: tuple[int, ...]
    members: tuple[TicketRow, ...] = ()


MESSAGE = [M[field.name] for field in fields(MessageRow) if field.name != "attachments"]


def row(session: Session, ticket_id: int) -> TicketRow | None:
    """One ticket's line, None when there is none of that number."""
    columns = [T[field.name] for field in fields(lists.TicketRow)]
    line = session.connection().execute(select(*columns).where(T.id == ticket_id)).first()
    return None if line is None else lists.TicketRow(*line)


class TicketChanges(TypedDict, total=False):
    """The columns of a ticket that people change."""

    state: lists.TicketState
    kind: Kind
    queue: str
    assignee: str | None
    closed_at: datetime | None
    next_due: datetime | None
    junk_at: datetime | None


def lock(session: Session, ticket_id: int) -> TicketRow | None:
    """The ticket as it stands now, ours till the transaction ends; None when there is no such ticket."""
    # key_share leaves others free to insert events that point to the ticket (PostgreSQL).
    statement = select(T.id).where(T.id == ticket_id).with_for_update(key_share=True)
    if session.connection().execute(statement).first() is None:
        return None
    return row(session, ticket_id)


def change(session: Session, ticket_id: int, **values: Unpack[TicketChanges]) -> None:
    """Sets columns of a locked ticket."""
    session.connection().execute(update(table(TicketTable)).where(T.id == ticket_id).values(**values))


def thread_is_open(session: Session, ticket_id: int) -> int | None:
    """Another open ticket bound to the same relay address, or one that such a ticket is merged into."""
    other, head = table(TicketTable).alias("other"), table(TicketTable).alias("head")
    key = select(T.thread_key).where(T.id == ticket_id).scalar_subquery()
    shown = func.coalesce(head.c.id, other.c.id)
    statement = (
        select(shown)
        .select_from(other.outerjoin(head, head.c.id == other.c.merged_into))
        .where(other.c.thread_key == key, func.coalesce(head.c.state, other.c.state) == "open")
        .where(other.c.id != ticket_id, shown != ticket_id)
    )
    return session.connection().execute(statement).scalar()


def of_address(session: Session, address: str) -> int | None:
    """The ticket of a relay address: the one bound to it, an open one before closed ones, the latest first.

    A ticket of unverified mail is bound to none and found by the address its mail came from.
    """
    for column in (T.thread_key, T.relay_address):
        statement = (
            select(T.id)
            .where(column == address.lower(), column != "")
            .order_by((T.state == "open").desc(), T.id.desc())
        )
        ticket: int | None = session.connection().execute(statement.limit(1)).scalar()
        if ticket is not None:
            return ticket
    return None


def view(session: Session, ticket_id: int) -> TicketView | None:
    """One ticket whole (its latest :data:`EVENTS_SHOWN` events), None when there is none of that number."""
    ticket = row(session, ticket_id)
    if ticket is None:
        return None
    members = merges.members(session, ticket_id)
    family = [ticket_id, *members]
    return TicketView(
        ticket=ticket,
        messages=messages(session, ticket_id),
        events=events(session, ticket_id),
        clocks=deadlines.of_tickets(session, family),
        numbers=ticket_orders.of_family(session, family),
        links=links(session, ticket_id),
        members=tuple(line for member in members if (line := row(session, member)) is not None),
    )


def messages(session: Session, ticket_id: int) -> tuple[MessageRow, ...]:
    """A ticket's messages with their attachments, and those of its members, in the order of recording."""
    connection, family = session.connection(), merges.family(ticket_id)
    parts = select(A.message_id, A.name, A.declared_type, A.sniffed_type, A.size, A.sha256).join(
        table(MessageTable), M.id == A.message_id
    )
    attachments: dict[int, list[AttachmentRow]] = {}
    for part in connection.execute(parts.where(M.ticket_id.in_(family)).order_by(A.id)):
        attachments.setdefault(part.message_id, []).append(AttachmentRow(*part[1:]))
    rows = connection.execute(select(*MESSAGE).where(M.ticket_id.in_(family)).order_by(M.id))
    return tuple(message_row(line, tuple(attachments.get(line.id, ()))) for line in rows)


def message_row(line: Row[Any], attachments: tuple[AttachmentRow, ...]) -> MessageRow:
    """A message from the columns :data:`MESSAGE` of its row."""
    evidence = {
        "rcpt_to": tuple(line.rcpt_to),
        "origin": read_value(Origin, line.origin),
        "auth": read_value(AuthResults, line.auth),
        "reasons": tuple(read_value(Reason, reason) for reason in line.reasons),
        "findings": read_value(Findings, line.findings),
    }
    return MessageRow(**{**line._mapping, **evidence}, attachments=attachments)


def events(session: Session, ticket_id: int) -> tuple[tuple[int, Event], ...]:
    """A ticket's events and its members', as recorded: the latest :data:`EVENTS_SHOWN`."""
    statement = (
        select(E.id, E.ticket_id, E.at, E.what, E.actor, E.data)
        .where(E.ticket_id.in_(merges.family(ticket_id)))
        .order_by(E.id.desc())
        .limit(EVENTS_SHOWN)
    )
    rows = session.connection().execute(statement).all()
    return tuple((number, read_event(*columns)) for number, *columns in reversed(rows))


def links(session: Session, ticket_id: int) -> tuple[int, ...]:
    """The tickets linked with this one."""
    both = union(
        select(L.other_id.label("other")).where(L.ticket_id == ticket_id),
        select(L.ticket_id.label("other")).where(L.other_id == ticket_id),
    )
    return tuple(sorted(session.connection().execute(both).scalars()))


def version(session: Session, ticket_id: int) -> tuple[int, int]:
    """How many events a ticket has and the number of the latest: nothing of it changes without one.

    Those of its head, if it is merged, and of all its members count too: they are one thread.
    """
    family = merges.family(merges.head(session, ticket_id))
    statement = select(func.count(), func.coalesce(func.max(E.id), 0)).where(E.ticket_id.in_(family))
    count, latest = session.connection().execute(statement).one()
    return int(count), int(latest)


def raw(session: Session, message_id: int, most: int | None = None) -> bytes | None:
    """The bytes of a message exactly as received, None when there is none of that number.

    With ``most`` only so many from its start.
    """
    content = M.raw if most is None else func.substr(M.raw, 1, most, type_=M.raw.type)
    return raw_bytes.read(session, content, M.id == message_id)


def came_from(session: Session, message_id: int) -> str:
    """The address that a stored message came from: its origin, else its peer; "" for none."""
    row = session.connection().execute(select(M.origin, M.peer).where(M.id == message_id)).first()
    return "" if row is None else str(row.origin.get("ip") or row.peer)
