"""Lists of tickets: pages with filters, search.

Open tickets go by deadline, closed ones newest first; both are read off indexes that hold no others, so that
a page costs the same however many tickets there are. Pages go on from where the last one ended (keyset),
never by offset.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import literal_column, not_, or_, select

from relaydesk.message import query_words
from relaydesk.store import search as word_index
from relaydesk.store import snoozes, ticket_orders
from relaydesk.store.acts_tables import SnoozeTable
from relaydesk.store.tables import TicketTable, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

    from relaydesk.events import Kind
    from relaydesk.store.ticket_orders import TicketOrder

T, S = table(TicketTable).c, table(SnoozeTable).c
MATCHES = 1000  # tickets looked at that hold one text
LONGEST_NUMBER = 18  # digits of a ticket number that a database can hold
UNPROVEN: ColumnElement[bool] = literal_column("ticket.verified = false")
ESCALATED: ColumnElement[bool] = literal_column("ticket.escalated = true")

TicketState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One ticket as a line of a list. Times are aware UTC; ``next_due`` is None when no clock runs.

    ``needs_look`` is the code of the reason why a person must look at it, None for none; ``merged_into`` the
    ticket in whose thread this one is shown; ``junk_at`` when it was marked as junk. ``next_warn`` is when
    the next deadline warns, ``answered_at`` when an answer last stopped a response clock, ``waiting_since``
    since when it is the customer's turn. ``excerpt`` is a line of the customer's latest words.
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
    answered_at: datetime | None = None
    waiting_since: datetime | None = None
    excerpt: str = ""

    @property
    def fresh(self) -> bool:
        """Whether the customer wrote after our answer."""
        return self.open and self.answered_at is not None and self.waiting_since is None

    @property
    def open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class QueueCount:
    """Open tickets of a queue; ``overdue`` passed their deadline, ``due_today`` are due later today.

    ``next_due`` is the earliest deadline that runs there, None when none does; ``needs_look`` counts the
    tickets that a person must look at.
    """

    queue: str
    open: int
    due_today: int
    overdue: int
    next_due: datetime | None = None
    needs_look: int = 0


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What a list is narrowed to; None is all. ``assignee`` "" is what nobody has.

    ``text`` is what :func:`search` looks for: a number, an address, or words. ``due_before`` leaves those
    whose next deadline is earlier; aware. ``needs_look``: only what a person must look at, or only the rest.
    ``awake_for`` is an agent: without what they have snoozed; ``snoozed_by`` an agent too: only that.
    ``kinds`` are any of these; ``waiting``: only where it is the customer's turn, the longest first.
    """

    queue: str | None = None
    state: TicketState = "open"
    assignee: str | None = None
    kind: str | None = None
    verified: bool | None = None
    text: str = ""
    due_before: datetime | None = None
    needs_look: bool | None = None
    awake_for: str | None = None
    snoozed_by: str | None = None
    kinds: tuple[str, ...] = ()
    contact_reason: str | None = None
    escalated: bool | None = None
    waiting: bool | None = None


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page of a list ended: by ``next_due``, or by the moment that the list goes by instead."""

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
    narrowed = conditions(session, criteria, now)
    key = T.next_due
    if criteria.state == "closed":
        rows = _closed(session, narrowed, after, limit)
    elif criteria.waiting:
        key = T.waiting_since
        rows = _waiting(session, narrowed, after, limit)
    else:
        rows = _by_deadline(session, narrowed, after, limit)
    shown = tuple(rows[:limit])
    numbers = ticket_orders.of_tickets(session, [row.id for row in shown])
    more = PageKey(getattr(shown[-1], key.name), shown[-1].id) if len(rows) > limit else None
    return Page(shown, numbers, more)


def _by_deadline(
    session: Session, conditions: list[ColumnElement[bool]], after: PageKey | None, limit: int
) -> list[TicketRow]:
    """Those without a deadline last. Two walks along one index: the engines disagree where NULL sorts."""
    rows: list[TicketRow] = []
    if after is None or after.next_due is not None:
        timed = select(*_ROW).where(*conditions, T.next_due.is_not(None), *_beyond(T.next_due, after))
        rows = _rows(session, timed.order_by(T.next_due, T.id).limit(limit + 1))
    if len(rows) <= limit:
        since = after.id if after is not None and after.next_due is None else 0
        untimed = select(*_ROW).where(*conditions, T.next_due.is_(None), T.id > since)
        # By id; the deadline, which they have not, is named so that PostgreSQL sees the order of the index.
        untimed = untimed.order_by(T.next_due, T.id)
        rows += _rows(session, untimed.limit(limit + 1 - len(rows)))
    return rows


def _beyond(key: ColumnElement[Any], after: PageKey | None) -> list[ColumnElement[bool]]:
    if after is None or after.next_due is None:
        return []
    return [key >= after.next_due, or_(key > after.next_due, T.id > after.id)]


def _waiting(
    session: Session, conditions: list[ColumnElement[bool]], after: PageKey | None, limit: int
) -> list[TicketRow]:
    statement = select(*_ROW).where(*conditions, *_beyond(T.waiting_since, after))
    return _rows(session, statement.order_by(T.waiting_since, T.id).limit(limit + 1))


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
    statement = select(*_ROW).where(holding(session, text)).order_by(T.id.desc())
    if state is not None:
        statement = statement.where(T.state == state)
    return tuple(_rows(session, statement.limit(limit)))


def _rows(session: Session, statement: Any) -> list[TicketRow]:
    return [TicketRow(*row) for row in session.connection().execute(statement)]


def conditions(session: Session, criteria: TicketFilter, now: datetime | None) -> list[ColumnElement[bool]]:
    """What a ticket must fulfil, as the partial indexes say it; without ``now`` nothing is snoozed."""
    return [*_standing(criteria), *_narrowed(session, criteria), *_asleep(criteria, now)]


def _standing(criteria: TicketFilter) -> Iterator[ColumnElement[bool]]:
    """By what an index is chosen."""
    if criteria.needs_look:
        # Marked ones are open: without the state the one index that fits is that of the marks.
        yield T.needs_look.is_not(None)
    else:
        yield T.state == criteria.state
    if criteria.needs_look is False:
        yield T.needs_look.is_(None)
    if criteria.waiting is not None:
        yield T.waiting_since.is_not(None) if criteria.waiting else T.waiting_since.is_(None)
    if criteria.queue is not None:
        yield T.queue == criteria.queue
    if criteria.assignee is not None:
        yield T.assignee == criteria.assignee if criteria.assignee else T.assignee.is_(None)


def _narrowed(session: Session, criteria: TicketFilter) -> Iterator[ColumnElement[bool]]:
    if criteria.kind is not None:
        yield T.kind == criteria.kind
    if criteria.kinds:
        yield T.kind.in_(criteria.kinds)
    if criteria.contact_reason is not None:
        yield T.contact_reason == criteria.contact_reason
    if criteria.verified is not None:
        yield T.verified.is_(True) if criteria.verified else UNPROVEN
    if criteria.escalated is not None:
        yield ESCALATED if criteria.escalated else T.escalated.is_(False)
    if criteria.due_before is not None:
        yield T.next_due < criteria.due_before
    if criteria.text:
        yield holding(session, criteria.text)


def _asleep(criteria: TicketFilter, now: datetime | None) -> Iterator[ColumnElement[bool]]:
    if now is None:
        return
    if criteria.awake_for is not None:
        yield not_(snoozes.hidden_from(criteria.awake_for, now))
    if criteria.snoozed_by is not None:
        yield T.id.in_(select(S.ticket_id).where(S.agent == criteria.snoozed_by, S.until > now))


def holding(session: Session, text: str) -> ColumnElement[bool]:
    """The newest tickets of a number, an order, a relay address, or that hold all words of a text."""
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    ids = {int(text)} if is_number else set()
    ids.update(ticket_orders.tickets_naming(session, text, MATCHES))
    ids.update(word_index.tickets_with(session, query_words(text), MATCHES))
    connection, address = session.connection(), T.relay_address == text.lower()
    if text:
        ids.update(
            connection.execute(select(T.id).where(address).order_by(T.id.desc()).limit(MATCHES)).scalars()
        )
    # A merged one is found in the thread that shows it. Asked for apart: an OR of both reads every ticket.
    merged = select(T.merged_into).where(T.id.in_(sorted(ids)), T.merged_into.is_not(None))
    ids.update(connection.execute(merged).scalars())
    return T.id.in_(sorted(ids))
