"""Foreign bounces, where they are here: all that their own detectors find is found."""

from __future__ import annotations

import json
from collections import Counter

from relaydesk.bounces import read_bounce
from relaydesk.message import parse_message
from tests.support.shared import shared


def test_it_finds_what_flufl_bounce_finds() -> None:
    folder = shared("corpus/flufl-bounce")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    abouts: Counter[tuple[str, str]] = Counter()
    for name, counts in expected.items():
        right = "undelivered" if counts["permanent"] else "delayed" if counts["temporary"] else "none"
        abouts[right, read_bounce(parse_message((folder / name).read_bytes())).about] += 1
    assert {pair: count for pair, count in abouts.items() if pair[0] != "none"} == {
        ("undelivered", "undelivered"): 101,
        ("delayed", "delayed"): 11,
    }
    # It finds none in five: three are lost mail in other words, one is an auto-reply, one is a person's.
    assert abouts["none", "undelivered"] == 3
