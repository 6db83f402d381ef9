"""``relaydesk demo`` as a user runs it, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relaydesk.config import load_settings, open_desk
from relaydesk.data import data_path
from relaydesk.demo import arrival, show
from relaydesk.demo.arrival import ReceivedAnswer
from relaydesk.demo.stand import Listening
from relaydesk.message import parse
from relaydesk.message.auth_results import DkimResult
from relaydesk.samples.case import load_case

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = data_path("fixtures")
RELAY = "case++aazr5wey3juyyq@support.instagram.com"

# The demo on three cases and with no command but the answer's; ``change`` is code that alters something.
SHORT = """
import dataclasses, sys
from relaydesk.samples.case import load_case
from relaydesk.demo import arrival, show, stand
def some(fixtures):
    found = [load_case(fixtures, name) for name in ("101-instagram-case", "104-claim-opened", "324-forged")]
    {change}
    return tuple(found)
show.load_cases = some
real = show.DemoShop._command
show.DemoShop._command = lambda shop, *words: words[0] != "answer" or real(shop, *words)
sys.exit(show.run(once={once}, port=None))
"""
WRONG = """
    step = dataclasses.replace(found[2].last, expected={'reply': '250'})
    found[2] = dataclasses.replace(found[2], steps=(step,))
"""
# The record in DNS is of another key than the one that signs, another buyer is to be answered, and nobody is
# told that the clock has stopped.
WRONG_ANSWER = """
    record, other = stand.dkim_key_record, stand.new_dkim_key(1024)
    stand.dkim_key_record = lambda _: record(other)
    expected = {**found[0].last.expected, 'relay_address': 'case++bob@support.instagram.com'}
    found[0] = dataclasses.replace(found[0], steps=(dataclasses.replace(found[0].last, expected=expected),))
    arrival.stopped = lambda *_: None
