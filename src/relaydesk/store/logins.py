"""How agents sign in: passwords as hashes, authenticators, recovery codes, and who has taken the first step.

Every function that writes expects a write transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from relaydesk.store.account_tables import AgentLoginTable, RecoveryCodeTable, SignInStepTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

A, R, P = table(AgentLoginTable).c, table(RecoveryCodeTable).c, table(SignInStepTable).c


@dataclass(frozen=True, slots=True)
class LoginRow:
    """How an agent signs in; what is None was never set. ``totp_pending`` is a key that is not confirmed."""

    agent: str
    password_hash: str | None = None
    password_at: datetime | None = None
    totp_key: str | None = None
    totp_pending: str | None = None
    totp_step: int = 0
    totp_at: datetime | None = None
    company_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """Whose code is wanted, and how the session shall be that begins with it."""

    agent: str
    stays: bool
    way: str


_ROW = (
    A.agent,
    A.password_hash,
    A.password_at,
    A.totp_key,
    A.totp_pending,
    A.totp_step,
    A.totp_at,
    A.company_at,
)


def of_agent(session: Session, agent: str) -> LoginRow:
    """How an agent signs in; nothing set where they never did."""
    row = session.connection().execute(select(*_ROW).where(A.agent == agent)).first()
    return LoginRow(agent) if row is None else LoginRow(*row)


def everybody(session: Session) -> dict[str, LoginRow]:
    """By the agents' names, those who have anything set."""
    return {row.agent: LoginRow(*row) for row in session.connection().execute(select(*_ROW))}


def change(session: Session, agent: str, **values: Any) -> None:
    """Sets columns of an agent's row, which is made where there is none."""
    row = upsert(session, AgentLoginTable).values(agent=agent, **{"totp_step": 0, **values})
    session.connection().execute(row.on_conflict_do_update(index_elements=[A.agent], set_=values))


def replace_hash(session: Session, agent: str, former: str, new: str) -> bool:
    """A stronger hash of the same password, unless it was changed meanwhile."""
    statement = update(table(AgentLoginTable)).where(A.agent == agent, A.password_hash == former)
    return session.connection().execute(statement.values(password_hash=new)).rowcount == 1


def use_step(session: Session, agent: str, step: int) -> bool:
    """Uses up a step of time and those before it; False when its code was used already."""
    statement = update(table(AgentLoginTable)).where(A.agent == agent, A.totp_step < step)
    return session.connection().execute(statement.values(totp_step=step)).rowcount == 1


def set_recovery_codes(session: Session, agent: str, hashes: Iterable[str], now: datetime) -> None:
    """These are the agent's recovery codes from now on."""
    session.connection().execute(delete(table(RecoveryCodeTable)).where(R.agent == agent))
    rows = [{"code_hash": code_hash, "agent": agent, "made_at": now} for code_hash in hashes]
    if rows:
        session.connection().execute(insert(table(RecoveryCodeTable)), rows)


def use_recovery_code(session: Session, agent: str, code_hash: str, now: datetime) -> bool:
    """Uses up a recovery code; False where it is none, or none any more."""
    statement = update(table(RecoveryCodeTable)).where(
        R.agent == agent, R.code_hash == code_hash, R.used_at.is_(None)
    )
    return session.connection().execute(statement.values(used_at=now)).rowcount == 1


def recovery_codes_left(session: Session, agent: str) -> int:
    """How many recovery codes an agent has left."""
    statement = select(func.count()).where(R.agent == agent, R.used_at.is_(None))
    return int(session.connection().execute(statement).scalar_one())


def forget(session: Session, agent: str) -> None:
    """Password, authenticator and recovery codes of an agent are gone."""
    session.connection().execute(delete(table(RecoveryCodeTable)).where(R.agent == agent))
    forget_steps(session, agent)
    session.connection().execute(delete(table(AgentLoginTable)).where(A.agent == agent))


def begin_step(session: Session, token_hash: str, step: StepRow, *, now: datetime, until: datetime) -> None:
    """The first step is taken; the second is waited for until then. Takes away what waits no longer."""
    session.connection().execute(delete(table(SignInStepTable)).where(P.expires_at <= now))
    values = {
        "token_hash": token_hash,
        "agent": step.agent,
        "stays": step.stays,
        "way": step.way,
        "expires_at": until,
    }
    session.connection().execute(insert(table(SignInStepTable)), values)


def step_of(session: Session, token_hash: str, now: datetime) -> StepRow | None:
    """The first step of a token; None when it is too long ago, or there was none."""
    statement = select(P.agent, P.stays, P.way).where(P.token_hash == token_hash, P.expires_at > now)
    row = session.connection().execute(statement).first()
    return None if row is None else StepRow(*row)


def end_step(session: Session, token_hash: str) -> bool:
    """The first step is used up; False when another request did that."""
    statement = delete(table(SignInStepTable)).where(P.token_hash == token_hash)
    return session.connection().execute(statement).rowcount == 1


def forget_steps(session: Session, agent: str) -> None:
    """No first step of this agent counts any more."""
    session.connection().execute(delete(table(SignInStepTable)).where(P.agent == agent))
