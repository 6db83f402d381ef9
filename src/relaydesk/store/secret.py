"""The key that seals our bounce addresses: made once, kept with the mail, the same for every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from relaydesk.store.contention import upsert
from relaydesk.store.tables import SecretTable, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.store.engine import Store

BYTES = 32  # as long as the digest it keys (RFC 2104 §3)
NAME = "bounces"


def read(store: Store, make: Callable[[int], bytes]) -> bytes:
    """The store's key; the first process to ask has it made by ``make`` (a source of random bytes)."""
    statement = select(table(SecretTable).c.value).where(table(SecretTable).c.name == NAME)
    with store.reading() as session:
        value = session.connection().execute(statement).scalar()
    if value is None:
        with store.transaction() as session:
            new = upsert(session, SecretTable).values(name=NAME, value=make(BYTES).hex())
            session.connection().execute(new.on_conflict_do_nothing())
            value = session.connection().execute(statement).scalar_one()
    return bytes.fromhex(value)
