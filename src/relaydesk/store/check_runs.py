"""Checks that take long and run beside a page: who began them, how far they are, what they found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from relaydesk.store.administration_tables import CheckRunTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

T = table(CheckRunTable).c


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One run: ``done`` of ``total`` steps; ``ended_at`` is None while it goes on. Times are aware UTC."""

    id: int
    what: str
    actor: str
    begun_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    done: int
    total: int
    result: Mapping[str, Any]


def begin(session: Session, what: str, *, actor: str, now: datetime, total: int) -> int:
    """A new run; its number."""
    row = {
        "what": what,
        "actor": actor,
        "begun_at": now,
        "seen_at": now,
        "ended_at": None,
        "done": 0,
        "total": total,
        "result": {},
    }
    key = session.connection().execute(insert(table(CheckRunTable)).values(**row)).inserted_primary_key
    return int(key[0]) if key else 0


def progress(session: Session, run: int, done: int, now: datetime, result: Mapping[str, Any]) -> None:
    """How far it has come."""
    values = {"done": done, "seen_at": now, "result": dict(result)}
    session.connection().execute(update(table(CheckRunTable)).where(T.id == run).values(**values))


def end(session: Session, run: int, now: datetime) -> None:
    """It is over."""
    values = {"ended_at": now, "seen_at": now}
    session.connection().execute(update(table(CheckRunTable)).where(T.id == run).values(**values))


def latest(session: Session, what: str) -> CheckRun | None:
    """The newest run of this check."""
    statement = (
        select(T.id, T.what, T.actor, T.begun_at, T.seen_at, T.ended_at, T.done, T.total, T.result)
        .where(T.what == what)
        .order_by(T.id.desc())
        .limit(1)
    )
    row = session.connection().execute(statement).first()
    return None if row is None else CheckRun(*row)
