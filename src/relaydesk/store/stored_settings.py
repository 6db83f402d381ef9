"""The settings that admins stored: every version is kept, the newest of each name is in force.

What a value means and whether it can be used is not known here: it is text, as a file would hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from relaydesk.store.administration_tables import StoredSettingTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

T = table(StoredSettingTable).c
SettingsMark = tuple[int, int]
"""Which versions there are: it differs when any was added."""


@dataclass(frozen=True, slots=True)
class StoredValue:
    """One version of a stored setting. ``value`` is None where the setting was taken back. ``at`` is UTC."""

    id: int
    name: str
    version: int
    value: str | None
    why: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The newest version of every stored setting, taken back ones too."""

    mark: SettingsMark = (0, 0)
    newest: Mapping[str, StoredValue] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """The texts in force by name."""
        return {name: row.value for name, row in self.newest.items() if row.value is not None}


_ROW = (T.id, T.name, T.version, T.value, T.why, T.actor, T.at)


def mark(session: Session) -> SettingsMark:
    """A cheap look whether there is anything new."""
    newest, count = session.connection().execute(select(func.max(T.id), func.count())).one()
    return (newest or 0, count)


def read(session: Session) -> StoredSettings:
    """All that is in force."""
    newest = select(T.name, func.max(T.version).label("version")).group_by(T.name).subquery()
    statement = select(*_ROW).join(newest, (T.name == newest.c.name) & (T.version == newest.c.version))
    rows = [StoredValue(*row) for row in session.connection().execute(statement.order_by(T.name))]
    return StoredSettings(mark(session), {row.name: row for row in rows})


def newest(session: Session, name: str) -> StoredValue | None:
    """The newest version of one setting."""
    statement = select(*_ROW).where(T.name == name).order_by(T.version.desc()).limit(1)
    row = session.connection().execute(statement).first()
    return None if row is None else StoredValue(*row)


def history(session: Session, name: str, limit: int = 50) -> tuple[StoredValue, ...]:
    """The versions of one setting, newest first."""
    statement = select(*_ROW).where(T.name == name).order_by(T.version.desc()).limit(limit)
    return tuple(StoredValue(*row) for row in session.connection().execute(statement))


def put(  # noqa: PLR0913 - a row has that many facts
    session: Session, name: str, value: str | None, *, version: int, why: str, actor: str, now: datetime
) -> None:
    """Adds a version. Conflict where somebody else has added the same number."""
    row = {"name": name, "version": version, "value": value, "why": why, "actor": actor, "at": now}
    session.connection().execute(insert(table(StoredSettingTable)), row)
