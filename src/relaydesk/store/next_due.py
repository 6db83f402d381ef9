"""What a ticket caches of its clocks: the next deadline, when that warns, and whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, or_, select, update

from relaydesk.store.tables import DeadlineTable, TicketTable, table

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, ScalarSelect
    from sqlmodel import Session

D, T = table(DeadlineTable).c, table(TicketTable).c
ANSWERED = ("answered", "answered_outside")
"""How a response clock is stopped by an answer."""

_HEAD = select(func.coalesce(T.merged_into, T.id)).where(T.id == bindparam("ticket"))
_family = table(TicketTable).alias("family")
_FAMILY = select(_family.c.id).where(
    or_(_family.c.id == bindparam("head"), _family.c.merged_into == bindparam("head"))
)
_RUNNING = and_(D.ticket_id.in_(_FAMILY), D.stopped_at.is_(None), D.undecided_at.is_(None))


def _one(figure: ColumnElement[Any], *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(figure).where(*where).scalar_subquery()


_NEXT = _one(func.min(D.due_at), _RUNNING)
_WARN = select(D.warn_at).where(_RUNNING).order_by(D.due_at, D.id).limit(1).scalar_subquery()
_ANSWERED = _one(
    func.max(D.stopped_at), D.ticket_id.in_(_FAMILY), D.clock == "response", D.stopped_how.in_(ANSWERED)
)
_REFRESH = (
    update(table(TicketTable))
    .where(T.id == bindparam("head"))
    .values(
        next_due=_NEXT,
        next_warn=_WARN,
        answered_at=_ANSWERED,
        waiting_since=case((_NEXT.is_(None), _ANSWERED)),
    )
)


def refresh(session: Session, ticket_id: int) -> None:
    """Reads them off the deadlines of a ticket and its members, or of the one that it is merged into."""
    connection = session.connection()
    head = connection.execute(_HEAD, {"ticket": ticket_id}).scalar()
    connection.execute(_REFRESH, {"head": head})
