"""Twice the text is twice the work, for every reader that foreign bytes reach, on hostile shapes.

``make growth`` does the same with more shapes and at larger sizes, and prints what costs most.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk_testkit import readers_of_answers, readers_of_mail
from relaydesk_testkit.growth import LINEAR, Row, dearest
from relaydesk_testkit.reader import Reader
from relaydesk_testkit.readers import READERS, SAMPLES
from relaydesk_testkit.shapes import Shape, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

ROOMS = (
    *("message", "classify", "bounces", "mailauth", "policy.origin"),
    *("smtpd.paths", "smtpd.xclient", "smtpd.data_reader", "intake.forward"),
    *("gateway.html", "gateway.lines", "gateway.submission", "outbound.check", "outbound.mime"),
    *("orders.csv_file", "orders.json_file", "orders.cells", "orders.row"),
)
# Functions that no hostile text reaches, or none of any length: by module or by function, and why.
EXEMPT = {
    "classify.patterns": "protocols of RE2's own objects",
    "classify.packs_file": "reads our own files at the start, and the shop's",
    "classify.rules_file": "reads our own files at the start, and the shop's",
    "classify.yaml_reader": "reads our own files at the start, and the shop's",
    "classify.rules.Rules.__getstate__": "hands the rules to another process",
    "classify.rules.Rules.extended": "joins rules at the start",
    "mailauth.signing": "signs what we write",
    "mailauth.dkim.verify_dkim": "read_signed and verify_signed, one after the other",
    "mailauth.spf_query.HeldAnswers": "a protocol",
    "message.charset_labels._rows": "reads its own table at import",
    "message.attributions._any": "makes a pattern at import",
    "bounces.words.phrases": "reads its own table at import",
    "bounces.seals": "seals numbers of our own; addresses are read by normal_address",
    "bounces.dsn.Dsn": "looks at one word",
    "message.envelope": "writes a line of what the command lines said, capped there",
    "message.auth_results": "writes a line of what was found, capped there",
    "message.message.Message": "joins passages",
    "classify.findings": "looks at what was found",
    "classify.extract.failed_recipient": "runs one pattern, which tests/fuzz/test_patterns.py attacks",
    "classify.form.Form.orders": "runs a pattern of RE2 over a Subject",
    "classify.form.Form.fits": "runs a pattern of RE2 over a number",
    "gateway.html._query": "takes one link apart, by urlsplit",
    "message.letter_styles._words": "makes a rule at import",
    "mailauth.dmarc.Walk.may_share": "compares two names",
    "mailauth.spf_query.Query._points_back": "compares the addresses of ten hosts at most",
    "message.letter.Editor": "a protocol",
    "message.letter_tree._Print.other_ground": "compares two colours",
    "outbound.mime": "writes; its readers clean_line and clean_text are in the registry",
    "intake.forward.Forwarding": "the store's part of forwarding",
    "intake.forward._end_loop": "the store's part of forwarding",
    "intake.forward.added_fields": "writes what we know of a ticket",
    "intake.forward.on_top": "writes what we know of a ticket",
    "intake.forward._one_line": "writes what we know of a ticket",
}


@pytest.mark.parametrize("name", READERS)
def test_twice_the_text_is_twice_the_work(name: str) -> None:
    reader = READERS[name]
    hostile = shapes(reader.tokens, characters=not reader.whole)
    fast = [row for row in dearest(name, reader, hostile, reader.size) if row.growth > LINEAR]
    assert not fast, "\n".join(map(str, fast))


def test_a_reader_that_looks_at_all_of_the_text_for_each_character_is_found() -> None:
    quadratic = Reader(lambda text: [text.count("ab") for _ in text], ("a", "b"), 1 << 20, text=True)
    rows: list[Row] = dearest("quadratic", quadratic, [Shape("ab")], 8_192)
    assert rows[0].growth > LINEAR


def _modules() -> Iterator[Any]:
    for room in ROOMS:
        module = importlib.import_module(f"relaydesk.{room}")
        yield module
        for below in pkgutil.iter_modules(getattr(module, "__path__", [])):
            yield importlib.import_module(f"{module.__name__}.{below.name}")


def _functions(module: Any) -> Iterator[tuple[str, CodeType]]:
    """The functions and methods that a module defines, by name."""
    owners = [("", module)] + [
        (f"{name}.", kind)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    ]
    for prefix, owner in owners:
        for name, value in vars(owner).items():
            inner = (getattr(value, held, None) for held in ("fget", "__func__", "func", "__wrapped__"))
            function = next(filter(None, inner), value)
            if inspect.isfunction(function) and function.__code__.co_filename == module.__file__:
                yield f"{module.__name__}.{prefix}{name}".removeprefix("relaydesk."), function.__code__


def test_no_reader_is_missing() -> None:
    """Every function of these rooms is reached by a reader of the registry, or says why it need not be."""
    for module in (*_modules(), readers_of_mail, readers_of_answers):
        for value in list(vars(module).values()):
            getattr(value, "cache_clear", int)()  # what runs but once must run here
    reached: set[CodeType] = set()
    sys.setprofile(lambda frame, event, _: reached.add(frame.f_code) if event == "call" else None)
    try:
        for name, reader in READERS.items():
            for text in (*reader.tokens, "".join(reader.tokens), *SAMPLES.get(name, ())):
                reader(text)
    finally:
        sys.setprofile(None)
    functions = {name: code for module in _modules() for name, code in _functions(module)}
    missed = {name for name, code in functions.items() if code not in reached and not _exempt(name)}
    assert not missed, "\n".join(sorted(missed))
    stale = {reason for reason in EXEMPT if not any(_below(reason, name) for name in functions)}
    assert not stale, "\n".join(sorted(stale))


def _below(place: str, name: str) -> bool:
    return f"{name}.".startswith(f"{place}.")


def _exempt(name: str) -> bool:
    return any(_below(place, name) for place in EXEMPT)
