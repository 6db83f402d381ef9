"""The audit log: what people did or read that no ticket's events hold. Rows are only added.

``what`` is a short word such as ``raw_read``, ``report_exported`` or ``signed_in``; ``facts`` are its JSON,
never a secret, a password or a customer's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from relaydesk.store.account_tables import AuditTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

A = table(AuditTable).c


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the audit log. ``at`` is aware UTC; ``actor`` is as events name it."""

    id: int
    at: datetime
    actor: str
    what: str
    facts: Mapping[str, Any]


def append(session: Session, what: str, *, actor: str, now: datetime, **facts: Any) -> None:
    """Adds a line, in the transaction of the act that it is about."""
    row = {"at": now, "actor": actor, "what": what, "facts": facts}
    session.connection().execute(insert(table(AuditTable)), row)


def page(
    session: Session, *, before: int | None = None, actor: str = "", what: str = "", limit: int = 100
) -> tuple[AuditRow, ...]:
    """The newest lines, those before line ``before`` where it is given; of one actor or one word only."""
    statement = select(A.id, A.at, A.actor, A.what, A.facts).order_by(A.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(A.id < before)
    if actor:
        statement = statement.where(A.actor == actor)
    if what:
        statement = statement.where(A.what == what)
    return tuple(AuditRow(*row) for row in session.connection().execute(statement))
