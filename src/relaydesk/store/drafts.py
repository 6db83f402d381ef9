"""Drafts: what an agent wrote and could not send is kept, one text for each agent on each ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from relaydesk.store.contention import upsert
from relaydesk.store.tables import DraftTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

D = table(DraftTable).c


def keep(session: Session, ticket: int, author: str, text: str, now: datetime) -> None:
    """Keeps ``text``, in place of what this author had there before."""
    new = upsert(session, DraftTable).values(ticket_id=ticket, author=author, text=text, updated_at=now)
    session.connection().execute(
        new.on_conflict_do_update(
            index_elements=["ticket_id", "author"], set_={"text": text, "updated_at": now}
        )
    )


def read(session: Session, ticket: int, author: str) -> str | None:
    """The author's draft on this ticket."""
    return (
        session.connection().execute(select(D.text).where(D.ticket_id == ticket, D.author == author)).scalar()
    )


def of_ticket(session: Session, ticket: int) -> tuple[tuple[str, str], ...]:
    """(author, text) of every draft on this ticket."""
    statement = select(D.author, D.text).where(D.ticket_id == ticket).order_by(D.author)
    return tuple((row.author, row.text) for row in session.connection().execute(statement))


def drop(session: Session, ticket: int, author: str) -> None:
    """The draft was sent or thrown away."""
    session.connection().execute(delete(table(DraftTable)).where(D.ticket_id == ticket, D.author == author))
