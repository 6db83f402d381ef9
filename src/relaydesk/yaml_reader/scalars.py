"""What a plain word of YAML means: the core schema of YAML 1.2 (§10.3.2), with dates, and no surprises.

``yes``, ``no``, ``on`` and ``NO`` are texts, as are ``1:30`` and times of day. What other readers take for
something else, or nobody can compute with, is an error: ``0755``, ``.inf``, a number of a hundred digits.
"""

from __future__ import annotations

import re
from datetime import date
from math import isfinite, nan

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9](?:_?[0-9])*")
_LEADING_ZERO = re.compile(r"[-+]?0_?[0-9]")
_BASED = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STARTS = frozenset("+-.0123456789")  # of every number and date
LONGEST_NUMBER = 40  # characters


def plain_value(text: str) -> str | bool | int | float | date | None:
    """The value of an unquoted scalar. ValueError is a clause that says what to write instead."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _STARTS:
        return text
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"there is no date {text}; correct it, or put it in quotes") from None
    return _number(text)


def _number(text: str) -> str | int | float:
    integer, based = _INTEGER.fullmatch(text), _BASED.fullmatch(text)
    if not (integer or based or _FLOAT.fullmatch(text) or _NO_NUMBER.fullmatch(text)):
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"{text[:LONGEST_NUMBER]}… is too long for a number; put it in quotes")
    if integer and _LEADING_ZERO.match(text):
        raise ValueError(f"{text} begins with a zero, which not all read alike; put it in quotes")
    if integer:
        return int(text)
    if based:
        return int(text, 0)
    number = nan if _NO_NUMBER.fullmatch(text) else float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number to compute with; put it in quotes if it is text")
    return number
