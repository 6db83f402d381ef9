"""What writes of the API were answered with, by caller and idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from relaydesk.store.contention import upsert
from relaydesk.store.notify_tables import ApiReplyTable
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

R = table(ApiReplyTable).c


@dataclass(frozen=True, slots=True)
class KeptReply:
    """``status`` is 0 while the first request is under way."""

    request_hash: str
    status: int
    body: str
    at: datetime


def begin(session: Session, caller: str, key: str, request_hash: str, now: datetime) -> bool:
    """Whether this is the first request with the key."""
    new = upsert(session, ApiReplyTable).values(
        caller=caller, key=key, request_hash=request_hash, status=0, body="", at=now
    )
    statement = new.on_conflict_do_nothing(index_elements=["caller", "key"]).returning(R.key)
    return session.connection().execute(statement).first() is not None


def read(session: Session, caller: str, key: str) -> KeptReply | None:
    """What is kept for the key."""
    statement = select(R.request_hash, R.status, R.body, R.at).where(R.caller == caller, R.key == key)
    row = session.connection().execute(statement).first()
    return None if row is None else KeptReply(*row)


def keep(session: Session, caller: str, key: str, status: int, body: str) -> None:
    """The reply to the first request."""
    statement = update(table(ApiReplyTable)).where(R.caller == caller, R.key == key)
    session.connection().execute(statement.values(status=status, body=body))


def forget(session: Session, caller: str, key: str) -> None:
    """The first request came to nothing: the key is free."""
    session.connection().execute(delete(table(ApiReplyTable)).where(R.caller == caller, R.key == key))


def prune(session: Session, before: datetime) -> None:
    """Drops what is older."""
    session.connection().execute(delete(table(ApiReplyTable)).where(R.at < before))
