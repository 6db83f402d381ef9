"""What an answer could take into account: the mail that was stored before it, and what came after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from relaydesk.classify import Findings
from relaydesk.store.tables import MessageTable, table
from relaydesk.store.values import read_value

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
    after = [
        row.received_at
        for row in stored
        if row.id > message and _answerable(row.kind, read_value(Findings, row.findings))
    ]
    return AnswerScope(max(before), min(after, default=None)) if before else None


def _answerable(kind: Kind, findings: Findings) -> bool:
    """Customer mail: no bounce and no notice, and with an address to answer to."""
    return kind not in ("bounce", "notice") and bool(findings.relay_address)