"""


def environment(place: Path) -> dict[str, str]:
    """With settings that must not reach the demo, and its temporary files where the test can see them."""
    told = {"RELAYDESK_MAILBOXES": '["other@else.example"]', "TMPDIR": str(place)}
    return {**os.environ, **told, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def started(place: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(place),
        cwd=place,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def running(place: Path) -> list[str]:
    """The processes that still work in ``place``."""
    commands = (path.joinpath("cmdline") for path in Path("/proc").glob("[0-9]*"))
    return [text for path in commands if str(place) in (text := read(path))]


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def plain(text: str) -> str:
    """One space for many, and without the times, which differ from day to day."""
    dates = r"\w{3} \d\d \w{3} \d\d:\d\d P[SD]T|\d{4}-\d\d-\d\d [\d:+]+"
    times = rf"{dates}|\d+ d \d\d:\d\d|\bin \d+ d \d+ h\b"
    return re.sub(r"[^\S\n]+", " ", re.sub(times, "TIME", text))


def sample_in_the_readme() -> list[str]:
    """The lines that the README shows of the demo; ``…`` is what it leaves out."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = (block for block in text.split("```") if "every reply as expected" in block)
    lines = (plain(line.split("\N{HORIZONTAL ELLIPSIS}")[0]).strip() for line in block.splitlines())
    return [line for line in lines if line.strip("\N{BOX DRAWINGS LIGHT HORIZONTAL}")]


def test_it_shows_every_case_and_ends_well(tmp_path: Path) -> None:
    with started(tmp_path, "-m", "relaydesk", "demo", "--once") as demo:
        said, _ = demo.communicate(timeout=110)
    assert demo.returncode == 0, said
    assert "every reply as expected" in said
    assert said.count("\n") < 100  # two screens
    assert "$ relaydesk answer 1 --template acknowledgement" in said
    arrived = said.split("What arrived at Meta's relay")[1].split("$ relaydesk queue")
    assert f"Delivered-To: {RELAY}\n" in arrived[0]
    assert f"To:           {RELAY}\n" in arrived[0]
    assert "Subject:      Re: Message from alice (order 368508827392800)" in arrived[0]
    assert "DKIM:         pass: The signature of shop.example is valid (2048-bit rsa)." in arrived[0]
    assert "response clock of ticket 1 stopped: " in arrived[0]
    assert re.search(r"case +\d+ ", arrived[1])
    assert "\x1b[" not in said
    shown = sample_in_the_readme()
    assert len(shown) > 12
    assert [line for line in shown if line not in plain(said)] == []
    assert list(tmp_path.iterdir()) == []
    assert running(tmp_path) == []


def test_it_fails_when_a_reply_is_not_as_expected(tmp_path: Path) -> None:
    with started(tmp_path, "-c", SHORT.format(once=True, change=WRONG)) as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert re.search(r"324-forged +550 5\.7\.1 .* EXPECTED 250", said)
    assert "NOT AS EXPECTED" not in said
    assert "not as expected: 324-forged" in said


def test_it_fails_when_the_answer_does_not_arrive_as_it_should(tmp_path: Path) -> None:
    with started(tmp_path, "-c", SHORT.format(once=True, change=WRONG_ANSWER)) as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1, said
    assert (
        f"NOT AS EXPECTED: It went to {RELAY} and not to case++bob@support.instagram.com. "
        "To is not case++bob@support.instagram.com. DKIM does not pass: fail. "
        "The response clock of ticket 1 runs on."
    ) in said
    assert "every reply as expected" in said
    assert list(tmp_path.iterdir()) == []
    assert running(tmp_path) == []


def test_it_fails_when_no_answer_arrives(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command went well, and the relay's folder stays empty: a failure like any other of the answer."""
    monkeypatch.setattr(arrival, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(show.DemoShop, "_command", lambda *_: True)
    shop = show.DemoShop(FIXTURES / "relaydesk.yaml", FIXTURES, Listening(0), tmp_path)
    question = load_case(FIXTURES, "101-instagram-case").last
    with closing(open_desk(load_settings(shop.config, {"RELAYDESK_DATABASE": sqlite_url}))) as desk:
        assert not shop._answer(desk, 1, question)
    assert "Nothing arrived at Meta's relay." in capsys.readouterr().out


def test_its_relay_keeps_what_came_byte_for_byte(tmp_path: Path) -> None:
    body = b"Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n"
    with started(tmp_path, "-m", "relaydesk.demo.meta", str(tmp_path)) as relay:
        assert relay.stdout is not None
        port = int(relay.stdout.readline().rpartition(":")[2])
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            assert client.docmd("RCPT", "TO:<a@b.example>")[0] == 503
            assert client.docmd("DATA")[0] == 503
            assert client.docmd("AUTH", "PLAIN")[0] == 502
            assert client.sendmail("", ["a@b.example", RELAY], body) == {}
            assert client.sendmail("c@d.example", [RELAY], body) == {}
    first, second = (path.read_bytes() for path in sorted(tmp_path.glob("*")))
    assert (
        first
        == b"Return-Path: <>\r\nDelivered-To: a@b.example\r\nDelivered-To: %b\r\n" % RELAY.encode() + body
    )
    assert second == b"Return-Path: <c@d.example>\r\nDelivered-To: %b\r\n" % RELAY.encode() + body


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", []),
        (f"Delivered-To: {RELAY}", f"Delivered-To: {RELAY}\nDelivered-To: a@b.example", ["It went to "]),
        (f"To: {RELAY}\nS", "To: a@b.example\nS", ["To is not "]),
        ("Subject", "Cc: a@b.example\nSubject", ["It has copies."]),
        ("Re: 4711", "Re: 471", ["The subject lacks"]),
        ("text 4711", "text 471", ["The text lacks"]),
        ("<p>4711", "<p>471", ["The HTML lacks"]),
    ],
)
def test_it_sees_what_is_wrong_with_an_answer(old: str, new: str, told: list[str]) -> None:
    message = (
        f"Delivered-To: {RELAY}\nTo: {RELAY}\nSubject: Re: 4711\nMIME-Version: 1.0\n"
        'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\ntext 4711\n'
        "--b\nContent-Type: text/html\n\n<p>4711</p>\n--b--\n"
    )
    assert old in message
    letter = parse.parse_message(message.replace(old, new, 1).replace("\n", "\r\n").encode())
    found = ReceivedAnswer(letter, DkimResult("pass")).objections(RELAY, "4711")
    assert [sentence[: len(start)] for sentence, start in zip(found, told, strict=True)] == told
    worse = ReceivedAnswer(letter, DkimResult("fail")).objections(RELAY, "4711")
    assert worse == [*found, "DKIM does not pass: fail."]


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    with started(tmp_path, "-c", SHORT.format(once=False, change="show.UNDO_SECONDS = 1")) as demo:
        assert demo.stdout is not None
        lines = iter(demo.stdout.readline, "")
        link = next(line.split()[0] for line in lines if line.strip().startswith("http://127.0.0.1:"))
        line = next(line for line in lines if line.startswith("Serving on 127.0.0.1:"))
        with smtplib.SMTP("127.0.0.1", int(line.split(":")[1].split()[0]), timeout=20) as client:
            assert client.noop()[0] == 250
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(link, timeout=20) as page:
            assert b"My parcel should have come on Friday. Where is it?" in page.read()
        assert running(tmp_path) != []
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, said
    assert "Stopped; all files are deleted." in said
    assert list(tmp_path.iterdir()) == []
    assert running(tmp_path) == []


def test_it_says_why_it_cannot_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ("-m", "relaydesk", "demo", "--once", "--port", str(taken.getsockname()[1]))
        with started(tmp_path, *command) as demo:
            said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 2
    assert "The server did not start." in said
    assert "Traceback" not in said
