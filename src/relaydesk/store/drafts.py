"""Drafts: what an agent writes and has not sent, one for each agent on each ticket, with its files.

When it is sent it becomes a *written answer*, kept until that has left, so that taking the answer back brings
everything back as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from relaydesk.store import raw_bytes
from relaydesk.store.composing_tables import DraftFileTable, WrittenAnswerTable
from relaydesk.store.contention import upsert
from relaydesk.store.outbox_rows import UNDECIDED
from relaydesk.store.tables import DraftTable, OutboxTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

D, F, W, O = (  # noqa: E741 - O for outbox
    table(DraftTable).c,
    table(DraftFileTable).c,
    table(WrittenAnswerTable).c,
    table(OutboxTable).c,
)
PRUNED = 50  # written answers at a time


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


@dataclass(frozen=True, slots=True)
class Leaving:
    """An answer of an agent's that waits for its undo time to end."""

    answer: int
    ticket_id: int
    leaves_at: datetime


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
    values = {"text": text, "updated_at": now, "order_id": order_id, "no_order": no_order}
    new = upsert(session, DraftTable).values(ticket_id=ticket, author=author, **values)
    session.connection().execute(
        new.on_conflict_do_update(index_elements=["ticket_id", "author"], set_=values)
    )


def read(session: Session, ticket: int, author: str) -> str | None:
    """The text of the author's draft on this ticket."""
    statement = select(D.text).where(D.ticket_id == ticket, D.author == author)
    return session.connection().execute(statement).scalar()


def whole(session: Session, ticket: int, author: str) -> DraftRow | None:
    """The author's draft on this ticket with its files; None where there is neither."""
    statement = select(D.text, D.order_id, D.no_order, D.updated_at)
    row = session.connection().execute(statement.where(D.ticket_id == ticket, D.author == author)).first()
    attached = files(session, ticket, author)
    if row is None:
        return DraftRow("", None, False, None, attached) if attached else None
    return DraftRow(*row, files=attached)


def of_ticket(session: Session, ticket: int) -> tuple[tuple[str, str], ...]:
    """(author, text) of every draft on this ticket."""
    statement = select(D.author, D.text).where(D.ticket_id == ticket).order_by(D.author)
    return tuple((row.author, row.text) for row in session.connection().execute(statement))


def drop(session: Session, ticket: int, author: str) -> None:
    """The text was sent or thrown away."""
    session.connection().execute(delete(table(DraftTable)).where(D.ticket_id == ticket, D.author == author))


def drop_files(session: Session, ticket: int, author: str) -> None:
    """The files that are with the draft are thrown away."""
    where = (F.ticket_id == ticket, F.author == author, F.answer_id.is_(None))
    session.connection().execute(delete(table(DraftFileTable)).where(*where))


# --- files


def files(session: Session, ticket: int, author: str) -> tuple[DraftFile, ...]:
    """The files that are with the draft, in the order they came."""
    statement = (
        select(F.id, F.name, F.size)
        .where(F.ticket_id == ticket, F.author == author, F.answer_id.is_(None))
        .order_by(F.id)
    )
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
    where = (F.id == file_id, F.ticket_id == ticket, F.author == author, F.answer_id.is_(None))
    return session.connection().execute(delete(table(DraftFileTable)).where(*where)).rowcount == 1


# --- what was sent


def sent_as(session: Session, token: str) -> int | None:
    """The answer that a form became, None when it was not sent yet."""
    return session.connection().scalar(select(W.answer_id).where(W.token == token))


def send(  # noqa: PLR0913, PLR0917 - a row has that many facts
    session: Session, answer: int, token: str, ticket: int, author: str, draft: DraftRow, now: datetime
) -> None:
    """The draft is answer ``answer`` from now on, files and all. Conflict when its form was sent already."""
    row = {
        "answer_id": answer,
        "token": token,
        "ticket_id": ticket,
        "author": author,
        "text": draft.text,
        "order_id": draft.order_id,
        "no_order": draft.no_order,
        "written_at": now,
    }
    connection = session.connection()
    connection.execute(insert(table(WrittenAnswerTable)), row)
    where = (F.ticket_id == ticket, F.author == author, F.answer_id.is_(None))
    connection.execute(update(table(DraftFileTable)).where(*where).values(answer_id=answer))
    drop(session, ticket, author)
    _prune(session)


def bring_back(session: Session, answer: int, now: datetime) -> None:
    """What an answer was written as is a draft again; a newer draft stays, above it."""
    connection = session.connection()
    row = connection.execute(select(table(WrittenAnswerTable)).where(W.answer_id == answer)).first()
    if row is None:
        return
    newer = (read(session, row.ticket_id, row.author) or "").strip()
    text = f"{newer}\n\n{row.text}" if newer else row.text
    keep(session, row.ticket_id, row.author, text, now, order_id=row.order_id, no_order=row.no_order)
    connection.execute(update(table(DraftFileTable)).where(F.answer_id == answer).values(answer_id=None))
    connection.execute(delete(table(WrittenAnswerTable)).where(W.answer_id == answer))


def leaving(session: Session, author: str, now: datetime, limit: int = 5) -> tuple[Leaving, ...]:
    """The author's answers that can still be taken back, the latest first."""
    statement = (
        select(O.id, O.ticket_id, O.not_before)
        .join(table(WrittenAnswerTable), W.answer_id == O.id)
        .where(W.author == author, O.state == "queued", O.not_before > now)
        .order_by(O.id.desc())
        .limit(limit)
    )
    return tuple(Leaving(*row) for row in session.connection().execute(statement))


def _prune(session: Session) -> None:
    """Drops what some answers that have ended were written as."""
    waits = select(O.id).where(O.id == W.answer_id, O.state.in_(UNDECIDED)).exists()
    statement = select(W.answer_id).where(~waits).order_by(W.answer_id).limit(PRUNED)
    ended = list(session.connection().scalars(statement))
    if ended:
        session.connection().execute(delete(table(DraftFileTable)).where(F.answer_id.in_(ended)))
        session.connection().execute(delete(table(WrittenAnswerTable)).where(W.answer_id.in_(ended)))


def bytes_of(session: Session, author: str) -> int:
    """How many bytes of files an author's drafts hold, on all tickets."""
    statement = select(func.coalesce(func.sum(F.size), 0)).where(F.author == author)
    return int(session.connection().scalar(statement) or 0)
