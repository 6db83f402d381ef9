"""What an answer could take into account: the mail that was stored before it, and what came after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from relaydesk.store.tables import MessageTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

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
    before = [one.received_at for one in stored if one.id <= message]
    after = [one.received_at for one in stored if one.id > message and _answerable(one.kind, one.findings)]
    return AnswerScope(max(before), min(after, default=None)) if before else None


def _answerable(kind: str, findings: dict[str, Any]) -> bool:
    """Customer mail: no bounce and no notice, and with an address to answer to."""
    return kind not in ("bounce", "notice") and bool(findings.get("relay_address"))
