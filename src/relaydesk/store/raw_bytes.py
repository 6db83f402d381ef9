"""The bytes of whole messages in and out of the store, without the driver keeping memory for them.

libpq sends a statement and reads a row by one buffer each, which grows to the largest there ever was (a value
that is read is written in hex, so twice its size) and is given back only with the connection.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func, select

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine
    from sqlalchemy.pool import ConnectionPoolEntry
    from sqlmodel import Session

PIECE = 1 << 20
_GROWN = "relaydesk grown"


def read(session: Session, column: ColumnElement[bytes], *where: ColumnElement[bool]) -> bytes | None:
    """A value that does not change once it is written; None when there is no such row."""
    connection = session.connection()
    if session.get_bind().dialect.name == "sqlite":
        return connection.execute(select(column).where(*where)).scalar()
    content, last = BytesIO(), PIECE
    while last == PIECE:
        piece = func.substr(column, content.tell() + 1, PIECE, type_=column.type)
        value = connection.scalar(select(piece).where(*where))
        if value is None:
            return None
        last = content.write(value)
    return content.getvalue()


def written(session: Session, raw: bytes) -> None:
    """Says that the session's connection has written these bytes: one that has grown by it is not kept."""
    if len(raw) > PIECE:
        session.connection().info[_GROWN] = True


def attach(engine: Engine) -> None:
    """Lets go of connections that have grown, when they come back to the pool."""
    if engine.dialect.name == "postgresql":
        event.listen(engine, "checkin", _let_go)


def _let_go(_connection: Any, record: ConnectionPoolEntry) -> None:
    if record.info.pop(_GROWN, False):
        record.invalidate()
