"""The one reader of YAML: what it reads, with lines, and what it will not."""

from __future__ import annotations

from datetime import date

import pytest

from relaydesk.yaml_reader import YamlError, YamlList, YamlMapping, parse_yaml
from relaydesk.yaml_reader.read import DEEPEST, LONGEST


def test_it_reads_values_as_yaml_1_2_has_them() -> None:
    text = """
plain: a text of several words
quoted: "01"
block: |
  two
  lines
numbers: [0, -1, 1_000, 0x10, 0o17, 1.5, .5, 1e3]
truth: [true, False]
nothing: [~, null, ]
texts: [yes, no, on, NO, 1:30, "09:00-17:00", 1.2.3.4, 10.0.0.0/8, ::1, -, .hidden, +1 555]
2026-11-26: a date
7: a number
smile: "\\ud83d\\ude00"
"""
    tree = parse_yaml(text, "x.yaml")
    assert tree == {
        "plain": "a text of several words",
        "quoted": "01",
        "block": "two\nlines\n",
        "numbers": [0, -1, 1000, 16, 15, 1.5, 0.5, 1000.0],
        "truth": [True, False],
        "nothing": [None, None],
        "texts": [
            *("yes", "no", "on", "NO", "1:30", "09:00-17:00", "1.2.3.4", "10.0.0.0/8", "::1", "-"),
            *(".hidden", "+1 555"),
        ],
        date(2026, 11, 26): "a date",
        7: "a number",
        "smile": "\U0001f600",
    }


def test_it_knows_the_lines() -> None:
    tree = parse_yaml("\ufeffa:\n  - 1\n\n  - {b: 2,\n     c: 3}\nd: 4\n", "x.yaml")
    assert isinstance(tree, YamlMapping)
    assert tree.lines == {"a": 1, "d": 6}
    assert isinstance(tree["a"], YamlList)
    assert tree["a"].lines == [2, 4]
    assert tree["a"][1].lines == {"b": 4, "c": 5}


@pytest.mark.parametrize(("text", "value"), [("", None), ("# a remark\n", None), ("--- {}\n...\n", {})])
def test_it_reads_little(text: str, value: object) -> None:
    assert parse_yaml(text, "x.yaml") == value


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: &x 1\nb: 2", 1, "anchors"),
        ("a: 1\nb: *x", 2, "aliases"),
        ("a: 1\n<<: {b: 2}", 2, "merge keys"),
        ("a: !!binary aGk=", 1, "tags"),
        ("a: !own {b: 1}", 1, "tags"),
        ("a: 1\nb: 1\na: 2", 3, "key 'a' is there twice, first in line 1"),
        ("a: {b: 1, b: 2}", 1, "twice"),
        ("null: 1", 1, "a key cannot be null"),
        ("? [a]\n: 1", 1, "a key cannot be a list"),
        ("a: 007", 1, "begins with a zero"),
        ("a: -.inf", 1, "no number"),
        ("a: 1e999", 1, "no number"),
        ("a: 2026-02-30", 1, "there is no date 2026-02-30"),
        ("a: 1\n---\nb: 1", 2, "second document"),
        ("%YAML 1.1\n---\na: yes", 2, "directives"),
        ("a:\n\t- b", 2, "a tab"),
        ("a: 1\nb: \x1b", 2, "U+001B"),
        ("a: 'b", 1, "not YAML"),
        ("a: b: c", 1, "not YAML"),
        ('a: "\\ud800"', 1, "half of a character"),
        ("- " * (DEEPEST + 1), 1, "nested"),
        ("a: " + "[" * 5000 + "]" * 5000, 1, "nested"),
        ("a" * (LONGEST + 1), 1, "500,000 characters"),
    ],
)
def test_it_says_what_it_will_not_read_and_where(text: str, line: int, problem: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text, "x.yaml")
    assert caught.value.line == line
    assert problem in caught.value.problem
    assert str(caught.value).startswith(f"x.yaml, line {line}: ")
