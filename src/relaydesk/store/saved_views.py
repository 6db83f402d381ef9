"""The views that agents keep: a list with its filters, by a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, or_, select, update

from relaydesk.store.tables import table
from relaydesk.store.view_tables import SavedViewTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlmodel import Session

V = table(SavedViewTable).c
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class SavedView:
    """``place`` is the address of the list, ``query`` are its filters as the address has them, each with its
    values."""

    id: int
    owner: str
    name: str
    shared: bool
    place: str
    query: Mapping[str, Sequence[str]]


_ROW = (V.id, V.owner, V.name, V.shared, V.place, V.query)


def visible(session: Session, agent: str) -> tuple[SavedView, ...]:
    """An agent's own views and those that are shared, by name."""
    statement = select(*_ROW).where(or_(V.owner == agent, V.shared.is_(True))).order_by(V.name, V.id)
    return tuple(SavedView(*row) for row in session.connection().execute(statement.limit(MOST_SHOWN)))


def view(session: Session, view_id: int) -> SavedView | None:
    """One view, None when there is none of that number."""
    row = session.connection().execute(select(*_ROW).where(V.id == view_id)).first()
    return None if row is None else SavedView(*row)


def add(session: Session, kept: SavedView, now: datetime) -> int:
    """Keeps a view (its ``id`` is passed over); its number. Conflict where its owner has that name."""
    row = {
        "owner": kept.owner,
        "name": kept.name,
        "shared": kept.shared,
        "place": kept.place,
        "query": {name: list(values) for name, values in kept.query.items()},
        "made_at": now,
    }
    statement = insert(table(SavedViewTable)).returning(V.id)
    return int(session.connection().execute(statement, row).scalar_one())


def change(session: Session, view_id: int, name: str, *, shared: bool) -> None:
    """Names it anew, and shares it or keeps it to its owner."""
    values = {"name": name, "shared": shared}
    session.connection().execute(update(table(SavedViewTable)).where(V.id == view_id).values(values))


def drop(session: Session, view_id: int) -> None:
    """The view is no longer wanted."""
    session.connection().execute(delete(table(SavedViewTable)).where(V.id == view_id))
