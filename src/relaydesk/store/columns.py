"""What lies in a column: types with one meaning on SQLite and PostgreSQL, and JSON read into frozen values.

Migrations name the types too, so they only grow. JSON is written by ``dataclasses.asdict``. When it is read,
a key that is missing is the field's default, since older rows lack what was added later; a key that no field
has is passed over. What is missing without a default, or no moment where one is due, is a ValueError.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

Value = TypeVar("Value")

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


def read_value(cls: type[Value], values: Mapping[str, Any]) -> Value:
    """A value of the frozen dataclass ``cls``. Literals are taken as written."""
    arguments = {}
    shape: Any = cls
    for name, key, read, required in _plan(shape):
        if key in values:
            arguments[name] = read(values[key])
        elif required:
            raise ValueError(f"{cls.__name__} has no {key}.")
    return cls(**arguments)


def keys(cls: Any) -> frozenset[str]:
    """The keys that the JSON of ``cls`` can have."""
    return _keys(cls)


@cache
def _keys(cls: Any) -> frozenset[str]:
    return frozenset(key for _, key, _, _ in _plan(cls))


@cache
def _plan(cls: Any) -> tuple[tuple[str, str, Callable[[Any], Any], bool], ...]:
    """Name, key, reader and "must be there" of every field, found out once a class."""
    hints = get_type_hints(cls)
    return tuple(
        (
            field.name,
            field.metadata.get("key", field.name),
            _reader(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(cls)
    )


def _reader(hint: Any) -> Callable[[Any], Any]:
    """How a JSON value becomes one of this type."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        read = next(_reader(hinted) for hinted in inner if hinted is not types.NoneType)
        return lambda value: None if value is None else read(value)
    if kind is tuple:
        read = _reader(inner[0])
        return lambda value: tuple(map(read, value))
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: read_value(hint, value)
    return lambda value: value
