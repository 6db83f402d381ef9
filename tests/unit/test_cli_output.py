"""What commands print is harmless, fits, and says spans as people do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

import relaydesk.events
from relaydesk.characters import harmless, one_line
from relaydesk.cli import queues
from relaydesk.cli.output import Alarm, print_json, say
from relaydesk.cli.tables import GAP, PADDED, Column, fitted, print_table
from relaydesk.cli.times import in_words, left, local
from relaydesk_testkit.arriving import NOON


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Wo ist mein Paket? 荷物 👍🏽 שלום", "Wo ist mein Paket? 荷物 👍🏽 שלום"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("of\r\nWindows", "of\nWindows"),
        ("back\rto the start", "back\ufffdto the start"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31mC1 CSI", "\ufffd31mC1 CSI"),
        ("\x9d0;title\x9c", "\ufffd0;title\ufffd"),
        ("a\x85b\u2028c\u2029d", "a\ufffdb\ufffdc\ufffdd"),
        ("\u202eecila", "ecila"),
        ("\u2066isolated\u2069 \u200emark\u200f \u061c", "isolated mark "),
        ("bell\x07 del\x7f nul\x00", "bell\ufffd del\ufffd nul\ufffd"),
        ("half \ud800 a pair", "half \ufffd a pair"),
    ],
)
def test_nothing_printed_steers_a_terminal(text: str, printed: str) -> None:
    assert harmless(text) == printed


def test_a_cell_is_one_line() -> None:
    assert one_line(" a\n\n b\u00a0\tc\x1b ") == "a b c\ufffd"


def said(*pieces: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("relaydesk.cli.output.is_terminal", lambda **_: True)
    with CliRunner().isolation(color=True) as (out, _, _):
        say(*pieces)
        return out.getvalue().decode()


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = ("due: ", Alarm("over\x1bdue"))
    assert said(*text, monkeypatch=monkeypatch, TERM="xterm") == "due: \x1b[31mover\ufffddue\x1b[0m\n"
    assert said(*text, monkeypatch=monkeypatch, TERM="dumb") == "due: over\ufffddue\n"
    assert said(*text, monkeypatch=monkeypatch, TERM="xterm", NO_COLOR="1") == "due: over\ufffddue\n"


def test_json_keeps_every_character_and_prints_none_that_steers(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"name": "\u202eecila \x9b31m \x1b[m \ud800 \u2028", "text": "荷物\n"}
    with CliRunner().isolation() as (out, _, _):
        print_json(value)
        text = out.getvalue().decode()
    assert json.loads(text) == value
    assert "荷物" in text
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("span", "words", "brief"),
    [
        (timedelta(0), "under 1 min", "under 1 min"),
        (timedelta(seconds=47.260158), "under 1 min", "under 1 min"),
        (timedelta(seconds=119.9), "1 min", "1 min"),
        (timedelta(minutes=59), "59 min", "59 min"),
        (timedelta(hours=5), "5 h", "5 h"),
        (timedelta(hours=5, minutes=20, seconds=59), "5 h 20 min", "5 h"),
        (timedelta(hours=23, minutes=59), "23 h 59 min", "23 h"),
        (timedelta(days=2), "2 d", "2 d"),
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h", "2 d 3 h"),
        (timedelta(days=400, minutes=5), "400 d", "400 d"),
    ],
)
def test_a_span_is_told_in_two_units_at_most(span: timedelta, words: str, brief: str) -> None:
    assert (in_words(span), in_words(span, brief=True)) == (words, brief)


def test_a_deadline_is_told_by_what_is_left() -> None:
    assert left(NOON + timedelta(hours=5), NOON) == "in 5 h"
    late = left(NOON - timedelta(hours=3, minutes=1), NOON, brief=True)
    assert (late, type(late)) == ("overdue 3 h", Alarm)
    assert left(None, NOON) == "no clock"
    assert local(NOON, ZoneInfo("America/Los_Angeles")) == "Tue 24 Nov 04:00 PST"


COLUMNS = (
    Column("id"),
    Column("subject", least=10),
    Column("from", least=6, rank=1),
    Column("order", rank=3),
    Column("kind", rank=2),
)
NATURAL = (4, 40, 20, 15, 8)


@pytest.mark.parametrize(
    ("room", "widths"),
    [
        (95, [4, 40, 20, 15, 8]),  # all of it
        (80, [4, 25, 20, 15, 8]),  # the widest is cut first
        (51, [4, 10, 6, 15, 8]),  # as far as they bear it
        (50, [4, 16, 16, 0, 8]),  # then the highest rank goes, and gives its room
        (20, [4, 14, 0, 0, 0]),
        (10, [4, 4, 0, 0, 0]),  # narrower than anybody has: nothing left to leave out
    ],
)
def test_columns_are_cut_and_then_left_out(room: int, widths: list[int]) -> None:
    assert fitted(COLUMNS, NATURAL, room) == widths


@pytest.mark.parametrize("room", range(8, 130))
def test_no_row_is_wider_than_the_terminal(room: int) -> None:
    shown = [cells for cells in fitted(COLUMNS, NATURAL, room) if cells]
    assert sum(shown) + GAP * (len(shown) - 1) <= room
    assert shown[0] > 0


def test_an_empty_column_takes_no_room() -> None:
    assert fitted(COLUMNS, (4, 10, 0, 15, 0), 33) == [4, 10, 0, 15, 0]


def test_it_knows_every_kind_of_ticket() -> None:
    assert get_args(relaydesk.events.Kind) == queues.KINDS


def test_one_monstrous_cell_widens_no_other_row_of_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    monster = "x" * 5_000
    print_table("List", ("subject", "from"), [(monster, "mallory"), ("Hello", "alice")], "empty")
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == f"{monster}{' ' * GAP}mallory"
    assert lines[4] == f"{'Hello':<{PADDED + GAP}}alice"
