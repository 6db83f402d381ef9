"""``relaydesk demo`` as a user runs it, in a process of its own."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The demo on three cases and without its commands; ``change`` is code that alters a case.
SHORT = """
import dataclasses, sys
from relaydesk.cases.case import load
from relaydesk.demo import show
def some(fixtures):
    found = [load(fixtures, name) for name in ("101-instagram-case", "104-claim-opened", "324-forged")]
    {change}
    return tuple(found)
show.load_all = some
show.Shop._command = lambda *words: True
sys.exit(show.run(once={once}, port=None))
"""
WRONG = """
    step = dataclasses.replace(found[2].last, expected={'reply': '250'})
    found[2] = dataclasses.replace(found[2], steps=(step,))
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


def test_it_shows_every_case_and_ends_well(tmp_path: Path) -> None:
    with started(tmp_path, "-m", "relaydesk", "demo", "--once") as demo:
        said, _ = demo.communicate(timeout=110)
    assert demo.returncode == 0, said
    assert "every reply as expected" in said
    assert "101-instagram-case                         250 2.0.0 Ok: stored" in said
    assert "$ relaydesk queue all" in said
    assert "394455667788123" in said
    assert "SLA report" in said
    assert "\x1b[" not in said
    assert list(tmp_path.iterdir()) == []
    assert running(tmp_path) == []


def test_it_fails_when_a_reply_is_not_as_expected(tmp_path: Path) -> None:
    with started(tmp_path, "-c", SHORT.format(once=True, change=WRONG)) as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "EXPECTED 250" in said
    assert "not as expected: 324-forged" in said


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    with started(tmp_path, "-c", SHORT.format(once=False, change="pass")) as demo:
        assert demo.stdout is not None
        line = next(line for line in demo.stdout if line.startswith("Serving on 127.0.0.1:"))
        with smtplib.SMTP("127.0.0.1", int(line.split(":")[1].split()[0]), timeout=20) as client:
            assert client.noop()[0] == 250
        assert running(tmp_path) != []
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, said
    assert "Stopped, and cleared away." in said
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
