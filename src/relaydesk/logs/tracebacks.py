"""Where an error was raised and of which type, without what the program had in hand.

The text of an unexpected error may quote anything: a buyer's name, a statement's values, a password. Of it
only the words are kept that stand in the code through which the error came, and those in which the
interpreter itself speaks; each run of others is one ``…``. Local variables, notes and attributes stay out.
"""

from __future__ import annotations

import re
import traceback
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, TracebackType

MOST_FRAMES = 25  # of one error, the innermost; a recursion has a thousand
MOST_ERRORS = 10  # causes, contexts and parts of a group
LONGEST_TEXT = 400  # characters of an error's own text that are looked at

_WORD = re.compile(r"\w+")
_MASKED = re.compile(r"…(?:[^\w…]*…)+")
# What CPython says of code, never of data: 'NoneType' object has no attribute …, unhashable type, and so on.
_INTERPRETER = frozenset(
    _WORD.findall(
        "a allowed already an and argument arguments ascii assignment attribute await base be before bool "
        "but by byte bytes callable calling can cannot changed character characters CHECK closed codec "
        "column connection constraint context continuation convert coroutine could database decode "
        "defined depth dict dictionary disk division does duplicate during encode error Error exceeded "
        "exists expected failed few float for FOREIGN from full given got has hashable in index int "
        "invalid IO is item iterable iteration KEY key keyword latin list literal local locked long lost "
        "manager many maximum missing multiple must name no non NoneType not NOT NULL null object of only "
        "operand or ordinal out position positional protocol Python range readonly recursion referenced "
        "relation required self set size start str subscriptable such support surrogates table takes the "
        "timed timeout to too tuple type unexpected unhashable unique UNIQUE unpack unsupported utf value "
        "values variable violates was were while with zero "
    )
)
# What a driver or the system knows beside its text, and what is never data.
_CODES = ("sqlstate", "sqlite_errorname", "errno")


def traceback_text(error: BaseException) -> str:
    """The error and what it came from, the first cause first, as many lines. Never raises."""
    try:
        return "\n".join(_lines(error))
    except Exception as failure:  # a type may do anything when it is asked for its text
        return f"{type(error).__name__}: its traceback cannot be shown ({type(failure).__name__})"


def error_text(error: BaseException) -> str:
    """The error on one line: its type, its codes, and those of its words that are no data. Never raises."""
    try:
        return f"{_type_name(error)}{_codes(error)}{_text(error)}".split("\n")[0]
    except Exception:
        return type(error).__name__


def place_of(error: BaseException | None) -> str:
    """The type of an error and where it was raised, so that the same is known again."""
    if error is None:
        return ""
    frame = next(iter(deque(traceback.walk_tb(error.__traceback__), maxlen=1)), None)
    return _type_name(error) + (f" at {frame[0].f_code.co_filename}:{frame[1]}" if frame else "")


def _lines(error: BaseException) -> Iterator[str]:
    for link, raised in _chain(error, set()):
        yield from ("", link) if link else ()
        yield from _frames(raised.__traceback__)
        yield f"{_type_name(raised)}{_codes(raised)}{_text(raised)}"


def _chain(error: BaseException, seen: set[int], link: str = "") -> Iterator[tuple[str, BaseException]]:
    """The error after those it came from, and before its parts; each with the words that lead over to it."""
    seen.add(id(error))
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and id(earlier) not in seen and len(seen) < MOST_ERRORS:
        yield from _chain(earlier, seen, link)
        link = "which was the cause of" if error.__cause__ else "and while that was handled"
    yield link, error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            if id(part) not in seen and len(seen) < MOST_ERRORS:
                yield from _chain(part, seen, "one of that group")


def _frames(trace: TracebackType | None) -> Iterator[str]:
    summary = traceback.StackSummary.extract(
        deque(traceback.walk_tb(trace), maxlen=MOST_FRAMES), lookup_lines=False
    )
    for frame in summary:
        yield f'File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        # The lines of anything but a program (a template of the shop, say) are its own matter.
        if frame.filename.endswith(".py") and frame.line:
            yield f"  {frame.line}"


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _codes(error: BaseException) -> str:
    """By which numbers and names a driver or the system tells what happened, to the error or its origin."""
    for source in (error, getattr(error, "orig", None)):
        codes = [
            f"{name} {code}" for name in _CODES if isinstance(code := getattr(source, name, None), int | str)
        ]
        if codes:
            return f" ({', '.join(codes)})"
    return ""


def _text(error: BaseException) -> str:
    text = str(error)[:LONGEST_TEXT]
    shown = _words_of_code(error.__traceback__) | _INTERPRETER
    masked = _WORD.sub(lambda word: word[0] if word[0] in shown else "…", text)
    return f": {_MASKED.sub('…', masked)}" if masked else ""


def _words_of_code(trace: TracebackType | None) -> set[str]:
    """The words of the functions that the error came through: their names and the text in them."""
    words = set[str]()
    for frame, _ in traceback.walk_tb(trace):
        words.update(_words_of(frame.f_code))
    return words


def _words_of(code: CodeType) -> Iterator[str]:
    for text in (*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_consts):
        if isinstance(text, str):
            yield from _WORD.findall(text)
