"""Which mail of a ticket wants an answer, and which of it an answer can have taken into account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from relaydesk.classify import Findings
from relaydesk.store.columns import read_value
from relaydesk.store.tables import MessageTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Kind

M = table(MessageTable).c


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """What stood before the answerer: ``until`` is the latest acceptance among the messages up to the one
    answered, ``next_at`` that of the first customer message stored after it, if there is one."""

    until: datetime
    next_at: datetime | None


def answer_scope(session: Session, ticket: int, message: int) -> AnswerScope | None:
    """What an answer to ``message`` can have taken into account; None when the ticket has no such message."""
    statement = (
        select(M.id, M.kind, M.received_at, M.findings)
        .where(M.ticket_id == ticket, M.duplicate_of.is_(None))
        .order_by(M.id)
    )
    stored = session.connection().execute(statement).all()
    before = [row.received_at for row in stored if row.id <= message]
    after = [row.received_at for row in stored if row.id > message and _answerable(row.kind, row.findings)]
    return AnswerScope(max(before), min(after, default=None)) if before else None


def came_after(session: Session, ticket: int, moment: datetime, *, relay: bool) -> datetime | None:
    """When the first mail after ``moment`` came that wants an answer; ``relay``: one with a relay address."""
    statement = (
        select(M.kind, M.received_at, M.findings)
        .where(M.ticket_id == ticket, M.duplicate_of.is_(None), M.received_at > moment)
        .where(M.kind.not_in(("bounce", "notice")))
        .order_by(M.received_at)
    )
    rows = session.connection().execute(statement)
    return next((row.received_at for row in rows if not relay or _answerable(row.kind, row.findings)), None)


def _answerable(kind: Kind, findings: dict[str, Any]) -> bool:
    """Customer mail: no bounce and no notice, and with an address to answer to."""
    return kind not in ("bounce", "notice") and bool(read_value(Findings, findings).relay_address)
