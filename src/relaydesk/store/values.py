"""JSON of the rows → frozen values. The way back is ``dataclasses.asdict``.

A key that is missing is the field's default, since older rows lack what was added later; a key that no field
has is passed over. What is missing without a default, or no moment where one is due, is a ValueError.
"""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = TypeVar("Value")


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


def keys(cls: type) -> frozenset[str]:
    """The keys that the JSON of ``cls`` can have."""
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
