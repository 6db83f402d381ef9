"""Every pattern of the standard library in our source is linear on texts made to make it slow."""

from __future__ import annotations

import re
from functools import cache

import pytest

from relaydesk_testkit.growth import FLOOR, LINEAR, cost, growth
from relaydesk_testkit.pattern_attacks import SOURCE, SourcePattern, attacks, patterns, unnamed
from relaydesk_testkit.shapes import Shape

SHORT = (16, 22, 28, 34)  # characters, of which a nested repetition makes millions of ways
SIZE = 3_000  # a quadratic search takes 2 to 50 ms of them, a linear one a tenth of one
SUSPECT, HOPELESS = 0.001, 0.02  # seconds
# Patterns that read files of ours or of the shop's alone, and which.
TRUSTED = {
    "web.packed": "our own style sheets and scripts, once at the start",
    "desk.rulebook": "patterns of the rule files, which RE2 has taken",
}
ROOMS = sorted(path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py")
# Patterns that are put together where they are used, and why no text can make them slow.
PUT_TOGETHER = {
    "mailauth.spf_macros": "one class of characters, of the delimiters that a macro names",
    "outbound.named_order": "the order's own number as it is, between two looks at one character",
    "web.mail_text": "the buyer's name between two gaps of thirty characters, and the ticket's own numbers",
    "desk.rule_text": "an agent's own words as they are, around one number of at most twenty digits",
}


@cache
def by_room() -> dict[str, list[SourcePattern]]:
    """Those that text from outside reaches."""
    found: dict[str, list[SourcePattern]] = {room: [] for room in ROOMS}
    for pattern in patterns():
        if pattern.name.split(".", 1)[1].rpartition(".")[0] not in TRUSTED:
            found[pattern.name.split(".")[1]].append(pattern)
    return found


def slow(pattern: SourcePattern) -> str:
    """The first attack on which a pattern grows too fast, "" for none."""
    for start, unit, end in attacks(pattern.pattern):
        shape = Shape(unit, start, end)
        for size in (*SHORT, SIZE):
            seconds = cost(pattern.run, shape.text(size))
            if seconds > (SUSPECT if size == SIZE else FLOOR):
                seconds = cost(pattern.run, shape.text(size), 3)
            if seconds > (HOPELESS if size == SIZE else FLOOR):
                return f"{pattern.name}: {size} of {shape}: {seconds * 1000:.0f} ms"
        if seconds > SUSPECT:
            seconds, times = growth(pattern.run, shape, 4 * SIZE)
            if times > LINEAR:
                return f"{pattern.name}: {4 * SIZE} of {shape}: {seconds * 1000:.0f} ms, {times:.1f} times"
    return ""


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_makes_a_pattern_slow(room: str) -> None:
    assert not list(filter(None, map(slow, by_room()[room])))


def test_patterns_are_found_in_many_rooms() -> None:
    assert sum(map(bool, by_room().values())) > 10


def test_a_pattern_that_is_put_together_where_it_is_used_has_a_reason() -> None:
    places = {place for place, _, written in unnamed() if written is None}
    assert {place.partition(".")[2].rpartition(".")[0] for place in places} == PUT_TOGETHER.keys()


@pytest.mark.parametrize(
    ("pattern", "scans"),
    [
        (r"\s+$", True),
        (r"<!--.*?-->", True),
        (r".*/", True),
        (r"[ \w]*[\n ][ \w]*", False),
        (r"scale\(\s*0*\.?0*\s*[,)]", True),
        (r"(?P<id>.+?)(?:\s+x\s+(?P<quantity>\S+))?", False),
        (r'"((?:[^"\\]|\\.)*)"|([^\s;"]+)', True),
        (r"([a-z]{3,})[0-9]{1,3}", True),
        (r"(?:a|aa)+b", False),
        (r"(\d+-?)+x", False),
    ],
)
def test_each_kind_of_slow_pattern_is_found(pattern: str, scans: bool) -> None:
    """Those that once stood in our source, and two that books warn of."""
    assert slow(SourcePattern("found", re.compile(pattern, re.DOTALL), scans))
