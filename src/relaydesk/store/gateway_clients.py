"""The gateway's clients, and which ticket a relay address belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from relaydesk.store.tables import GatewayClientTable, OutboxTable, TicketTable, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

C, T, O = table(GatewayClientTable).c, table(TicketTable).c, table(OutboxTable).c  # noqa: E741 - as every table has its letter


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


def ticket_of(session: Session, address: str) -> int | None:
    """The ticket of a relay address: the one bound to it, an open one before closed ones, the latest first.

    A ticket of unverified mail is bound to none and found by the address its mail came from.
    """
    for column in (T.thread_key, T.relay_address):
        statement = (
            select(T.id)
            .where(column == address.lower(), column != "")
            .order_by((T.state == "open").desc(), T.id.desc())
        )
        ticket: int | None = session.connection().execute(statement.limit(1)).scalar()
        if ticket is not None:
            return ticket
    return None


def handed_in(session: Session, delivery_key: str) -> int | None:
    """The answer that this very submission became, None when it is new."""
    answer: int | None = (
        session.connection().execute(select(O.id).where(O.handed_in == delivery_key)).scalar()
    )
    return answer
