"""The tokens by which programs come in, each in the name of an agent. They are known by their hashes.

Every function that writes expects a write transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, insert, or_, select, update

from relaydesk.store.account_tables import ApiTokenTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

T = table(ApiTokenTable).c

TokenScope = Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without itself. Times are aware UTC; ``expires_at`` None is never; a revoked one stays."""

    id: int
    agent: str
    name: str
    scopes: tuple[TokenScope, ...]
    made_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


_ROW = (T.id, T.agent, T.name, T.scopes, T.made_at, T.expires_at, T.used_at, T.revoked_at)


def add(  # noqa: PLR0913 - a row has that many facts
    session: Session,
    token_hash: str,
    agent: str,
    name: str,
    *,
    scopes: Iterable[TokenScope],
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """A new token of an agent."""
    row = {
        "token_hash": token_hash,
        "agent": agent,
        "name": name,
        "scopes": list(scopes),
        "made_at": now,
        "expires_at": expires_at,
    }
    session.connection().execute(insert(table(ApiTokenTable)), row)


def of_token(session: Session, token_hash: str, now: datetime) -> TokenRow | None:
    """The token of this hash, unless it was revoked or has expired."""
    statement = select(*_ROW).where(
        T.token_hash == token_hash, T.revoked_at.is_(None), or_(T.expires_at.is_(None), T.expires_at > now)
    )
    row = session.connection().execute(statement).first()
    return None if row is None else _token(*row)


def of_agent(session: Session, agent: str, limit: int = 100) -> tuple[TokenRow, ...]:
    """The newest tokens of an agent, revoked and expired ones too."""
    statement = select(*_ROW).where(T.agent == agent).order_by(T.id.desc()).limit(limit)
    return tuple(_token(*row) for row in session.connection().execute(statement))


def _token(number: int, agent: str, name: str, scopes: list[TokenScope], *times: datetime) -> TokenRow:
    return TokenRow(number, agent, name, tuple(scopes), *times)


def good(session: Session, agent: str, now: datetime) -> int:
    """How many tokens of an agent are good now."""
    statement = select(func.count()).where(
        T.agent == agent, T.revoked_at.is_(None), or_(T.expires_at.is_(None), T.expires_at > now)
    )
    return int(session.connection().execute(statement).scalar_one())


def used(session: Session, number: int, now: datetime) -> None:
    """Notes that a token is in use."""
    session.connection().execute(update(table(ApiTokenTable)).where(T.id == number).values(used_at=now))


def revoke(session: Session, agent: str, now: datetime, number: int | None = None) -> int:
    """Refuses a token of an agent from now on, or without ``number`` all of them; how many."""
    statement = update(table(ApiTokenTable)).where(T.agent == agent, T.revoked_at.is_(None))
    if number is not None:
        statement = statement.where(T.id == number)
    return session.connection().execute(statement.values(revoked_at=now)).rowcount
