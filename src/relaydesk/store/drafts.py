"""Drafts: what an agent writes and has not sent, one for each agent on each ticket, with its files.

A draft that is discarded is hidden for a day, so that it can be brought back; what is begun meanwhile takes
its place. Notes have drafts of their own, without files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, or_, select, update

from relaydesk.store import raw_bytes
from relaydesk.store.composing_tables import DraftFileTable, NoteDraftTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import DraftTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

D, F, N = table(DraftTable).c, table(DraftFileTable).c, table(NoteDraftTable).c


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file of a draft. ``size`` in bytes."""

    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft without its files' contents. ``updated_at`` is None where there are files only."""

    text: str
    order_id: str | None
    no_order: bool
    updated_at: datetime | None
    files: tuple[DraftFile, ...]


def keep(  # noqa: PLR0913 - a row has that many facts
    session: Session,
    ticket: int,
    author: str,
    text: str,
    now: datetime,
    *,
    order_id: str | None = None,
    no_order: bool = False,
) -> None:
    """Keeps ``text``, in place of what this author had there before."""
    _forget_discarded(session, ticket, author)
    values = {"text": text, "updated_at": now, "order_id": order_id, "no_order": no_order}
    new = upsert(session, DraftTable).values(ticket_id=ticket, author=author, **values)
    session.connection().execute(
        new.on_conflict_do_update(index_elements=["ticket_id", "author"], set_=values)
    )


def read(session: Session, ticket: int, author: str) -> str | None:
    """The text of the author's draft on this ticket."""
    return session.connection().execute(select(D.text).where(*_draft(ticket, author))).scalar()


def whole(session: Session, ticket: int, author: str) -> DraftRow | None:
    """The author's draft on this ticket with its files; None where there is neither."""
    statement = select(D.text, D.order_id, D.no_order, D.updated_at)
    row = session.connection().execute(statement.where(*_draft(ticket, author))).first()
    attached = files(session, ticket, author)
    if row is None:
        return DraftRow("", None, False, None, attached) if attached else None
    return DraftRow(*row, files=attached)


def of_ticket(session: Session, ticket: int) -> tuple[tuple[str, str], ...]:
    """(author, text) of every draft on this ticket."""
    statement = select(D.author, D.text).where(D.ticket_id == ticket, D.discarded_at.is_(None))
    return tuple((row.author, row.text) for row in session.connection().execute(statement.order_by(D.author)))


def drop(session: Session, ticket: int, author: str) -> None:
    """The text was sent or is empty now."""
    session.connection().execute(delete(table(DraftTable)).where(*_draft(ticket, author)))


def discard(session: Session, ticket: int, author: str, now: datetime) -> bool:
    """The draft is hidden with its files. False where there is none."""
    _forget_discarded(session, ticket, author)
    if whole(session, ticket, author) is None:
        return False
    values = {"text": "", "updated_at": now, "no_order": False, "discarded_at": now}
    new = upsert(session, DraftTable).values(ticket_id=ticket, author=author, **values)
    set_ = {"discarded_at": now}
    session.connection().execute(new.on_conflict_do_update(index_elements=["ticket_id", "author"], set_=set_))
    return True


def restore(session: Session, ticket: int, author: str) -> bool:
    """A discarded draft is there again. False where something was begun since, or it is gone."""
    where = (D.ticket_id == ticket, D.author == author, D.discarded_at.is_not(None))
    statement = update(table(DraftTable)).where(*where).values(discarded_at=None)
    if session.connection().execute(statement).rowcount != 1:
        return False
    session.connection().execute(delete(table(DraftTable)).where(*_draft(ticket, author), D.text == ""))
    return True


def _draft(ticket: int, author: str) -> tuple[ColumnElement[bool], ...]:
    return D.ticket_id == ticket, D.author == author, D.discarded_at.is_(None)


def _forget_discarded(session: Session, ticket: int, author: str) -> None:
    where = (D.ticket_id == ticket, D.author == author, D.discarded_at.is_not(None))
    if session.connection().execute(delete(table(DraftTable)).where(*where)).rowcount:
        its = (F.ticket_id == ticket, F.author == author, F.answer_id.is_(None))
        session.connection().execute(delete(table(DraftFileTable)).where(*its))


