"""Sorting rules that agents propose from a mail, and what stored mail a rule would have matched."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import insert, select, update

from relaydesk.store.acts_tables import RuleProposalTable
from relaydesk.store.tables import MessageTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Kind

P, M = table(RuleProposalTable).c, table(MessageTable).c

ProposalState = Literal["proposed", "withdrawn", "accepted", "declined"]


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposed rule. ``rule`` is the text of a rule file that holds it alone; times are aware UTC.

    ``proposed_by`` and ``settled_by`` are as events name actors; ``note`` is what was said on settling it.
    """

    id: int
    ticket_id: int
    message_id: int
    kind: Kind
    sender: str
    subject: str
    rule: str
    state: ProposalState
    proposed_by: str
    proposed_at: datetime
    settled_by: str
    settled_at: datetime | None
    note: str


class SortedMail(NamedTuple):
    """A stored message as rules see it, with the kind that it was given and its ticket."""

    message_id: int
    ticket_id: int | None
    kind: Kind
    sender: str
    subject: str
    received_at: datetime


_ROW = [P[field.name] for field in fields(ProposalRow)]


def add(  # noqa: PLR0913 - a row has that many facts
    session: Session,
    *,
    ticket_id: int,
    message_id: int,
    kind: Kind,
    sender: str,
    subject: str,
    by: str,
    now: datetime,
) -> int:
    """A new proposal, whose rule is written once its number is known (:func:`write`)."""
    row = {
        "ticket_id": ticket_id,
        "message_id": message_id,
        "kind": kind,
        "sender": sender,
        "subject": subject,
        "rule": "",
        "state": "proposed",
        "proposed_by": by,
        "proposed_at": now,
        "settled_by": "",
        "note": "",
    }
    statement = insert(table(RuleProposalTable)).returning(P.id)
    return int(session.connection().execute(statement, row).scalar_one())


def write(session: Session, number: int, rule: str) -> None:
    """The text of a new proposal's rule."""
    session.connection().execute(update(table(RuleProposalTable)).where(P.id == number).values(rule=rule))


def row(session: Session, number: int) -> ProposalRow | None:
    """One proposal, None when there is none of that number."""
    line = session.connection().execute(select(*_ROW).where(P.id == number)).first()
    return None if line is None else ProposalRow(*line)


def waiting(session: Session, limit: int) -> tuple[ProposalRow, ...]:
    """The proposals that nobody has settled, oldest first."""
    statement = select(*_ROW).where(P.state == "proposed").order_by(P.id).limit(limit)
    return tuple(ProposalRow(*line) for line in session.connection().execute(statement))


def newest(session: Session, limit: int) -> tuple[ProposalRow, ...]:
    """All proposals, newest first."""
    statement = select(*_ROW).order_by(P.id.desc()).limit(limit)
    return tuple(ProposalRow(*line) for line in session.connection().execute(statement))


def settle(  # noqa: PLR0913 - which, how, by whom, when
    session: Session, number: int, state: ProposalState, *, by: str, now: datetime, note: str = ""
) -> bool:
    """Settles a proposal for good; False when it was settled before."""
    statement = (
        update(table(RuleProposalTable))
        .where(P.id == number, P.state == "proposed")
        .values(state=state, settled_by=by, settled_at=now, note=note)
    )
    return session.connection().execute(statement).rowcount == 1


def latest_mail(session: Session, limit: int) -> tuple[SortedMail, ...]:
    """The latest stored messages, newest first, without reading their bytes."""
    columns = (M.id, M.ticket_id, M.kind, M.from_addr, M.subject, M.received_at)
    statement = select(*columns).where(M.duplicate_of.is_(None)).order_by(M.id.desc()).limit(limit)
    return tuple(SortedMail(*line) for line in session.connection().execute(statement))
