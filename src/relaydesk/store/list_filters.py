"""What narrows a list of tickets, as conditions that the engines find an index for.

The indexes over open tickets are partial, and an engine takes one only where it can prove that its condition
holds. So what an index is partial by stands in a statement as it stands in the index, not as a parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import literal_column, not_, select

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

    from relaydesk.store.lists import TicketFilter

T, S = table(TicketTable).c, table(SnoozeTable).c
MATCHES = 1000  # tickets looked at that hold one text
LONGEST_NUMBER = 18  # digits of a ticket number that a database can hold
UNPROVEN: ColumnElement[bool] = literal_column("ticket.verified = false")
ESCALATED: ColumnElement[bool] = literal_column("ticket.escalated = true")


def conditions(session: Session, criteria: TicketFilter, now: datetime | None) -> list[ColumnElement[bool]]:
    """What a ticket must fulfil. Without ``now`` nothing is snoozed."""
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
    ids = {
        *ticket_orders.tickets_naming(session, text, MATCHES),
        *word_index.tickets_with(session, query_words(text), MATCHES),
        *([int(text)] if is_number else []),
    }
    connection, address = session.connection(), T.relay_address == text.lower()
    if text:
        ids.update(
            connection.execute(select(T.id).where(address).order_by(T.id.desc()).limit(MATCHES)).scalars()
        )
    # A merged one is found in the thread that shows it. Asked for apart: an OR of both reads every ticket.
    merged = select(T.merged_into).where(T.id.in_(sorted(ids)), T.merged_into.is_not(None))
    ids.update(connection.execute(merged).scalars())
    return T.id.in_(sorted(ids))
