"""The log: its forms, and that no personal data can get into it."""

from __future__ import annotations

import io
import json
import logging
import time
import warnings

import pytest
import structlog

from relaydesk import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_it_writes_one_json_line_per_fact(stream):
    logs.configure("info", "auto", stream)
    logs.log("message", id=7, domain="support.facebook.com", outcome="accepted", ms=12.5)
    assert stream.getvalue().count("\n") == 1
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "message",
        "level": "info",
        "id": 7,
        "domain": "support.facebook.com",
        "outcome": "accepted",
        "ms": 12.5,
    }


def test_it_writes_logfmt(stream):
    logs.configure("info", "logfmt", stream)
    logs.log("message", kind="case", why="two words")
    assert stream.getvalue().endswith(' level=info event=message kind=case why="two words"\n')


def test_it_writes_for_people_on_a_terminal(stream):
    terminal = Terminal()
    logs.configure("info", "auto", terminal)
    logs.log("message", kind="case")
    assert "message" in terminal.getvalue()
    assert "{" not in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()


def test_it_leaves_out_what_is_below_the_level(stream):
    logs.configure("warning", "json", stream)
    logs.log("quiet")
    logging.getLogger("alembic").info("quiet too")
    logs.log("loud", level="warning")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_it_gives_library_lines_and_warnings_the_same_form(stream):
    logs.configure("info", "json", stream)
    logging.getLogger("alembic.runtime").info("Running upgrade %s", "0001")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["level"]) == ("Running upgrade 0001", "info")
    assert "old thing" in second["event"]


@pytest.mark.parametrize("form", ["json", "logfmt", "console"])
def test_it_never_writes_what_an_smtp_library_says_about_mail(stream, form):
    logs.configure("debug", form, stream)
    for name in ("mail.log", "sqlalchemy.engine"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)  # somebody's switch, after the fact
        logger.debug("DATA readline: %s", b"Dear shop, my name is Alice")
        logger.info("%r >> %r", "peer", b"MAIL FROM:<alice@example.org>")
        logger.warning("unrecognised: %s", b"my name is Alice")
        logger.setLevel(logging.NOTSET)
    assert "lice" not in stream.getvalue()
    assert stream.getvalue().count("unrecognised") == 2


@pytest.mark.parametrize("form", ["json", "logfmt", "console"])
def test_it_writes_a_traceback_without_local_variables(stream, form):
    logs.configure("info", form, Terminal() if form == "console" else stream)
    logs.configure("info", form, stream)
    body = "Dear " + "shop"
    try:
        raise RuntimeError("for bob@example.org")
    except RuntimeError:
        logs.log_exception("internal_error", message=9)
    assert body
    assert "RuntimeError: for …@example.org" in stream.getvalue()
    assert "test_logs.py" in stream.getvalue()
    assert "Dear shop" not in stream.getvalue()


def test_it_takes_local_parts_out_of_whatever_is_logged(stream):
    logs.configure("info", "json", stream)
    logs.log(
        "m <x.y+z@example.org>",
        one="case++aB9@support.facebook.com wrote",
        quoted='"alice b"@example.org',
        many=["carol@[192.0.2.1]", 5],
        text="no address @ all",
    )
    line = json.loads(stream.getvalue())
    assert line["event"] == "m <…@example.org>"
    assert line["one"] == "…@support.facebook.com wrote"
    assert line["quoted"] == "…@example.org"
    assert line["many"] == ["…@[192.0.2.1]", 5]
    assert line["text"] == "no address @ all"


def test_it_redacts_long_text_in_linear_time(stream):
    logs.configure("info", "json", stream)
    before = time.process_time()
    logs.log("x", text="a" * 2_000_000 + " @", quotes='"' * 200_000 + "@", ats="a@" * 200_000)
    assert time.process_time() - before < 10


def test_it_names_what_it_does_not_know(stream):
    with pytest.raises(
        ValueError, match=r"'loud' is not a log level; use one of debug, info, warning, error\."
    ):
        logs.configure("loud", "json", stream)
    with pytest.raises(
        ValueError, match=r"'xml' is not a log format; use one of auto, json, logfmt, console\."
    ):
        logs.configure("info", "xml", stream)


@pytest.mark.parametrize("form", ["json", "logfmt", "console"])
def test_a_fact_that_cannot_be_shown_costs_its_caller_nothing(stream, form):
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("odd")

        __repr__ = __str__

    recursive: list[object] = []
    recursive.append(recursive)
    logs.configure("info", form, stream)
    logs.log("one", value=Odd())
    logs.log("two", value=recursive, more={"a": {1, 2}, ("b",): b"x", "c": float("nan")}, text="a \ud800 b")
    logging.getLogger("relaydesk.smtpd").warning("three %s %s", 1)  # noqa: PLE1206
    logging.getLogger("relaydesk.smtpd").warning("four %s", Odd())
    try:
        raise type("Strange", (ValueError,), {"__str__": Odd.__str__})
    except ValueError:
        logs.log_exception("five")
    for word in ("one", "two", "three", "four", "five"):
        assert word in stream.getvalue()
    assert "\\ud800" in stream.getvalue()
    stream.getvalue().encode()


def test_a_stream_that_fails_costs_nobody_anything():
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    logs.configure("info", "json", Broken())
    logs.log("x")
    logging.getLogger("somewhere").error("y")
    try:
        raise ValueError
    except ValueError:
        logs.log_exception("z")


def test_a_fact_is_cut(stream):
    logs.configure("info", "json", stream)
    logs.log("x", helo="a" * 100_000, many=["b" * 100_000])
    assert len(stream.getvalue()) < 5_000
    assert "98000 more characters" in stream.getvalue()


UNSEEN = [
    "\x1b[2J", "\x9b2J", "\x00", "\r\nFAKE line", "\x85", "\u2028", "\u202ereversed", "\u2066x\u2069",
    "\u200b", "\u200f", "\ufeff", "\xad", "\u061c", "\U000e0041",
]  # fmt: skip


@pytest.mark.parametrize("form", ["json", "logfmt", "console"])
@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_no_control_of_the_wire_reaches_the_stream(stream, form, unseen):
    logs.configure("info", form, stream)
    logs.log("hello", helo=f"a{unseen}b", names=[f"c{unseen}d"])
    logging.getLogger("relaydesk.smtpd").warning("a name: %s", unseen)
    try:
        raise ValueError(unseen)
    except ValueError:
        logs.log_exception("failed")
    hidden = set(unseen) - set(map(chr, range(32, 127)))
    assert not hidden & (set(stream.getvalue()) - {"\n"})
    assert not any(row.startswith("FAKE") for row in stream.getvalue().split("\n"))


def test_it_shows_a_control_as_its_escape_and_leaves_letters(stream):
    logs.configure("info", "json", stream)
    logs.log("hello", helo="Zo\xeb \U0001f600 \u5317\u4eac \x9b\u202e")
    assert json.loads(stream.getvalue())["helo"] == "Zo\xeb \U0001f600 \u5317\u4eac \\x9b\\u202e"
