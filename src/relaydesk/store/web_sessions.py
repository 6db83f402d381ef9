"""Who is signed in where, and the links that let somebody in once. Tokens are known by their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from relaydesk.store.account_tables import EntryLinkTable, WebSessionTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

S, L = table(WebSessionTable).c, table(EntryLinkTable).c


def begin(  # noqa: PLR0913 - a row has that many facts
    session: Session,
    token_hash: str,
    agent: str,
    *,
    now: datetime,
    expires_at: datetime,
    address: str = "",
    browser: str = "",
) -> None:
    """An agent is signed in from now on."""
    row = {
        "token_hash": token_hash,
        "agent": agent,
        "begun_at": now,
        "seen_at": now,
        "expires_at": expires_at,
        "address": address,
        "browser": browser,
    }
    session.connection().execute(insert(table(WebSessionTable)), row)


def agent_of(session: Session, token_hash: str, now: datetime) -> str | None:
    """The agent of a session that has not expired."""
    statement = select(S.agent).where(S.token_hash == token_hash, S.expires_at > now)
    agent: str | None = session.connection().execute(statement).scalar()
    return agent


def add_link(session: Session, token_hash: str, agent: str, *, now: datetime, expires_at: datetime) -> None:
    """A link for an agent, good for one use until ``expires_at``."""
    row = {"token_hash": token_hash, "agent": agent, "made_at": now, "expires_at": expires_at}
    session.connection().execute(insert(table(EntryLinkTable)), row)


def use_link(session: Session, token_hash: str, now: datetime) -> str | None:
    """The agent whom a link lets in, which uses it up; None for one used, expired or unknown."""
    statement = (
        update(table(EntryLinkTable))
        .where(L.token_hash == token_hash, L.used_at.is_(None), L.expires_at > now)
        .values(used_at=now)
    )
    if session.connection().execute(statement).rowcount != 1:
        return None
    agent: str = session.connection().execute(select(L.agent).where(L.token_hash == token_hash)).scalar_one()
    return agent


def last_seen(session: Session) -> dict[str, datetime]:
    """When each agent was last seen in a browser."""
    statement = select(S.agent, func.max(S.seen_at)).group_by(S.agent)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def links_waiting(session: Session, now: datetime) -> frozenset[str]:
    """The agents who have a link that can still be used."""
    statement = select(L.agent).where(L.used_at.is_(None), L.expires_at > now).distinct()
    return frozenset(session.connection().execute(statement).scalars())


def end_all(session: Session, agent: str, now: datetime) -> None:
    """Ends every session and link of an agent."""
    session.connection().execute(
        update(table(WebSessionTable)).where(S.agent == agent, S.expires_at > now).values(expires_at=now)
    )
    session.connection().execute(
        update(table(EntryLinkTable)).where(L.agent == agent, L.used_at.is_(None)).values(used_at=now)
    )
