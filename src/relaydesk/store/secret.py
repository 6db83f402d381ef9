"""The key that seals our bounce addresses: made once, kept with the mail, the same for every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from relaydesk.store.contention import upsert
from relaydesk.store.tables import SecretTable, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session

    from relaydesk.store.engine import Store

BYTES = 32  # as long as the digest it keys (RFC 2104 §3)
NAME = "bounces"


_KEPT = select(table(SecretTable).c.value).where(table(SecretTable).c.name == NAME)


def kept(session: Session) -> bytes:
    """The store's key, b"" while there is none."""
    return bytes.fromhex(session.connection().execute(_KEPT).scalar() or "")


def read(store: Store, make: Callable[[int], bytes]) -> bytes:
    """The store's key; the first process to ask has it made by ``make`` (a source of random bytes)."""
    with store.reading() as session:
        value = kept(session)
    if not value:
        with store.transaction() as session:
            new = upsert(session, SecretTable).values(name=NAME, value=make(BYTES).hex())
            session.connection().execute(new.on_conflict_do_nothing())
            value = kept(session)
    return value
