"""The views that agents keep: a list with its filters, by a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from relaydesk.store.tables import table
from relaydesk.store.view_tables import SavedViewTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

V = table(SavedViewTable).c


@dataclass(frozen=True, slots=True)
class SavedView:
    """``query`` are the filters as the page's address has them, each with its values."""

    id: int
    owner: str
    name: str
    shared: bool
    query: Mapping[str, list[str]]


_ROW = (V.id, V.owner, V.name, V.shared, V.query)


def visible(session: Session, agent: str) -> tuple[SavedView, ...]:
    """An agent's own views and those that are shared, by name."""
    statement = select(*_ROW).where(or_(V.owner == agent, V.shared.is_(True))).order_by(V.name, V.id)
    return tuple(SavedView(*row) for row in session.connection().execute(statement))


def read(session: Session, view_id: int) -> SavedView | None:
    """One view."""
    row = session.connection().execute(select(*_ROW).where(V.id == view_id)).first()
    return None if row is None else SavedView(*row)


def add(  # noqa: PLR0913 - a row has that many facts
    session: Session, owner: str, name: str, query: Mapping[str, list[str]], *, shared: bool, now: datetime
) -> int:
    """Keeps a view; its number."""
    row = {"owner": owner, "name": name, "shared": shared, "query": dict(query), "made_at": now}
    statement = insert(table(SavedViewTable)).returning(V.id)
    return int(session.connection().execute(statement, row).scalar_one())


def change(session: Session, view_id: int, **values: Any) -> None:
    """Sets ``name`` or ``shared``."""
    session.connection().execute(update(table(SavedViewTable)).where(V.id == view_id).values(**values))


def drop(session: Session, view_id: int) -> None:
    """The view is no longer wanted."""
    session.connection().execute(delete(table(SavedViewTable)).where(V.id == view_id))
