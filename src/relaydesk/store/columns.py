"""Column types with one meaning on SQLite and PostgreSQL. Migrations name them too, so they only grow."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# A btree entry of PostgreSQL holds about 2700 bytes; 500 characters of four bytes always fit.
KEY_LIMIT = 500


def clean(text: str) -> str:
    """``text`` as every database takes it: no NUL, no lone surrogate (both come in hostile mail)."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


class Moment(TypeDecorator[datetime]):
    """An instant. Aware in (a naive value is a ValueError), aware UTC out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; the store takes aware times only.")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text of any length, cleaned; for what is read and never looked up."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean(value)


class Key(TypeDecorator[str]):
    """Text that is looked up: cleaned and cut at :data:`KEY_LIMIT` characters, when stored and when asked."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean(value)[:KEY_LIMIT]


class Json(TypeDecorator[Any]):
    """JSON kept as text: ``jsonb`` would refuse an escaped NUL, which a hostile Subject can hold."""

    impl = JSON
    cache_ok = True


class Id(TypeDecorator[int]):
    """A 64-bit number; INTEGER on SQLite, where only that word makes it the row id."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Raw(TypeDecorator[bytes]):
    """Bytes exactly as received."""

    impl = LargeBinary
    cache_ok = True
