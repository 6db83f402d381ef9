"""Evidence of claims and chargebacks: what there is of each item of the list, with files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select

from relaydesk.store import raw_bytes
from relaydesk.store.composing_tables import EvidenceFileTable, EvidenceTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

V, C = table(EvidenceTable).c, table(EvidenceFileTable).c

EvidenceState = Literal["there", "missing", "not_needed"]


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One entry; ``name`` is "" where it has no file. ``size`` in bytes."""

    id: int
    ticket_id: int
    item: str
    state: EvidenceState
    name: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


_ROW = [V[field.name] for field in fields(EvidenceRow)]


def of_ticket(session: Session, ticket_id: int, limit: int = 500) -> tuple[EvidenceRow, ...]:
    """Every entry of a ticket, oldest first."""
    statement = select(*_ROW).where(V.ticket_id == ticket_id).order_by(V.id).limit(limit)
    return tuple(EvidenceRow(*row) for row in session.connection().execute(statement))


def add(session: Session, values: dict[str, object], content: bytes = b"") -> int:
    """An entry with these columns; its number. The content is kept once, by its hash."""
    if content:
        kept = upsert(session, EvidenceFileTable).values(sha256=values["sha256"], content=content)
        session.connection().execute(kept.on_conflict_do_nothing())
        raw_bytes.written(session, content)
    statement = insert(table(EvidenceTable)).returning(V.id)
    return int(session.connection().execute(statement, values).scalar_one())


def read(session: Session, evidence_id: int) -> EvidenceRow | None:
    """One entry."""
    row = session.connection().execute(select(*_ROW).where(V.id == evidence_id)).first()
    return None if row is None else EvidenceRow(*row)


def content(session: Session, entry: EvidenceRow) -> bytes:
    """The file of an entry."""
    return raw_bytes.read(session, C.content, C.sha256 == entry.sha256) or b""
