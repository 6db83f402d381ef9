"""Written answers: what an answer was made of, kept until it has left.

Taking it back brings all of it back as it was: text, order and files are its author's draft again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from relaydesk.store import drafts
from relaydesk.store.composing_tables import DraftFileTable, WrittenAnswerTable
from relaydesk.store.outbox_rows import UNDECIDED
from relaydesk.store.tables import OutboxTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.store.drafts import DraftRow

F, W, O = table(DraftFileTable).c, table(WrittenAnswerTable).c, table(OutboxTable).c  # noqa: E741 - the outbox
LOST = ("refused", "failed", "bounced")


@dataclass(frozen=True, slots=True)
class Leaving:
    """An answer of an agent's that waits for its undo time to end."""

    answer: int
    ticket_id: int
    leaves_at: datetime


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What was brought back; ``closes``: its author had closed the ticket with it."""

    ticket_id: int
    author: str
    closes: bool


def sent_as(session: Session, token: str) -> int | None:
    """The answer that a form became, None when it was not sent yet."""
    return session.connection().scalar(select(W.answer_id).where(W.token == token))


def send(  # noqa: PLR0913, PLR0917 - a row has that many facts
    session: Session,
    answer: int,
    token: str,
    ticket: int,
    author: str,
    draft: DraftRow,
    now: datetime,
    *,
    closes: bool = False,
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
        "closes": closes,
        "written_at": now,
    }
    connection = session.connection()
    connection.execute(insert(table(WrittenAnswerTable)), row)
    where = drafts.of_draft(ticket, author)
    connection.execute(update(table(DraftFileTable)).where(*where).values(answer_id=answer))
    drafts.drop(session, ticket, author)


def bring_back(session: Session, answer: int, now: datetime) -> BroughtBack | None:
    """What an answer was written as is a draft again; a newer draft stays, above it. None where it is not
    known any more."""
    connection = session.connection()
    row = connection.execute(select(table(WrittenAnswerTable)).where(W.answer_id == answer)).first()
    if row is None:
        return None
    newer = (drafts.read(session, row.ticket_id, row.author) or "").strip()
    text = f"{newer}\n\n{row.text}" if newer else row.text
    drafts.keep(session, row.ticket_id, row.author, text, now, order_id=row.order_id, no_order=row.no_order)
    connection.execute(update(table(DraftFileTable)).where(F.answer_id == answer).values(answer_id=None))
    connection.execute(delete(table(WrittenAnswerTable)).where(W.answer_id == answer))
    return BroughtBack(row.ticket_id, row.author, row.closes)


def leaving(session: Session, author: str, now: datetime, limit: int = 20) -> tuple[Leaving, ...]:
    """The author's answers that can still be taken back, the latest first."""
    statement = (
        select(O.id, O.ticket_id, O.not_before)
        .join(table(WrittenAnswerTable), W.answer_id == O.id)
        .where(W.author == author, O.state == "queued", O.not_before > now)
        .order_by(O.id.desc())
        .limit(limit)
    )
    return tuple(Leaving(*row) for row in session.connection().execute(statement))


def prune(session: Session, *, untouched: datetime, limit: int = 50) -> int:
    """Drops what some answers were written as that have left, or were lost before ``untouched``. How many."""
    waits = O.state.in_(UNDECIDED) | (O.state.in_(LOST) & (W.written_at >= untouched))
    needed = select(O.id).where(O.id == W.answer_id, waits).exists()
    statement = select(W.answer_id).where(~needed).order_by(W.answer_id).limit(limit)
    ended = list(session.connection().scalars(statement))
    if ended:
        session.connection().execute(delete(table(DraftFileTable)).where(F.answer_id.in_(ended)))
        session.connection().execute(delete(table(WrittenAnswerTable)).where(W.answer_id.in_(ended)))
    return len(ended)
