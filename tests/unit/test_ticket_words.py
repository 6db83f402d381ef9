"""The words of a ticket's page: of its events, its mails, its deadline and its files."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from relaydesk import events
from relaydesk.business_time import Calendar, Target, deadline
from relaydesk.message.message import Body, Passage
from relaydesk.store import AttachmentRow, DeadlineRow
from relaydesk.web.deadline_sheet import sheet_of
from relaydesk.web.event_lines import LINES, EventReader, line_of, lines_of
from relaydesk.web.file_kinds import file_view, media_type
from relaydesk.web.mail_text import mail_text
from relaydesk.web.wording import lasted, octets, phrase, when

NOW = datetime(2026, 11, 25, 18, 42, tzinfo=UTC)
ZONE = ZoneInfo("America/Los_Angeles")
READER = EventReader("alice", NOW, ZONE, {}, {7: "instagram-case"})
VALUES = {
    "int": 7,
    "str": "word",
    "datetime": NOW,
    "ClockName": "response",
    "Purpose": "answer",
    "StoppedHow": "answered",
    "BoundBy": "agent",
    "Kind": "case",
}


def sample(kind: type[events.Payload]) -> events.Payload:
    """An event of this kind with something in each field."""
    values = {}
    for field in fields(kind):
        name = str(field.type).partition(" |")[0]
        values[field.name] = VALUES.get(name, True if name == "bool" else ("word",))
    return kind(**values)


@pytest.mark.parametrize("kind", events.PAYLOADS.values(), ids=lambda kind: kind.__name__)
def test_each_kind_of_event_is_a_sentence(kind: type[events.Payload]) -> None:
    line = line_of(events.Event(1, NOW, sample(kind), "agent:alice"), READER)
    assert line.icon[:2] in ("i-", "d-")
    assert line.text[0].isupper() or line.text.startswith("\u201c")
    assert "None" not in line.text
    assert kind in LINES


def test_an_unknown_kind_of_event_falls_back_to_its_word() -> None:
    line = line_of(events.Event(1, NOW, events.UnreadPayload("shipped_to", {"place": 1})), READER)
    assert (line.icon, line.text) == ("i-info", "Shipped to")


def test_what_came_of_an_event_stands_on_its_line() -> None:
    sent = events.AnswerSent(212, 7, "answer", "mx.facebook.com")
    stopped = events.ClockStopped("response", 1, how="answered")
    lines = lines_of(
        [(1, events.Event(1, NOW, sent)), (2, events.Event(1, NOW, stopped))], READER, NOW - timedelta(1)
    )
    assert [line.text for line in lines] == [
        "Answer 212 taken by Meta\u2019s mail server \u00b7 first response \u00b7 clock stopped"
    ]
    elsewhere = events.AnswerSent(212, 7, "answer", "smtp.shop.example")
    assert "the mail server smtp.shop.example" in line_of(events.Event(1, NOW, elsewhere), READER).text


HOURS = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
FORM = (
    "Hi Shop,\n\nalice has a question.\n\nalice wrote:\n\n"
    "Where is it?\n\nThanks!\n\nReply to this.\nThe Instagram team"
)


def words(body: Body, **how: object) -> tuple[list[str], list[str]]:
    """What is shown at once, and the labels of what is folded."""
    blocks = mail_text(body, **how).blocks  # type: ignore[arg-type]
    shown = ["".join(piece.text for piece in block.pieces) for block in blocks if not block.label]
    return shown, [block.label for block in blocks if block.label]


def test_the_buyers_words_are_shown_and_metas_form_is_folded() -> None:
    body = Body("text", (Passage(FORM), Passage("> earlier\n> words", quoted=True)))
    assert words(body, buyer="alice") == (
        ["Where is it?", "Thanks!"],
        ["Quoted text, 2 lines", "Meta\u2019s form, 5 lines"],
    )
    assert len(words(body)[0]) == 6  # nothing is Meta's that is not proven to be
    assert words(body, whole=True)[1] == []
    assert mail_text(body, buyer="alice").peek == "Where is it? Thanks!"


def test_the_last_words_are_never_folded_away() -> None:
    assert words(Body("text", (Passage("> all of it", quoted=True),))) == (["> all of it"], [])


def test_a_link_is_shown_where_it_leads() -> None:
    text = "See https://shop.example/a?b=1. And javascript:x() or https://ex\u0430mple.com/"
    (block,) = mail_text(Body("text", (Passage(text),))).blocks
    assert [piece.link for piece in block.pieces if piece.link] == [
        "https://shop.example/a?b=1",
    ]
    assert all(piece.text == piece.link for piece in block.pieces if piece.link)


def test_what_turns_a_line_round_is_left_out() -> None:
    (block,) = mail_text(Body("text", (Passage("a\u202eb\x1b[31m"),))).blocks
    assert "".join(piece.text for piece in block.pieces) == "ab\ufffd[31m"


@pytest.mark.parametrize("reading", ["elapsed", "end_of_day"])
@pytest.mark.parametrize("target", ["2 business days", "10 days", "30 business days", "90 business minutes"])
def test_a_deadlines_sheet_has_a_line_a_date(target: str, reading: str) -> None:
    calendar = Calendar.from_mapping(
        {"zone": "America/Los_Angeles", "holidays": {"region": "US"}, "hours": HOURS},
        "test",
    )
    start = datetime(2026, 12, 22, 20, tzinfo=UTC)
    due = deadline(start, Target.parse(target), calendar, reading)
    clock = DeadlineRow(
        1, 1, "case", "response", 1, start, due.due, None, due.reading, due.target, due.explanation
    )
    sheet = sheet_of(clock, calendar, start, ZONE)
    assert sheet.title.startswith("Due ")
    assert sheet.sum[0].startswith(target)
    for day in sheet.days:
        assert 0 <= day.x <= day.x + day.width <= 96.01
    if target == "2 business days" and reading == "elapsed":
        assert [(day.label, day.amount) for day in sheet.days] == [
            ("Tue 22", "5 h"),
            ("Wed 23", "8 h"),
            ("Thu 24", "3 h"),
        ]
        assert sheet.days[0].x == 48  # from noon on


@pytest.mark.parametrize(
    ("name", "declared", "sniffed", "warning"),
    [
        ("a.pdf", "application/pdf", "application/pdf", ""),
        ("a.pdf", "application/pdf", "", "Is not what its name says (no known kind)"),
        ("a.pdf.exe", "application/pdf", "", "May run when it is opened"),
        ("a.txt", "text/plain", "application/x-executable", "May run when it is opened"),
        ("a.docm", "application/x", "application/zip", "May hold macros"),
        ("a", "text/html", "", "A web page, which may run scripts"),
        ("a.iso", "x/y", "", "A disk that may hold programs"),
        ("\u202egpj.js", "image/jpeg", "", "May run when it is opened"),
    ],
)
def test_a_file_is_told_for_what_it_may_do(name: str, declared: str, sniffed: str, warning: str) -> None:
    assert file_view(AttachmentRow(name, declared, sniffed, 1, ""), 1).warning == warning


def test_a_download_is_of_a_type_that_nothing_runs() -> None:
    for kind in ("text/html", "image/svg+xml", "application/xml", "", "text/plain"):
        assert media_type(kind) == "application/octet-stream"
    assert media_type("image/png") == "image/png"


def test_times_and_sizes_read_as_people_write_them() -> None:
    assert when(NOW, NOW, ZONE) == "today 10:42"
    assert when(NOW - timedelta(days=2), NOW, ZONE) == "Mon 23 Nov 10:42"
    assert when(NOW - timedelta(days=365), NOW, ZONE) == "Tue 25 Nov 2025 10:42"
    assert [lasted(timedelta(minutes=minutes)) for minutes in (0, 45, 240, 695)] == [
        "under 1 min",
        "45 min",
        "4 h",
        "11 h 35",
    ]
    assert [octets(size) for size in (12, 84_000, 3_500_000)] == ["12 bytes", "82 KB", "3.3 MB"]
    assert phrase("IN_PROGRESS") == "In progress"
