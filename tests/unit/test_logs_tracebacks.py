"""A traceback says where and which kind of error, and nothing that the program had in hand."""

from __future__ import annotations

import json

import pytest

from relaydesk.logs import error_text, traceback_text

ALICE = "Alice Zweig"


def raised(work) -> BaseException:
    try:
        work()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def fail_with(value: object) -> None:
    raise ValueError(f"the name {value!r} cannot be read, it has {value} in it")


def fail_by_cause() -> None:
    try:
        {}[ALICE]
    except KeyError as error:
        raise RuntimeError(f"no {ALICE}") from error


def fail_while_handling() -> None:
    try:
        int(ALICE)
    except ValueError:
        fail_with(ALICE)


def fail_in_a_group() -> None:
    raise ExceptionGroup(f"group of {ALICE}", [raised(lambda: fail_with(ALICE)), raised(fail_by_cause)])


def fail_with_a_note() -> None:
    error = LookupError(ALICE)
    error.add_note(ALICE)
    raise error


@pytest.mark.parametrize(
    "work",
    [
        lambda: fail_with(ALICE),
        lambda: int(ALICE),
        lambda: {}[ALICE],
        lambda: ALICE.encode("x" + ALICE),
        lambda: json.loads(ALICE),
        lambda: getattr(object(), ALICE),
        lambda: open(f"/nowhere/{ALICE}"),  # noqa: PTH123, SIM115
        lambda: exec(f"raise {ALICE!r}"),
        lambda: compile(ALICE, "x", "exec"),
        fail_by_cause,
        fail_while_handling,
        fail_in_a_group,
        fail_with_a_note,
    ],
)
def test_no_value_gets_into_it(work) -> None:
    error = raised(work)
    for text in (traceback_text(error), error_text(error)):
        assert "Alice" not in text
        assert "Zweig" not in text
        assert type(error).__name__ in text
    assert "test_logs_tracebacks.py" in traceback_text(error)


def test_it_keeps_the_words_of_the_program() -> None:
    error = raised(lambda: fail_with(ALICE))
    assert error_text(error) == "ValueError: the name '…' cannot be read, it has … in it"
    assert "in fail_with" in traceback_text(error)


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (lambda: None.nothing, "AttributeError: 'NoneType' object has no attribute 'nothing'"),
        (lambda: {}[[]], "TypeError: unhashable type: 'list'"),
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: open("/nowhere"), "FileNotFoundError (errno 2): "),  # noqa: PTH123, SIM115
    ],
)
def test_it_keeps_what_the_interpreter_says_of_code(work, text: str) -> None:
    assert error_text(raised(work)).startswith(text)


def test_it_tells_a_cause_before_what_came_of_it() -> None:
    rows = traceback_text(raised(fail_by_cause)).split("\n")
    assert [row for row in rows if row.startswith(("KeyError", "RuntimeError", "which"))] == [
        "KeyError: '…'",
        "which was the cause of",
        "RuntimeError: no …",
    ]


def test_it_stays_short() -> None:
    def deeper(number: int) -> None:
        deeper(number + 1)

    assert len(traceback_text(raised(lambda: deeper(0)))) < 10_000
    error = ValueError("x")
    for _ in range(1000):
        following = ValueError("y")
        following.__context__ = error
        error = following
    error.__context__.__context__ = error  # type: ignore[union-attr]
    assert len(traceback_text(error)) < 10_000
    assert len(error_text(ValueError("x" * 1_000_000))) < 1_000
