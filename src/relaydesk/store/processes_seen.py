"""Which processes are at work: each writes a row now and then, on whichever machine it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from relaydesk.store.administration_tables import ProcessSeenTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

T = table(ProcessSeenTable).c
FORGOTTEN = timedelta(days=1)
MOST = 200  # rows that are read


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """One process. ``settings_id`` is the newest stored setting it has taken; ``problem`` why it keeps
    older ones. Times are aware UTC."""

    name: str
    role: str
    host: str
    pid: int
    release: str
    started_at: datetime
    seen_at: datetime
    settings_id: int
    problem: str
    facts: Mapping[str, Any]


def note(session: Session, process: ProcessSeen) -> None:
    """Writes or renews the row of a process, and forgets those not seen for a day."""
    values = asdict(process)
    statement = upsert(session, ProcessSeenTable)
    statement = statement.on_conflict_do_update(
        index_elements=[T.name], set_={key: statement.excluded[key] for key in values if key != "name"}
    )
    session.connection().execute(statement, [values])
    stale = T.seen_at < process.seen_at - FORGOTTEN
    session.connection().execute(delete(table(ProcessSeenTable)).where(stale))


def leave(session: Session, name: str) -> None:
    """A process has ended as it should."""
    session.connection().execute(delete(table(ProcessSeenTable)).where(T.name == name))


def everyone(session: Session) -> tuple[ProcessSeen, ...]:
    """The processes seen within a day, by machine and role."""
    statement = (
        select(
            *(T.name, T.role, T.host, T.pid, T.release, T.started_at, T.seen_at),
            *(T.settings_id, T.problem, T.facts),
        )
        .order_by(T.host, T.role, T.started_at)
        .limit(MOST)
    )
    return tuple(ProcessSeen(**row._mapping) for row in session.connection().execute(statement))
