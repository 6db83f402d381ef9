"""Who is signed in where, and the links that let somebody in once. Tokens are known by their hashes.

Every function that writes expects a write transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, insert, or_, select, update

from relaydesk.store.account_tables import EntryLinkTable, WebSessionTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement
    from sqlmodel import Session

S, L = table(WebSessionTable).c, table(EntryLinkTable).c

LinkKind = Literal["password", "enter", "direct"]
"""What a link's page asks: to choose a password, one press of a button, or nothing."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One browser in which an agent is signed in. Times are aware UTC; ``way`` says how they came in."""

    id: int
    agent: str
    begun_at: datetime
    seen_at: datetime
    expires_at: datetime
    stays: bool
    way: str
    address: str
    browser: str


_ROW = (S.id, S.agent, S.begun_at, S.seen_at, S.expires_at, S.stays, S.way, S.address, S.browser)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link that was not used yet."""

    agent: str
    kind: LinkKind
    expires_at: datetime


def begin(session: Session, token_hash: str, row: SessionRow) -> None:
    """An agent is signed in from now on; the row's number is not looked at."""
    values = {
        "token_hash": token_hash,
        "agent": row.agent,
        "begun_at": row.begun_at,
        "seen_at": row.seen_at,
        "expires_at": row.expires_at,
        "stays": row.stays,
        "way": row.way,
        "address": row.address,
        "browser": row.browser,
    }
    session.connection().execute(insert(table(WebSessionTable)), values)


def of_token(session: Session, token_hash: str, now: datetime, idle: timedelta) -> SessionRow | None:
    """The session of a token, unless it has expired or was left alone for longer than ``idle``."""
    statement = select(*_ROW).where(S.token_hash == token_hash, *_alive(now, idle))
    row = session.connection().execute(statement).first()
    return None if row is None else SessionRow(*row)


def of_agent(
    session: Session, agent: str, now: datetime, idle: timedelta, limit: int = 100
) -> tuple[SessionRow, ...]:
    """The sessions of an agent, those seen last first."""
    statement = select(*_ROW).where(S.agent == agent, *_alive(now, idle))
    rows = session.connection().execute(statement.order_by(S.seen_at.desc(), S.id.desc()).limit(limit))
    return tuple(SessionRow(*row) for row in rows)


def _alive(now: datetime, idle: timedelta) -> tuple[ColumnElement[bool], ...]:
    return S.expires_at > now, or_(S.stays, S.seen_at > now - idle)


def seen(session: Session, number: int, now: datetime) -> None:
    """Notes that a session is in use."""
    session.connection().execute(update(table(WebSessionTable)).where(S.id == number).values(seen_at=now))


def end(session: Session, agent: str, number: int) -> bool:
    """Ends one session of an agent; False when they have none of that number."""
    statement = delete(table(WebSessionTable)).where(S.agent == agent, S.id == number)
    return session.connection().execute(statement).rowcount == 1


def end_all(session: Session, agent: str, *, but: int | None = None) -> int:
    """Ends every session of an agent, except the number ``but``; how many."""
    statement = delete(table(WebSessionTable)).where(S.agent == agent)
    if but is not None:
        statement = statement.where(S.id != but)
    return session.connection().execute(statement).rowcount


def end_of_token(session: Session, token_hash: str) -> str | None:
    """Ends the session of a token; the agent whose it was."""
    agent: str | None = (
        session.connection().execute(select(S.agent).where(S.token_hash == token_hash)).scalar()
    )
    session.connection().execute(delete(table(WebSessionTable)).where(S.token_hash == token_hash))
    return agent


def forget_old(session: Session, agent: str, now: datetime, keep: int) -> None:
    """Takes away an agent's expired sessions, and beyond ``keep`` those that were seen longest ago."""
    rows = session.connection().execute(
        select(S.id).where(S.agent == agent, S.expires_at > now).order_by(S.seen_at.desc()).limit(keep)
    )
    kept = [number for (number,) in rows]
    session.connection().execute(delete(table(WebSessionTable)).where(S.agent == agent, S.id.not_in(kept)))


def add_link(session: Session, token_hash: str, link: LinkRow, now: datetime) -> None:
    """A link for an agent, good for one use until it expires. A new one of a kind replaces the older ones."""
    session.connection().execute(
        delete(table(EntryLinkTable)).where(
            L.agent == link.agent, or_(L.kind == link.kind, L.expires_at <= now)
        )
    )
    values = {
        "token_hash": token_hash,
        "agent": link.agent,
        "kind": link.kind,
        "made_at": now,
        "expires_at": link.expires_at,
    }
    session.connection().execute(insert(table(EntryLinkTable)), values)


def link_of(session: Session, token_hash: str, now: datetime) -> LinkRow | None:
    """What a link is good for; None for one used, expired or unknown."""
    statement = select(L.agent, L.kind, L.expires_at).where(
        L.token_hash == token_hash, L.used_at.is_(None), L.expires_at > now
    )
    row = session.connection().execute(statement).first()
    return None if row is None else LinkRow(*row)


def use_link(session: Session, token_hash: str, now: datetime) -> LinkRow | None:
    """What a link was good for, which uses it up; None for one used, expired or unknown."""
    link = link_of(session, token_hash, now)
    statement = update(table(EntryLinkTable)).where(L.token_hash == token_hash, L.used_at.is_(None))
    used = session.connection().execute(statement.values(used_at=now)).rowcount == 1
    return link if used else None


def forget_links(session: Session, agent: str) -> None:
    """No link lets this agent in any more."""
    session.connection().execute(delete(table(EntryLinkTable)).where(L.agent == agent))


def open_links(session: Session, now: datetime) -> frozenset[str]:
    """The agents who have a link that they did not use yet."""
    statement = select(L.agent).where(L.used_at.is_(None), L.expires_at > now)
    return frozenset(session.connection().execute(statement).scalars())


def last_seen(session: Session) -> dict[str, datetime]:
    """When each agent was seen last, of those who have a session."""
    rows = session.connection().execute(select(S.agent, func.max(S.seen_at)).group_by(S.agent))
    return {agent: seen_at for agent, seen_at in rows}  # noqa: C416 - rows are no pairs to the type checker