# --- files


def of_draft(ticket: int, author: str) -> tuple[ColumnElement[bool], ...]:
    """Where the files of a draft are that is not discarded."""
    discarded = select(D.ticket_id).where(
        D.ticket_id == ticket, D.author == author, D.discarded_at.is_not(None)
    )
    return F.ticket_id == ticket, F.author == author, F.answer_id.is_(None), ~discarded.exists()


def files(session: Session, ticket: int, author: str) -> tuple[DraftFile, ...]:
    """The files that are with the draft, in the order they came."""
    statement = select(F.id, F.name, F.size).where(*of_draft(ticket, author)).order_by(F.id)
    return tuple(DraftFile(*row) for row in session.connection().execute(statement))


def contents(session: Session, ticket: int, author: str) -> list[tuple[str, bytes]]:
    """(name, content) of each of them."""
    return [
        (file.name, raw_bytes.read(session, F.content, F.id == file.id) or b"")
        for file in files(session, ticket, author)
    ]


def add_file(  # noqa: PLR0913, PLR0917 - a row has that many facts
    session: Session, ticket: int, author: str, name: str, content: bytes, now: datetime
) -> None:
    """Puts a file to the draft."""
    _forget_discarded(session, ticket, author)
    row = {
        "ticket_id": ticket,
        "author": author,
        "name": name,
        "size": len(content),
        "added_at": now,
        "content": content,
    }
    session.connection().execute(insert(table(DraftFileTable)), row)
    raw_bytes.written(session, content)


def remove_file(session: Session, ticket: int, author: str, file_id: int) -> bool:
    """Takes a file away. False when it is not there."""
    where = (F.id == file_id, *of_draft(ticket, author))
    return session.connection().execute(delete(table(DraftFileTable)).where(*where)).rowcount == 1


def bytes_of(session: Session, author: str) -> int:
    """How many bytes of files an author's drafts hold, on all tickets."""
    statement = select(func.coalesce(func.sum(F.size), 0)).where(F.author == author)
    return int(session.connection().scalar(statement) or 0)


# --- notes


def keep_note(session: Session, ticket: int, author: str, text: str, now: datetime) -> None:
    """Keeps what the author has written of a note; nothing where it is empty."""
    where = (N.ticket_id == ticket, N.author == author)
    session.connection().execute(delete(table(NoteDraftTable)).where(*where))
    if text.strip():
        row = {"ticket_id": ticket, "author": author, "text": text, "updated_at": now}
        session.connection().execute(insert(table(NoteDraftTable)), row)


def note(session: Session, ticket: int, author: str) -> str:
    """What the author has written of a note."""
    statement = select(N.text).where(N.ticket_id == ticket, N.author == author)
    return session.connection().execute(statement).scalar() or ""


# --- what is old


def prune(session: Session, *, untouched: datetime, discarded: datetime, limit: int = 50) -> int:
    """Drops drafts that nobody touched since ``untouched``, and those discarded before ``discarded``; a few
    at a time. How many."""
    old = or_(D.updated_at < untouched, D.discarded_at < discarded)
    connection = session.connection()
    rows = connection.execute(select(D.ticket_id, D.author).where(old).limit(limit)).all()
    for ticket, author in rows:
        its = (F.ticket_id == ticket, F.author == author, F.answer_id.is_(None))
        connection.execute(delete(table(DraftFileTable)).where(*its))
        connection.execute(delete(table(DraftTable)).where(D.ticket_id == ticket, D.author == author))
    alone = select(D.ticket_id).where(D.ticket_id == F.ticket_id, D.author == F.author).exists()
    files_alone = select(F.id).where(F.answer_id.is_(None), F.added_at < untouched, ~alone).limit(limit)
    numbers = list(connection.scalars(files_alone))
    if numbers:
        connection.execute(delete(table(DraftFileTable)).where(F.id.in_(numbers)))
    notes = connection.execute(
        select(N.ticket_id, N.author).where(N.updated_at < untouched).limit(limit)
    ).all()
    for ticket, author in notes:
        connection.execute(delete(table(NoteDraftTable)).where(N.ticket_id == ticket, N.author == author))
    return len(rows) + len(numbers) + len(notes)
