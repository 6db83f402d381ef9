"""The gateway's clients: help desks that submit their answers, each with a password of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from relaydesk.store.tables import GatewayClientTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

C = table(GatewayClientTable).c


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A client without its secret. Times are aware UTC; a revoked one stays on record."""

    name: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def clients(session: Session) -> tuple[ClientRow, ...]:
    """All clients by name, revoked ones too."""
    statement = select(C.name, C.created_at, C.revoked_at, C.last_used_at).order_by(C.name)
    return tuple(ClientRow(*row) for row in session.connection().execute(statement))


def add(session: Session, name: str, secret_hash: str, now: datetime) -> None:
    """Adds a client; Conflict when the name is or was taken."""
    row = {"name": name, "secret_hash": secret_hash, "created_at": now}
    session.connection().execute(insert(table(GatewayClientTable)), row)


def revoke(session: Session, name: str, now: datetime) -> bool:
    """From now on the client is refused. False when there is none of that name that is not revoked."""
    statement = update(table(GatewayClientTable)).where(C.name == name, C.revoked_at.is_(None))
    return session.connection().execute(statement.values(revoked_at=now)).rowcount == 1


def secret_of(session: Session, name: str) -> str | None:
    """The hash of a client's password; None for one that is unknown or revoked."""
    statement = select(C.secret_hash).where(C.name == name, C.revoked_at.is_(None))
    secret_hash: str | None = session.connection().execute(statement).scalar()
    return secret_hash


def used(session: Session, name: str, now: datetime) -> bool:
    """Notes that a client handed something in. False when it was revoked meanwhile."""
    statement = update(table(GatewayClientTable)).where(C.name == name, C.revoked_at.is_(None))
    return session.connection().execute(statement.values(last_used_at=now)).rowcount == 1
