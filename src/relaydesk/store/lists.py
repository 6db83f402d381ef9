"""Lists of tickets: the counts of the queues, pages with filters, search.

Open tickets go by deadline, closed ones newest first; both are read off indexes that hold no others, so that
a page costs the same however many tickets there are. Pages go on from where the last one ended (keyset),
never by offset. Kind and proof narrow down what an index delivers; they have none of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import not_, or_, select

from relaydesk.message import query_words
from relaydesk.store import search as word_index
from relaydesk.store import snoozes, ticket_orders
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

    from relaydesk.events import Kind
    from relaydesk.store.ticket_orders import TicketOrder

T = table(TicketTable).c
OPEN = T.state == "open"
MATCHES = 1000  # tickets looked at that hold one text
LONGEST_NUMBER = 18  # digits of a ticket number that a database can hold

TicketState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One ticket as a line of a list. Times are aware UTC; ``next_due`` is None when no clock runs.

    ``needs_look`` is the code of the reason why a person must look at it, None for none; ``merged_into`` the
    ticket in whose thread this one is shown; ``junk_at`` when it was marked as junk.
    """

    id: int
    kind: Kind
    queue: str
    state: TicketState
    relay_address: str
    case_token: str
    case_number: str
    username: str
    sender: str
    subject: str
    contact_reason: str
    assignee: str | None
    escalated: bool
    verified: bool
    opened_at: datetime
    last_message_at: datetime
    closed_at: datetime | None
    next_due: datetime | None
    message_count: int
    needs_look: str | None = None
    needs_look_since: datetime | None = None
    merged_into: int | None = None
    junk_at: datetime | None = None
    next_warn: datetime | None = None
    waiting_since: datetime | None = None
    excerpt: str = ""
    answered_at: datetime | None = None

    @property
    def fresh(self) -> bool:
        """Whether the customer wrote after our last answer."""
        return self.open and self.answered_at is not None and self.last_message_at > self.answered_at

    @property
    def open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What a list is narrowed to; None is all. ``assignee`` "" is what nobody has.

    ``text`` is what :func:`search` looks for: a number, an address, or words. ``due_before`` leaves those
    whose next deadline is earlier; aware. ``needs_look``: only what a person must look at, or only the rest.
    ``kinds`` are any of these, and ``waiting`` is what waits for the customer.
    ``awake_for`` is an agent: without what they have snoozed; ``snoozed_by`` an agent too: only that.
    """

    queue: str | None = None
    state: TicketState = "open"
    assignee: str | None = None
    kind: str | None = None
    verified: bool | None = None
    text: str = ""
    due_before: datetime | None = None
    needs_look: bool | None = None
    kinds: tuple[str, ...] = ()
    contact_reason: str | None = None
    escalated: bool | None = None
    waiting: bool | None = None
    awake_for: str | None = None
    snoozed_by: str | None = None


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page of a list ended."""

    next_due: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Tickets with their numbers; ``after`` leads to the next page, None when this is the last."""

    tickets: tuple[TicketRow, ...]
    numbers: tuple[TicketOrder, ...]
    after: PageKey | None


_ROW = [T[field.name] for field in fields(TicketRow)]


def page(
    session: Session,
    criteria: TicketFilter,
    *,
    now: datetime | None = None,
    after: PageKey | None = None,
    limit: int = 50,
) -> Page:
    """The tickets that a filter lets through, from ``after`` on. Without ``now`` nothing is snoozed."""
    conditions = [*_conditions(session, criteria), *_asleep(criteria, now)]
    if criteria.state == "closed":
        rows = _closed(session, conditions, after, limit)
    else:
        rows = _by_deadline(session, conditions, after, limit)
    shown = tuple(rows[:limit])
    numbers = ticket_orders.of_tickets(session, [row.id for row in shown])
    more = PageKey(shown[-1].next_due, shown[-1].id) if len(rows) > limit else None
    return Page(shown, numbers, more)


def of_ids(session: Session, ids: Sequence[int]) -> tuple[tuple[TicketRow, ...], tuple[TicketOrder, ...]]:
    """These tickets, open or closed, in the order of ``ids``, with their numbers."""
    rows = session.connection().execute(select(*_ROW).where(T.id.in_(ids)))
    tickets = {row.id: TicketRow(**row._mapping) for row in rows}
    return tuple(tickets[number] for number in ids if number in tickets), ticket_orders.of_tickets(
        session, ids
    )


def _conditions(session: Session, criteria: TicketFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [T.state == criteria.state]
    if criteria.needs_look is not None:
        marked = T.needs_look.is_not(None)
        # Marked ones are open: without the state the one index that fits is that of the marks.
        conditions = [marked] if criteria.needs_look else [*conditions, T.needs_look.is_(None)]
    if criteria.queue is not None:
        conditions.append(T.queue == criteria.queue)
    if criteria.assignee is not None:
        conditions.append(T.assignee == criteria.assignee if criteria.assignee else T.assignee.is_(None))
    if criteria.kind is not None:
        conditions.append(T.kind == criteria.kind)
    if criteria.verified is not None:
        conditions.append(T.verified.is_(criteria.verified))
    if criteria.kinds:
        conditions.append(T.kind.in_(criteria.kinds))
    if criteria.contact_reason is not None:
        conditions.append(T.contact_reason == criteria.contact_reason)
    if criteria.escalated is not None:
        conditions.append(T.escalated.is_(criteria.escalated))
    if criteria.waiting is not None:
        conditions.append(T.waiting_since.is_not(None) if criteria.waiting else T.waiting_since.is_(None))
    if criteria.due_before is not None:
        conditions.append(T.next_due < criteria.due_before)
    if criteria.text:
        conditions.append(_holding(session, criteria.text, MATCHES))
    return conditions


def _asleep(criteria: TicketFilter, now: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if now is None:
        return conditions
    if criteria.awake_for is not None:
        conditions.append(not_(snoozes.hidden_from(criteria.awake_for, now)))
    if criteria.snoozed_by is not None:
        conditions.append(snoozes.hidden_from(criteria.snoozed_by, now))
    return conditions


def _by_deadline(
    session: Session, conditions: list[ColumnElement[bool]], after: PageKey | None, limit: int
) -> list[TicketRow]:
    """Those without a deadline last. Two walks along one index: the engines disagree where NULL sorts."""
    rows: list[TicketRow] = []
    if after is None or after.next_due is not None:
        timed = select(*_ROW).where(*conditions, T.next_due.is_not(None), *_beyond(after))
        rows = _rows(session, timed.order_by(T.next_due, T.id).limit(limit + 1))
    if len(rows) <= limit:
        since = after.id if after is not None and after.next_due is None else 0
        untimed = select(*_ROW).where(*conditions, T.next_due.is_(None), T.id > since).order_by(T.id)
        rows += _rows(session, untimed.limit(limit + 1 - len(rows)))
    return rows


def _beyond(after: PageKey | None) -> list[ColumnElement[bool]]:
    if after is None or after.next_due is None:
        return []
    return [T.next_due >= after.next_due, or_(T.next_due > after.next_due, T.id > after.id)]


def _closed(
    session: Session, conditions: list[ColumnElement[bool]], after: PageKey | None, limit: int
) -> list[TicketRow]:
    before = [T.id < after.id] if after is not None else []
    return _rows(session, select(*_ROW).where(*conditions, *before).order_by(T.id.desc()).limit(limit + 1))


def search(
    session: Session, text: str, limit: int = 50, *, state: TicketState | None = None
) -> tuple[TicketRow, ...]:
    """Tickets that hold ``text``, in ``state`` or any: newest first.

    A ticket's number, an order number or reference, a relay address; or all its words, in whatever order,
    anywhere in the conversation.
    """
    statement = select(*_ROW).where(_holding(session, text, MATCHES)).order_by(T.id.desc())
    if state is not None:
        statement = statement.where(T.state == state)
    return tuple(_rows(session, statement.limit(limit)))


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, TicketRow]:
    """The rows of these tickets by their numbers."""
    return {row.id: row for row in _rows(session, select(*_ROW).where(T.id.in_(sorted(set(ids)))))}


def open_of(session: Session, assignee: str, limit: int) -> tuple[int, ...]:
    """The numbers of open tickets of one agent."""
    statement = select(T.id).where(OPEN, T.assignee == assignee).order_by(T.id).limit(limit)
    return tuple(session.connection().execute(statement).scalars())


def _holding(session: Session, text: str, limit: int) -> ColumnElement[bool]:
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    ids = {
        *ticket_orders.tickets_naming(session, text, limit),
        *word_index.tickets_with(session, query_words(text), limit),
        *([int(text)] if is_number else []),
    }
    named = or_(T.id.in_(sorted(ids)), T.relay_address == text.lower())
    member = table(TicketTable).alias("member")
    into = select(member.c.merged_into).where(
        member.c.merged_into.is_not(None),
        or_(member.c.id.in_(sorted(ids)), member.c.relay_address == text.lower()),
    )
    return or_(named, T.id.in_(into))


def _rows(session: Session, statement: Any) -> list[TicketRow]:
    return [TicketRow(*row) for row in session.connection().execute(statement)]
